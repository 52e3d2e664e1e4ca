package webauthn

import (
	"bytes"
	"encoding/json"
	"errors"
	"unicode/utf8"
)

// Bounds of client data: it has a type, a challenge and an origin, and a few words that browsers add.
const (
	maxClientData      = 4 << 10 // bytes
	maxClientDataDepth = 4
)

var errClientData = errors.New("the client data is not well-formed JSON, or says something twice")

// clientData is what the browser says about a ceremony (§5.8.1).
type clientData struct {
	kind        string // the member "type"
	challenge   string // base64url, as it was written
	origin      string
	crossOrigin bool   // the page was in a frame of another site
	topOrigin   string // of that site
}

// parseClientData reads client data. Browsers may add members, which are passed over, and do so at random to find out who
// minds (§5.8.1.1); but a member that comes twice is refused, because the authenticator signed only one meaning.
func parseClientData(text []byte) (clientData, error) {
	var c clientData
	if len(text) > maxClientData || !utf8.Valid(text) || !json.Valid(text) {
		return c, errClientData
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if t, _ := d.Token(); t != json.Delim('{') {
		return c, errClientData
	}
	members, err := readMembers(d, 1)
	if err != nil {
		return c, err
	}
	// Spelled exactly so: encoding/json would take "Type" for "type" as well.
	kind, ok := members["type"].(string)
	challenge, ok2 := members["challenge"].(string)
	origin, ok3 := members["origin"].(string)
	if !ok || !ok2 || !ok3 {
		return c, errClientData
	}
	c = clientData{kind: kind, challenge: challenge, origin: origin}
	if v, found := members["crossOrigin"]; found {
		if c.crossOrigin, ok = v.(bool); !ok {
			return c, errClientData
		}
	}
	if v, found := members["topOrigin"]; found {
		if c.topOrigin, ok = v.(string); !ok {
			return c, errClientData
		}
	}
	return c, nil
}

// readMembers reads the rest of an object. Of values that are objects or arrays only the form is kept.
func readMembers(d *json.Decoder, depth int) (map[string]any, error) {
	if depth > maxClientDataDepth {
		return nil, errClientData
	}
	members := map[string]any{}
	for d.More() {
		t, err := d.Token()
		name, ok := t.(string)
		if err != nil || !ok {
			return nil, errClientData
		}
		if _, repeated := members[name]; repeated {
			return nil, errClientData
		}
		if members[name], err = readValue(d, depth); err != nil {
			return nil, err
		}
	}
	_, err := d.Token() // the closing brace
	if err != nil {
		return nil, errClientData
	}
	return members, nil
}

func readValue(d *json.Decoder, depth int) (any, error) {
	t, err := d.Token()
	if err != nil {
		return nil, errClientData
	}
	switch t {
	case json.Delim('{'):
		return readMembers(d, depth+1)
	case json.Delim('['):
		if depth == maxClientDataDepth {
			return nil, errClientData
		}
		for d.More() {
			if _, err := readValue(d, depth+1); err != nil {
				return nil, err
			}
		}
		if _, err := d.Token(); err != nil {
			return nil, errClientData
		}
		return []any{}, nil
	}
	return t, nil
}
