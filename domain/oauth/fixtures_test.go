package oauth_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"strings"
	"testing"
	"time"

	"latchkey/domain/oauth"
)

const issuer = "https://login.test"

var start = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

// The example of RFC 7636 appendix B.
const (
	verifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
)

const webSecret oauth.Secret = "web-secret-of-thirty-two-characters-or-more"

// client returns a confidential client of the profile that asks for nothing unusual.
func client(t testing.TB, p oauth.Profile) oauth.Client {
	t.Helper()
	rules, ok := p.Rules()
	if !ok {
		t.Fatalf("there is no profile %q", p)
	}
	return oauth.Client{ID: "web", Secret: webSecret.Digest(), RedirectURIs: []string{"https://app.test/cb"},
		GrantTypes:    []string{oauth.GrantTypeCode, oauth.GrantTypeRefresh},
		ResponseTypes: []string{oauth.ResponseTypeCode},
		Scope:         "openid profile email offline_access", DefaultMaxAge: -time.Second, Profile: p, Rules: rules}
}

// public returns the client without its secret.
func public(c oauth.Client) oauth.Client {
	c.AuthMethod, c.Secret = oauth.AuthNone, oauth.Digest{}
	return c
}

// tagger is a server key.
func tagger(key string) oauth.Tagger {
	return func(message []byte) (tag [32]byte) {
		mac := hmac.New(sha256.New, []byte(key))
		mac.Write(message)
		copy(tag[:], mac.Sum(nil))
		return tag
	}
}

// wantError fails unless the refusal has the code; an empty code means no refusal. Whatever is said may be put into an
// HTTP header or a redirect as it is (RFC 6749 §5.2).
func wantError(t testing.TB, got *oauth.Error, want oauth.ErrorCode) {
	t.Helper()
	switch {
	case got == nil && want == "":
		return
	case got == nil:
		t.Fatalf("accepted; want %s", want)
	case got.Code != want:
		t.Fatalf("refused with %v; want %q", got, want)
	}
	if got.Description == "" || strings.ContainsFunc(got.Description, func(r rune) bool {
		return r < 0x20 || r > 0x7E || r == '"' || r == '\\'
	}) {
		t.Errorf("description %q has characters that RFC 6749 section 5.2 does not allow, or none", got.Description)
	}
}
