package jose

import (
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"

	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
)

// refused checks that neither reader accepts the token, and that no error shows any of it.
func refused(t *testing.T, s *Signer, name string, token oauth.Secret) {
	t.Helper()
	_, err1 := s.VerifyAccessToken(token)
	hint, err2 := s.VerifyIDToken(token, issuer)
	for i, err := range []error{err1, err2} {
		what := []string{"access token", "ID token"}[i]
		if err == nil {
			t.Errorf("%s: accepted as %s", name, what)
			continue
		}
		if len(err.Error()) > 200 || strings.Contains(err.Error(), "eyJ") {
			t.Errorf("%s: the error holds the token: %.300s", name, err)
		}
	}
	if hint != (oidc.IDTokenHint{}) {
		t.Errorf("%s: something was read in spite of the error", name)
	}
}

// valid returns the payload of a token that is accepted as typ when it is signed with the header of typ.
func valid(typ string) string {
	if typ == typIDToken {
		b, _ := appendIDToken(nil, fullIDToken())
		return string(b)
	}
	return string(appendAccessToken(nil, fullAccessToken()))
}

func head(alg, typ, kid string) string {
	return fmt.Sprintf(`{"alg":%q,"typ":%q,"kid":%q}`, alg, typ, kid)
}

var types = []string{typAccessToken, typIDToken}

func accepted(s *Signer, typ string, token oauth.Secret) (err error) {
	if typ == typIDToken {
		_, err = s.VerifyIDToken(token, issuer)
	} else {
		_, err = s.VerifyAccessToken(token)
	}
	return err
}

// The tests below change one thing in a token made here; made unchanged, it is accepted.
func TestForgedTokensAreOtherwiseGood(t *testing.T) {
	s := newSigner(t)
	for _, typ := range types {
		for _, alg := range []oauth.Algorithm{oauth.ES256, oauth.RS256} {
			k := keyFor(t, s, alg)
			if err := accepted(s, typ, signed(t, k, head(string(alg), typ, string(k.record.ID)), valid(typ))); err != nil {
				t.Errorf("%s %s: %v", typ, alg, err)
			}
		}
	}
}

// JW-01
func TestAlgNone(t *testing.T) {
	s := newSigner(t)
	kids := []string{"", "x", string(keyFor(t, s, oauth.ES256).record.ID), string(keyFor(t, s, oauth.RS256).record.ID)}
	for _, typ := range types {
		good := signed(t, keyFor(t, s, oauth.ES256), head("ES256", typ, kids[2]), valid(typ)).Reveal()
		signature := good[strings.LastIndexByte(good, '.')+1:]
		for _, alg := range []string{`"none"`, `"None"`, `"NONE"`, `"nOnE"`, `"none "`, `"\u006eone"`, `""`, `null`, `0`, `[]`, `{}`, `["none"]`, `["ES256"]`, `true`} {
			for _, kid := range kids {
				text := b64(`{"alg":`+alg+`,"typ":"`+typ+`","kid":"`+kid+`"}`) + "." + b64(valid(typ)) + "."
				for _, sig := range []string{"", signature, "AA", b64(strings.Repeat("\x00", 64))} {
					refused(t, s, "alg "+alg, oauth.Secret(text+sig))
				}
			}
		}
		for name, header := range map[string]string{
			"alg absent": `{"typ":"` + typ + `","kid":"` + kids[2] + `"}`,
			"alg ES256":  head("ES256", typ, kids[2]),
		} {
			text := b64(header) + "." + b64(valid(typ))
			for _, sig := range []string{"", ".", "." + b64(strings.Repeat("\x00", 64)), "." + b64("\x00"), "." + b64(strings.Repeat("\xff", 64))} {
				refused(t, s, name+" without a signature", oauth.Secret(text+sig))
			}
		}
	}
}

// JW-02 and CA-09: an HMAC keyed with anything public is no signature.
func TestPublicKeyAsSharedSecret(t *testing.T) {
	s := newSigner(t)
	for _, alg := range []oauth.Algorithm{oauth.ES256, oauth.RS256} {
		k := keyFor(t, s, alg)
		der, err := x509.MarshalPKIXPublicKey(k.private.Public())
		if err != nil {
			t.Fatal(err)
		}
		secrets := map[string][]byte{"empty": {}, "kid": []byte(k.record.ID), "DER": der, "JWK": k.record.Public,
			"PEM": pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})}
		secrets["PEM without its last newline"] = secrets["PEM"][:len(secrets["PEM"])-1]
		jwks, err := s.KeySet()
		if err != nil {
			t.Fatal(err)
		}
		secrets["JWK set"] = jwks
		if ec, ok := k.private.(*ecdsa.PrivateKey); ok {
			point, err := ec.PublicKey.Bytes()
			if err != nil {
				t.Fatal(err)
			}
			secrets["point"], secrets["x coordinate"], secrets["y coordinate"] = point, point[1:33], point[33:]
			secrets["x as text"] = []byte(base64.RawURLEncoding.EncodeToString(point[1:33]))
		} else {
			o, err := parseObject(k.record.Public)
			if err != nil {
				t.Fatal(err)
			}
			secrets["modulus as text"] = []byte(o["n"].(string))
			if secrets["modulus"], err = base64.RawURLEncoding.DecodeString(o["n"].(string)); err != nil {
				t.Fatal(err)
			}
		}
		for name, secret := range secrets {
			for _, claimed := range []string{"HS256", "hs256", "HS384", string(alg)} {
				for _, typ := range types {
					text := b64(head(claimed, typ, string(k.record.ID))) + "." + b64(valid(typ))
					mac := hmac.New(sha256.New, secret)
					mac.Write([]byte(text))
					refused(t, s, claimed+" with "+name, oauth.Secret(text+"."+base64.RawURLEncoding.EncodeToString(mac.Sum(nil))))
				}
			}
		}
	}
}

// A key signs with its own algorithm only, whatever the header says, and only with its own kid.
func TestAlgorithmComesFromTheKey(t *testing.T) {
	s := newSigner(t)
	ec, rs := keyFor(t, s, oauth.ES256), keyFor(t, s, oauth.RS256)
	for _, typ := range types {
		for _, alg := range []string{"RS256", "PS256", "ES384", "ES256K", "EdDSA", "es256", "Es256", "ES256 ", "HS256"} {
			refused(t, s, "EC key, alg "+alg, signed(t, ec, head(alg, typ, string(ec.record.ID)), valid(typ)))
		}
		for _, alg := range []string{"ES256", "PS256", "RS384", "rs256", "RS1", "HS256"} {
			refused(t, s, "RSA key, alg "+alg, signed(t, rs, head(alg, typ, string(rs.record.ID)), valid(typ)))
		}
		refused(t, s, "kid of the other key", signed(t, ec, head("RS256", typ, string(rs.record.ID)), valid(typ)))
		refused(t, s, "kid of the other key", signed(t, rs, head("ES256", typ, string(ec.record.ID)), valid(typ)))
		stranger := &key{private: fixedKey(t, 99)}
		refused(t, s, "a stranger's key under our kid", signed(t, stranger, head("ES256", typ, string(ec.record.ID)), valid(typ)))
	}
}

// JW-03
func TestKeyIDAttacks(t *testing.T) {
	s := newSigner(t)
	k := keyFor(t, s, oauth.ES256)
	id := string(k.record.ID)
	for _, kid := range []string{`"../../etc/passwd"`, `"/dev/null"`, `"' OR 1=1--"`, `"x' UNION SELECT 'a"`, `"https://evil.test/jwks"`, `"file:///etc/passwd"`,
		`"` + strings.Repeat("k", 64<<10) + `"`, `"` + strings.Repeat("k", 8<<10) + `"`, `""`, `null`, `1`, `1e400`, `true`, `[]`, `{}`, `["` + id + `"]`, `"unknown"`,
		`"` + id + ` "`, `" ` + id + `"`, `"` + id + `\u0000"`, `"` + id[:15] + `"`, `"` + strings.ToUpper(id) + `"`, `"\ud800"`, `"$(id)"`, `"%2e%2e"`} {
		for _, typ := range types {
			refused(t, s, "kid "+kid[:min(20, len(kid))], signed(t, k, `{"alg":"ES256","typ":"`+typ+`","kid":`+kid+`}`, valid(typ)))
		}
	}
	for _, typ := range types {
		refused(t, s, "kid missing", signed(t, k, `{"alg":"ES256","typ":"`+typ+`"}`, valid(typ)))
	}
}

// JW-04: keys that a token brings along or points to are not looked at; extensions that must be understood are refused.
func TestKeysInTheHeader(t *testing.T) {
	s := newSigner(t)
	ours, attackers := keyFor(t, s, oauth.ES256), &key{private: fixedKey(t, 66)}
	_, jwk, err := publicJWK(attackers.private)
	if err != nil {
		t.Fatal(err)
	}
	id := string(ours.record.ID)
	for _, typ := range types {
		for _, extra := range []string{`"jwk":` + string(jwk), `"jku":"https://evil.test/jwks"`, `"x5u":"https://evil.test/cert"`, `"x5c":["MIIB"]`, `"x5t":"AA"`} {
			for _, kid := range []string{id, "attacker"} {
				header := `{"alg":"ES256","typ":"` + typ + `","kid":"` + kid + `",` + extra + `}`
				refused(t, s, extra, signed(t, attackers, header, valid(typ)))
			}
			header := `{"alg":"ES256","typ":"` + typ + `",` + extra + `}`
			refused(t, s, extra+" without kid", signed(t, attackers, header, valid(typ)))
		}
		for _, crit := range []string{`["exp"]`, `["b64"],"b64":false`, `[]`, `null`, `"x"`} {
			header := `{"alg":"ES256","typ":"` + typ + `","kid":"` + id + `","crit":` + crit + `}`
			refused(t, s, "crit "+crit, signed(t, ours, header, valid(typ)))
		}
	}
}

// JW-05 and JW-12: a token is used in its own role only, by its typ, whose letter case does not matter.
func TestTypes(t *testing.T) {
	s := newSigner(t)
	k := keyFor(t, s, oauth.ES256)
	access, err1 := s.SignAccessToken(fullAccessToken())
	id, err2 := s.SignIDToken(fullIDToken(), oauth.ES256)
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	if _, err := s.VerifyIDToken(access, issuer); err != errType {
		t.Errorf("access token as ID token: error %v", err)
	}
	if _, err := s.VerifyAccessToken(id); err != errType {
		t.Errorf("ID token as access token: error %v", err)
	}
	both := strings.TrimSuffix(valid(typIDToken), "}") + `,"jti":"a.b.c","client_id":"c"}` // whose members would do for either
	for typ, role := range map[string]string{"JWT": typIDToken, "jwt": typIDToken, "Jwt": typIDToken,
		"at+jwt": typAccessToken, "at+JWT": typAccessToken, "AT+JWT": typAccessToken,
		"logout+jwt": "", "dpop+jwt": "", "oauth-authz-req+jwt": "", "token-introspection+jwt": "", "at+jwt ": "", "JWT\u0000": "", "JOSE": "", "at": "", "": ""} {
		token := signed(t, k, head("ES256", typ, string(k.record.ID)), both)
		for _, r := range types {
			if err := accepted(s, r, token); (err == nil) != (r == role) {
				t.Errorf("typ %q as %s: error %v", typ, r, err)
			}
		}
	}
	for _, typ := range []string{`null`, `1`, `["JWT"]`, `["at+jwt"]`, `{}`} {
		refused(t, s, "typ "+typ, signed(t, k, `{"alg":"ES256","typ":`+typ+`,"kid":"`+string(k.record.ID)+`"}`, both))
	}
	refused(t, s, "typ missing", signed(t, k, `{"alg":"ES256","kid":"`+string(k.record.ID)+`"}`, both))
}
