package jose

import (
	"encoding/json"
	"strconv"
	"time"
	"unicode/utf8"
)

// The append functions write JSON by hand: a token is signed for every token request, and reflection would cost more than
// everything else but the signature.

// appendMember begins a member. The name needs no escaping: it is one of ours.
func appendMember(b []byte, name string) []byte {
	if b[len(b)-1] != '{' {
		b = append(b, ',')
	}
	b = append(b, '"')
	b = append(b, name...)
	return append(b, '"', ':')
}

func appendText(b []byte, name, value string) []byte {
	return appendString(appendMember(b, name), value)
}

// appendTextIf leaves an empty value out.
func appendTextIf(b []byte, name, value string) []byte {
	if value == "" {
		return b
	}
	return appendText(b, name, value)
}

// appendDate writes seconds since 1970 (RFC 7519 §2, NumericDate).
func appendDate(b []byte, name string, t time.Time) []byte {
	return strconv.AppendInt(appendMember(b, name), t.Unix(), 10)
}

// appendDateIf leaves a zero time out.
func appendDateIf(b []byte, name string, t time.Time) []byte {
	if t.IsZero() {
		return b
	}
	return appendDate(b, name, t)
}

// appendListIf leaves an empty list out.
func appendListIf(b []byte, name string, values []string) []byte {
	if len(values) == 0 {
		return b
	}
	return appendList(appendMember(b, name), values)
}

func appendList(b []byte, values []string) []byte {
	b = append(b, '[')
	for i, v := range values {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, v)
	}
	return append(b, ']')
}

// appendValue writes the value of a claim. Types beyond those that most claims have are left to encoding/json.
func appendValue(b []byte, value any) ([]byte, error) {
	switch v := value.(type) {
	case string:
		return appendString(b, v), nil
	case bool:
		return strconv.AppendBool(b, v), nil
	case int64:
		return strconv.AppendInt(b, v, 10), nil
	case []string:
		return appendList(b, v), nil
	}
	text, err := json.Marshal(value)
	return append(b, text...), err
}

const hexDigits = "0123456789abcdef"

// appendString writes a JSON string. As encoding/json does, it replaces each byte that is not UTF-8: a stored name must
// not make a token that nobody can read.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if c >= 0x20 && c != '"' && c != '\\' {
				i++
				continue
			}
			b = append(b, s[from:i]...)
			if c >= 0x20 {
				b = append(b, '\\', c)
			} else {
				b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
			}
			i++
			from = i
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 {
			b = append(b, s[from:i]...)
			b = utf8.AppendRune(b, utf8.RuneError)
			from = i + 1
		}
		i += size
	}
	b = append(b, s[from:]...)
	return append(b, '"')
}
