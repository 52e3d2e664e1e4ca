package passkeytest

import "encoding/binary"

// Int writes an integer.
func Int(n int) []byte {
	if n < 0 {
		return head(1, uint64(-1-n))
	}
	return head(0, uint64(n))
}

// Bytes writes a byte string.
func Bytes(b []byte) []byte { return append(head(2, uint64(len(b))), b...) }

// Text writes a text string.
func Text(s string) []byte { return append(head(3, uint64(len(s))), s...) }

// Array writes an array of encoded items.
func Array(items ...[]byte) []byte { return join(head(4, uint64(len(items))), items) }

// Map writes a map of encoded keys and values by turns, in the order they come.
func Map(items ...[]byte) []byte { return join(head(5, uint64(len(items)/2)), items) }

// Bool writes false or true.
func Bool(v bool) []byte {
	if v {
		return []byte{0xF5}
	}
	return []byte{0xF4}
}

func join(b []byte, items [][]byte) []byte {
	for _, item := range items {
		b = append(b, item...)
	}
	return b
}

func head(major byte, n uint64) []byte {
	switch {
	case n < 24:
		return []byte{major<<5 | byte(n)}
	case n < 1<<8:
		return []byte{major<<5 | 24, byte(n)}
	case n < 1<<16:
		return binary.BigEndian.AppendUint16([]byte{major<<5 | 25}, uint16(n))
	case n < 1<<32:
		return binary.BigEndian.AppendUint32([]byte{major<<5 | 26}, uint32(n))
	}
	return binary.BigEndian.AppendUint64([]byte{major<<5 | 27}, n)
}
