package demo

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"maps"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// signer is a provider's key.
type signer struct {
	t   testing.TB
	kid string
	key *ecdsa.PrivateKey
}

func newSigner(t testing.TB, kid string) *signer {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &signer{t, kid, key}
}

// jwk is the public key as it is published.
func (s *signer) jwk() map[string]any {
	point, err := s.key.PublicKey.Bytes()
	if err != nil {
		s.t.Fatal(err)
	}
	return map[string]any{"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": s.kid,
		"x": base64url.EncodeToString(point[1:33]), "y": base64url.EncodeToString(point[33:])}
}

func keySet(signers ...*signer) map[string]any {
	var keys []any
	for _, s := range signers {
		keys = append(keys, s.jwk())
	}
	return map[string]any{"keys": keys}
}

func (s *signer) sign(header, claims map[string]any) string {
	signed := segment(s.t, header) + "." + segment(s.t, claims)
	digest := sha256.Sum256([]byte(signed))
	r, v, err := ecdsa.Sign(rand.Reader, s.key, digest[:])
	if err != nil {
		s.t.Fatal(err)
	}
	return signed + "." + base64url.EncodeToString(append(r.FillBytes(make([]byte, 32)), v.FillBytes(make([]byte, 32))...))
}

func segment(t testing.TB, v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return base64url.EncodeToString(text)
}

const accessToken = "an access token that is long enough to be shortened"

func goodClaims() map[string]any {
	half := sha256.Sum256([]byte(accessToken))
	return map[string]any{"iss": "https://op.test", "sub": "usr_1", "aud": "demo", "exp": noon.Unix() + 900, "iat": noon.Unix(),
		"nonce": "the nonce", "at_hash": base64url.EncodeToString(half[:16])}
}

// An application believes a token only when every check holds: each forgery fails exactly the check that is there for it.
func TestIDTokenChecks(t *testing.T) {
	ours, others := newSigner(t, "k1"), newSigner(t, "k2")
	header := map[string]any{"alg": "ES256", "kid": "k1", "typ": "JWT"}
	claims := func(name string, value any) string {
		c := goodClaims()
		if c[name] = value; value == nil {
			delete(c, name)
		}
		return ours.sign(header, c)
	}
	headed := func(name string, value any) string {
		h := maps.Clone(header)
		h[name] = value
		return ours.sign(h, goodClaims())
	}
	good := ours.sign(header, goodClaims())
	body := good[:strings.LastIndex(good, ".")]
	for _, test := range []struct {
		name, token string
		fails       []string // the checks; nil: it is believed; "": there is nothing to check
	}{
		{"as it should be", good, nil},
		{"an audience in a list", claims("aud", []string{"demo"}), nil},
		{"issued a little ahead of our clock", claims("iat", noon.Unix()+59), nil},
		{"JW-01 no algorithm", segment(t, map[string]any{"alg": "none", "kid": "k1"}) + body[strings.Index(body, "."):] + ".", []string{"check.alg", "check.signature"}},
		{"JW-01 another algorithm", headed("alg", "HS256"), []string{"check.alg"}},
		{"an extension that is not understood", headed("crit", []string{"x"}), []string{"check.alg"}},
		{"a key that is not published", headed("kid", "k3"), []string{"check.signature"}},
		{"no kid", headed("kid", ""), []string{"check.signature"}},
		{"the key of somebody else", headed("kid", "k2"), []string{"check.signature"}},
		{"signed by somebody else", others.sign(header, goodClaims()), []string{"check.signature"}},
		{"a signature cut short", good[:len(good)-2], []string{"check.signature"}},
		{"zeros for a signature", body + "." + base64url.EncodeToString(make([]byte, 64)), []string{"check.signature"}},
		{"another issuer", claims("iss", "https://op.test/"), []string{"check.iss"}},
		{"for another client", claims("aud", "wiki"), []string{"check.aud"}},
		{"for another client too", claims("aud", []string{"demo", "wiki"}), []string{"check.aud"}},
		{"expired now", claims("exp", noon.Unix()), []string{"check.exp"}},
		{"without an end", claims("exp", nil), []string{"check.exp"}},
		{"an end in words", claims("exp", "never"), []string{"check.exp"}},
		{"from the future", claims("iat", noon.Unix()+61), []string{"check.iat"}},
		{"of another sign-in", claims("nonce", "another"), []string{"check.nonce"}},
		{"without a nonce", claims("nonce", nil), []string{"check.nonce"}},
		{"beside another access token", claims("at_hash", "xx"), []string{"check.at_hash"}},
		{"about nobody", claims("sub", nil), []string{"check.sub_same"}},
		{"not a token", "x.y", []string{""}},
		{"spelled with padding bits", good[:len(good)-1] + next(good[len(good)-1]), []string{""}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var s step
			subject := checkIDToken(&s, test.token, keySet(ours, others),
				expected{issuer: "https://op.test", client: "demo", nonce: "the nonce", accessToken: accessToken, now: noon})
			var failed []string
			for _, c := range s.Checks {
				if !c.OK {
					failed = append(failed, c.Text)
				}
			}
			if s.Problem != nil {
				failed = append(failed, "")
			}
			if !slices.Equal(failed, test.fails) {
				t.Errorf("failed %q, want %q; %+v", failed, test.fails, s.Problem)
			}
			if believed := subject == "usr_1"; believed != (test.fails == nil) {
				t.Errorf("subject %q", subject)
			}
		})
	}
}

// next is the letter after c in base64url: the same bits and one of the padding.
func next(c byte) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return string(letters[strings.IndexByte(letters, c)+1])
}

// A refreshed ID token is about the same person, or it is not believed.
func TestIDTokenOfRefresh(t *testing.T) {
	ours := newSigner(t, "k1")
	c := goodClaims()
	delete(c, "nonce")
	token := ours.sign(map[string]any{"alg": "ES256", "kid": "k1"}, c)
	for subject, want := range map[string]string{"usr_1": "usr_1", "usr_2": ""} {
		var s step
		if got := checkIDToken(&s, token, keySet(ours), expected{issuer: "https://op.test", client: "demo", subject: subject, accessToken: accessToken, now: noon}); got != want {
			t.Errorf("of %s: %q", subject, got)
		}
	}
}

// Two keys of one name leave open which is meant, and points off the curve are no keys.
func TestKeyNamed(t *testing.T) {
	ours, twin := newSigner(t, "k1"), newSigner(t, "k1")
	off := ours.jwk()
	off["y"] = base64url.EncodeToString(big.NewInt(1).FillBytes(make([]byte, 32)))
	encryption := ours.jwk()
	encryption["use"] = "enc"
	for name, keys := range map[string][]any{
		"twins": {ours.jwk(), twin.jwk()}, "off the curve": {off}, "for encryption": {encryption}, "nothing": nil, "not an object": {"k1"},
	} {
		if keyNamed(map[string]any{"keys": keys}, "k1") != nil {
			t.Errorf("%s: a key was found", name)
		}
	}
	if keyNamed(keySet(ours), "k1") == nil {
		t.Error("the key was not found")
	}
}

// Whatever comes, a token that is read has one spelling: its parts encode to it again.
func FuzzParseJWT(f *testing.F) {
	ours := newSigner(f, "k1")
	f.Add(ours.sign(map[string]any{"alg": "ES256", "kid": "k1"}, goodClaims()))
	for _, seed := range []string{"", "..", "e30.e30.", "e30.e30.e30", "e30.e31.", "e30.bnVsbA.", "e30\n.e30."} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, token string) {
		parsed, err := parseJWT(token)
		if err != nil {
			return
		}
		if again := parsed.signed + "." + base64url.EncodeToString(parsed.signature); again != token {
			t.Errorf("%q is read as %q", token, again)
		}
		if parsed.header == nil || parsed.claims == nil || parsed.verify(&ours.key.PublicKey) && !strings.HasPrefix(token, "eyJ") {
			t.Errorf("%q is taken for more than it is", token)
		}
	})
}
