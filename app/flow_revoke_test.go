package app_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"latchkey/app/apptest"
	"latchkey/domain/audit"
	"latchkey/ports"
)

// machine is a client that speaks for itself.
const machine = `"grant_types": ["client_credentials"], "response_types": [], "redirect_uris": [], "scope": "reports:read"`

// revoke revokes a token at a path that answers 200 whatever is sent; change works as in Request.
func revoke(rp *apptest.RP, token string, change ...url.Values) apptest.Reply {
	return present(rp, "/revocation", token, change)
}

func introspect(rp *apptest.RP, token string, change ...url.Values) apptest.Reply {
	return present(rp, "/introspect", token, change)
}

func present(rp *apptest.RP, endpoint, token string, change []url.Values) apptest.Reply {
	form := set("token", token)
	for _, c := range change {
		for name, values := range c {
			if form[name] = values; len(values) == 0 {
				delete(form, name)
			}
		}
	}
	return rp.Post(apptest.Alias(endpoint), form, nil)
}

// wantRevoked checks the one answer of a revocation.
func wantRevoked(t *testing.T, r apptest.Reply) {
	t.Helper()
	if r.Status != http.StatusOK || r.Text != "{}" || r.Header.Get("Cache-Control") != "no-store" || r.Header.Get("Content-Type") != "application/json" {
		t.Errorf("revocation: %d %v %.300s", r.Status, r.Header, r.Text)
	}
}

// wantInactive checks the answer for a token that is worth nothing.
func wantInactive(t *testing.T, r apptest.Reply) {
	t.Helper()
	if r.Status != http.StatusOK || r.Text != `{"active":false}` || r.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("want exactly inactive: %d %v %.300s", r.Status, r.Header, r.Text)
	}
}

// wantActive checks that introspection finds the token good.
func wantActive(t *testing.T, r apptest.Reply) apptest.Reply {
	t.Helper()
	if r.Status != http.StatusOK || r.JSON["active"] != true || r.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("want active: %d %v %.300s", r.Status, r.Header, r.Text)
	}
	return r
}

func TestRevocation(t *testing.T) {
	t.Parallel()
	p := apptest.New(t, clients("m2m", machine))
	web, evil, spa, b := p.Client("web"), p.Client("evil"), p.Client("spa"), p.Browser()
	web.Code(b, "alice")
	spa.Code(b, "alice")
	evil.Code(b, "alice")
	wrong := p.Client("web")
	wrong.Secret = strings.Repeat("x", 40)

	t.Run("IN-06; S1 revocation: access token, by Basic and by body", func(t *testing.T) {
		for name, form := range map[string]url.Values{"Basic": {}, "body": set("client_id", "web", "client_secret", apptest.Secret)} {
			one := web.SignIn(b, "alice")
			access := one.Get("access_token")
			alive(t, web, access) // and is remembered as good
			wantActive(t, introspect(web, access))
			jti := verify(t, p, access).claims["jti"].(string)
			events := recorded(t, p, func() { wantRevoked(t, revoke(web, access, form)) }, audit.TokenRevoked)
			if e := events[0]; e.Client != "web" || e.User == "" || e.Session == "" || !strings.HasPrefix(jti, e.Family+".") || e.Facts["token_type"] != "access_token" {
				t.Errorf("%s: event %+v", name, e)
			}
			dead(t, web, access)
			wantInactive(t, introspect(web, access))
			recorded(t, p, func() { wantRevoked(t, revoke(web, access)) }) // again: nothing is left to do
			// The line goes on without that one token.
			alive(t, web, wantTokens(t, web.Refresh(one.Get("refresh_token"))).Get("access_token"))
		}
	})
	t.Run("IN-07; S1 revocation: refresh token", func(t *testing.T) {
		for name, which := range map[string]int{"the newest": 2, "an older one": 0} {
			one := web.SignIn(b, "alice")
			two := wantTokens(t, web.Refresh(one.Get("refresh_token")))
			three := wantTokens(t, web.Refresh(two.Get("refresh_token")))
			all := []apptest.Reply{one, two, three}
			for _, r := range all {
				alive(t, web, r.Get("access_token"))
			}
			events := recorded(t, p, func() { wantRevoked(t, revoke(web, all[which].Get("refresh_token"))) }, audit.TokenRevoked)
			if e := events[0]; e.Client != "web" || e.User == "" || e.Family == "" || e.Grant == "" || e.Facts["token_type"] != "refresh_token" {
				t.Errorf("%s: event %+v", name, e)
			}
			for _, r := range all {
				dead(t, web, r.Get("access_token"))
				wantInactive(t, introspect(web, r.Get("access_token")))
				wantInactive(t, introspect(web, r.Get("refresh_token")))
			}
			recorded(t, p, func() { wantError(t, web.Refresh(three.Get("refresh_token")), 400, "invalid_grant") }, audit.TokenDenied)
			recorded(t, p, func() { wantRevoked(t, revoke(web, all[which].Get("refresh_token"))) })
			if consented := web.Authorize(b); consented.IsConsent() {
				t.Error("revoking tokens withdrew what the user agreed to")
			}
		}
	})
	t.Run("IN-05; S1 revocation: token_type_hint is only a hint", func(t *testing.T) {
		for _, hint := range []string{"access_token", "refresh_token", "id_token", "nonsense", ""} {
			one := web.SignIn(b, "alice")
			wantRevoked(t, revoke(web, one.Get("access_token"), set("token_type_hint", hint)))
			dead(t, web, one.Get("access_token"))
			wantRevoked(t, revoke(web, one.Get("refresh_token"), set("token_type_hint", hint)))
			wantError(t, web.Refresh(one.Get("refresh_token")), 400, "invalid_grant")
		}
	})
	t.Run("IN-08; S1 revocation: an unknown token", func(t *testing.T) {
		one := web.SignIn(b, "alice")
		access, refresh := one.Get("access_token"), one.Get("refresh_token")
		cut := strings.LastIndex(refresh, ".")
		unchanged(t, p, func() {
			for name, token := range map[string]string{"garbage": "garbage", "forged": refresh[:cut+1] + strings.Repeat("A", 43), "unsigned": noneOf(access),
				"JW-02 another key": resigned(access), "JW-07 dots": strings.Repeat(".", 4000), "JW-05 an ID token": one.Get("id_token"), "cut": access[:len(access)-2]} {
				recorded(t, p, func() {
					wantRevoked(t, revoke(web, token))
					wantRevoked(t, present(web, "/revoke", token, nil))
				})
				if t.Failed() {
					t.Fatal(name)
				}
			}
		})
		alive(t, web, access)
		wantActive(t, introspect(web, refresh))
	})
	t.Run("IN-08: another client's token", func(t *testing.T) {
		one, two := web.SignIn(b, "alice"), spa.SignIn(b, "alice")
		unchanged(t, p, func() {
			for _, thief := range []*apptest.RP{evil, spa} {
				events := recorded(t, p, func() {
					wantRevoked(t, revoke(thief, one.Get("access_token")))
					wantRevoked(t, present(thief, "/revoke", one.Get("refresh_token"), nil))
				}, audit.TokenMismatch, audit.TokenMismatch)
				if events[0].Client != thief.ID || events[1].Client != thief.ID || events[1].Family == "" {
					t.Errorf("events %+v", events)
				}
			}
			recorded(t, p, func() { wantRevoked(t, revoke(web, two.Get("refresh_token"))) }, audit.TokenMismatch)
		})
		for _, r := range []apptest.Reply{one, two} {
			alive(t, web, r.Get("access_token"))
		}
		wantTokens(t, web.Refresh(one.Get("refresh_token")))
		wantTokens(t, spa.Refresh(two.Get("refresh_token")))
	})
	t.Run("IN-09; S1 revocation: client authentication", func(t *testing.T) {
		one := web.SignIn(b, "alice")
		unchanged(t, p, func() {
			for _, token := range []string{one.Get("access_token"), one.Get("refresh_token"), ""} {
				for name, change := range map[string]url.Values{"wrong secret": {}, "no secret": set("client_id", "web"), "unknown": set("client_id", "nobody", "client_secret", "x")} {
					events := recorded(t, p, func() { wantRevoked(t, revoke(wrong, token, change)) }, audit.ClientAuthFailed)
					if e := events[0]; e.Facts["error"] != "invalid_client" || e.Facts["client_id"] == "" {
						t.Errorf("%s: event %+v", name, e)
					}
					recorded(t, p, func() { wantError(t, present(wrong, "/revoke", token, []url.Values{change}), 401, "invalid_client") }, audit.ClientAuthFailed)
				}
			}
		})
		alive(t, web, one.Get("access_token"))
		wantTokens(t, web.Refresh(one.Get("refresh_token")))
	})
	t.Run("S1 revocation: token is required", func(t *testing.T) {
		for _, change := range []url.Values{without("token"), set("token", "")} {
			recorded(t, p, func() { wantRevoked(t, revoke(web, "", change)) }, audit.TokenDenied)
			recorded(t, p, func() { wantError(t, present(web, "/revoke", "", []url.Values{change}), 400, "invalid_request") }, audit.TokenDenied)
		}
	})
	t.Run("a public client's own tokens", func(t *testing.T) {
		one := spa.SignIn(b, "alice")
		recorded(t, p, func() { wantRevoked(t, revoke(spa, one.Get("access_token"))) }, audit.TokenRevoked)
		dead(t, spa, one.Get("access_token"))
		recorded(t, p, func() { wantRevoked(t, present(spa, "/revoke", one.Get("refresh_token"), nil)) }, audit.TokenRevoked)
		wantError(t, spa.Refresh(one.Get("refresh_token")), 400, "invalid_grant")
	})
	t.Run("a token about the client itself", func(t *testing.T) {
		m2m := p.Client("m2m")
		token := wantTokens(t, m2m.Post(apptest.Alias("/token"), set("grant_type", "client_credentials"), nil)).Get("access_token")
		wantActive(t, introspect(m2m, token))
		if e := recorded(t, p, func() { wantRevoked(t, revoke(m2m, token)) }, audit.TokenRevoked)[0]; e.Client != "m2m" || e.User != "" {
			t.Errorf("event %+v", e)
		}
		wantInactive(t, introspect(m2m, token))
	})
	t.Run("a restart forgets nothing", func(t *testing.T) {
		one := web.SignIn(b, "alice")
		wantRevoked(t, revoke(web, one.Get("access_token")))
		p.Restart()
		dead(t, web, one.Get("access_token"))
		wantInactive(t, introspect(web, one.Get("access_token")))
	})
	// Whatever comes first, nobody holds a token that works once both are answered.
	t.Run("refresh races revocation", func(t *testing.T) {
		for range 50 {
			one := web.SignIn(b, "alice")
			done := make(chan apptest.Reply)
			go func() { done <- web.Refresh(one.Get("refresh_token")) }()
			wantRevoked(t, revoke(web, one.Get("refresh_token")))
			raced := <-done
			if raced.Status == http.StatusOK {
				dead(t, web, raced.Get("access_token"))
				wantError(t, web.Refresh(raced.Get("refresh_token")), 400, "invalid_grant")
			} else {
				wantError(t, raced, 400, "invalid_grant")
			}
			dead(t, web, one.Get("access_token"))
		}
	})
}

// What opens nothing any more leaves neither a row nor a record, however often a client presents it.
func TestRevokeExpiredAccessToken(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	web := p.Client("web")
	old := web.SignIn(p.Browser(), "alice").Get("access_token")
	p.Advance(20 * time.Minute)
	unchanged(t, p, func() {
		recorded(t, p, func() { wantRevoked(t, revoke(web, old)) })
	})
}

// OP-05: an access token that had expired is not good again: the database does not know it, so its family ends.
func TestAccessTokensFromBeforeTheClockWasSetBack(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	web := p.Client("web")
	old := web.SignIn(p.Browser(), "alice").Get("access_token")
	wantActive(t, introspect(web, old))
	p.Advance(20 * time.Minute)
	p.Admin.Now()
	p.Advance(-15 * time.Minute)
	wantInactive(t, introspect(web, old))
	wantActive(t, introspect(web, web.SignIn(p.Browser(), "alice").Get("access_token")))
}

// OP-05: a token about a client hangs on nothing that a clock set back makes final, and a revocation is not kept for longer
// than the token lasts. So none from before is accepted after.
func TestClientTokensFromBeforeTheClockWasSetBack(t *testing.T) {
	t.Parallel()
	p := apptest.New(t, clients("m2m", machine))
	m2m := p.Client("m2m")
	ask := func() string {
		return wantTokens(t, m2m.Post("/token", set("grant_type", "client_credentials"), nil)).Get("access_token")
	}
	revoked, expired := ask(), ask()
	wantRevoked(t, revoke(m2m, revoked))
	p.Advance(20 * time.Minute)
	update(t, p, func(tx ports.Tx) error {
		_, err := tx.Sweep(p.Admin.Now(), 1000)
		return err
	})
	p.Advance(-15 * time.Minute)
	wantInactive(t, introspect(m2m, revoked))
	wantInactive(t, introspect(m2m, expired))
	wantActive(t, introspect(m2m, ask()))
}
