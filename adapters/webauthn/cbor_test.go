package webauthn

import (
	"bytes"
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	test "latchkey/ports/passkeytest"
)

// What is read, by the examples of RFC 8949 appendix A and the rules of CTAP2 §8.
func TestParseCBOR(t *testing.T) {
	for text, want := range map[string]any{
		"00": int64(0), "17": int64(23), "1818": int64(24), "18ff": int64(255), "190100": int64(256), "1a00010000": int64(65536),
		"1b0000000100000000": int64(1 << 32), "1b7fffffffffffffff": int64(1<<63 - 1), "20": int64(-1), "3863": int64(-100),
		"3b7fffffffffffffff": int64(-1 << 63), "f4": false, "f5": true, "40": []byte{}, "4401020304": []byte{1, 2, 3, 4},
		"60": "", "6161": "a", "62c3bc": "ü", "64f0908591": "\U00010151", "80": []any{}, "8301820203820405": []any{int64(1), []any{int64(2), int64(3)}, []any{int64(4), int64(5)}},
		"a0": cborMap{}, "a201020304": cborMap{int64(1): int64(2), int64(3): int64(4)}, "a2616101620a0a02": cborMap{"a": int64(1), "\n\n": int64(2)},
		"a4" + "01" + "00" + "1818" + "01" + "20" + "02" + "6161" + "03": cborMap{int64(1): int64(0), int64(24): int64(1), int64(-1): int64(2), "a": int64(3)},
		"81818180": []any{[]any{[]any{[]any{}}}},
	} {
		b, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		got, err := parseCBOR(b)
		if d := cmp.Diff(want, got); err != nil || d != "" {
			t.Errorf("%s: error %v (-want +got):\n%s", text, err, d)
		}
		if text != "" {
			if _, err := parseCBOR(append(b, 0)); err == nil {
				t.Errorf("%s: more came after it", text)
			}
		}
		for i := range b {
			if v, err := parseCBOR(b[:i]); err == nil {
				t.Errorf("%s: its first %d bytes are read as %v", text, i, v)
			}
		}
	}
}

func TestRefusedCBOR(t *testing.T) {
	deep := strings.Repeat("81", 5) + "00"
	for what, text := range map[string]string{
		"nothing": "", "a longer integer": "1817", "a longer integer of two bytes": "1900ff", "of four": "1a0000ffff", "of eight": "1b00000000ffffffff",
		"a longer length": "580101", "too large an integer": "1b8000000000000000", "too small an integer": "3b8000000000000000",
		"an indefinite byte string": "5f4101ff", "text": "7f6161ff", "array": "9f01ff", "map": "bf6161f5ff", "a break": "ff",
		"a tag": "c11a514b67b0", "a bignum": "c249010000000000000000", "half a float": "f93c00", "a float": "fa47c35000", "a double": "fb3ff199999999999a",
		"null": "f6", "undefined": "f7", "a simple value": "f0", "one of two bytes": "f8ff", "false of two bytes": "f814", "reserved": "1c",
		"not UTF-8": "61ff", "a surrogate": "63eda080", "a cut string": "4201", "a cut array": "8201", "a cut map": "a101", "an array of more than there is": "9a7fffffff00",
		"a map of more than there is": "bbffffffffffffffff", "a string of more than there is": "5bffffffffffffffff",
		"a key twice": "a201000101", "a text key twice": "a2616100616101", "keys out of order": "a203000100", "a longer key first": "a262616100616200",
		"text before numbers": "a2616100" + "0100", "negative before positive": "a220000100", "a key that is a byte string": "a1410100", "an array": "a18000", "a map as a key": "a1a000", "a truth": "a1f400",
		"nested five deep": deep, "maps five deep": strings.Repeat("a101", 5) + "00", "10,000 deep": strings.Repeat("81", 10_000) + "00",
		"two items": "0000", "more than fits": "591fff" + strings.Repeat("00", 0x1fff),
	} {
		b, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := parseCBOR(b); err == nil {
			t.Errorf("%s: read as %v", what, got)
		}
	}
	// What stands before the next item is read on its own.
	if v, rest, err := readCBOR([]byte{0x01, 0xff}); v != int64(1) || !bytes.Equal(rest, []byte{0xff}) || err != nil {
		t.Errorf("%v, %x, %v", v, rest, err)
	}
}

// encode writes a value as CTAP2 §8 wants it: the other half of the round trip.
func encode(v any) []byte {
	switch v := v.(type) {
	case int64:
		return test.Int(int(v))
	case bool:
		return test.Bool(v)
	case string:
		return test.Text(v)
	case []byte:
		return test.Bytes(v)
	case []any:
		var items [][]byte
		for _, item := range v {
			items = append(items, encode(item))
		}
		return test.Array(items...)
	case cborMap:
		var keys []any
		for key := range v {
			keys = append(keys, key)
		}
		slices.SortFunc(keys, func(a, b any) int {
			x, y := encode(a), encode(b)
			if x[0]>>5 != y[0]>>5 {
				return int(x[0]>>5) - int(y[0]>>5)
			}
			if len(x) != len(y) {
				return len(x) - len(y)
			}
			return bytes.Compare(x, y)
		})
		var items [][]byte
		for _, key := range keys {
			items = append(items, encode(key), encode(v[key]))
		}
		return test.Map(items...)
	}
	panic("not a CBOR value")
}

// Whatever is read has one encoding: the one that was read.
func FuzzParseCBOR(f *testing.F) {
	for _, text := range []string{"a30102032620f5", "a363666d74646e6f6e656761747453746d74a068617574684461746141ff", "8301820203820405", "1b7fffffffffffffff", "3b7fffffffffffffff", "62c3bc", "a4010018180120026161f4", "f97e00", "bf6161f5ff"} {
		b, _ := hex.DecodeString(text)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := parseCBOR(b)
		if err != nil {
			return
		}
		if again := encode(v); !bytes.Equal(again, b) {
			t.Errorf("%x is read as %v, which is written %x", b, v, again)
		}
	})
}
