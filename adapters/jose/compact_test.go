package jose

import (
	"crypto"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"latchkey/domain/oauth"
)

// JW-07
func TestSegmentsAndSize(t *testing.T) {
	s := newSigner(t)
	for _, typ := range types {
		k := keyFor(t, s, oauth.ES256)
		header := head("ES256", typ, string(k.record.ID))
		good := signed(t, k, header, valid(typ)).Reveal()
		p := strings.Split(good, ".")
		for name, token := range map[string]string{
			"empty": "", "one segment": p[0], "two segments": p[0] + "." + p[1], "four segments": good + "." + p[2], "five segments": good + ".AA.AA",
			"trailing dot": good + ".", "leading dot": "." + good, "only dots": "..", "empty header": "." + p[1] + "." + p[2],
			"empty payload": p[0] + ".." + p[2], "empty signature": p[0] + "." + p[1] + ".", "100k dots": strings.Repeat(".", 100_000),
			"10k dots": strings.Repeat(".", 10_000), "dots behind": good + strings.Repeat(".", 10_000), "1 MB": strings.Repeat("A", 1<<20),
			"1 MB header": strings.Repeat("A", 1<<20) + "." + p[1] + "." + p[2], "1 MB signature": good + strings.Repeat("A", 1<<20),
			"space before": " " + good, "space behind": good + " ", "newline behind": good + "\n", "tab before": "\t" + good, "NUL behind": good + "\x00",
			"byte order mark": "\ufeff" + good, "Bearer": "Bearer " + good, "JSON serialization": `{"payload":"` + p[1] + `","protected":"` + p[0] + `","signature":"` + p[2] + `"}`,
		} {
			refused(t, s, name, oauth.Secret(token))
		}
		for i := range p {
			q := [3]string(p)
			q[i] = ""
			if _, err := parseCompact(strings.Join(q[:], ".")); err != errForm {
				t.Errorf("segment %d empty: error %v, want errForm", i, err)
			}
		}
		large := strings.TrimSuffix(valid(typ), "}") + `,"x":"` + strings.Repeat("x", maxToken) + `"}`
		refused(t, s, "a large token of ours", signed(t, k, header, large))
	}
	refuseMB := oauth.Secret(strings.Repeat(".", 1<<20))
	if allocs := testing.AllocsPerRun(10, func() { s.VerifyAccessToken(refuseMB) }); allocs > 0 {
		t.Errorf("%v allocations to refuse 1 MB, want none", allocs)
	}
}

// JW-08
func TestRepeatedMembers(t *testing.T) {
	s := newSigner(t)
	k := keyFor(t, s, oauth.ES256)
	id := string(k.record.ID)
	for _, typ := range types {
		good := head("ES256", typ, id)
		for _, extra := range []string{`"alg":"ES256"`, `"alg":"none"`, `"ALG":"none"`, `"Alg":"ES256"`, `"\u0061lg":"none"`, `"kid":"x"`, `"KID":"x"`, `"\u212aid":"x"`, `"typ":"` + typ + `"`, `"TYP":"x"`} {
			for _, header := range []string{strings.TrimSuffix(good, "}") + "," + extra + "}", "{" + extra + "," + strings.TrimPrefix(good, "{")} {
				refused(t, s, "header with "+extra, signed(t, k, header, valid(typ)))
			}
		}
		for _, extra := range []string{`"sub":"admin"`, `"Sub":"admin"`, `"SUB":"admin"`, `"aud":"other"`, `"aud":"https://api.test"`, `"AUD":["x"]`, `"iss":"` + issuer + `"`, `"exp":9999999999`, `"Exp":1`, `"\u017fub":"admin"`, `"si\u0064":"s"`} {
			for _, payload := range []string{strings.TrimSuffix(valid(typ), "}") + "," + extra + "}", "{" + extra + "," + strings.TrimPrefix(valid(typ), "{")} {
				refused(t, s, "payload with "+extra, signed(t, k, good, payload))
			}
		}
		refused(t, s, "deeper down", signed(t, k, good, strings.TrimSuffix(valid(typ), "}")+`,"act":{"a":1,"A":2}}`))
	}
}

func TestMembersAreTyped(t *testing.T) {
	s := newSigner(t)
	k := keyFor(t, s, oauth.ES256)
	for _, typ := range types {
		required := []string{"iss", "sub", "aud", "exp", "iat"}
		optional := []string{"sid"}
		if typ == typAccessToken {
			required = append(required, "jti", "client_id")
			optional = append(optional, "scope", "auth_time", "acr", "amr")
		}
		header := head("ES256", typ, string(k.record.ID))
		change := func(name, value string) oauth.Secret {
			o, err := parseObject([]byte(valid(typ)))
			if err != nil {
				t.Fatal(err)
			}
			payload := []byte{'{'}
			for n, v := range o {
				if n == name {
					continue
				}
				payload = appendMember(payload, n)
				switch v := v.(type) {
				case number:
					payload = append(payload, v...)
				case []any:
					payload = append(payload, `["x"]`...)
				case object:
					payload = append(payload, `{}`...)
				default:
					if payload, err = appendValue(payload, v); err != nil {
						t.Fatal(err)
					}
				}
			}
			if value != "" {
				payload = append(appendMember(payload, name), value...)
			}
			return signed(t, k, header, string(append(payload, '}')))
		}
		if err := accepted(s, typ, change("unknown", "1")); err != nil {
			t.Fatal(err)
		}
		for _, name := range required {
			refused(t, s, typ+" without "+name, change(name, ""))
		}
		for _, name := range optional {
			if err := accepted(s, typ, change(name, "")); err != nil {
				t.Errorf("%s without %s: %v", typ, name, err)
			}
		}
		for _, name := range append(required, optional...) {
			bad := []string{`null`, `{}`, `[]`, `true`, `[1]`, `""`, `-1`, `1.5`, `1e9`, `-0`, `253402300800`, `99999999999999999999`, `[["x"]]`}
			switch name {
			case "exp", "iat", "auth_time":
				bad = append(bad, `"1767323054"`, `["x"]`)
			case "amr":
				bad = append(bad, `"pwd"`, `["pwd",1]`, `["pwd",null]`, `1`)
			default:
				bad = append(bad, `1`, `["`+issuer+`"]`, `["https://api.test","https://other.test"]`)
			}
			for _, value := range bad {
				refused(t, s, name+" = "+value, change(name, value))
			}
		}
		for _, payload := range []string{`null`, `[]`, `"x"`, `1`, `{`, `{}`, ` `, `{}{}`, valid(typ) + "x", valid(typ)[1:], "\xff" + valid(typ), strings.Repeat(`{"a":`, 17) + "1" + strings.Repeat("}", 17)} {
			refused(t, s, "payload "+payload[:min(len(payload), 10)], signed(t, k, header, payload))
			refused(t, s, "header "+payload[:min(len(payload), 10)], signed(t, k, payload, valid(typ)))
		}
	}
}

// JW-14: one text for each token.
func TestOneEncoding(t *testing.T) {
	s := newSigner(t)
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	for _, alg := range []oauth.Algorithm{oauth.ES256, oauth.RS256} {
		for _, typ := range types {
			k := keyFor(t, s, alg)
			header := head(string(alg), typ, string(k.record.ID))
			for pad := range 3 { // so that each segment ends with every number of bits left over
				payload := strings.TrimSuffix(valid(typ), "}") + `,"pad":"` + strings.Repeat("?>~", 3) + strings.Repeat("x", pad) + `"}`
				good := signed(t, k, header+strings.Repeat(" ", pad), payload).Reveal()
				if err := accepted(s, typ, oauth.Secret(good)); err != nil {
					t.Fatal(err)
				}
				p := strings.Split(good, ".")
				join := func(i int, segment string) oauth.Secret {
					q := [3]string(p)
					q[i] = segment
					return oauth.Secret(strings.Join(q[:], "."))
				}
				for i, segment := range p {
					middle := len(segment) / 2
					for _, insert := range []string{"\n", "\r", "\r\n", " ", "\t", "=", "\x00", "+", "%2B"} {
						refused(t, s, fmt.Sprintf("%q inside", insert), join(i, segment[:middle]+insert+segment[middle:]))
						refused(t, s, fmt.Sprintf("%q in front", insert), join(i, insert+segment))
						refused(t, s, fmt.Sprintf("%q behind", insert), join(i, segment+insert))
					}
					refused(t, s, "padding", join(i, segment+strings.Repeat("=", (4-len(segment)%4)%4+1)))
					refused(t, s, "right padding", join(i, segment+"=="))
					if standard := strings.NewReplacer("-", "+", "_", "/").Replace(segment); standard != segment {
						refused(t, s, "standard alphabet", join(i, standard))
					}
					if len(segment)%4 != 0 { // some bits of the last letter belong to no byte
						last := strings.IndexByte(alphabet, segment[len(segment)-1])
						refused(t, s, "trailing bits", join(i, segment[:len(segment)-1]+alphabet[last|1:last|1+1]))
					}
				}
			}
		}
	}
}

func TestAlteredTokens(t *testing.T) {
	s := newSigner(t)
	for _, alg := range []oauth.Algorithm{oauth.ES256, oauth.RS256} {
		token, err := s.SignIDToken(fullIDToken(), alg)
		if err != nil {
			t.Fatal(err)
		}
		for i := range token {
			for _, c := range []byte("A_") {
				if token[i] != c {
					refused(t, s, fmt.Sprint("letter ", i), token[:i]+oauth.Secret(c)+token[i+1:])
				}
			}
		}
	}
	k := keyFor(t, s, oauth.ES256)
	good := signed(t, k, head("ES256", typAccessToken, string(k.record.ID)), valid(typAccessToken)).Reveal()
	text := good[:strings.LastIndexByte(good, '.')]
	digest := sha256.Sum256([]byte(text))
	der, err := k.private.Sign(nil, digest[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	signature, _ := base64.RawURLEncoding.DecodeString(good[len(text)+1:])
	for name, other := range map[string]string{"DER": string(der), "cut": string(signature[:63]), "longer": string(signature) + "\x00",
		"zero in front": "\x00" + string(signature), "a zero between": string(signature[:32]) + "\x00" + string(signature[32:]), "halves padded": "\x00" + string(signature[:32]) + "\x00" + string(signature[32:]),
		"r is the order": "\xff\xff\xff\xff\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\xbc\xe6\xfa\xad\xa7\x17\x9e\x84\xf3\xb9\xca\xc2\xfc\x63\x25\x51" + string(signature[32:])} {
		refused(t, s, "signature as "+name, oauth.Secret(text+"."+b64(other)))
	}
}

func FuzzCompact(f *testing.F) {
	s := newSigner(f)
	id, err := s.SignIDToken(fullIDToken(), oauth.ES256)
	if err != nil {
		f.Fatal(err)
	}
	access, err := s.SignAccessToken(fullAccessToken())
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{"", "..", "a.b.c", id.Reveal(), access.Reveal(), access.Reveal() + ".", b64(`{"alg":"none"}`) + "." + b64(`{}`) + ".",
		b64(`{}`) + ".AB.AA", b64(`{"a":1}`) + ".AA\n.AA", b64(`{"alg":"ES256","typ":"JWT","kid":"x"}`) + ".e30.AA"} {
		f.Add(seed)
	}
	// Keys, and so signatures, differ between the processes that fuzz: what counts is the text that is signed.
	text := func(token oauth.Secret) string { return token.Reveal()[:strings.LastIndexByte(token.Reveal(), '.')] }
	f.Fuzz(func(t *testing.T, token string) {
		c, err := parseCompact(token)
		if err == nil {
			// The three segments, encoded again, are the token: it has no second text.
			head, _, _ := strings.Cut(token, ".")
			if again := head + "." + b64(string(c.payload)) + "." + b64(string(c.signature)); again != token {
				t.Errorf("%q is %q when written again", token, again)
			}
			if c.signed+"."+b64(string(c.signature)) != token {
				t.Errorf("the signature of %q covers %q", token, c.signed)
			}
		}
		if _, err := s.VerifyAccessToken(oauth.Secret(token)); err == nil && c.signed != text(access) {
			t.Errorf("forged access token %q", token)
		}
		if _, err := s.VerifyIDToken(oauth.Secret(token), issuer); err == nil && c.signed != text(id) {
			t.Errorf("forged ID token %q", token)
		}
	})
}
