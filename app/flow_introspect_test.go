package app_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/app/apptest"
	"latchkey/domain/audit"
	"latchkey/domain/oauth"
	"latchkey/ports"
)

func TestIntrospection(t *testing.T) {
	t.Parallel()
	p := apptest.New(t, clients("m2m", machine, "online", `"refresh_without_offline_access": true`))
	// The audience of our access tokens is this provider itself: a client of that name is who they are meant for.
	p.Apply(clients(p.Issuer, `"redirect_uris": ["https://api.test/cb"]`))
	web, evil, spa, b := p.Client("web"), p.Client("evil"), p.Client("spa"), p.Browser()
	for _, rp := range []*apptest.RP{web, evil, spa} {
		rp.Code(b, "alice")
	}

	t.Run("IN-01; S1 introspection: client authentication, and no public client", func(t *testing.T) {
		one, own := web.SignIn(b, "alice"), spa.SignIn(b, "alice")
		wrong := p.Client("web")
		wrong.Secret = strings.Repeat("x", 40)
		form := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
		unchanged(t, p, func() {
			for name, send := range map[string]func(token string) apptest.Reply{
				"nobody": func(token string) apptest.Reply {
					return web.Send("POST", apptest.Alias("/introspect"), set("token", token).Encode(), form)
				},
				"public":           func(token string) apptest.Reply { return introspect(spa, token) },
				"wrong secret":     func(token string) apptest.Reply { return introspect(wrong, token) },
				"no secret":        func(token string) apptest.Reply { return introspect(web, token, set("client_id", "web")) },
				"public, by Basic": func(token string) apptest.Reply { return introspectBasic(spa, token) },
			} {
				for _, token := range []string{one.Get("access_token"), own.Get("access_token"), own.Get("refresh_token"), "garbage", ""} {
					recorded(t, p, func() {
						r := send(token)
						wantError(t, r, 401, "invalid_client")
						if r.JSON["active"] != nil || r.Get("sub") != "" {
							t.Errorf("%s: %s", name, r.Text)
						}
					}, audit.ClientAuthFailed)
				}
			}
		})
		wantActive(t, introspect(web, one.Get("access_token"), set("client_id", "web", "client_secret", apptest.Secret)))
	})
	t.Run("a refresh token whose ground is gone, however that came", func(t *testing.T) {
		one := web.SignIn(p.Browser(), "bob")
		wantActive(t, introspect(web, one.Get("refresh_token")))
		id := oauth.TokenID(introspect(web, one.Get("access_token")).Get("jti")).Family()
		update(t, p, func(tx ports.Tx) error {
			family, err := tx.TokenFamily(id)
			if err != nil {
				return err
			}
			g, err := tx.Grant(family.Grant)
			if err != nil {
				return err
			}
			g.Revoke(p.Now())
			return tx.SaveGrant(g)
		})
		wantInactive(t, introspect(web, one.Get("refresh_token")))
	})
	t.Run("IN-02; S1 introspection: inactive token", func(t *testing.T) {
		one := web.SignIn(b, "alice")
		access, refresh := one.Get("access_token"), one.Get("refresh_token")
		for name, token := range map[string]string{"garbage": "garbage", "JW-01 unsigned": noneOf(access), "JW-02 another key": resigned(access),
			"JW-05 an ID token": one.Get("id_token"), "a code": web.Code(b, "alice"), "JW-07 dots": strings.Repeat(".", 4000), "forged": refresh[:len(refresh)-43] + strings.Repeat("A", 43),
			"cut": access[:len(access)-2], "of another family": "rt_nothing.1." + strings.Repeat("A", 43)} {
			if wantInactive(t, introspect(web, token)); t.Failed() {
				t.Fatal(name)
			}
		}
		wantActive(t, introspect(web, access))
		exp, _ := verify(t, p, access).claims["exp"].(float64)
		p.Advance(time.Unix(int64(exp), 0).Sub(p.Now()) - time.Millisecond)
		wantActive(t, introspect(web, access))
		p.Advance(time.Millisecond)
		wantInactive(t, introspect(web, access))
		wantActive(t, introspect(web, refresh))
		p.Advance(oauth.RefreshIdle)
		wantInactive(t, introspect(web, refresh))
	})
	t.Run("IN-02; S1 introspection: token is required", func(t *testing.T) {
		for _, change := range []url.Values{without("token"), set("token", "")} {
			recorded(t, p, func() { wantError(t, introspect(web, "", change), 400, "invalid_request") }, audit.TokenDenied)
		}
	})
	t.Run("IN-03; S1 introspection: active access token", func(t *testing.T) {
		one := web.SignIn(b, "alice", set("scope", "openid profile email"))
		access := one.Get("access_token")
		claims, now := verify(t, p, access).claims, float64(p.Now().Unix())
		want := map[string]any{"active": true, "token_type": "Bearer", "iss": p.Issuer, "aud": p.Issuer, "sub": claims["sub"], "sid": claims["sid"], "client_id": "web",
			"jti": claims["jti"], "iat": now, "exp": now + 900, "token_use": "access", "scope": "openid profile email"}
		recorded(t, p, func() {
			for name, rp := range map[string]*apptest.RP{"its client": web, "who it is meant for": p.Client(p.Issuer)} {
				r := wantActive(t, introspect(rp, access))
				if diff := cmp.Diff(want, r.JSON); diff != "" {
					t.Errorf("%s (-want +got):\n%s", name, diff)
				}
			}
		})
	})
	t.Run("an active refresh token", func(t *testing.T) {
		one := web.SignIn(b, "alice")
		claims, now := verify(t, p, one.Get("access_token")).claims, float64(p.Now().Unix())
		want := map[string]any{"active": true, "iss": p.Issuer, "sub": claims["sub"], "sid": claims["sid"], "client_id": "web",
			"iat": now, "exp": now + oauth.RefreshIdle.Seconds(), "token_use": "refresh", "scope": "openid profile email offline_access"}
		if diff := cmp.Diff(want, introspect(web, one.Get("refresh_token")).JSON); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		// Not by whom it was not issued to, not even by who the access tokens are meant for.
		wantInactive(t, introspect(p.Client(p.Issuer), one.Get("refresh_token")))
		two := wantTokens(t, web.Refresh(one.Get("refresh_token")))
		unchanged(t, p, func() { wantInactive(t, introspect(web, one.Get("refresh_token"))) }) // looking is not using
		wantTokens(t, web.Refresh(two.Get("refresh_token")))
	})
	t.Run("a token about the client itself", func(t *testing.T) {
		m2m := p.Client("m2m")
		token := wantTokens(t, m2m.Post(apptest.Alias("/token"), set("grant_type", "client_credentials"), nil)).Get("access_token")
		r, now := wantActive(t, introspect(m2m, token)), float64(p.Now().Unix())
		want := map[string]any{"active": true, "token_type": "Bearer", "iss": p.Issuer, "aud": p.Issuer, "sub": "m2m", "client_id": "m2m",
			"jti": r.Get("jti"), "iat": now, "exp": now + 900, "token_use": "access", "scope": "reports:read"}
		if diff := cmp.Diff(want, r.JSON); diff != "" || r.Get("jti") == "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		wantInactive(t, introspect(web, token))
		wantActive(t, introspect(p.Client(p.Issuer), token))
		p.Apply(clients("m2m", machine+`, "disabled": true`))
		wantInactive(t, introspect(p.Client(p.Issuer), token))
	})
	t.Run("IN-04", func(t *testing.T) {
		one := web.SignIn(b, "alice")
		recorded(t, p, func() {
			for _, token := range []string{one.Get("access_token"), one.Get("refresh_token")} {
				wantInactive(t, introspect(evil, token))
				wantActive(t, introspect(web, token))
			}
		})
	})
	t.Run("IN-05; S1 introspection: token_type_hint is only a hint", func(t *testing.T) {
		one := web.SignIn(b, "alice")
		for _, hint := range []string{"access_token", "refresh_token", "id_token", "nonsense", ""} {
			for use, token := range map[string]string{"access": one.Get("access_token"), "refresh": one.Get("refresh_token")} {
				with, bare := introspect(web, token, set("token_type_hint", hint)), introspect(web, token)
				if with.Text != bare.Text || wantActive(t, with).Get("token_use") != use {
					t.Errorf("hint %q: %s and %s", hint, with.Text, bare.Text)
				}
			}
		}
	})
	t.Run("what ends a token ends it here at once", func(t *testing.T) {
		online := p.Client("online")
		for name, end := range map[string]func(*apptest.Browser){
			"signed out":    func(b *apptest.Browser) { b.Submit(b.Get("/"), nil) },
			"user disabled": func(*apptest.Browser) { p.Apply(`{"users": [{"username": "bob", "disabled": true}]}`) },
		} {
			b := p.Browser()
			one, offline := online.SignIn(b, "bob", set("scope", "openid")), web.SignIn(b, "bob")
			tokens := []string{one.Get("access_token"), one.Get("refresh_token"), offline.Get("access_token")}
			for i, rp := range []*apptest.RP{online, online, web} {
				wantActive(t, introspect(rp, tokens[i]))
			}
			end(b)
			for i, rp := range []*apptest.RP{online, online, web} {
				if wantInactive(t, introspect(rp, tokens[i])); t.Failed() {
					t.Fatal(name)
				}
			}
			if name == "user disabled" {
				wantInactive(t, introspect(web, offline.Get("refresh_token")))
			} else {
				wantActive(t, introspect(web, offline.Get("refresh_token"))) // LO-08: the application may act while its user is away
			}
			p.Apply(`{"users": [{"username": "bob", "disabled": false}]}`)
		}
	})
}

// introspectBasic authenticates a public client with an empty password.
func introspectBasic(rp *apptest.RP, token string) apptest.Reply {
	r := http.Request{Header: http.Header{}}
	r.SetBasicAuth(rp.ID, "")
	return rp.Post(apptest.Alias("/introspect"), set("token", token), r.Header)
}
