package app_test

import (
	"bytes"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey/app/apptest"
	"latchkey/domain/audit"
)

func TestClientAuthentication(t *testing.T) {
	t.Parallel()
	const odd = `p+q%20r:s "t" ` + "~!@#$^&*()_={}|;<>?,./`'"
	p := apptest.New(t, clients("basic", `"token_endpoint_auth_method": "client_secret_basic"`, "post", `"token_endpoint_auth_method": "client_secret_post"`,
		"we:b+c%2Fd", `"client_secret": `+quote(odd)+`, "redirect_uris": ["https://odd.test/cb"]`, "plus+sign", `"client_secret": `+quote(odd)+`, "redirect_uris": ["https://plus.test/cb"]`,
		"m2m", `"grant_types": ["client_credentials"], "response_types": [], "redirect_uris": [], "scope": "openid profile reports:read reports:write"`))
	web, spa := p.Client("web"), p.Client("spa")
	b := p.Browser()
	web.Code(b, "alice")
	form := func(code string, rp *apptest.RP, pairs ...string) url.Values {
		v := set("grant_type", "authorization_code", "code", code, "redirect_uri", rp.RedirectURI, "code_verifier", apptest.Verifier)
		for name, values := range set(pairs...) {
			v[name] = values
		}
		return v
	}
	basic := func(id, secret string) http.Header {
		r := http.Request{Header: http.Header{}}
		r.SetBasicAuth(id, secret)
		return r.Header
	}
	failed := []audit.Kind{audit.ClientAuthFailed}

	t.Run("CA-01 CA-02 CA-03", func(t *testing.T) {
		code := web.Code(b, "alice")
		var first apptest.Reply
		unchanged(t, p, func() {
			for name, try := range map[string]struct {
				form   url.Values
				header http.Header
			}{
				"wrong secret, Basic":   {form(code, web), basic("web", "wrong")},
				"wrong secret, body":    {form(code, web, "client_id", "web", "client_secret", "wrong"), nil},
				"the digest as secret":  {form(code, web, "client_id", "web", "client_secret", "\x01"), nil},
				"unknown client, Basic": {form(code, web), basic("nobody", "wrong")},
				"unknown client, body":  {form(code, web, "client_id", "nobody", "client_secret", "wrong"), nil},
				"unknown public client": {form(code, web, "client_id", "nobody"), nil},
				"CA-03 only client_id":  {form(code, web, "client_id", "web"), nil},
				"empty Basic password":  {form(code, web), basic("web", "")},
				"secret cut by one":     {form(code, web), basic("web", apptest.Secret[:len(apptest.Secret)-1])},
				"secret with a space":   {form(code, web), basic("web", apptest.Secret+" ")},
				"id in upper case":      {form(code, web), basic("WEB", apptest.Secret)},
			} {
				t.Run(name, func(t *testing.T) {
					events := recorded(t, p, func() {
						r := web.Post(apptest.Alias("/token"), try.form, try.header)
						wantError(t, r, 401, "invalid_client")
						if first.Status == 0 {
							first = r
						}
						if diff := cmp.Diff(masked(first), masked(r)); diff != "" {
							t.Errorf("the answer tells causes apart:\n%s", diff)
						}
					}, failed...)
					if events[0].Facts["client_id"] == "" || events[0].Facts["reason"] == "" {
						t.Errorf("event %+v", events[0])
					}
				})
			}
		})
		wantTokens(t, web.Exchange(code))
	})
	t.Run("CA-03 nothing at all", func(t *testing.T) {
		r := web.Send("POST", "/token", form("x", web).Encode(), http.Header{"Content-Type": {"application/x-www-form-urlencoded"}})
		wantError(t, r, 401, "invalid_client")
	})
	t.Run("CA-04", func(t *testing.T) {
		code := spa.Code(b, "alice")
		recorded(t, p, func() {
			wantError(t, spa.Post("/token", form(code, spa, "client_id", "spa", "client_secret", "x"), nil), 401, "invalid_client")
			wantError(t, spa.Post("/token", form(code, spa), basic("spa", "x")), 401, "invalid_client")
		}, audit.ClientAuthFailed, audit.ClientAuthFailed)
		wantTokens(t, spa.Post("/token", form(code, spa, "client_id", "spa", "client_secret", ""), nil))
		wantTokens(t, spa.Post("/token", form(spa.Code(b, "alice"), spa), basic("spa", "")))
	})
	t.Run("CA-05", func(t *testing.T) {
		code := web.Code(b, "alice")
		unchanged(t, p, func() {
			for name, f := range map[string]url.Values{
				"Basic and body": form(code, web, "client_id", "web", "client_secret", apptest.Secret), "Basic and body without id": form(code, web, "client_secret", apptest.Secret),
				"Basic and assertion":  form(code, web, "client_assertion", "x", "client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
				"Basic and another id": form(code, web, "client_id", "evil"),
				"two ids":              {"client_id": {"web", "web"}, "grant_type": {"authorization_code"}},
			} {
				if r := web.Post(apptest.Alias("/token"), f, basic("web", apptest.Secret)); r.Status != 400 || r.Get("error") != "invalid_request" {
					t.Errorf("%s: %d %s", name, r.Status, r.Text)
				}
			}
		})
		wantTokens(t, web.Post("/token", form(code, web, "client_id", "web"), basic("web", apptest.Secret)))
		for name, h := range map[string]string{"Bearer": "Bearer x", "not base64": "Basic !!!", "no colon": "Basic d2Vi", "empty": ""} {
			t.Run(name, func(t *testing.T) {
				r := web.Post("/token", form("x", web, "client_id", "web"), http.Header{"Authorization": {h}})
				wantError(t, r, 401, "invalid_client")
			})
		}
	})
	t.Run("CA-06", func(t *testing.T) {
		for id, sends := range map[string][2]bool{"web": {true, true}, "basic": {true, false}, "post": {false, true}} {
			rp := p.Client(id)
			for i, accepted := range sends {
				f, h := form(rp.Code(b, "alice"), rp), basic(id, apptest.Secret)
				if i == 1 {
					f, h = form(rp.Code(b, "alice"), rp, "client_id", id, "client_secret", apptest.Secret), nil
				}
				if r := rp.Post(apptest.Alias("/token"), f, h); accepted {
					wantTokens(t, r)
				} else {
					wantError(t, r, 401, "invalid_client")
				}
			}
		}
	})
	t.Run("CA-11; T3", func(t *testing.T) {
		rp := p.Client("we:b+c%2Fd")
		rp.Secret, rp.RedirectURI = odd, "https://odd.test/cb"
		wantTokens(t, rp.SignIn(b, "alice")) // Basic, both parts form-encoded
		wantTokens(t, rp.Post("/token", form(rp.Code(b, "alice"), rp, "client_id", rp.ID, "client_secret", odd), nil))
		wantError(t, rp.Post("/token", form(rp.Code(b, "alice"), rp), basic(rp.ID, odd)), 401, "invalid_client") // the colon splits elsewhere
		plus := p.Client("plus+sign")
		plus.RedirectURI = "https://plus.test/cb"
		wantTokens(t, plus.Post("/token", form(plus.Code(b, "alice"), plus), basic(plus.ID, odd))) // as sent, which many clients do
	})
	t.Run("TK-10", func(t *testing.T) {
		m2m := p.Client("m2m")
		ask := func(scope string) apptest.Reply {
			f := set("grant_type", "client_credentials")
			if scope != "-" {
				f.Set("scope", scope)
			}
			return m2m.Post(apptest.Alias("/token"), f, nil)
		}
		for scope, granted := range map[string]string{"-": "reports:read reports:write", "reports:read": "reports:read", "openid reports:write": "reports:write", "openid": ""} {
			var r apptest.Reply
			recorded(t, p, func() { r = wantTokens(t, ask(scope)) }, audit.TokenIssued)
			if r.Get("refresh_token") != "" || r.Get("id_token") != "" || r.Get("scope") != granted || r.JSON["expires_in"] != 900.0 {
				t.Errorf("%s: %s", scope, r.Text)
			}
			at := verify(t, p, r.Get("access_token")).claims
			if at["sub"] != "m2m" || at["client_id"] != "m2m" || at["sid"] != nil || at["auth_time"] != nil {
				t.Errorf("access token %v", at)
			}
			recorded(t, p, func() {
				info := m2m.UserInfo(r.Get("access_token"))
				if info.Status != 403 || info.Get("error") != "insufficient_scope" {
					t.Errorf("userinfo: %d %s", info.Status, info.Text)
				}
			}, audit.BearerDenied)
		}
		recorded(t, p, func() { wantError(t, ask("reports:read admin"), 400, "invalid_scope") }, audit.TokenDenied)
		wantError(t, ask(`reports:read "`), 400, "invalid_scope")
		public := p.Client("spa").Post("/token", set("grant_type", "client_credentials", "client_id", "spa"), nil)
		wantError(t, public, 401, "invalid_client")
		if err := p.TryApply(clients("spa", `"token_endpoint_auth_method": "none", "grant_types": ["authorization_code", "client_credentials"]`)); err == nil {
			t.Error("a public client was registered for client_credentials")
		}
		page := p.Browser().Get("/authorize?" + m2m.Request().Encode())
		wantPage(t, page, 400) // it has no redirect URI, so it has no authorization endpoint
		wantError(t, m2m.Exchange("x"), 400, "unauthorized_client")
	})
	t.Run("RF-08 client disabled", func(t *testing.T) {
		rp := p.Client("post")
		ask := func(code string) apptest.Reply {
			return rp.Post("/token", form(code, rp, "client_id", "post", "client_secret", apptest.Secret), nil)
		}
		tokens, code := wantTokens(t, ask(rp.Code(b, "alice"))), rp.Code(b, "alice")
		waiting := p.Browser()
		page := rp.Authorize(waiting)
		disable := func(yes string) {
			p.Apply(clients("post", `"token_endpoint_auth_method": "client_secret_post", "disabled": `+yes))
		}
		disable("true")
		wantError(t, ask(code), 401, "invalid_client")
		refresh := set("grant_type", "refresh_token", "refresh_token", tokens.Get("refresh_token"), "client_id", "post", "client_secret", apptest.Secret)
		wantError(t, rp.Post("/token", refresh, nil), 401, "invalid_client")
		dead(t, rp, tokens.Get("access_token"))
		wantPage(t, rp.Authorize(b), 400)
		wantPage(t, waiting.Login(page, "alice", apptest.Password), 400)
		disable("false")
		wantError(t, rp.Post("/token", refresh, nil), 400, "invalid_grant")
		wantError(t, ask(code), 400, "invalid_grant")
		dead(t, rp, tokens.Get("access_token"))
		if page := rp.Authorize(b); !page.IsConsent() {
			t.Errorf("consent survived: %s", page.URL)
		}
	})
}

// masked is an answer without what differs between any two requests.
func masked(r apptest.Reply) map[string]any {
	m := map[string]any{"status": r.Status}
	for name, v := range r.JSON {
		if name != "error_ref" && name != "request_id" {
			m[name] = v
		}
	}
	if uri, ok := m["error_uri"].(string); ok {
		m["error_uri"] = strings.Replace(uri, r.Get("error_ref"), "", 1)
	}
	for name, v := range r.Header {
		if name != "X-Request-Id" && name != "Date" {
			m[name] = v
		}
	}
	m["length"] = len(bytes.TrimSpace([]byte(r.Text)))
	return m
}
