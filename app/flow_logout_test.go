package app_test

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"latchkey/app/apptest"
	"latchkey/domain/audit"
	"latchkey/domain/oidc"
)

const (
	byePage     = "https://app.test/bye"
	logoutState = "s-0123456789 &=?#%\"<>+/ü"
)

// farewell declares where applications want their users back, on top of the declared clients.
var farewell = clients("web", `"redirect_uris": ["https://app.test/cb"], "client_uri": "https://app.test/", "client_name": "Web application",
	"post_logout_redirect_uris": ["`+byePage+`", "https://app.test/bye?x=1"]`, "evil", `"post_logout_redirect_uris": ["https://evil.test/bye"]`,
	"native", `"token_endpoint_auth_method": "none", "redirect_uris": ["http://127.0.0.1/cb"], "post_logout_redirect_uris": ["http://127.0.0.1/bye", "com.example.app:/bye"]`,
	"online", `"refresh_without_offline_access": true`)

// logout opens the end session endpoint and follows nothing.
func logout(b *apptest.Browser, query url.Values) apptest.Page {
	return b.Do("GET", apptest.Alias("/logout")+"?"+query.Encode(), nil, nil)
}

// stillIn reports whether an application still gets a code without asking anybody.
func stillIn(rp *apptest.RP, b *apptest.Browser) bool {
	return rp.Authorize(b, set("prompt", "none")).Answer().Get("code") != ""
}

// wantAsked checks the confirmation page.
func wantAsked(t *testing.T, page apptest.Page) {
	t.Helper()
	if page.Status != 200 || page.Location != "" || !strings.Contains(page.Body, `id="logout-confirm"`) {
		t.Fatalf("no confirmation page: %d %q %.300s", page.Status, page.Location, page.Body)
	}
}

// wantSignedOut checks the page at the end.
func wantSignedOut(t *testing.T, page apptest.Page) {
	t.Helper()
	if page.Status != 200 || page.Location != "" || !strings.Contains(page.Body, "You are signed out") {
		t.Errorf("not signed out: %d %q %.300s", page.Status, page.Location, page.Body)
	}
}

// wantGone checks the way back to the application.
func wantGone(t *testing.T, page apptest.Page, location string) {
	t.Helper()
	if page.Status != 303 || page.Location != location || page.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("want 303 to %s: %d %q %.300s", location, page.Status, page.Location, page.Body)
	}
}

func TestLogout(t *testing.T) {
	t.Parallel()
	p := apptest.New(t, farewell)
	web, evil, spa, native := p.Client("web"), p.Client("evil"), p.Client("spa"), p.Client("native")
	hintOf := func(rp *apptest.RP, b *apptest.Browser, user string) string {
		return rp.SignIn(b, user).Get("id_token")
	}
	ended := []audit.Kind{audit.SessionEnded, audit.LogoutRequested}

	t.Run("LO-01; SS-03; S1 logout: id_token_hint, post_logout_redirect_uri, state", func(t *testing.T) {
		for uri, separator := range map[string]string{byePage: "?", "https://app.test/bye?x=1": "&"} {
			for _, state := range []string{"", "s", logoutState, strings.Repeat("s", 128)} {
				b := p.Browser()
				hint := hintOf(web, b, "alice")
				session := verify(t, p, hint).claims["sid"]
				before := b.Cookies()
				want := uri
				if state != "" {
					want += separator + "state=" + url.QueryEscape(state)
				}
				query := set("id_token_hint", hint, "post_logout_redirect_uri", uri, "state", state, "logout_hint", "bob", "ui_locales", "en")
				e := recorded(t, p, func() { wantGone(t, logout(b, query), want) }, ended...)[1]
				if e.Client != "web" || e.User == "" || e.Session != session || e.Facts["proof"] != "id_token_hint" || e.Facts["redirect_uri"] != uri {
					t.Errorf("event %+v", e)
				}
				if b.Cookies()["latchkey-session"] != "" {
					t.Error("the cookie is still there")
				}
				b.SetCookie("latchkey-session", before["latchkey-session"]) // a copy somebody kept
				if stillIn(web, b) {
					t.Error("SS-03: the old cookie opens the session")
				}
				recorded(t, p, func() { wantGone(t, logout(b, query), want) }) // again: nothing is left to end
			}
		}
	})
	t.Run("S1 logout: client_id beside the hint, and S5's spellings", func(t *testing.T) {
		for _, path := range []string{"/connect/logout", "/connect/endsession"} {
			b := p.Browser()
			hint := hintOf(web, b, "alice")
			query := set("client_id", "web", "id_token_hing", hint, "post_logout_url", byePage, "id_token_hint", hint)
			wantGone(t, b.Do("GET", path+"?"+query.Encode(), nil, nil), byePage)
		}
		b := p.Browser()
		hint := hintOf(web, b, "alice")
		unchanged(t, p, func() {
			recorded(t, p, func() {
				wantPage(t, logout(b, set("id_token_hint", hint, "id_token_hing", hint+"x")), 400)
				wantPage(t, logout(b, set("id_token_hint", hint, "post_logout_redirect_uri", byePage, "post_logout_url", "https://app.test/bye?x=1")), 400)
				wantPage(t, logout(b, set("id_token_hint", hint, "client_id", "evil")), 400) // whose ID token it is not
				wantPage(t, logout(b, set("id_token_hint", hint, "client_id", "nobody")), 400)
				wantPage(t, logout(b, set("client_id", "nobody")), 400)
			}, audit.LogoutDenied, audit.LogoutDenied, audit.LogoutDenied, audit.LogoutDenied, audit.LogoutDenied)
		})
		if !stillIn(web, b) {
			t.Error("a refused request signed the user out")
		}
	})
	t.Run("LO-02; S1 logout: client_id alone", func(t *testing.T) {
		for name, back := range map[string]bool{"with a way back": true, "without": false} {
			b := p.Browser()
			web.Code(b, "alice")
			query := set("client_id", "web", "state", logoutState)
			if back {
				query.Set("post_logout_redirect_uri", byePage)
			}
			var page apptest.Page
			unchanged(t, p, func() { recorded(t, p, func() { page = logout(b, query) }) })
			wantAsked(t, page)
			if !strings.Contains(page.Body, "Web application asks") || !strings.Contains(page.Body, "Alice Adams (alice)") {
				t.Errorf("%s: who asks, and who is signed in? %s", name, page.Body)
			}
			action, form := b.Form(page)
			forged := url.Values{"client_id": {"web"}}
			recorded(t, p, func() { wantPage(t, b.Do("POST", action, forged, nil), 403) }, audit.CSRFDenied)
			if !stillIn(web, b) {
				t.Fatalf("%s: signed out without an answer", name)
			}
			e := recorded(t, p, func() { page = b.Do("POST", action, form, nil) }, ended...)[1]
			if e.Client != "web" || e.Facts["proof"] != "confirmation" {
				t.Errorf("event %+v", e)
			}
			if back {
				wantGone(t, page, byePage+"?state="+url.QueryEscape(logoutState))
			} else if wantSignedOut(t, page); !strings.Contains(page.Body, `href="https://app.test/"`) {
				t.Errorf("no way back to the application: %s", page.Body)
			}
			if b.Cookies()["latchkey-session"] != "" || stillIn(web, b) {
				t.Error("still signed in")
			}
			recorded(t, p, func() { b.Do("POST", action, form, nil) }) // a double click
		}
	})
	t.Run("LO-02: whoever reads JSON", func(t *testing.T) {
		b := p.Browser()
		hint := hintOf(web, b, "alice")
		b.Header.Set("Accept", "application/json")
		recorded(t, p, func() {
			page := logout(b, set("client_id", "web"))
			if page.Status != 400 || p.JSON(page.Body)["error"] != "interaction_required" {
				t.Errorf("a program cannot be asked: %d %s", page.Status, page.Body)
			}
		}, audit.LogoutDenied)
		if !stillIn(web, b) {
			t.Error("signed out without proof")
		}
		page := logout(b, set("id_token_hint", hint))
		if page.Status != 200 || page.Body != `{"signed_out":true}` || stillIn(web, b) {
			t.Errorf("S1 logout: success without a redirect: %d %s", page.Status, page.Body)
		}
		page = logout(b, set("client_id", "web")) // nobody is signed in: nothing is to end
		if page.Status != 200 || page.Body != `{"signed_out":true}` {
			t.Errorf("%d %s", page.Status, page.Body)
		}
	})
	t.Run("what proves nothing", func(t *testing.T) {
		b := p.Browser()
		mine, other := web.SignIn(b, "alice"), hintOf(web, p.Browser(), "bob")
		own := mine.Get("id_token")
		for name, query := range map[string]url.Values{
			"no parameter": {}, "state alone": set("state", "s"), "of another user": set("id_token_hint", other),
			"JW-01 unsigned": set("id_token_hint", noneOf(own)), "JW-02 another key": set("id_token_hint", resigned(own)), "JW-05 an access token": set("id_token_hint", mine.Get("access_token")),
			"JW-05 a refresh token": set("id_token_hint", mine.Get("refresh_token")), "JW-07 dots": set("id_token_hint", strings.Repeat(".", 4000)),
			"JW-14 padded": set("id_token_hint", own+"="), "garbage with client_id": set("id_token_hint", "x", "client_id", "web"),
		} {
			unchanged(t, p, func() {
				recorded(t, p, func() { wantAsked(t, logout(b, query)) })
				if query.Get("id_token_hint") == other || query.Get("client_id") != "" {
					return
				}
				query := url.Values{"id_token_hint": query["id_token_hint"], "post_logout_redirect_uri": {byePage}}
				recorded(t, p, func() { wantPage(t, logout(b, query), 400) }, audit.LogoutDenied) // who asks is not known
			})
			if t.Failed() {
				t.Fatal(name)
			}
		}
		// Asked about bob's hint, the one who answers is still alice, who goes back to the application that asked.
		page := logout(b, set("id_token_hint", other, "post_logout_redirect_uri", byePage))
		wantAsked(t, page)
		wantGone(t, b.Submit(page, nil), byePage)
	})
	t.Run("another tab signed in somebody else", func(t *testing.T) {
		b := p.Browser()
		web.Code(b, "alice")
		page := logout(b, set("client_id", "web"))
		b.Submit(b.Get("/"), nil)
		web.Code(b, "bob")
		unchanged(t, p, func() { page = b.Submit(page, nil) })
		if wantAsked(t, page); !strings.Contains(page.Body, "bob") {
			t.Errorf("whose session? %s", page.Body)
		}
		wantSignedOut(t, b.Submit(page, nil))
	})
	t.Run("LO-03 of an application that was disabled", func(t *testing.T) {
		b := p.Browser()
		hint := hintOf(web, b, "alice")
		if _, err := p.Admin.DisableClient(t.Context(), audit.Caller{}, "web", false); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if _, err := p.Admin.EnableClient(context.Background(), audit.Caller{}, "web"); err != nil {
				t.Error(err)
			}
		})
		for _, who := range []url.Values{set("id_token_hint", hint), set("client_id", "web")} {
			who.Set("post_logout_redirect_uri", byePage)
			recorded(t, p, func() { wantPage(t, logout(b, who), 400) }, audit.LogoutDenied)
			recorded(t, p, func() { wantPage(t, logout(p.Browser(), who), 400) }, audit.LogoutDenied)
		}
		wantSignedOut(t, logout(b, set("id_token_hint", hint))) // whoever was signed in there may still sign out
	})
	t.Run("the trail names whom a request named, in full if that is registered", func(t *testing.T) {
		long, gone := strings.Repeat("long-", 8), strings.Repeat("gone-", 8)
		p.Apply(clients(long, `"redirect_uris": ["https://app.test/cb"]`, gone, `"disabled": true`))
		b := p.Browser()
		hint := hintOf(web, b, "alice")
		for _, id := range []string{long, gone, strings.Repeat("none-", 8)} {
			want := id
			if strings.HasPrefix(id, "none") {
				want = "none…"
			}
			asked := []url.Values{set("client_id", id, "id_token_hint", hint)}
			if id != long {
				asked = append(asked, set("client_id", id))
			}
			for _, query := range asked {
				e := recorded(t, p, func() { wantPage(t, logout(b, query), 400) }, audit.LogoutDenied)[0]
				if e.Facts["received"] != want || e.Client != want {
					t.Errorf("%v: %s, received %s", query, e.Client, e.Facts["received"])
				}
			}
		}
	})
	t.Run("LO-03; RD-02 RD-03 RD-04 RD-05 RD-06", func(t *testing.T) {
		b := p.Browser()
		hint := hintOf(web, b, "alice")
		evil.Code(b, "alice")
		for _, uri := range []string{"https://app.test/bye/", "https://app.test/bye/x", "https://app.test/by", "https://app.test/bye?", "https://app.test/bye?x=2", "https://app.test/bye?x=1&y=2",
			"https://app.test/bye#f", "https://appXtest/bye", "https://app.test.evil.test/bye", "HTTPS://app.test/bye", "https://APP.test/bye", "https://app.test/BYE", " https://app.test/bye",
			"https://app.test@evil.test/bye", `https://evil.test\@app.test/bye`, "https://app.test/a/../bye", "https://app.test//bye", "https://app.test:443/bye", "http://app.test/bye",
			"https://app.test./bye", "https://evil.test/bye", "https://app.test/cb", "//evil.test", "/bye", "javascript:alert(1)", "data:text/html,x"} {
			for _, who := range []url.Values{set("id_token_hint", hint), set("client_id", "web")} {
				who.Set("post_logout_redirect_uri", uri)
				who.Set("state", "s")
				unchanged(t, p, func() {
					e := recorded(t, p, func() { wantPage(t, logout(b, who), 400) }, audit.LogoutDenied)[0]
					if e.Client != "web" || e.Facts["error"] != "invalid_request" {
						t.Errorf("event %+v", e)
					}
				})
				recorded(t, p, func() { wantPage(t, logout(p.Browser(), who), 400) }, audit.LogoutDenied) // nor when nobody is signed in
			}
			if t.Failed() {
				t.Fatal(uri)
			}
		}
		if !stillIn(web, b) {
			t.Error("signed out")
		}
		page := logout(b, set("client_id", "web", "post_logout_redirect_uri", byePage))
		wantPage(t, b.Submit(page, set("post_logout_redirect_uri", "https://evil.test/bye")), 400) // the page's own form is not believed either
	})
	t.Run("RD-07: where a native application is", func(t *testing.T) {
		for _, uri := range []string{"http://127.0.0.1/bye", "http://127.0.0.1:51234/bye", "com.example.app:/bye"} {
			b := p.Browser()
			wantGone(t, logout(b, set("id_token_hint", hintOf(native, b, "alice"), "post_logout_redirect_uri", uri, "state", "s")), uri+"?state=s")
		}
		b := p.Browser()
		wantPage(t, logout(b, set("client_id", "native", "post_logout_redirect_uri", "http://localhost:1/bye")), 400)
	})
	t.Run("nobody is signed in", func(t *testing.T) {
		hint := hintOf(web, p.Browser(), "alice")
		for name, who := range map[string]url.Values{"hint": set("id_token_hint", hint), "client_id": set("client_id", "web"), "nothing": {}} {
			unchanged(t, p, func() {
				recorded(t, p, func() {
					if wantSignedOut(t, logout(p.Browser(), who)); name == "nothing" {
						return
					}
					who.Set("post_logout_redirect_uri", byePage)
					wantGone(t, logout(p.Browser(), who), byePage)
				})
			})
		}
	})
	t.Run("by form", func(t *testing.T) {
		b := p.Browser()
		form := set("id_token_hint", hintOf(web, b, "alice"), "post_logout_redirect_uri", byePage, "state", "s")
		wantGone(t, b.Do("POST", apptest.Alias("/logout"), form, nil), byePage+"?state=s")
		if stillIn(web, b) {
			t.Error("still signed in")
		}
	})
	t.Run("LO-08", func(t *testing.T) {
		b, online := p.Browser(), p.Client("online")
		short, long, public := online.SignIn(b, "alice", set("scope", "openid")), web.SignIn(b, "alice"), spa.SignIn(b, "alice", set("scope", "openid"))
		code := web.Code(b, "alice")
		alive(t, web, long.Get("access_token"))
		// A family without refresh tokens ends with the session as well as one with them.
		recorded(t, p, func() { logout(b, set("id_token_hint", long.Get("id_token"))) }, audit.GrantRevoked, audit.GrantRevoked, audit.SessionEnded, audit.LogoutRequested)
		for rp, r := range map[*apptest.RP]apptest.Reply{online: short, web: long, spa: public} {
			dead(t, rp, r.Get("access_token"))
		}
		wantError(t, online.Refresh(short.Get("refresh_token")), 400, "invalid_grant")
		wantError(t, web.Exchange(code), 400, "invalid_grant")
		again := wantTokens(t, web.Refresh(long.Get("refresh_token")))
		alive(t, web, again.Get("access_token"))
		wantActive(t, introspect(web, long.Get("refresh_token"), without("token"), set("token", again.Get("refresh_token"))))
	})
}

// LO-01: a hint proves what it says however old it is, and by whichever key of the ring it was signed.
func TestLogoutByOldHint(t *testing.T) {
	t.Parallel()
	p := apptest.New(t, farewell)
	web, b := p.Client("web"), p.Browser()
	hint := web.SignIn(b, "alice").Get("id_token")
	p.Advance(3 * time.Hour) // it has expired
	wantGone(t, logout(b, set("id_token_hint", hint, "post_logout_redirect_uri", byePage)), byePage)

	rotate := func() {
		if _, err := p.Admin.RotateKeys(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	p.Advance(oidc.KeyRotation - oidc.KeyLead)
	rotate() // orders the next keys
	hint = web.SignIn(b, "alice").Get("id_token")
	kid := verify(t, p, hint).header["kid"]
	for range 4 { // used often enough to stay alive
		p.Advance(10 * time.Hour)
		if !stillIn(web, b) {
			t.Fatal("the session is over")
		}
	}
	if now := verify(t, p, web.SignIn(b, "alice").Get("id_token")).header["kid"]; now == kid {
		t.Fatal("the key that signed the hint is not retired")
	}
	wantGone(t, logout(b, set("id_token_hint", hint, "post_logout_redirect_uri", byePage)), byePage)
	if stillIn(web, b) {
		t.Error("still signed in")
	}

	// Once its key is erased, it is nobody's word.
	web.SignIn(b, "alice")
	p.Advance(oidc.KeyTail)
	rotate()
	web.SignIn(b, "alice")
	wantAsked(t, logout(b, set("id_token_hint", hint)))
}
