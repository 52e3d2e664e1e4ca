package webauthn

import (
	"encoding/binary"
	"errors"
	"math"
	"unicode/utf8"
)

// Bounds of the reader. CTAP2 nests no deeper than four; nothing that is asked for here comes near the size.
const (
	maxCBOR      = 8 << 10 // bytes
	maxCBORDepth = 4
)

var errCBOR = errors.New("not in the canonical CBOR form of CTAP2")

// cborMap is a CBOR map. Its keys are int64 or string; its values are int64, bool, string, []byte, []any or cborMap.
type cborMap map[any]any

// parseCBOR reads one item and nothing else.
func parseCBOR(b []byte) (any, error) {
	v, rest, err := readCBOR(b)
	if err == nil && len(rest) != 0 {
		err = errCBOR
	}
	return v, err
}

// readCBOR reads the item that b begins with, and returns what follows it. Only the canonical form of CTAP2 (§8 there) is
// read, which leaves each value one encoding: shortest lengths, definite ones, map keys in order and so never twice. Of
// that it does without tags, floating point, and every simple value but false and true.
func readCBOR(b []byte) (v any, rest []byte, err error) {
	if len(b) > maxCBOR {
		return nil, nil, errCBOR
	}
	r := cborReader{b}
	v, err = r.item(0)
	return v, r.rest, err
}

type cborReader struct{ rest []byte }

// Major types (RFC 8949 §3.1).
const (
	majorUnsigned = iota
	majorNegative
	majorBytes
	majorText
	majorArray
	majorMap
	majorTag
	majorSimple
)

// Simple values, as the argument of major type 7.
const (
	simpleFalse = 20
	simpleTrue  = 21
)

func (r *cborReader) item(depth int) (any, error) {
	major, n, err := r.head()
	if err != nil {
		return nil, err
	}
	switch major {
	case majorUnsigned, majorNegative:
		if n > math.MaxInt64 {
			return nil, errCBOR
		}
		if major == majorNegative {
			return -1 - int64(n), nil
		}
		return int64(n), nil
	case majorBytes:
		return r.take(n)
	case majorText:
		text, err := r.take(n)
		if err != nil || !utf8.Valid(text) {
			return nil, errCBOR
		}
		return string(text), nil
	case majorArray:
		return r.array(n, depth)
	case majorMap:
		return r.dictionary(n, depth)
	case majorSimple:
		return n == simpleTrue, nil // head lets through no other than false
	}
	return nil, errCBOR
}

// head reads the type of an item and its argument, which must be written in as few bytes as it can be.
func (r *cborReader) head() (major byte, n uint64, err error) {
	if len(r.rest) == 0 {
		return 0, 0, errCBOR
	}
	initial := r.rest[0]
	r.rest = r.rest[1:]
	major, n = initial>>5, uint64(initial&31)
	if major == majorSimple {
		if n != simpleFalse && n != simpleTrue {
			return 0, 0, errCBOR
		}
		return major, n, nil
	}
	if n < 24 {
		return major, n, nil
	}
	if n > 27 { // reserved, or a length that is told later
		return 0, 0, errCBOR
	}
	size := 1 << (n - 24)
	argument, err := r.take(uint64(size))
	if err != nil {
		return 0, 0, err
	}
	var word [8]byte
	copy(word[8-size:], argument)
	n = binary.BigEndian.Uint64(word[:])
	if least := [...]uint64{1: 24, 2: 1 << 8, 4: 1 << 16, 8: 1 << 32}; n < least[size] {
		return 0, 0, errCBOR
	}
	return major, n, nil
}

func (r *cborReader) take(n uint64) ([]byte, error) {
	if n > uint64(len(r.rest)) {
		return nil, errCBOR
	}
	taken := r.rest[:n:n]
	r.rest = r.rest[n:]
	return taken, nil
}

// array reads n items. Memory grows with what is there, never with what the length claims.
func (r *cborReader) array(n uint64, depth int) (any, error) {
	if depth == maxCBORDepth {
		return nil, errCBOR
	}
	list := []any{}
	for range n {
		v, err := r.item(depth + 1)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, nil
}

func (r *cborReader) dictionary(n uint64, depth int) (any, error) {
	if depth == maxCBORDepth {
		return nil, errCBOR
	}
	m := cborMap{}
	var previous []byte
	for range n {
		start := r.rest
		key, err := r.item(depth + 1)
		if err != nil {
			return nil, err
		}
		switch key.(type) {
		case int64, string:
		default:
			return nil, errCBOR
		}
		encoded := start[:len(start)-len(r.rest)]
		if previous != nil && !keyBefore(previous, encoded) {
			return nil, errCBOR
		}
		previous = encoded
		if m[key], err = r.item(depth + 1); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// keyBefore reports whether one encoded key stands before another: by major type, then by length, then by its bytes
// (CTAP2 §8). Equal keys do not.
func keyBefore(a, b []byte) bool {
	if a[0]>>5 != b[0]>>5 {
		return a[0]>>5 < b[0]>>5
	}
	if len(a) != len(b) {
		return len(a) < len(b)
	}
	return string(a) < string(b)
}
