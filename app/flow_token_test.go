package app_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/app/apptest"
	"latchkey/domain/audit"
)

func TestCode(t *testing.T) {
	t.Parallel()
	p := apptest.New(t, clients("brief", `"code_lifetime": 60`, "nopkce", `"require_pkce": false`, "once", `"grant_types": ["authorization_code"]`))
	web, evil, spa := p.Client("web"), p.Client("evil"), p.Client("spa")
	b := p.Browser()
	for _, id := range []string{"web", "evil", "spa", "brief", "nopkce"} {
		p.Client(id).Code(b, "alice") // consent is remembered from here on
	}

	t.Run("TK-01; T1 T7 I1 I2 I3 I4 I5", func(t *testing.T) {
		for _, rp := range []*apptest.RP{web, spa} {
			code := rp.Code(b, "alice", set("nonce", "n-0S6_WzA2Mj", "scope", "openid email offline_access"))
			var r apptest.Reply
			recorded(t, p, func() { r = wantTokens(t, rp.Exchange(code)) }, audit.CodeRedeemed, audit.TokenIssued)
			access, id := r.Get("access_token"), r.Get("id_token")
			want := map[string]any{"access_token": access, "id_token": id, "refresh_token": r.Get("refresh_token"), "token_type": "Bearer",
				"expires_in": 900.0, "scope": "openid email offline_access"}
			if diff := cmp.Diff(want, r.JSON); diff != "" || access == "" || id == "" || r.Get("refresh_token") == "" {
				t.Errorf("token response (-want +got):\n%s", diff)
			}
			if refresh := r.Get("refresh_token"); entropy(refresh) < 96 || url.QueryEscape(refresh) != refresh {
				t.Errorf("T8: refresh token %q", refresh)
			}
			now := float64(p.Now().Unix())
			at, idt := verify(t, p, access), verify(t, p, id)
			sub, sid, jti, authTime := idt.claims["sub"], idt.claims["sid"], at.claims["jti"], idt.claims["auth_time"]
			for name, v := range map[string]any{"sub": sub, "sid": sid, "jti": jti} {
				if s, _ := v.(string); s == "" || len(s) > 255 {
					t.Errorf("%s = %v", name, v)
				}
			}
			if n, _ := authTime.(float64); n > now || n < now-3600 {
				t.Errorf("auth_time %v, now %v", authTime, now)
			}
			amr := []any{"pwd"}
			wantID := map[string]any{"iss": p.Issuer, "sub": sub, "aud": rp.ID, "exp": now + 900, "iat": now, "auth_time": authTime, "nonce": "n-0S6_WzA2Mj",
				"acr": "urn:sso:loa:pwd", "amr": amr, "at_hash": halfHash(access), "sid": sid, "email": "alice@example.com", "email_verified": true}
			if diff := cmp.Diff(wantID, idt.claims); diff != "" {
				t.Errorf("ID token (-want +got):\n%s", diff)
			}
			wantAT := map[string]any{"iss": p.Issuer, "sub": sub, "aud": p.Issuer, "exp": now + 900, "iat": now, "jti": jti, "client_id": rp.ID,
				"scope": "openid email offline_access", "sid": sid, "auth_time": authTime, "acr": "urn:sso:loa:pwd", "amr": amr}
			if diff := cmp.Diff(wantAT, at.claims); diff != "" {
				t.Errorf("access token (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(map[string]any{"alg": "ES256", "typ": "JWT", "kid": idt.header["kid"]}, idt.header); diff != "" {
				t.Errorf("ID token header (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(map[string]any{"alg": "ES256", "typ": "at+jwt", "kid": idt.header["kid"]}, at.header); diff != "" {
				t.Errorf("access token header (-want +got):\n%s", diff)
			}
			alive(t, rp, access)
		}
	})
	t.Run("TK-02; T5", func(t *testing.T) {
		code := web.Code(b, "alice")
		first := wantTokens(t, web.Exchange(code))
		alive(t, web, first.Get("access_token"))
		p.Advance(30 * time.Second)
		events := recorded(t, p, func() { wantError(t, web.Exchange(code), 400, "invalid_grant") }, audit.CodeReplayed)
		if events[0].Family == "" || events[0].Client != "web" || events[0].User == "" {
			t.Errorf("event %+v", events[0])
		}
		dead(t, web, first.Get("access_token"))
		wantError(t, web.Refresh(first.Get("refresh_token")), 400, "invalid_grant")
		recorded(t, p, func() { wantError(t, web.Exchange(code), 400, "invalid_grant") }, audit.CodeReplayed)
	})
	t.Run("TK-03", func(t *testing.T) {
		code := web.Code(b, "alice")
		events := len(p.Events())
		replies := parallel(50, func() apptest.Reply { return web.Exchange(code) })
		var winner apptest.Reply
		for _, r := range replies {
			if r.Status != http.StatusOK {
				wantError(t, r, 400, "invalid_grant")
			} else if winner.Status != 0 {
				t.Fatal("two redemptions succeeded")
			} else {
				winner = r
			}
		}
		if winner.Status == 0 {
			t.Fatal("nobody won")
		}
		dead(t, web, winner.Get("access_token"))
		wantError(t, web.Refresh(winner.Get("refresh_token")), 400, "invalid_grant")
		count := map[audit.Kind]int{}
		for _, e := range p.Events()[events:] {
			count[e.Kind]++
		}
		want := map[audit.Kind]int{audit.CodeRedeemed: 1, audit.TokenIssued: 1, audit.CodeReplayed: 49, audit.BearerDenied: 1, audit.TokenDenied: 1}
		if diff := cmp.Diff(want, count); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
	t.Run("TK-04", func(t *testing.T) {
		for id, lifetime := range map[string]time.Duration{"web": 120 * time.Second, "brief": 60 * time.Second} {
			rp := p.Client(id)
			late, early := rp.Code(b, "alice"), ""
			p.Advance(time.Millisecond)
			early = rp.Code(b, "alice")
			p.Advance(lifetime - time.Millisecond)
			recorded(t, p, func() { wantError(t, rp.Exchange(late), 400, "invalid_grant") }, audit.TokenDenied)
			wantTokens(t, rp.Exchange(early))
		}
	})
	t.Run("TK-05; T6", func(t *testing.T) {
		code := web.Code(b, "alice")
		unchanged(t, p, func() {
			events := recorded(t, p, func() {
				wantError(t, evil.Exchange(code, set("redirect_uri", web.RedirectURI)), 400, "invalid_grant")
				wantError(t, spa.Exchange(code, set("redirect_uri", web.RedirectURI)), 400, "invalid_grant")
			}, audit.CodeClientMismatch, audit.CodeClientMismatch)
			if events[0].Client != "evil" || events[1].Client != "spa" {
				t.Errorf("events %+v", events)
			}
		})
		r := wantTokens(t, web.Exchange(code))
		// A used code in another client's hands revokes nothing.
		wantError(t, evil.Exchange(code, set("redirect_uri", web.RedirectURI)), 400, "invalid_grant")
		alive(t, web, r.Get("access_token"))
	})
	t.Run("TK-06", func(t *testing.T) {
		code := web.Code(b, "alice")
		unchanged(t, p, func() {
			for _, change := range []url.Values{without("redirect_uri"), set("redirect_uri", ""), set("redirect_uri", web.RedirectURI+"/"), set("redirect_uri", evil.RedirectURI)} {
				recorded(t, p, func() { wantError(t, web.Exchange(code, change), 400, "invalid_grant") }, audit.TokenDenied)
			}
		})
		wantTokens(t, web.Exchange(code))
	})
	t.Run("TK-07", func(t *testing.T) {
		code := web.Code(b, "alice")
		form := set("grant_type", "authorization_code", "code", code, "redirect_uri", web.RedirectURI, "code_verifier", apptest.Verifier,
			"client_id", "web", "client_secret", apptest.Secret)
		unchanged(t, p, func() {
			for _, method := range []string{"GET", "PUT", "DELETE", "PATCH", "HEAD"} {
				r := web.Send(method, apptest.Alias("/token"), form.Encode(), http.Header{"Content-Type": {"application/x-www-form-urlencoded"}})
				if r.Status != 405 || r.Header.Get("Allow") != "POST" {
					t.Errorf("%s: %d, Allow %q", method, r.Status, r.Header.Get("Allow"))
				}
			}
			for kind, body := range map[string]string{"application/json": `{"grant_type": "authorization_code"}`, "": form.Encode(), "text/plain": form.Encode(),
				"multipart/form-data; boundary=x": "--x\r\nContent-Disposition: form-data; name=\"grant_type\"\r\n\r\nauthorization_code\r\n--x--\r\n"} {
				h := http.Header{}
				if kind != "" {
					h.Set("Content-Type", kind)
				}
				recorded(t, p, func() { wantError(t, web.Send("POST", apptest.Alias("/token"), body, h), 400, "invalid_request") }, audit.TokenDenied)
			}
		})
		h := http.Header{"Content-Type": {"Application/X-WWW-Form-Urlencoded; charset=UTF-8"}}
		wantTokens(t, web.Send("POST", apptest.Alias("/token"), form.Encode(), h))
	})
	t.Run("TK-08", func(t *testing.T) {
		code := web.Code(b, "alice")
		form := set("grant_type", "authorization_code", "code", code, "redirect_uri", web.RedirectURI, "code_verifier", apptest.Verifier)
		unchanged(t, p, func() {
			for _, name := range []string{"client_secret", "code", "grant_type", "client_id", "code_verifier", "refresh_token"} {
				recorded(t, p, func() {
					wantError(t, web.Post(apptest.Alias("/token")+"?"+name+"=misplaced-value", form, nil), 400, "invalid_request")
				}, audit.TokenDenied)
			}
		})
		if strings.Contains(p.Log.String(), "misplaced-value") || strings.Contains(p.Log.String(), code) {
			t.Error("the query is in the log")
		}
		wantTokens(t, web.Post(apptest.Alias("/token"), form, nil))
	})
	t.Run("TK-09; T2", func(t *testing.T) {
		once := p.Client("once")
		for _, c := range []struct {
			rp        *apptest.RP
			grantType string
			code      string
		}{
			{web, "password", "unsupported_grant_type"}, {web, "implicit", "unsupported_grant_type"}, {web, "foo", "unsupported_grant_type"},
			{web, "urn:ietf:params:oauth:grant-type:device_code", "unsupported_grant_type"}, {web, "Authorization_Code", "unsupported_grant_type"},
			{web, "client_credentials", "unsupported_grant_type"}, // strict: there are two
			{p.Client("loose"), "client_credentials", "unauthorized_client"}, {once, "refresh_token", "unauthorized_client"},
			{web, "", "invalid_request"},
		} {
			unchanged(t, p, func() {
				recorded(t, p, func() {
					wantError(t, c.rp.Post(apptest.Alias("/token"), set("grant_type", c.grantType, "refresh_token", "x", "code", "x"), nil), 400, c.code)
				}, audit.TokenDenied)
			})
		}
		for name, change := range map[string]url.Values{"no code": without("code"), "two codes": {"code": {"a", "b"}}, "two verifiers": {"code_verifier": {"a", "a"}}} {
			if r := web.Exchange("x", change); r.Get("error") != "invalid_request" {
				t.Errorf("%s: %d %s", name, r.Status, r.Text)
			}
		}
		wantError(t, web.Post("/token", set("grant_type", "refresh_token"), nil), 400, "invalid_request")
		for name, code := range map[string]string{"unknown": "unknown", "huge": strings.Repeat("c", 4096)} {
			t.Run(name, func(t *testing.T) {
				recorded(t, p, func() { wantError(t, web.Exchange(code), 400, "invalid_grant") }, audit.TokenDenied)
			})
		}
	})
	t.Run("TK-12", func(t *testing.T) {
		code := web.Code(b, "alice")
		r := wantTokens(t, web.Exchange(code))
		wrong := p.Client("web")
		wrong.Secret = strings.Repeat("x", 40)
		unchanged(t, p, func() {
			recorded(t, p, func() { wantError(t, wrong.Exchange(code), 401, "invalid_client") }, audit.ClientAuthFailed)
			for _, change := range []url.Values{set("code_verifier", strings.Repeat("v", 43)), without("code_verifier"), set("redirect_uri", "https://app.test/other")} {
				recorded(t, p, func() { wantError(t, web.Exchange(code, change), 400, "invalid_grant") }, audit.TokenDenied)
			}
		})
		alive(t, web, r.Get("access_token"))
		wantTokens(t, web.Refresh(r.Get("refresh_token")))
	})
	t.Run("PK-03", func(t *testing.T) {
		for _, rp := range []*apptest.RP{web, spa} {
			code := rp.Code(b, "alice")
			unchanged(t, p, func() {
				for _, v := range []string{strings.Repeat("v", 43), apptest.Verifier + "x", apptest.Verifier[:42], strings.Repeat("v", 129), rp.Request().Get("code_challenge")} {
					recorded(t, p, func() { wantError(t, rp.Exchange(code, set("code_verifier", v)), 400, "invalid_grant") }, audit.TokenDenied)
				}
			})
			wantTokens(t, rp.Exchange(code))
		}
	})
	t.Run("PK-04", func(t *testing.T) {
		code := web.Code(b, "alice")
		for _, change := range []url.Values{without("code_verifier"), set("code_verifier", "")} {
			wantError(t, web.Exchange(code, change), 400, "invalid_grant")
		}
		wantTokens(t, web.Exchange(code))
	})
	t.Run("PK-05", func(t *testing.T) {
		rp := p.Client("nopkce")
		code := rp.Code(b, "alice", without("code_challenge", "code_challenge_method"))
		wantError(t, rp.Exchange(code), 400, "invalid_grant")
		wantTokens(t, rp.Exchange(code, without("code_verifier")))
		code = rp.Code(b, "alice") // and a challenge that was sent binds
		wantError(t, rp.Exchange(code, without("code_verifier")), 400, "invalid_grant")
		wantTokens(t, rp.Exchange(code))
	})
	t.Run("signed out before redemption", func(t *testing.T) {
		b := p.Browser()
		code := web.Code(b, "bob")
		b.Submit(b.Get("/"), nil)
		recorded(t, p, func() { wantError(t, web.Exchange(code), 400, "invalid_grant") }, audit.TokenDenied)
	})
	t.Run("RF-10", func(t *testing.T) {
		for name, r := range map[string]apptest.Reply{
			"without offline_access": web.SignIn(b, "alice", set("scope", "openid email")),
			"without the grant type": p.Client("once").SignIn(b, "alice"),
		} {
			if _, ok := r.JSON["refresh_token"]; ok {
				t.Errorf("%s: %s", name, r.Text)
			}
		}
		fresh := p.Browser()
		page := fresh.Login(evil.Authorize(fresh), "bob", apptest.Password)
		page = fresh.Submit(page, url.Values{"approved": {"true"}, "scope": {"openid", "email"}}) // offline_access is not ticked
		r := wantTokens(t, evil.Exchange(page.Answer().Get("code")))
		if _, ok := r.JSON["refresh_token"]; ok || r.Get("scope") != "openid email" {
			t.Errorf("offline_access was not allowed: %s", r.Text)
		}
	})
}

// parallel calls fn n times at once.
func parallel[T any](n int, fn func() T) []T {
	answers := make([]T, n)
	start := make(chan struct{})
	var done sync.WaitGroup
	for i := range n {
		done.Go(func() {
			<-start
			answers[i] = fn()
		})
	}
	close(start)
	done.Wait()
	return answers
}
