package app_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"
	"testing"
)

// good is a token of ours that is accepted as it is, taken apart.
type good struct {
	header, payload map[string]any
	text            string // header and payload, as they are signed
	signature       string
	key             crypto.Signer // that signed it
}

func takenApart(t *testing.T, token string, keyOf func(kid string) crypto.Signer) (g good) {
	t.Helper()
	i := strings.LastIndexByte(token, '.')
	g.text, g.signature = token[:i], token[i+1:]
	head, payload, _ := strings.Cut(g.text, ".")
	for segment, to := range map[string]*map[string]any{head: &g.header, payload: &g.payload} {
		text, err := base64.RawURLEncoding.DecodeString(segment)
		if err != nil || json.Unmarshal(text, to) != nil {
			t.Fatalf("not a token: %s", token)
		}
	}
	g.key = keyOf(g.header["kid"].(string))
	return g
}

// object writes the members of a token with some changed: names and JSON in turn, "" leaves the member out.
func object(members map[string]any, changes ...string) string {
	texts := map[string]string{}
	for name, value := range members {
		b, _ := json.Marshal(value)
		texts[name] = string(b)
	}
	for i := 0; i < len(changes); i += 2 {
		texts[changes[i]] = changes[i+1]
	}
	var all []string
	for name, text := range texts {
		if text != "" {
			all = append(all, quote(name)+":"+text)
		}
	}
	return "{" + strings.Join(all, ",") + "}"
}

// forgeries returns, by what is wrong with them, tokens that are almost the good one. Those that are wrong in what they say
// alone are signed with our own key: nobody else could, and still they are not taken.
func forgeries(t *testing.T, g good, other good, bearer bool) map[string]string {
	t.Helper()
	all := map[string]string{}
	raw := func(s string) []byte {
		b, err := base64.RawURLEncoding.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	encoded := base64.RawURLEncoding.EncodeToString
	header, payload := object(g.header), object(g.payload)
	alg, kid, typ := fmt.Sprint(g.header["alg"]), fmt.Sprint(g.header["kid"]), fmt.Sprint(g.header["typ"])
	head, body, _ := strings.Cut(g.text, ".")
	signature := raw(g.signature)

	// JW-01: no algorithm, with and without something in the place of the signature.
	for _, a := range []string{`"none"`, `"None"`, `"nOnE"`, `"NONE"`, `""`, `null`, `0`, `["none"]`, `{}`, ``, `"none "`, `"\u006eone"`} {
		for name, s := range map[string]string{"nothing": "", "the signature": g.signature, "zeros": encoded(make([]byte, 64))} {
			all["alg "+a+" with "+name] = base64url(object(g.header, "alg", a)) + "." + body + "." + s
		}
	}
	// JW-02: an HMAC under what everybody knows.
	der, err := x509.MarshalPKIXPublicKey(g.key.Public())
	if err != nil {
		t.Fatal(err)
	}
	known := map[string][]byte{"nothing": nil, "kid": []byte(kid), "DER": der, "PEM": pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})}
	if public, ok := g.key.Public().(*ecdsa.PublicKey); ok {
		point, _ := public.Bytes()
		known["point"], known["x"] = point, point[1:33]
	}
	for _, a := range []string{"HS256", "HS384", "HS512", "hs256", alg} {
		for name, secret := range known {
			text := base64url(object(g.header, "alg", quote(a))) + "." + body
			mac := hmac.New(sha256.New, secret)
			mac.Write([]byte(text))
			all[a+" under "+name] = text + "." + encoded(mac.Sum(nil))
		}
	}
	// Another algorithm than the key's, and other keys under our kid: of our curve, of others, and our other one.
	mine, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	wide, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range []string{"RS256", "PS256", "ES384", "ES512", "ES256K", "EdDSA", "HS256", "es256", "ES256 ", "dir", "RSA1_5", "PBES2-HS256+A128KW", alg + "\x00"} {
		if a != alg {
			all["alg "+a] = sealedBy(t, g.key, object(g.header, "alg", quote(a)), payload)
		}
	}
	for name, key := range map[string]crypto.Signer{"a stranger's key": mine, "a P-384 key": wide, "our other key": other.key} {
		all[name] = sealedBy(t, key, header, payload)
		all[name+" as its own algorithm"] = sealedBy(t, key, object(g.header, "alg", `"ES384"`), payload)
	}
	// JW-03
	for _, k := range []string{`"../../etc/passwd"`, `"../../../../dev/null"`, `"/proc/self/environ"`, `"file:///etc/passwd"`, `"' OR 1=1--"`, `"x' UNION SELECT 'AAAA"`, `"; DROP TABLE signing_key"`,
		`"https://evil.test/jwks"`, `"http://127.0.0.1:1/"`, quote(strings.Repeat("k", 3000)), quote(strings.Repeat("k", 64<<10)), `""`, ``, `null`, `0`, `1e400`, `true`, `[]`, `{}`, `[` + quote(kid) + `]`,
		`"unknown"`, quote(kid + " "), quote(" " + kid), quote(kid + "\x00"), quote(kid[:len(kid)-1]), quote(strings.ToUpper(kid) + "x"), `"\ud800"`, `"%2e%2e%2f"`, `"$(id)"`, quote(fmt.Sprint(other.header["kid"]))} {
		all["kid "+k[:min(len(k), 40)]] = sealedBy(t, g.key, object(g.header, "kid", k), payload)
	}
	// JW-04: keys that the token brings along or points to, and extensions.
	point, _ := mine.PublicKey.Bytes()
	jwk := fmt.Sprintf(`{"kty":"EC","crv":"P-256","x":%q,"y":%q}`, encoded(point[1:33]), encoded(point[33:]))
	for name, value := range map[string]string{"jwk": jwk, "jku": `"https://evil.test/jwks"`, "x5u": `"https://evil.test/x5u"`, "x5c": `["` + base64.StdEncoding.EncodeToString(der) + `"]`, "x5t": `"AAAA"`, "x5t#S256": `"AAAA"`} {
		for _, k := range []string{quote(kid), `"evil"`, ``} {
			all[name+" with kid "+k] = sealedBy(t, mine, object(g.header, name, value, "kid", k), payload)
		}
	}
	for _, c := range []string{`["exp"]`, `["b64"]`, `[]`, `null`, `"b64"`, `["https://evil.test/x"]`, `{}`} {
		all["crit "+c] = sealedBy(t, g.key, object(g.header, "crit", c, "b64", "false"), payload)
	}
	all["b64 false, the payload as it is"] = sealedBy(t, g.key, object(g.header, "b64", "false", "crit", `["b64"]`), payload)
	// JW-05, JW-12
	for _, x := range []string{`"JWT"`, `"at+jwt"`, `"logout+jwt"`, `"dpop+jwt"`, `"oauth-authz-req+jwt"`, `"application/at+jwt"`, `"application/jwt"`, `"secevent+jwt"`, `""`, ``, `null`, `1`, `["JWT"]`, `{}`, `"JOSE"`, `"at+jwt "`, `"JWT\u0000"`} {
		if x != quote(typ) && x != `"JWT"` { // signed by us as an ID token, it is one
			all["typ "+x] = sealedBy(t, g.key, object(g.header, "typ", x), payload)
		}
	}
	// JW-08: names twice, or once more in other letters.
	again := func(object, member string) string { return strings.TrimSuffix(object, "}") + "," + member + "}" }
	for _, m := range []string{`"alg":"none"`, `"ALG":"none"`, `"Alg":"` + alg + `"`, `"kid":` + quote(kid), `"KID":"x"`, `"\u006bid":"x"`, `"\u212aid":"x"`, `"typ":` + quote(typ), `"Typ":"x"`} {
		all["header with another "+m[:min(len(m), 20)]] = sealedBy(t, g.key, again(header, m), payload)
	}
	for _, name := range []string{"iss", "sub", "aud", "exp", "iat"} {
		value := strings.TrimSuffix(strings.TrimPrefix(object(map[string]any{name: g.payload[name]}), "{"), "}")
		all[name+" twice"] = sealedBy(t, g.key, header, again(payload, value))
		all[name+" again, in capitals"] = sealedBy(t, g.key, header, again(payload, strings.Replace(value, name, strings.ToUpper(name), 1)))
	}
	// JW-07, JW-14: one text for one token.
	for name, token := range map[string]string{
		"two segments": g.text, "one segment": head, "four segments": g.text + "." + g.signature + "." + g.signature, "five segments": g.text + ".a.b." + g.signature, "an empty fourth": g.text + "." + g.signature + ".",
		"dots": strings.Repeat(".", 4000), "100000 dots": strings.Repeat(".", 100_000), "1 MB": g.text + "." + strings.Repeat("A", 1<<20), "1 MB of payload": head + "." + strings.Repeat("A", 1<<20) + "." + g.signature,
		"space before": " " + g.text + "." + g.signature, "space after": g.text + "." + g.signature + " ", "newline after": g.text + "." + g.signature + "\n", "tab within": head + ".\t" + body + "." + g.signature,
		"newline within": g.text[:20] + "\n" + g.text[20:] + "." + g.signature, "CRLF within the signature": g.text + "." + g.signature[:10] + "\r\n" + g.signature[10:],
		"padding": g.text + "." + g.signature + "=", "two of padding": g.text + "." + g.signature + "==", "padded header": head + "=." + body + "." + g.signature, "percent": strings.Replace(g.text, ".", "%2e", 1) + "." + g.signature,
		"standard alphabet": g.text + "." + base64.RawStdEncoding.EncodeToString(append([]byte{0xfb, 0xff}, signature[2:]...)), "empty payload": head + ".." + g.signature, "empty header": "." + body + "." + g.signature,
		"empty signature": g.text + ".", "JSON serialization": `{"protected":"` + head + `","payload":"` + body + `","signature":"` + g.signature + `"}`, "quoted": `"` + g.text + "." + g.signature + `"`,
		"JWE": base64url(`{"alg":"dir","enc":"A256GCM"}`) + "..AAAA.AAAA.AAAA", "JWE of RSA-OAEP": base64url(`{"alg":"RSA-OAEP","enc":"A256GCM","zip":"DEF"}`) + ".AAAA.AAAA.AAAA.AAAA", "NUL after": g.text + "." + g.signature + "\x00",
		"Bearer": "Bearer " + g.text + "." + g.signature, "header cut": head[1:] + "." + body + "." + g.signature, "a letter of the header": flipped(g.text, 5) + "." + g.signature, "another header": "e30." + body + "." + g.signature,
	} {
		all[name] = token
	}
	if last := strings.IndexByte(alphabet, g.signature[len(g.signature)-1]); len(g.signature)%4 != 0 {
		all["bits left over"] = g.text + "." + g.signature[:len(g.signature)-1] + alphabet[last+1:last+2]
	}
	// Signatures that are none.
	for _, at := range []int{0, 1, len(g.signature) / 2, len(g.signature) - 3} {
		all[fmt.Sprintf("signature changed at %d", at)] = g.text + "." + flipped(g.signature, at)
	}
	for name, s := range map[string][]byte{"zeros": make([]byte, len(signature)), "ones": []byte(strings.Repeat("\xff", len(signature))), "one byte": {0}, "cut": signature[:len(signature)-1], "half": signature[:len(signature)/2],
		"longer": append([]byte{0}, signature...), "twice": append(signature[:len(signature):len(signature)], signature...), "reversed": append(signature[len(signature)/2:len(signature):len(signature)], signature[:len(signature)/2]...),
		"of the other token": raw(other.signature)} {
		all["signature: "+name] = g.text + "." + encoded(s)
	}
	if alg == "ES256" {
		r, s, n := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:]), elliptic.P256().Params().N
		pair := func(r, s *big.Int) string {
			return encoded(append(r.FillBytes(make([]byte, 33))[1:], s.FillBytes(make([]byte, 33))[1:]...))
		}
		inDER, _ := asn1.Marshal(struct{ R, S *big.Int }{r, s})
		zero, one := new(big.Int), big.NewInt(1)
		for name, text := range map[string]string{"DER": encoded(inDER), "r zero": pair(zero, s), "s zero": pair(r, zero), "r and s one": pair(one, one), "r the order": pair(n, s), "both the order": pair(n, n),
			"wide": encoded(append(r.FillBytes(make([]byte, 48)), s.FillBytes(make([]byte, 48))...))} {
			all["signature: "+name] = g.text + "." + text
		}
	}
	// What no JSON is, or not of one reading.
	for name, text := range map[string]string{"an array": "[" + payload + "]", "a text": `"x"`, "null": "null", "a number": "1", "nothing": " ", "a comma more": strings.TrimSuffix(payload, "}") + ",}", "a second object": payload + payload,
		"a comment": payload + "/**/", "a byte order mark": "\ufeff" + payload, "not UTF-8": again(payload, "\"x\":\"\xff\""), "half a surrogate": again(payload, `"x":"\ud800"`), "a control character": again(payload, "\"x\":\"\n\""),
		"single quotes": strings.ReplaceAll(payload, `"`, `'`), "NaN": again(payload, `"x":NaN`), "0x10": again(payload, `"x":0x10`), "01": again(payload, `"x":01`), "deep": again(payload, `"x":`+strings.Repeat("[", 40)+strings.Repeat("]", 40)),
		"very deep": again(payload, `"x":`+strings.Repeat("[", 5000)+strings.Repeat("]", 5000)), "half": payload[:len(payload)/2], "huge": again(payload, `"x":"`+strings.Repeat("a", 32<<10)+`"`)} {
		all["payload: "+name] = sealedBy(t, g.key, header, text)
		if name != "a text" {
			all["header: "+name] = sealedBy(t, g.key, strings.ReplaceAll(text, payload, header), payload)
		}
	}
	// JW-06: what it says is not what we say.
	for _, name := range []string{"exp", "iat"} {
		for _, v := range []string{`"` + fmt.Sprint(int64(g.payload["exp"].(float64))) + `"`, "1.5", "1e400", "1e9", "-1", "-0", "null", "true", "[]", "{}", "", "99999999999999999999", "253402300800", "9007199254740993.0", `""`} {
			all[name+" "+v] = sealedBy(t, g.key, header, object(g.payload, name, v))
		}
	}
	issuer := fmt.Sprint(g.payload["iss"])
	for _, v := range []string{"", "null", "1", "[]", `""`, `[` + quote(issuer) + `]`, quote(issuer + "/"), quote(strings.ToUpper(issuer)), quote(issuer + "\x00"), quote(" " + issuer), `"https://evil.test"`, quote(issuer + ".evil.test"), quote(strings.TrimPrefix(issuer, "http:"))} {
		all["iss "+v] = sealedBy(t, g.key, header, object(g.payload, "iss", v))
	}
	for _, v := range []string{"", "null", "1", "[]", `""`, "{}", `[` + quote(fmt.Sprint(g.payload["aud"])) + `]`, `[` + quote(fmt.Sprint(g.payload["aud"])) + `,"evil"]`} {
		all["aud "+v] = sealedBy(t, g.key, header, object(g.payload, "aud", v))
	}
	for _, v := range []string{"", "null", "1", "[]", `""`, `["x"]`, "{}"} {
		all["sub "+v] = sealedBy(t, g.key, header, object(g.payload, "sub", v))
	}
	if bearer {
		all["exp passed"] = sealedBy(t, g.key, header, object(g.payload, "exp", fmt.Sprint(int64(g.payload["iat"].(float64)))))
		for _, v := range []string{"", "null", "1", "[]", `""`, "{}"} {
			all["jti "+v] = sealedBy(t, g.key, header, object(g.payload, "jti", v))
		}
		for _, v := range []string{"", "null", "1", `""`, `["web"]`, "{}"} {
			all["client_id "+v] = sealedBy(t, g.key, header, object(g.payload, "client_id", v))
		}
	}
	return all
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// flipped is the text with another letter at a place.
func flipped(text string, at int) string {
	letter := "A"
	if text[at] == 'A' {
		letter = "B"
	}
	return text[:at] + letter + text[at+1:]
}
