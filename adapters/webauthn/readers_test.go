package webauthn

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"strings"
	"testing"

	test "latchkey/ports/passkeytest"
)

// challenge is what the ceremonies of the tests answer.
var challenge = bytes.Repeat([]byte{0xC5}, 32)

func TestParseAuthenticatorData(t *testing.T) {
	a := test.New(t, "https://id.example", "id.example", test.ES256)
	a.Count = 7
	plain := a.Get(t, challenge).AuthenticatorData
	d, err := parseAuthenticatorData(plain)
	if err != nil || d.signCount != 8 || !d.has(flagPresent) || !d.has(flagVerified) || d.has(flagCredential) {
		t.Errorf("%+v, %v", d, err)
	}
	reg, err := parseAttestation(a.Create(t, challenge).Attestation)
	if err != nil || !bytes.Equal(reg.data.credentialID, a.CredentialID) || !bytes.Equal(reg.data.publicKey, a.PublicKey(t)) || reg.data.aaguid != a.AAGUID {
		t.Errorf("%+v, %v", reg.data, err)
	}
	full := reg.raw
	flagged := func(b []byte, set byte, more ...byte) []byte {
		b = append(bytes.Clone(b), more...)
		b[32] |= set
		return b
	}
	size := func(n uint16) []byte {
		b := bytes.Clone(full)
		binary.BigEndian.PutUint16(b[53:], n)
		return b
	}
	for what, b := range map[string][]byte{
		"extensions":                flagged(plain, flagExtensions, test.Map(test.Text("credProps"), test.Bool(true))...),
		"extensions after the key":  flagged(full, flagExtensions, test.Map()...),
		"flags reserved for others": flagged(plain, 1<<1|1<<5),
	} {
		if _, err := parseAuthenticatorData(b); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	for what, b := range map[string][]byte{
		"nothing": nil, "cut": plain[:36], "one byte more": flagged(plain, 0, 0), "a key nobody said was there": flagged(plain, 0, full[37:]...),
		"a key that is not there": flagged(plain, flagCredential), "a cut key": full[:len(full)-1], "a byte after the key": flagged(full, 0, 0),
		"extensions that are not there": flagged(plain, flagExtensions), "extensions that are no map": flagged(plain, flagExtensions, 0x80),
		"a byte after the extensions": flagged(plain, flagExtensions, 0xA0, 0), "an extension of two values": flagged(plain, flagExtensions, 0xA0, 0xA0),
		"a credential ID of more than there is": size(65535), "of 1024 bytes": size(1024), "an empty credential ID": size(0), "a short one": size(15),
		"much": make([]byte, maxCBOR+1),
	} {
		if _, err := parseAuthenticatorData(b); err == nil {
			t.Errorf("%s: read", what)
		}
	}
}

// RL-07, for the one JSON text that comes from strangers with a passkey.
func TestParseClientData(t *testing.T) {
	const whole = `"type":"webauthn.get","challenge":"xcXF","origin":"https://id.example"`
	for text, want := range map[string]clientData{
		`{` + whole + `}`: {kind: "webauthn.get", challenge: "xcXF", origin: "https://id.example"},
		` {"crossOrigin":true,"topOrigin":"https://a.example",` + whole + "}\n":                                                                                                       {"webauthn.get", "xcXF", "https://id.example", true, "https://a.example"},
		`{` + whole + `,"crossOrigin":false,"other_keys_can_be_added_here":"do not compare clientDataJSON against a template.","tokenBinding":{"status":"supported","x":[1,[null]]}}`: {kind: "webauthn.get", challenge: "xcXF", origin: "https://id.example"},
		`{"\u0074ype":"webauthn.get","challenge":"xcXF","origin":"https:\/\/id.example","Type":"webauthn.create"}`:                                                                    {kind: "webauthn.get", challenge: "xcXF", origin: "https://id.example"},
	} {
		got, err := parseClientData([]byte(text))
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	many := func(n int) string {
		var b strings.Builder
		for range n {
			b.WriteString(`"a":1,`)
		}
		return b.String()
	}
	for what, text := range map[string]string{
		"nothing": "", "an array": "[]", "a string": `"type"`, "two objects": "{" + whole + "}{}", "text after it": "{" + whole + "}x", "a byte order mark": "\xef\xbb\xbf{" + whole + "}",
		"no type": `{"challenge":"xcXF","origin":"https://id.example"}`, "no challenge": `{"type":"webauthn.get","origin":"https://id.example"}`,
		"no origin": `{"type":"webauthn.get","challenge":"xcXF"}`, "another spelling": `{"Type":"webauthn.get","challenge":"xcXF","origin":"https://id.example"}`,
		"a number for a challenge": `{"type":"webauthn.get","challenge":1,"origin":"https://id.example"}`, "null": `{"type":null,"challenge":"xcXF","origin":"https://id.example"}`,
		"a list of origins": `{"type":"webauthn.get","challenge":"xcXF","origin":["https://id.example"]}`, "crossOrigin as text": "{" + whole + `,"crossOrigin":"false"}`,
		"crossOrigin of null": "{" + whole + `,"crossOrigin":null}`, "topOrigin as a number": "{" + whole + `,"topOrigin":1}`,
		"a type twice": "{" + whole + `,"type":"webauthn.create"}`, "the same type twice": "{" + whole + `,"type":"webauthn.get"}`, "twice, once escaped": "{" + whole + `,"\u0074ype":"webauthn.create"}`,
		"a member twice that says nothing": "{" + whole + `,"a":1,"a":1}`, "twice further down": "{" + whole + `,"a":{"b":1,"b":2}}`,
		"not UTF-8": "{" + whole + ",\"a\":\"\xff\"}", "a trailing comma": "{" + whole + ",}", "a comment": "{" + whole + "/**/}",
		"five deep": "{" + whole + `,"a":{"b":{"c":{"d":{}}}}}`, "lists five deep": "{" + whole + `,"a":[[[[1]]]]}`,
		"10,000 deep": "{" + whole + `,"a":` + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + "}", "a million members": "{" + many(1_000_000) + whole + "}",
		"a number of a megabyte": "{" + whole + `,"a":` + strings.Repeat("1", 1<<20) + "}", "a string of a megabyte": "{" + whole + `,"a":"` + strings.Repeat("a", 1<<20) + `"}`,
	} {
		if got, err := parseClientData([]byte(text)); err == nil {
			t.Errorf("%s: read as %+v", what, got)
		}
	}
	most := "{" + whole + `,"a":{"b":{"c":[1]}}}`
	if _, err := parseClientData([]byte(most)); err != nil {
		t.Errorf("four deep: %v", err)
	}
}

func TestParseAttestation(t *testing.T) {
	a := test.New(t, "https://id.example", "id.example", test.ES256)
	data := test.Bytes(func() []byte { o, _ := parseAttestation(a.Create(t, challenge).Attestation); return o.raw }())
	bare := test.Bytes(a.Get(t, challenge).AuthenticatorData)
	f, s, d, none := test.Text("fmt"), test.Text("attStmt"), test.Text("authData"), test.Text("none")
	if _, err := parseAttestation(test.Map(f, none, s, test.Map(), d, data)); err != nil {
		t.Error(err)
	}
	for what, b := range map[string][]byte{
		"nothing": nil, "no map": test.Array(), "no format": test.Map(s, test.Map(), d, data), "no statement": test.Map(f, none, d, data), "no data": test.Map(f, none, s, test.Map()),
		"a fourth member": test.Map(f, none, s, test.Map(), d, data, test.Text("unsigned1"), test.Int(1)), "a format that is a number": test.Map(f, test.Int(1), s, test.Map(), d, data),
		"a statement that is text": test.Map(f, none, s, none, d, data), "data that is text": test.Map(f, none, s, test.Map(), d, none),
		"data without a key": test.Map(f, none, s, test.Map(), d, bare), "out of order": test.Map(s, test.Map(), f, none, d, data),
		"a byte more": append(test.Map(f, none, s, test.Map(), d, data), 0),
	} {
		if _, err := parseAttestation(b); err == nil {
			t.Errorf("%s: read", what)
		}
	}
}

// Data that is read is what its parts make again, but for extensions, whose bytes are passed over.
func FuzzParseAuthenticatorData(f *testing.F) {
	for _, algorithm := range []int{test.ES256, test.EdDSA, test.RS256} {
		a := test.New(f, "https://id.example", "id.example", algorithm)
		f.Add(a.Get(f, challenge).AuthenticatorData)
		o, _ := parseAttestation(a.Create(f, challenge).Attestation)
		f.Add(o.raw)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := parseAuthenticatorData(b)
		if err != nil {
			return
		}
		again := append(d.site[:], d.flags)
		again = binary.BigEndian.AppendUint32(again, d.signCount)
		if d.has(flagCredential) {
			again = append(again, d.aaguid[:]...)
			again = append(binary.BigEndian.AppendUint16(again, uint16(len(d.credentialID))), d.credentialID...)
			again = append(again, writeKey(d.key)...)
		}
		if rest, ok := bytes.CutPrefix(b, again); !ok || d.has(flagExtensions) == (len(rest) == 0) {
			t.Errorf("%x is read as %x", b, again)
		}
	})
}

// An attestation object that is read is what its three members make again.
func FuzzParseAttestation(f *testing.F) {
	a := test.New(f, "https://id.example", "id.example", test.ES256)
	f.Add(a.Create(f, challenge).Attestation)
	a.Format = "packed"
	f.Add(a.Create(f, challenge).Attestation)
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := parseAttestation(b)
		if err != nil {
			return
		}
		if again := encode(cborMap{"fmt": a.format, "attStmt": a.statement, "authData": a.raw}); !bytes.Equal(again, b) {
			t.Errorf("%x is read as %x", b, again)
		}
		a.consistent(make([]byte, 32))
	})
}

// Client data that is read says the same when only what was read of it is written.
func FuzzParseClientData(f *testing.F) {
	a := test.New(f, "https://id.example", "id.example", test.ES256)
	f.Add(a.Get(f, challenge).ClientData)
	f.Add([]byte(`{"type":"\ud83d","challenge":"","origin":"\u0000","a":[{}],"crossOrigin":true}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := parseClientData(b)
		if err != nil {
			return
		}
		members := map[string]any{"type": c.kind, "challenge": c.challenge, "origin": c.origin, "crossOrigin": c.crossOrigin, "topOrigin": c.topOrigin}
		text, err := json.Marshal(members)
		if err != nil || len(text) > maxClientData {
			return // escapes may make it longer than what is read
		}
		if again, err := parseClientData(text); err != nil || again != c {
			t.Errorf("%s is read as %+v, and that as %+v: %v", b, c, again, err)
		}
		var loose map[string]any
		if err := json.Unmarshal(b, &loose); err != nil || loose["type"] != c.kind || loose["challenge"] != c.challenge || loose["origin"] != c.origin {
			t.Errorf("%s is read as %+v; encoding/json has %v, %v", b, c, loose, err)
		}
	})
}
