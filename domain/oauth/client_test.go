package oauth_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/domain/oauth"
)

func TestAuthenticate(t *testing.T) {
	any := client(t, oauth.Strict)
	basic, post := any, any
	basic.AuthMethod, post.AuthMethod = oauth.AuthBasic, oauth.AuthPost
	spa := public(any)
	disabled := any
	disabled.DisabledAt = start
	disabledSPA := spa
	disabledSPA.DisabledAt = start
	secretless := any
	secretless.Secret = oauth.Digest{}

	type method = oauth.AuthMethod
	for _, c := range []struct {
		name   string
		client oauth.Client
		method method
		secret oauth.Secret
		ok     bool
	}{
		{"Basic", any, oauth.AuthBasic, webSecret, true},
		{"post", any, oauth.AuthPost, webSecret, true},
		{"CA-01 wrong secret by Basic", any, oauth.AuthBasic, webSecret + "x", false},
		{"CA-01 wrong secret by post", any, oauth.AuthPost, webSecret[1:], false},
		{"CA-01 another case", any, oauth.AuthBasic, "WEB-secret-of-thirty-two-characters-or-more", false},
		{"CA-01 the stored digest is no secret", any, oauth.AuthBasic, oauth.Secret(webSecret.Digest().String()), false},
		{"CA-03 only a client_id", any, oauth.AuthNone, "", false},
		{"CA-03 an empty secret by Basic", any, oauth.AuthBasic, "", false},
		{"CA-03 an empty secret where none is on file", secretless, oauth.AuthBasic, "", false},
		{"a secret where none is on file", secretless, oauth.AuthBasic, webSecret, false},
		{"CA-04 a public client", spa, oauth.AuthNone, "", true},
		{"CA-04 a public client with an empty secret", spa, oauth.AuthBasic, "", true},
		{"CA-04 a public client with a secret", spa, oauth.AuthPost, webSecret, false},
		{"CA-06 registered for Basic, used it", basic, oauth.AuthBasic, webSecret, true},
		{"CA-06 registered for Basic, used post", basic, oauth.AuthPost, webSecret, false},
		{"CA-06 registered for post, used it", post, oauth.AuthPost, webSecret, true},
		{"CA-06 registered for post, used Basic", post, oauth.AuthBasic, webSecret, false},
		{"RF-08 disabled", disabled, oauth.AuthBasic, webSecret, false},
		{"RF-08 disabled and public", disabledSPA, oauth.AuthNone, "", false},
		{"CA-02 nobody", oauth.Client{}, oauth.AuthBasic, webSecret, false},
		{"CA-02 nobody, nothing sent", oauth.Client{}, oauth.AuthNone, "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			refusal := c.client.Authenticate(oauth.Credentials{ID: "web", Secret: c.secret, Method: c.method})
			if c.ok {
				wantError(t, refusal, "")
				return
			}
			wantError(t, refusal, oauth.InvalidClient)
			if want := oauth.UnknownClient(); refusal.Description != want.Description || refusal.Code != want.Code {
				t.Errorf("CA-02: %v tells this client from an unknown one, %v", refusal, want)
			}
			if refusal.Facts["reason"] == "" {
				t.Error("the operator is not told why")
			}
		})
	}
}

// The table of the profiles: what an application may rely on until its client says otherwise.
func TestProfiles(t *testing.T) {
	strict := oauth.Rules{RequirePKCE: true, RequireState: true, RequireNonce: true, RequireOpenID: true, ClaimsInIDToken: true,
		RotateRefreshTokens: true, IDTokenAlg: oauth.ES256, CodeLifetime: 2 * time.Minute, AccessTokenLifetime: 15 * time.Minute}
	standard := oauth.Rules{RequireState: true, RequireOpenID: true, IgnoreUnknownScopes: true, ClaimsInIDToken: true,
		RotateRefreshTokens: true, IDTokenAlg: oauth.RS256, CodeLifetime: 2 * time.Minute, AccessTokenLifetime: 15 * time.Minute}
	legacy := oauth.Rules{RequireOpenID: true, AllowNoBinding: true, IgnoreUnknownScopes: true, ClaimsInIDToken: true,
		RefreshWithoutOffline: true, RotateRefreshTokens: true, RedirectURIOptional: true, LowerCaseTokenType: true,
		IDTokenAlg: oauth.RS256, CodeLifetime: 2 * time.Minute, AccessTokenLifetime: time.Hour}
	coreone := oauth.Rules{RequirePKCE: true, RequireOpenID: true, ClaimsInIDToken: true, RotateRefreshTokens: true,
		IDTokenAlg: oauth.RS256, CodeLifetime: 2 * time.Minute, AccessTokenLifetime: time.Hour}
	for profile, want := range map[oauth.Profile]oauth.Rules{"": strict, "strict": strict, "standard": standard, "legacy2012": legacy, "coreone": coreone} {
		t.Run(string(profile), func(t *testing.T) {
			got, ok := profile.Rules()
			if diff := cmp.Diff(want, got); !ok || diff != "" {
				t.Error(ok, diff)
			}
		})
	}
	if rules, ok := oauth.Profile("Strict").Rules(); ok || rules != (oauth.Rules{}) {
		t.Errorf("a profile nobody knows has rules: %+v", rules)
	}
}

func TestClientNames(t *testing.T) {
	c := client(t, oauth.Strict)
	if c.DisplayName() != "web" || c.Public() || !c.MayUse("refresh_token") || c.MayUse("password") || c.MayUse("") {
		t.Errorf("%+v", c)
	}
	c.Name = "Web"
	if c.DisplayName() != "Web" || !public(c).Public() {
		t.Errorf("%+v", c)
	}
}

// OP-08: what could be a secret is not written down where a client_id is expected; what cannot be one is.
func TestRecordableClientID(t *testing.T) {
	for id, want := range map[oauth.ClientID]oauth.ClientID{
		"grafana-of-last-year": "grafana-of-last-year",
		oauth.ClientID(strings.Repeat("a", oauth.MinSecretLength-1)):          oauth.ClientID(strings.Repeat("a", oauth.MinSecretLength-1)),
		oauth.ClientID("wxyz" + strings.Repeat("a", oauth.MinSecretLength-4)): "wxyz…",
		oauth.ClientID("x" + strings.Repeat("é", 40)):                         "xé…",
	} {
		if got := id.Recordable(); got != want {
			t.Errorf("%s: %s, want %s", id, got, want)
		}
	}
}
