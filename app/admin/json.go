package admin

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Bounds of a document: what a careless script can produce, not what a person needs.
const (
	MaxDocument = 16 << 20 // bytes
	maxDepth    = 16
	maxValues   = 1 << 18
)

// value is one JSON value as it was written. Unlike a struct filled by encoding/json it still shows duplicate names and
// their exact spelling, which a strict reader has to refuse.
type value struct {
	kind    kind
	text    string // of a string or number
	truth   bool
	members []member
	items   []value
}

type member struct {
	name  string
	value value
}

type kind string

const (
	kindObject  kind = "an object"
	kindArray   kind = "an array"
	kindString  kind = "a string"
	kindNumber  kind = "a number"
	kindBoolean kind = "true or false"
	kindNull    kind = "null"
)

// parseValue reads exactly one JSON value. Its errors say line and column.
func parseValue(b []byte) (value, error) {
	if len(b) > MaxDocument {
		return value{}, fmt.Errorf("the document has %d bytes: at most %d are read", len(b), MaxDocument)
	}
	if at := invalidUTF8(b); at >= 0 {
		return value{}, fmt.Errorf("%s: not UTF-8", position(b, at))
	}
	p := parser{bytes: b, d: json.NewDecoder(bytes.NewReader(b))}
	p.d.UseNumber()
	v, err := p.next(0)
	if err != nil {
		return value{}, err
	}
	if _, err := p.d.Token(); err != io.EOF {
		return value{}, p.wrong("text after the end of the document")
	}
	return v, nil
}

func invalidUTF8(b []byte) int {
	for i := 0; i < len(b); {
		r, size := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return -1
}

type parser struct {
	bytes  []byte
	d      *json.Decoder
	values int
}

func (p *parser) wrong(format string, args ...any) error {
	return fmt.Errorf("%s: %s", position(p.bytes, int(p.d.InputOffset())), fmt.Sprintf(format, args...))
}

// position returns the line and column of an offset, both from 1; columns count characters.
func position(b []byte, offset int) string {
	before := b[:min(offset, len(b))]
	line := bytes.Count(before, []byte("\n")) + 1
	column := utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:]) + 1
	return fmt.Sprintf("line %d, column %d", line, column)
}

func (p *parser) next(depth int) (value, error) {
	t, err := p.token()
	if err != nil {
		return value{}, err
	}
	if p.values++; p.values > maxValues {
		return value{}, p.wrong("more than %d values", maxValues)
	}
	switch t := t.(type) {
	case json.Delim:
		if depth == maxDepth {
			return value{}, p.wrong("nested deeper than %d", maxDepth)
		}
		if t == '{' {
			return p.object(depth)
		}
		return p.array(depth)
	case string:
		return value{kind: kindString, text: t}, nil
	case json.Number:
		return value{kind: kindNumber, text: t.String()}, nil
	case bool:
		return value{kind: kindBoolean, truth: t}, nil
	}
	return value{kind: kindNull}, nil
}

func (p *parser) token() (json.Token, error) {
	t, err := p.d.Token()
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		return nil, fmt.Errorf("%s: %w", position(p.bytes, p.offender(syntax)), err)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return nil, fmt.Errorf("%s: the document ends here, in the middle", position(p.bytes, len(p.bytes)))
	case err != nil:
		return nil, p.wrong("%v", err)
	}
	return t, nil
}

// offender is the offset of the character that the error is about. encoding/json counts up to it or past it, depending on
// which of its layers noticed.
func (p *parser) offender(err *json.SyntaxError) int {
	at := int(err.Offset)
	if at < len(p.bytes) && strings.HasPrefix(err.Error(), fmt.Sprintf("invalid character '%c'", p.bytes[at])) {
		return at
	}
	return max(at-1, 0)
}

func (p *parser) object(depth int) (value, error) {
	v := value{kind: kindObject}
	for p.d.More() {
		name, err := p.token()
		if err != nil {
			return v, err
		}
		text, ok := name.(string)
		if !ok {
			return v, p.wrong("a member name must be a string")
		}
		content, err := p.next(depth + 1)
		if err != nil {
			return v, err
		}
		v.members = append(v.members, member{text, content})
	}
	_, err := p.token() // the closing brace
	return v, err
}

func (p *parser) array(depth int) (value, error) {
	v := value{kind: kindArray}
	for p.d.More() {
		item, err := p.next(depth + 1)
		if err != nil {
			return v, err
		}
		v.items = append(v.items, item)
	}
	_, err := p.token() // the closing bracket
	return v, err
}
