package jose

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
)

func TestAccessTokenRoundTrip(t *testing.T) {
	s := newSigner(t)
	for name, token := range map[string]oauth.AccessToken{
		"full":     fullAccessToken(),
		"required": {ID: "j", Issuer: issuer, Audience: "a", Subject: "u", Client: "c", IssuedAt: begin, ExpiresAt: begin.Add(time.Second)},
		"escapes":  {ID: "\x00\x1f\"\\/\u2028é🔑", Issuer: issuer, Audience: "<a>&", Subject: "u", Client: "\t", IssuedAt: begin, ExpiresAt: begin},
	} {
		text, err := s.SignAccessToken(token)
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.VerifyAccessToken(text)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if d := cmp.Diff(token, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
	text, err := s.SignAccessToken(fullAccessToken())
	if err != nil {
		t.Fatal(err)
	}
	verifyFromKeySet(t, s, text)
	header, payload := parts(t, text)
	golden(t, "accesstoken", header+"\n"+payload+"\n")
}

// JW-10 as far as the signature and the members go; what they say is decided by the token endpoint.
func TestIDToken(t *testing.T) {
	s := newSigner(t)
	for _, alg := range []oauth.Algorithm{oauth.ES256, oauth.RS256} {
		text, err := s.SignIDToken(fullIDToken(), alg)
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.VerifyIDToken(text, issuer)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(oidc.IDTokenHint{Subject: "user1", Audience: "client2", Session: "session3"}, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", alg, d)
		}
		if _, err := s.VerifyIDToken(text, issuer+"/"); !errors.Is(err, errIssuer) {
			t.Errorf("%s: another issuer: error %v", alg, err)
		}
		verifyFromKeySet(t, s, text)
		if alg == oauth.RS256 { // whose signatures are the same each time
			header, payload := parts(t, text)
			golden(t, "idtoken", header+"\n"+payload+"\n"+text.Reveal()+"\n")
		}
	}
	if _, err := s.SignIDToken(fullIDToken(), "none"); err == nil {
		t.Error("an ID token was signed with none")
	}
	bad := fullIDToken()
	bad.Claims["name"] = func() {}
	if _, err := s.SignIDToken(bad, oauth.ES256); err == nil {
		t.Error("a claim that is no JSON was signed")
	}
}

// LO-05: what a logout token says, under the client's algorithm, by a key of the published set.
func TestLogoutToken(t *testing.T) {
	s := newSigner(t)
	token := oidc.LogoutToken{ID: "j1", Issuer: issuer, Audience: "client2", Subject: "user1", Session: "session3", IssuedAt: begin, ExpiresAt: begin.Add(oidc.LogoutTokenLifetime)}
	for _, alg := range []oauth.Algorithm{oauth.ES256, oauth.RS256} {
		text, err := s.SignLogoutToken(token, alg)
		if err != nil {
			t.Fatal(err)
		}
		verifyFromKeySet(t, s, text)
		header, payload := parts(t, text)
		if !strings.Contains(header, `"alg":"`+string(alg)+`","typ":"logout+jwt"`) {
			t.Errorf("header %s", header)
		}
		if alg == oauth.RS256 {
			golden(t, "logouttoken", header+"\n"+payload+"\n")
		}
		if _, err := s.VerifyIDToken(text, issuer); err != errType {
			t.Errorf("as ID token: error %v", err)
		}
		if _, err := s.VerifyAccessToken(text); err != errType {
			t.Errorf("as access token: error %v", err)
		}
	}
	if _, err := s.SignLogoutToken(token, "none"); err == nil {
		t.Error("a logout token was signed with none")
	}
}

func TestClaimsNeverOverrideProtocolMembers(t *testing.T) {
	s := newSigner(t)
	token := oidc.IDToken{Issuer: issuer, Subject: "u", Audience: "c", IssuedAt: begin, ExpiresAt: begin, Claims: oidc.Claims{"name": "N"}}
	for name := range protocolMembers {
		token.Claims[name], token.Claims[strings.ToLower(name)] = "evil", "evil"
	}
	text, err := s.SignIDToken(token, oauth.ES256)
	if err != nil {
		t.Fatal(err)
	}
	if _, payload := parts(t, text); strings.Contains(payload, "evil") || !strings.Contains(payload, `"name":"N"`) {
		t.Errorf("payload %s", payload)
	}
}

func BenchmarkSignAccessToken(b *testing.B) {
	s, token := newSigner(b), fullAccessToken()
	b.ReportAllocs()
	for b.Loop() {
		s.SignAccessToken(token)
	}
}

func BenchmarkSignIDToken(b *testing.B) {
	s, token := newSigner(b), fullIDToken()
	for _, alg := range []oauth.Algorithm{oauth.ES256, oauth.RS256} {
		b.Run(string(alg), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s.SignIDToken(token, alg)
			}
		})
	}
}

func BenchmarkVerifyAccessToken(b *testing.B) {
	s := newSigner(b)
	token, err := s.SignAccessToken(fullAccessToken())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		s.VerifyAccessToken(token)
	}
}

// BenchmarkWriteAccessToken measures what is ours: all but the signature.
func BenchmarkWriteAccessToken(b *testing.B) {
	token, buffer := fullAccessToken(), make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		buffer = appendAccessToken(buffer[:0], token)
	}
}
