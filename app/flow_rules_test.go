package app_test

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/app/apptest"
)

// freedom is something a client may do, or be given, that a strict client may not: one row of the table of profiles. try
// reports whether it holds for the client; the user has agreed to everything before.
type freedom struct {
	name string
	try  func(*testing.T, *apptest.Provider, *apptest.RP, *apptest.Browser) bool
}

// request reports whether a changed authorization request is answered with a code, or with the page that asks for one.
func request(change ...url.Values) func(*testing.T, *apptest.Provider, *apptest.RP, *apptest.Browser) bool {
	return func(t *testing.T, p *apptest.Provider, rp *apptest.RP, b *apptest.Browser) bool {
		page := rp.Authorize(b, change...)
		if page.IsConsent() {
			page = b.Allow(page)
		}
		v := answer(t, b, page, rp.RedirectURI)
		if v.Get("code") == "" && v.Get("error") == "" {
			t.Errorf("neither code nor error: %s", page.Location)
		}
		if v.Get("state") != rp.Request(change...).Get("state") { // B2
			t.Errorf("state: %v", v)
		}
		return v.Get("code") != ""
	}
}

// response reports something about a token response.
func response(holds func(*testing.T, *apptest.Provider, apptest.Reply) bool, change ...url.Values) func(*testing.T, *apptest.Provider, *apptest.RP, *apptest.Browser) bool {
	return func(t *testing.T, p *apptest.Provider, rp *apptest.RP, b *apptest.Browser) bool {
		return holds(t, p, wantTokens(t, rp.SignIn(b, "alice", change...)))
	}
}

var freedoms = []freedom{
	{"without PKCE", request(without("code_challenge", "code_challenge_method"))},
	{"plain PKCE", func(t *testing.T, _ *apptest.Provider, rp *apptest.RP, b *apptest.Browser) bool {
		plain := set("code_challenge", apptest.Verifier, "code_challenge_method", "plain")
		page := rp.Authorize(b, plain)
		code := answer(t, b, page, rp.RedirectURI).Get("code")
		if code == "" {
			return false
		}
		wantError(t, rp.Exchange(code, set("code_verifier", strings.Repeat("v", 43))), 400, "invalid_grant")
		wantTokens(t, rp.Exchange(code))
		return true
	}},
	{"without state", request(without("state"))},
	{"without nonce", func(t *testing.T, p *apptest.Provider, rp *apptest.RP, b *apptest.Browser) bool {
		code := answer(t, b, rp.Authorize(b, without("nonce")), rp.RedirectURI).Get("code")
		if code == "" {
			return false
		}
		if nonce, ok := verify(t, p, wantTokens(t, rp.Exchange(code)).Get("id_token")).claims["nonce"]; ok { // I2, A5
			t.Errorf("a nonce that was not sent: %v", nonce)
		}
		return true
	}},
	{"neither PKCE nor nonce", request(without("code_challenge", "code_challenge_method", "nonce"))},
	{"without openid", func(t *testing.T, p *apptest.Provider, rp *apptest.RP, b *apptest.Browser) bool {
		code := answer(t, b, rp.Authorize(b, set("scope", "email")), rp.RedirectURI).Get("code")
		if code == "" {
			return false
		}
		r := wantTokens(t, rp.Exchange(code))
		if _, ok := r.JSON["id_token"]; ok || r.Get("scope") != "email" {
			t.Errorf("plain OAuth: %s", r.Text)
		}
		return true
	}},
	{"unknown scope", request(set("scope", "openid email unheard_of"))},
	{"claims in the ID token", response(func(t *testing.T, p *apptest.Provider, r apptest.Reply) bool {
		return verify(t, p, r.Get("id_token")).claims["email"] != nil
	})},
	{"refresh without offline_access", response(func(t *testing.T, _ *apptest.Provider, r apptest.Reply) bool {
		return r.Get("refresh_token") != ""
	}, set("scope", "openid email"))},
	{"refresh token that stays", func(t *testing.T, _ *apptest.Provider, rp *apptest.RP, b *apptest.Browser) bool {
		r := rp.SignIn(b, "alice")
		return wantTokens(t, rp.Refresh(r.Get("refresh_token"))).Get("refresh_token") == r.Get("refresh_token")
	}},
	{"lost answer forgiven", func(t *testing.T, _ *apptest.Provider, rp *apptest.RP, b *apptest.Browser) bool {
		r := rp.SignIn(b, "alice")
		rp.Refresh(r.Get("refresh_token"))
		return rp.Refresh(r.Get("refresh_token")).Status == 200
	}},
	{"no redirect_uri at the token endpoint", func(t *testing.T, _ *apptest.Provider, rp *apptest.RP, b *apptest.Browser) bool {
		code := rp.Code(b, "alice")
		wantError(t, rp.Exchange(code, set("redirect_uri", "https://evil.test/cb")), 400, "invalid_grant")
		r := rp.Exchange(code, without("redirect_uri"))
		return r.Status == 200
	}},
	{"token_type bearer", response(func(t *testing.T, _ *apptest.Provider, r apptest.Reply) bool {
		if tt := r.Get("token_type"); tt != "bearer" && tt != "Bearer" {
			t.Errorf("token_type %q", tt)
		}
		return r.Get("token_type") == "bearer"
	})},
	{"RS256", response(func(t *testing.T, p *apptest.Provider, r apptest.Reply) bool {
		id, at := verify(t, p, r.Get("id_token")), verify(t, p, r.Get("access_token"))
		if id.claims["at_hash"] != halfHash(r.Get("access_token")) || at.header["alg"] != "ES256" {
			t.Errorf("at_hash %v, access token %v", id.claims["at_hash"], at.header)
		}
		return id.header["alg"] == "RS256"
	})},
	{"one hour of access", response(func(t *testing.T, p *apptest.Provider, r apptest.Reply) bool {
		c := verify(t, p, r.Get("access_token")).claims
		if c["exp"].(float64)-c["iat"].(float64) != r.JSON["expires_in"].(float64) {
			t.Errorf("expires_in %v, claims %v", r.JSON["expires_in"], c)
		}
		return r.JSON["expires_in"] == 3600.0
	})},
	{"code of five minutes", func(t *testing.T, p *apptest.Provider, rp *apptest.RP, b *apptest.Browser) bool {
		code := rp.Code(b, "alice")
		p.Advance(299 * time.Second)
		return rp.Exchange(code).Status == 200
	}},
	{"unauthorized_client for other response types", func(t *testing.T, _ *apptest.Provider, rp *apptest.RP, b *apptest.Browser) bool {
		v := answer(t, b, rp.Authorize(b, set("response_type", "code token")), rp.RedirectURI)
		if code := v.Get("error"); code != "unauthorized_client" && code != "unsupported_response_type" {
			t.Errorf("response_type: %v", v)
		}
		return v.Get("error") == "unauthorized_client"
	}},
}

// What each profile, and each single flag on a strict client, allows. Whatever is not listed must not hold, so every
// relaxation is shown to be needed and to loosen nothing else.
func TestRules(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	standard := []string{"claims in the ID token"} // true of every profile; a flag takes it away
	for _, c := range []struct {
		id, members string
		allowed     []string
	}{
		{"strict", ``, standard},
		{"named-strict", `"profile": "strict"`, standard},
		{"standard", `"profile": "standard"`, []string{"without PKCE", "without nonce", "unknown scope", "RS256", "unauthorized_client for other response types", "claims in the ID token"}},
		{"legacy2012", `"profile": "legacy2012"`, []string{"without PKCE", "without state", "without nonce", "neither PKCE nor nonce", "unknown scope",
			"refresh without offline_access", "no redirect_uri at the token endpoint", "token_type bearer", "RS256", "one hour of access",
			"unauthorized_client for other response types", "claims in the ID token"}},
		{"coreone", `"profile": "coreone"`, []string{"without state", "without nonce", "RS256", "one hour of access", "unauthorized_client for other response types", "claims in the ID token"}},
		{"public-standard", `"profile": "standard", "token_endpoint_auth_method": "none"`, []string{"without nonce", "unknown scope", "RS256", "unauthorized_client for other response types", "claims in the ID token"}},

		{"pkce", `"require_pkce": false`, append([]string{"without PKCE"}, standard...)},
		{"plain", `"allow_plain_pkce": true`, append([]string{"plain PKCE"}, standard...)},
		{"state", `"require_state": false`, append([]string{"without state"}, standard...)},
		{"nonce", `"require_nonce": false`, append([]string{"without nonce"}, standard...)},
		{"openid", `"require_openid": false`, append([]string{"without openid"}, standard...)},
		{"unbound", `"require_pkce": false, "require_nonce": false`, append([]string{"without PKCE", "without nonce"}, standard...)},
		{"injectable", `"require_pkce": false, "require_nonce": false, "dangerously_allow_neither_pkce_nor_nonce": true`,
			append([]string{"without PKCE", "without nonce", "neither PKCE nor nonce"}, standard...)},
		{"scopes", `"ignore_unknown_scopes": true`, append([]string{"unknown scope"}, standard...)},
		{"plain-id-token", `"claims_in_id_token": false`, nil},
		{"online", `"refresh_without_offline_access": true`, append([]string{"refresh without offline_access"}, standard...)},
		{"fixed", `"rotate_refresh_tokens": false`, append([]string{"refresh token that stays", "lost answer forgiven"}, standard...)},
		{"grace", `"refresh_token_grace": 10`, append([]string{"lost answer forgiven"}, standard...)},
		{"no-uri", `"redirect_uri_optional_at_token": true`, append([]string{"no redirect_uri at the token endpoint"}, standard...)},
		{"two-uris", `"redirect_uri_optional_at_token": true, "redirect_uris": ["https://two-uris.test/cb", "https://two-uris.test/other"]`, standard},
		{"lower", `"lower_case_token_type": true`, append([]string{"token_type bearer"}, standard...)},
		{"rsa", `"id_token_signed_response_alg": "RS256"`, append([]string{"RS256"}, standard...)},
		{"long", `"access_token_lifetime": 3600`, append([]string{"one hour of access"}, standard...)},
		{"late", `"code_lifetime": 300`, append([]string{"code of five minutes"}, standard...)},
		{"strict-again", `"profile": "legacy2012", "require_pkce": true, "require_state": true, "require_nonce": true, "ignore_unknown_scopes": false,
			"refresh_without_offline_access": false, "redirect_uri_optional_at_token": false, "lower_case_token_type": false,
			"id_token_signed_response_alg": "ES256", "access_token_lifetime": 900`, []string{"unauthorized_client for other response types", "claims in the ID token"}},
	} {
		t.Run(c.id, func(t *testing.T) {
			p.Apply(clients(c.id, c.members))
			rp, b := p.Client(c.id), p.Browser()
			if strings.Contains(c.members, `"none"`) {
				rp.Secret = ""
			}
			rp.Code(b, "alice")
			got := map[string]bool{}
			for _, f := range freedoms {
				if f.try(t, p, rp, b) {
					got[f.name] = true
				}
			}
			if diff := cmp.Diff(slices.Sorted(slices.Values(c.allowed)), slices.Sorted(maps.Keys(got))); diff != "" {
				t.Errorf("what is allowed (-want +got):\n%s", diff)
			}
		})
	}
	t.Run("refused at registration", func(t *testing.T) {
		for _, members := range []string{
			`"token_endpoint_auth_method": "none", "require_pkce": false`,
			`"token_endpoint_auth_method": "none", "dangerously_allow_neither_pkce_nor_nonce": true`,
			`"token_endpoint_auth_method": "none", "allow_plain_pkce": true`,
			`"token_endpoint_auth_method": "private_key_jwt"`, `"profile": "lax"`, `"response_types": ["token"]`, `"grant_types": ["implicit"]`,
			`"id_token_signed_response_alg": "none"`, `"id_token_signed_response_alg": "HS256"`, `"code_lifetime": 601`, `"code_lifetime": 9`,
			`"access_token_lifetime": 59`, `"access_token_lifetime": 86401`, `"refresh_token_grace": 61`, `"client_secret": "short"`,
		} {
			unchanged(t, p, func() {
				if err := p.TryApply(clients("bad", members)); err == nil {
					t.Errorf("%s was registered", members)
				}
			})
		}
	})
}
