package oauth_test

import (
	"strings"
	"testing"
	"time"

	"latchkey/domain/oauth"
)

func TestCheck(t *testing.T) {
	for _, profile := range []oauth.Profile{oauth.Strict, oauth.Standard, oauth.Legacy2012, oauth.CoreOne} {
		if err := client(t, profile).Check(); err != nil {
			t.Errorf("%s: %v", profile, err)
		}
		if err := public(client(t, profile)).Check(); err != nil && profile == oauth.Strict {
			t.Errorf("%s, public: %v", profile, err)
		}
	}
	for _, c := range []struct {
		name   string
		change func(*oauth.Client)
		want   string // what the problem begins with; empty: nothing is wrong
	}{
		{"no client_id", func(c *oauth.Client) { c.ID = "" }, "client_id"},
		{"client_id with a space", func(c *oauth.Client) { c.ID = "a b" }, "client_id"},
		{"client_id with a control character", func(c *oauth.Client) { c.ID = "a\x00" }, "client_id"},
		{"client_id not ASCII", func(c *oauth.Client) { c.ID = "é" }, "client_id"},
		{"client_id of the longest", func(c *oauth.Client) { c.ID = oauth.ClientID(strings.Repeat("a", 128)) }, ""},
		{"client_id too long", func(c *oauth.Client) { c.ID = oauth.ClientID(strings.Repeat("a", 129)) }, "client_id"},

		{"CA-03 no secret", func(c *oauth.Client) { c.Secret = oauth.Digest{} }, "client_secret"},
		{"CA-04 a secret that nobody keeps", func(c *oauth.Client) { c.AuthMethod = oauth.AuthNone }, "client_secret"},
		{"CA-06 Basic only", func(c *oauth.Client) { c.AuthMethod = oauth.AuthBasic }, ""},
		{"CA-06 post only", func(c *oauth.Client) { c.AuthMethod = oauth.AuthPost }, ""},
		{"unknown method", func(c *oauth.Client) { c.AuthMethod = "private_key_jwt" }, "token_endpoint_auth_method"},

		{"RD-09 javascript", func(c *oauth.Client) { c.RedirectURIs = append(c.RedirectURIs, "JaVaScRiPt:alert(1)") }, "redirect_uris[1]"},
		{"RD-09 data", func(c *oauth.Client) { c.RedirectURIs = []string{"data:text/html,x"} }, "redirect_uris[0]"},
		{"RD-09 wildcard", func(c *oauth.Client) { c.RedirectURIs = []string{"https://*.app.test/cb"} }, "redirect_uris[0]"},
		{"RD-09 after logout", func(c *oauth.Client) { c.PostLogoutRedirectURIs = []string{"vbscript:x"} }, "post_logout_redirect_uris[0]"},
		{"RD-09 an http page shown to people", func(c *oauth.Client) { c.LogoURI = "http://app.test/logo.png" }, "logo_uri"},
		{"RD-09 client_uri", func(c *oauth.Client) { c.ClientURI = "javascript:x" }, "client_uri"},
		{"RD-09 policy_uri", func(c *oauth.Client) { c.PolicyURI = "data:x" }, "policy_uri"},
		{"RD-09 tos_uri", func(c *oauth.Client) { c.TOSURI = "file:///x" }, "tos_uri"},
		{"a wildcard origin", func(c *oauth.Client) { c.AllowedOrigins = []string{"*"} }, "allowed_origins[0]"},
		{"an origin with a path", func(c *oauth.Client) { c.AllowedOrigins = []string{"https://app.test/"} }, "allowed_origins[0]"},
		{"the null origin", func(c *oauth.Client) { c.AllowedOrigins = []string{"null"} }, "allowed_origins[0]"},
		{"back channel", func(c *oauth.Client) {
			c.BackChannelLogoutURI, c.BackChannelLogoutSession = "https://other.test/bc", true
		}, ""},
		{"back channel on loopback", func(c *oauth.Client) { c.BackChannelLogoutURI = "http://127.0.0.1:3000/bc" }, ""},
		{"RG-04 back channel without TLS", func(c *oauth.Client) { c.BackChannelLogoutURI = "http://other.test/bc" }, "backchannel_logout_uri"},
		{"RG-04 back channel of another scheme", func(c *oauth.Client) { c.BackChannelLogoutURI = "gopher://other.test/" }, "backchannel_logout_uri"},
		{"RG-04 back channel with user information", func(c *oauth.Client) { c.BackChannelLogoutURI = "https://a:b@other.test/" }, "backchannel_logout_uri"},
		{"back channel session without a URI", func(c *oauth.Client) { c.BackChannelLogoutSession = true }, "backchannel_logout_session_required"},
		{"front channel", func(c *oauth.Client) {
			c.FrontChannelLogoutURI, c.FrontChannelLogoutSession = "https://APP.test:443/fc?x=1", true
		}, ""},
		{"RG-04 front channel on another host", func(c *oauth.Client) { c.FrontChannelLogoutURI = "https://other.test/fc" }, "frontchannel_logout_uri"},
		{"RG-04 front channel on another port", func(c *oauth.Client) { c.FrontChannelLogoutURI = "https://app.test:8443/fc" }, "frontchannel_logout_uri"},
		{"RG-04 front channel of another scheme", func(c *oauth.Client) { c.FrontChannelLogoutURI = "javascript:alert(1)" }, "frontchannel_logout_uri"},
		{"LO-07 front channel with sid", func(c *oauth.Client) { c.FrontChannelLogoutURI = "https://app.test/fc?sid=x" }, "frontchannel_logout_uri"},
		{"LO-07 front channel with iss", func(c *oauth.Client) { c.FrontChannelLogoutURI = "https://app.test/fc?a=b&iss" }, "frontchannel_logout_uri"},
		{"front channel session without a URI", func(c *oauth.Client) { c.FrontChannelLogoutSession = true }, "frontchannel_logout_session_required"},
		{"no redirect_uris", func(c *oauth.Client) { c.RedirectURIs = nil }, "redirect_uris is missing"},

		{"TK-09 grant_type password", func(c *oauth.Client) { c.GrantTypes = append(c.GrantTypes, "password") }, "grant_types"},
		{"AZ-04 response_type token", func(c *oauth.Client) { c.ResponseTypes = append(c.ResponseTypes, "token") }, "response_types"},
		{"code without its grant_type", func(c *oauth.Client) { c.GrantTypes = []string{oauth.GrantTypeRefresh} }, "response_types code and"},
		{"a grant_type without code", func(c *oauth.Client) { c.ResponseTypes = nil }, "response_types code and"},
		{"TK-10 client_credentials alone", func(c *oauth.Client) {
			c.GrantTypes, c.ResponseTypes, c.RedirectURIs = []string{oauth.GrantTypeClient}, nil, nil
		}, ""},
		{"TK-10 client_credentials of a public client", func(c *oauth.Client) {
			*c = public(*c)
			c.GrantTypes = append(c.GrantTypes, oauth.GrantTypeClient)
		}, "grant_types"},
		{"openid required, never allowed", func(c *oauth.Client) { c.Scope = "profile" }, "scope"},
		{"malformed scope", func(c *oauth.Client) { c.Scope = "openid \"" }, "scope"},

		{"unknown profile", func(c *oauth.Client) { c.Profile = "lax" }, "profile"},
		{"PK-01 no PKCE for a public client", func(c *oauth.Client) { *c = public(*c); c.Rules.RequirePKCE = false }, "require_pkce"},
		{"PK-01 no PKCE for a confidential client", func(c *oauth.Client) { c.Rules.RequirePKCE = false }, ""},
		{"PK-02 plain for a public client", func(c *oauth.Client) { *c = public(*c); c.Rules.AllowPlain = true }, "allow_plain_pkce"},
		{"PK-02 plain for a confidential client", func(c *oauth.Client) { c.Rules.AllowPlain = true }, ""},
		{"RF-01 no rotation for a public client", func(c *oauth.Client) { *c = public(*c); c.Rules.RotateRefreshTokens = false }, "rotate_refresh_tokens"},
		{"no rotation for a confidential client", func(c *oauth.Client) { c.Rules.RotateRefreshTokens = false }, ""},
		{"no algorithm", func(c *oauth.Client) { c.Rules.IDTokenAlg = "" }, "id_token_signed_response_alg"},
		{"JW-01 alg none", func(c *oauth.Client) { c.Rules.IDTokenAlg = "none" }, "id_token_signed_response_alg"},
		{"code_lifetime least", func(c *oauth.Client) { c.Rules.CodeLifetime = 10 * time.Second }, ""},
		{"code_lifetime too short", func(c *oauth.Client) { c.Rules.CodeLifetime = 9 * time.Second }, "code_lifetime"},
		{"code_lifetime too long", func(c *oauth.Client) { c.Rules.CodeLifetime = 10*time.Minute + time.Second }, "code_lifetime"},
		{"access_token_lifetime too short", func(c *oauth.Client) { c.Rules.AccessTokenLifetime = 59 * time.Second }, "access_token_lifetime"},
		{"access_token_lifetime too long", func(c *oauth.Client) { c.Rules.AccessTokenLifetime = 25 * time.Hour }, "access_token_lifetime"},
		{"RF-11 grace negative", func(c *oauth.Client) { c.Rules.RefreshGrace = -time.Second }, "refresh_token_grace"},
		{"RF-11 grace too long", func(c *oauth.Client) { c.Rules.RefreshGrace = 61 * time.Second }, "refresh_token_grace"},
		{"rules left out", func(c *oauth.Client) { c.Rules = oauth.Rules{} }, "id_token_signed_response_alg"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cl := client(t, oauth.Strict)
			c.change(&cl)
			err := cl.Check()
			switch {
			case c.want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case c.want != "" && (err == nil || !strings.Contains("\n"+err.Error(), "\n"+c.want)):
				t.Errorf("got %v; want a line that begins with %q", err, c.want)
			}
		})
	}
}

func TestCheckReportsEverythingAtOnce(t *testing.T) {
	err := oauth.Client{ID: "a b", AuthMethod: "x", RedirectURIs: []string{"*"}, PostLogoutRedirectURIs: []string{"*"}, AllowedOrigins: []string{"*"},
		LogoURI: "*", GrantTypes: []string{"x"}, ResponseTypes: []string{"x"}, Scope: "\"", Profile: "x"}.Check()
	for _, want := range []string{"client_id", "token_endpoint_auth_method", "redirect_uris[0]", "post_logout_redirect_uris[0]", "allowed_origins[0]",
		"logo_uri", "grant_types", "response_types", "scope", "profile", "id_token_signed_response_alg", "code_lifetime", "access_token_lifetime"} {
		if err == nil || !strings.Contains("\n"+err.Error(), "\n"+want) {
			t.Errorf("%s is not reported: %v", want, err)
		}
	}
}

func TestCheckSecret(t *testing.T) {
	for _, c := range []struct {
		name   string
		secret oauth.Secret
		ok     bool
	}{
		{"shortest", oauth.Secret(strings.Repeat("a", 32)), true},
		{"longest", oauth.Secret(strings.Repeat("a", 512)), true},
		{"CA-11 with what encodings touch", "a:b+c%20d e&f=g/h?i#j" + oauth.Secret(strings.Repeat("a", 20)), true},
		{"too short", oauth.Secret(strings.Repeat("a", 31)), false},
		{"too long", oauth.Secret(strings.Repeat("a", 513)), false},
		{"empty", "", false},
		{"control character", oauth.Secret(strings.Repeat("a", 32) + "\n"), false},
		{"not ASCII", oauth.Secret(strings.Repeat("é", 32)), false},
	} {
		err := oauth.CheckSecret(c.secret)
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
		if err != nil && len(c.secret) > 0 && strings.Contains(err.Error(), c.secret.Reveal()) {
			t.Errorf("%s: the error tells the secret: %v", c.name, err)
		}
	}
}
