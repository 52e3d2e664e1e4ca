package app_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/app/apptest"
	"latchkey/domain/audit"
)

// A user with every standard claim of OIDC Core §5.1.
const everyClaim = `{"users": [{"username": "wulan", "password": "` + apptest.Password + `", "email": "wulan@example.com", "email_verified": true, "groups": ["staff", "admins"],
 "claims": {"name": "Wulan Sari", "given_name": "Wulan", "family_name": "Sari", "middle_name": "Dewi", "nickname": "Wul", "preferred_username": "wulan.sari",
  "profile": "https://example.com/wulan", "picture": "https://example.com/wulan.png", "website": "https://wulan.example.com", "gender": "female", "birthdate": "1990-01-31",
  "zoneinfo": "Asia/Jakarta", "locale": "id-ID", "phone_number": "+62 21 555 0100", "phone_number_verified": true,
  "address": {"formatted": "Jl. Contoh 1\nJakarta", "street_address": "Jl. Contoh 1", "locality": "Jakarta", "region": "DKI", "postal_code": "10110", "country": "Indonesia"}}}]}`

func TestUserInfo(t *testing.T) {
	t.Parallel()
	p := apptest.New(t, everyClaim, clients("bare", `"require_openid": false`))
	web, spa, b := p.Client("web"), p.Client("spa"), p.Browser()
	tokens := web.SignIn(b, "wulan", set("scope", "openid profile email address phone groups offline_access"))
	access := tokens.Get("access_token")
	bearer := func(token string) http.Header { return http.Header{"Authorization": {"Bearer " + token}} }
	form := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}

	t.Run("UI-01; U5", func(t *testing.T) {
		for _, method := range []string{"GET", "POST"} {
			r := web.Send(method, apptest.Alias("/userinfo"), "", nil)
			if c := r.Header.Get("WWW-Authenticate"); r.Status != 401 || !strings.HasPrefix(c, "Bearer ") || strings.Contains(c, "error") {
				t.Errorf("%s without a token: %d %q", method, r.Status, c)
			}
			r = web.Send(method, apptest.Alias("/userinfo"), "", http.Header{"Authorization": {"Basic d2ViOng="}})
			if c := r.Header.Get("WWW-Authenticate"); r.Status != 401 || !strings.HasPrefix(c, "Bearer ") {
				t.Errorf("%s with Basic: %d %q", method, r.Status, c)
			}
		}
		for name, token := range map[string]string{"garbage": "garbage", "unsigned": noneOf(access), "cut": access[:len(access)-1], "extended": access + "A",
			"huge": strings.Repeat("a", 20000), "three dots": "a.b.c", "another key": resigned(access)} {
			recorded(t, p, func() {
				r := web.Send("GET", apptest.Alias("/userinfo"), "", bearer(token))
				wantError(t, r, 401, "invalid_token")
				if !strings.Contains(r.Header.Get("WWW-Authenticate"), `error="invalid_token"`) {
					t.Errorf("%s: %q", name, r.Header.Get("WWW-Authenticate"))
				}
			}, audit.BearerDenied)
		}
	})
	t.Run("UI-02 U1 U2 U3 I6", func(t *testing.T) {
		sub := verify(t, p, tokens.Get("id_token")).claims["sub"]
		everything := map[string]any{"sub": sub, "name": "Wulan Sari", "given_name": "Wulan", "family_name": "Sari", "middle_name": "Dewi", "nickname": "Wul",
			"preferred_username": "wulan.sari", "profile": "https://example.com/wulan", "picture": "https://example.com/wulan.png", "website": "https://wulan.example.com",
			"gender": "female", "birthdate": "1990-01-31", "zoneinfo": "Asia/Jakarta", "locale": "id-ID", "updated_at": float64(p.Now().Unix()),
			"email": "wulan@example.com", "email_verified": true, "phone_number": "+62 21 555 0100", "phone_number_verified": true, "groups": []any{"admins", "staff"},
			"address": map[string]any{"formatted": "Jl. Contoh 1\nJakarta", "street_address": "Jl. Contoh 1", "locality": "Jakarta", "region": "DKI", "postal_code": "10110", "country": "Indonesia"}}
		of := map[string][]string{
			"profile": {"name", "given_name", "family_name", "middle_name", "nickname", "preferred_username", "profile", "picture", "website", "gender", "birthdate", "zoneinfo", "locale", "updated_at"},
			"email":   {"email", "email_verified"}, "address": {"address"}, "phone": {"phone_number", "phone_number_verified"}, "groups": {"groups"}, "": nil,
		}
		all := web.UserInfo(access)
		if diff := cmp.Diff(everything, all.JSON); diff != "" || all.Header.Get("Content-Type") != "application/json" || all.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("every scope (-want +got):\n%s %v", diff, all.Header)
		}
		for scope, names := range of {
			token := web.SignIn(b, "wulan", set("scope", "openid "+scope)).Get("access_token")
			want := map[string]any{"sub": sub}
			for _, n := range names {
				want[n] = everything[n]
			}
			for name, r := range map[string]apptest.Reply{
				"GET": web.Send("GET", apptest.Alias("/userinfo"), "", bearer(token)), "POST": web.Send("POST", apptest.Alias("/userinfo"), "", bearer(token)),
				"form": web.Send("POST", apptest.Alias("/userinfo"), set("access_token", token).Encode(), form),
			} {
				if diff := cmp.Diff(want, r.JSON); diff != "" || r.Status != 200 {
					t.Errorf("%s by %s: %d (-want +got):\n%s", scope, name, r.Status, diff)
				}
			}
			id := verify(t, p, web.SignIn(b, "wulan", set("scope", "openid "+scope)).Get("id_token")).claims
			for _, n := range names {
				if diff := cmp.Diff(everything[n], id[n]); diff != "" {
					t.Errorf("%s in the ID token:\n%s", n, diff)
				}
			}
		}
		legacy := web.Send("GET", "/user_info", "", bearer(access))
		if legacy.Get("user_id") != sub || legacy.Get("locale") != "id_ID" || legacy.Get("sub") != sub {
			t.Errorf("/user_info: %s", legacy.Text)
		}
		if again := web.UserInfo(access); again.Get("locale") != "id-ID" || again.Get("user_id") != "" {
			t.Errorf("/user_info changed what others see: %s", again.Text)
		}
	})
	t.Run("claims of a user who has few", func(t *testing.T) {
		r := web.UserInfo(web.SignIn(p.Browser(), "carol", set("scope", "openid profile email address phone groups")).Get("access_token"))
		want := map[string]any{"sub": r.Get("sub"), "preferred_username": "carol", "updated_at": r.JSON["updated_at"], "groups": []any{}}
		if diff := cmp.Diff(want, r.JSON); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
	t.Run("UI-03", func(t *testing.T) {
		bare := p.Client("bare")
		token := bare.SignIn(b, "alice", set("scope", "email profile")).Get("access_token")
		recorded(t, p, func() {
			r := bare.UserInfo(token)
			wantError(t, r, 403, "insufficient_scope")
			if !strings.Contains(r.Header.Get("WWW-Authenticate"), `error="insufficient_scope"`) {
				t.Errorf("%q", r.Header.Get("WWW-Authenticate"))
			}
		}, audit.BearerDenied)
	})
	t.Run("UI-04", func(t *testing.T) {
		fresh := web.SignIn(p.Browser(), "alice").Get("access_token")
		body := set("access_token", fresh).Encode()
		both := http.Header{"Authorization": {"Bearer " + fresh}, "Content-Type": form["Content-Type"]}
		for name, r := range map[string]apptest.Reply{
			"query":            web.Send("GET", "/userinfo?"+body, "", nil),
			"query and header": web.Send("GET", "/userinfo?"+body, "", bearer(fresh)),
			"header and body":  web.Send("POST", "/userinfo", body, both),
			"twice in body":    web.Send("POST", "/userinfo", body+"&"+body, form),
			"two headers":      web.Send("GET", "/userinfo", "", http.Header{"Authorization": {"Bearer " + fresh, "Bearer " + fresh}}),
		} {
			if r.Status != 400 || r.Get("error") != "invalid_request" || r.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s: %d %s", name, r.Status, r.Text)
			}
		}
		if r := web.Send("POST", "/userinfo", body, form); r.Status != 200 {
			t.Errorf("form body: %d %s", r.Status, r.Text)
		}
		if strings.Contains(p.Log.String(), fresh) {
			t.Error("the token is in the log")
		}
		for _, method := range []string{"PUT", "DELETE", "HEAD"} {
			if r := web.Send(method, "/userinfo", "", bearer(fresh)); r.Status != 405 || r.Header.Get("Allow") != "GET, POST" {
				t.Errorf("%s: %d %q", method, r.Status, r.Header.Get("Allow"))
			}
		}
	})
	t.Run("UI-05; JW-05", func(t *testing.T) {
		dead(t, web, tokens.Get("id_token"))
		dead(t, web, tokens.Get("refresh_token"))
		code := web.Code(b, "wulan")
		dead(t, web, code)
		wantTokens(t, web.Exchange(code))
		// And every artefact in every other place.
		for name, text := range map[string]string{"access token": access, "ID token": tokens.Get("id_token"), "code": web.Code(b, "wulan")} {
			if r := web.Refresh(text); r.Get("error") != "invalid_grant" {
				t.Errorf("%s as refresh token: %s", name, r.Text)
			}
		}
		for name, text := range map[string]string{"access token": access, "ID token": tokens.Get("id_token"), "refresh token": tokens.Get("refresh_token")} {
			if r := web.Exchange(text); r.Get("error") != "invalid_grant" {
				t.Errorf("%s as code: %s", name, r.Text)
			}
		}
		other := apptest.Elsewhere(t)
		foreign := other.Client("web").SignIn(other.Browser(), "alice").Get("access_token")
		dead(t, web, foreign)
	})
	t.Run("expiry", func(t *testing.T) {
		fresh := web.SignIn(p.Browser(), "alice").Get("access_token")
		alive(t, web, fresh)
		p.Advance(899 * time.Second)
		alive(t, web, fresh)
		p.Advance(time.Second)
		dead(t, web, fresh)
	})
	t.Run("a verdict does not outlive a change", func(t *testing.T) {
		fresh := web.SignIn(p.Browser(), "wulan").Get("access_token")
		alive(t, web, fresh)
		p.Apply(`{"users": [{"username": "wulan", "claims": {"name": "Wulan S. Sari"}}]}`)
		if name := web.UserInfo(fresh).Get("name"); name != "Wulan S. Sari" {
			t.Errorf("name %q", name)
		}
		p.Restart()
		alive(t, web, fresh)
		p.Apply(`{"users": [{"username": "wulan", "disabled": true}]}`)
		dead(t, web, fresh)
	})
	t.Run("UI-07", func(t *testing.T) {
		token := spa.SignIn(p.Browser(), "alice").Get("access_token")
		for origin, allowed := range map[string]string{"https://spa.test": "https://spa.test", "https://app.test": "", "https://evil.test": "", "null": "", "https://spa.test.evil.test": "",
			"http://spa.test": "", "https://SPA.test": ""} {
			for _, path := range []string{apptest.Alias("/userinfo"), apptest.Alias("/token")} {
				preflight := web.Send("OPTIONS", path, "", http.Header{"Origin": {origin}, "Access-Control-Request-Method": {"POST"}, "Access-Control-Request-Headers": {"authorization"}})
				if got := preflight.Header.Get("Access-Control-Allow-Origin"); got != allowed || preflight.Header.Get("Access-Control-Allow-Credentials") != "" {
					t.Errorf("%s from %s: %q", path, origin, got)
				}
				if headers := preflight.Header.Get("Access-Control-Allow-Headers"); (allowed != "") != strings.Contains(headers, "Authorization") {
					t.Errorf("%s from %s: headers %q", path, origin, headers)
				}
			}
			h := bearer(token)
			h.Set("Origin", origin)
			r := web.Send("GET", apptest.Alias("/userinfo"), "", h)
			if got := r.Header.Get("Access-Control-Allow-Origin"); got != allowed || !slices.Contains(r.Header.Values("Vary"), "Origin") {
				t.Errorf("from %s: %q, Vary %v", origin, got, r.Header.Values("Vary"))
			}
		}
		for _, path := range []string{apptest.Alias("/authorize"), "/login", "/consent"} {
			if r := web.Send("OPTIONS", path, "", http.Header{"Origin": {"https://spa.test"}, "Access-Control-Request-Method": {"POST"}}); r.Header.Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("WB-09: %s allows %q", path, r.Header.Get("Access-Control-Allow-Origin"))
			}
		}
	})
}

// resigned is the token with one bit of its signature turned.
func resigned(token string) string {
	i := strings.LastIndexByte(token, '.') + 10
	flipped := byte('A')
	if token[i] == 'A' {
		flipped = 'B'
	}
	return token[:i] + string(flipped) + token[i+1:]
}
