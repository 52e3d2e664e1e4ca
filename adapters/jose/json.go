package jose

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth bounds how deeply objects and arrays may nest, and with it the reader's stack.
const maxDepth = 16

var errJSON = errors.New("malformed token: the JSON is not well-formed, or a member name repeats")

// object is a JSON object. Values are nil, bool, string, number, []any or object.
type object map[string]any

// number is the text of a JSON number.
type number string

// parseObject reads one JSON object and nothing else, in time linear in its length. Beyond RFC 8259 it refuses what
// readers disagree about, since two readers of one token must see the same: member names that repeat or differ in letter
// case only (encoding/json takes the last), invalid UTF-8, lone surrogates, and nesting beyond maxDepth.
func parseObject(text []byte) (object, error) {
	if !utf8.Valid(text) {
		return nil, errJSON
	}
	p := parser{rest: string(text)}
	p.space()
	v, err := p.value(0)
	if err != nil {
		return nil, err
	}
	p.space()
	o, ok := v.(object)
	if !ok || p.rest != "" {
		return nil, errJSON
	}
	return o, nil
}

type parser struct{ rest string }

func (p *parser) space() { p.rest = strings.TrimLeft(p.rest, " \t\r\n") }

// take consumes the token if it comes next.
func (p *parser) take(token string) (ok bool) {
	p.rest, ok = strings.CutPrefix(p.rest, token)
	return ok
}

func (p *parser) value(depth int) (any, error) {
	if p.rest == "" {
		return nil, errJSON
	}
	switch c := p.rest[0]; {
	case c == '{' && depth < maxDepth:
		return p.object(depth + 1)
	case c == '[' && depth < maxDepth:
		return p.array(depth + 1)
	case c == '"':
		return p.string()
	case c == '-' || '0' <= c && c <= '9':
		return p.number()
	case p.take("true"):
		return true, nil
	case p.take("false"):
		return false, nil
	case p.take("null"):
		return nil, nil
	}
	return nil, errJSON
}

func (p *parser) object(depth int) (object, error) {
	p.take("{")
	o := object{}
	folded := map[string]struct{}{}
	p.space()
	if p.take("}") {
		return o, nil
	}
	for {
		p.space()
		name, err := p.string()
		if err != nil {
			return nil, err
		}
		key := fold(name)
		if _, repeated := folded[key]; repeated {
			return nil, errJSON
		}
		folded[key] = struct{}{}
		p.space()
		if !p.take(":") {
			return nil, errJSON
		}
		p.space()
		if o[name], err = p.value(depth); err != nil {
			return nil, err
		}
		p.space()
		if p.take("}") {
			return o, nil
		}
		if !p.take(",") {
			return nil, errJSON
		}
	}
}

func (p *parser) array(depth int) ([]any, error) {
	p.take("[")
	list := []any{}
	p.space()
	if p.take("]") {
		return list, nil
	}
	for {
		p.space()
		v, err := p.value(depth)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
		p.space()
		if p.take("]") {
			return list, nil
		}
		if !p.take(",") {
			return nil, errJSON
		}
	}
}

// string reads a string; without escapes it is a part of the text itself.
func (p *parser) string() (string, error) {
	if !p.take(`"`) {
		return "", errJSON
	}
	var unescaped []byte
	from := 0 // what lies before is in unescaped
	for i := 0; i < len(p.rest); {
		switch c := p.rest[i]; {
		case c == '"':
			s := p.rest[from:i]
			p.rest = p.rest[i+1:]
			if unescaped == nil {
				return s, nil
			}
			return string(append(unescaped, s...)), nil
		case c < 0x20:
			return "", errJSON
		case c == '\\':
			r, size, ok := escape(p.rest[i:])
			if !ok {
				return "", errJSON
			}
			unescaped = utf8.AppendRune(append(unescaped, p.rest[from:i]...), r)
			i += size
			from = i
		default:
			i++
		}
	}
	return "", errJSON
}

// escape reads the escape sequence that s begins with, and returns its size in bytes.
func escape(s string) (r rune, size int, ok bool) {
	if len(s) < 2 {
		return 0, 0, false
	}
	if s[1] != 'u' {
		i := strings.IndexByte(`"\/bfnrt`, s[1])
		if i < 0 {
			return 0, 0, false
		}
		return rune("\"\\/\b\f\n\r\t"[i]), 2, true
	}
	r, ok = codeUnit(s)
	if !ok || !utf16.IsSurrogate(r) {
		return r, 6, ok
	}
	low, ok := codeUnit(s[6:])
	r = utf16.DecodeRune(r, low)
	return r, 12, ok && r != unicode.ReplacementChar
}

// codeUnit reads the \uXXXX that s begins with.
func codeUnit(s string) (rune, bool) {
	if len(s) < 6 || s[:2] != `\u` {
		return 0, false
	}
	var r rune
	for _, c := range []byte(s[2:6]) {
		digit := strings.IndexByte("0123456789abcdef", c|0x20)
		if digit < 0 || c < '0' {
			return 0, false
		}
		r = r<<4 | rune(digit)
	}
	return r, true
}

// number reads a number as RFC 8259 §6 writes it.
func (p *parser) number() (number, error) {
	s, i := p.rest, 0
	digits := func() bool {
		from := i
		for i < len(s) && '0' <= s[i] && s[i] <= '9' {
			i++
		}
		return i > from
	}
	next := func(set string) bool {
		if i < len(s) && strings.IndexByte(set, s[i]) >= 0 {
			i++
			return true
		}
		return false
	}
	next("-")
	if !next("0") && !digits() {
		return "", errJSON
	}
	if next(".") && !digits() {
		return "", errJSON
	}
	if next("eE") {
		next("+-")
		if !digits() {
			return "", errJSON
		}
	}
	p.rest = s[i:]
	return number(s[:i]), nil
}

// fold returns one spelling for all that differ in letter case only, with the Unicode foldings encoding/json knows (the
// Kelvin sign is a k).
func fold(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z':
			return r - ('a' - 'A')
		case r < utf8.RuneSelf:
			return r
		}
		least := r
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			least = min(least, f)
		}
		return least
	}, name)
}
