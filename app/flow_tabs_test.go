package app_test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"latchkey/app/apptest"
	"latchkey/domain/audit"
	"latchkey/domain/oidc"
)

// A person does things in an order nobody drew.
func TestTabs(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	web, spa := p.Client("web"), p.Client("spa")
	whose := func(t *testing.T, rp *apptest.RP, page apptest.Page) string {
		t.Helper()
		r := wantTokens(t, rp.Exchange(page.Answer().Get("code")))
		return rp.UserInfo(r.Get("access_token")).Get("preferred_username")
	}

	t.Run("AZ-14", func(t *testing.T) {
		b := p.Browser()
		one, two := web.Authorize(b, set("state", "one", "nonce", "n1")), spa.Authorize(b, set("state", "two", "nonce", "n2"))
		three := web.Authorize(b, set("state", "three", "nonce", "n3"))
		two = b.Login(two, "alice", apptest.Password)
		one = b.Get(one.URL.String()) // signed in meanwhile: a reload goes on
		if !one.IsConsent() || !two.IsConsent() {
			t.Fatalf("%s %s", one.URL, two.URL)
		}
		two = b.Allow(two)
		one = b.Allow(one)
		three = b.Get(three.URL.String())
		for _, c := range []struct {
			rp           *apptest.RP
			page         apptest.Page
			state, nonce string
		}{{web, one, "one", "n1"}, {spa, two, "two", "n2"}, {web, three, "three", "n3"}} {
			v := answer(t, b, c.page, c.rp.RedirectURI)
			if v.Get("state") != c.state {
				t.Errorf("state %q, want %q", v.Get("state"), c.state)
			}
			if n := verify(t, p, wantTokens(t, c.rp.Exchange(v.Get("code"))).Get("id_token")).claims["nonce"]; n != c.nonce {
				t.Errorf("nonce %v, want %s", n, c.nonce)
			}
		}
	})
	t.Run("the other tab signed in first", func(t *testing.T) {
		web.Code(p.Browser(), "bob")
		for _, user := range []string{"alice", "bob"} {
			b := p.Browser()
			one, two := web.Authorize(b), web.Authorize(b)
			if one = b.Login(one, "alice", apptest.Password); one.IsConsent() {
				one = b.Allow(one)
			}
			if w := whose(t, web, one); w != "alice" {
				t.Errorf("first tab: %s", w)
			}
			codes := len(digest(t, p)["code"])
			failed := b.Submit(two, set("username", user, "password", "wrong"))
			if !failed.IsLogin() || len(digest(t, p)["code"]) != codes {
				t.Fatalf("second tab, wrong password: %d %s", failed.Status, failed.URL)
			}
			if two = b.Login(failed, user, apptest.Password); two.Answer().Get("code") == "" {
				t.Fatalf("second tab, %s: %d %s %.300s", user, two.Status, two.URL, two.Body)
			}
			if w := whose(t, web, two); w != user {
				t.Errorf("second tab: %s, want %s", w, user)
			}
		}
	})
	t.Run("another user signs in between the consent page and its answer", func(t *testing.T) {
		for _, approved := range []string{"true", "false"} {
			for _, remembered := range []bool{true, false} {
				rp := spa
				if remembered {
					rp = web
				}
				b := p.Browser()
				page := b.Login(rp.Authorize(b, set("prompt", "consent")), "carol", apptest.Password)
				if !page.IsConsent() {
					t.Fatalf("no consent page: %s", page.URL)
				}
				other := b.Login(web.Authorize(b, set("prompt", "login")), "bob", apptest.Password)
				if other.IsConsent() {
					b.Allow(other)
				}
				grants := len(digest(t, p)["grant"])
				page = b.Submit(page, set("approved", approved))
				if page.Location != "" || len(digest(t, p)["grant"]) != grants {
					t.Errorf("carol's answer (%s, remembered %v) was taken as bob's: %s", approved, remembered, page.URL)
					continue
				}
				if !page.IsLogin() && !page.IsConsent() {
					t.Errorf("no way on: %d %s", page.Status, page.URL)
				}
			}
		}
	})
	t.Run("remembered consent of another user is no answer", func(t *testing.T) {
		b := p.Browser()
		web.Code(b, "bob")
		page := b.Login(web.Authorize(b, set("prompt", "login")), "dave", apptest.Password)
		if !page.IsLogin() {
			t.Fatalf("dave signed in: %s", page.URL)
		}
		b2 := p.Browser()
		fresh := b2.Login(web.Authorize(b2), "carol", apptest.Password) // carol never agreed to web
		if !fresh.IsConsent() {
			t.Fatalf("%s", fresh.URL)
		}
		b2.Login(web.Authorize(b2, set("prompt", "login")), "bob", apptest.Password)
		codes := len(digest(t, p)["code"])
		for _, approved := range []string{"false", "true"} {
			if page := b2.Submit(fresh, set("approved", approved)); page.Location != "" || len(digest(t, p)["code"]) != codes {
				t.Errorf("carol pressed %s and bob was signed in: %s", approved, page.URL)
			}
		}
	})
	t.Run("signed out between the consent page and its answer", func(t *testing.T) {
		b := p.Browser()
		page := b.Login(spa.Authorize(b, set("prompt", "consent")), "alice", apptest.Password)
		b.Submit(b.Get("/"), nil)
		if page = b.Allow(page); !page.IsLogin() {
			t.Fatalf("%d %s", page.Status, page.URL)
		}
		if page = b.Login(page, "alice", apptest.Password); !page.IsConsent() {
			t.Fatalf("%d %s", page.Status, page.URL)
		}
		if w := whose(t, spa, b.Allow(page)); w != "alice" {
			t.Errorf("signed in %s", w)
		}
	})
	t.Run("the session ends while the page waits", func(t *testing.T) {
		b := p.Browser()
		page := b.Login(spa.Authorize(b), "carol", apptest.Password) // an administrator's session: 30 minutes idle
		p.Advance(31 * time.Minute)
		codes := len(digest(t, p)["code"])
		if page = b.Allow(page); !page.IsLogin() || len(digest(t, p)["code"]) != codes {
			t.Errorf("%d %s", page.Status, page.URL)
		}
	})
	t.Run("a double click on the login button", func(t *testing.T) {
		b := p.Browser()
		web.SignIn(b, "alice") // agreed before, so that signing in alone answers
		page := web.Authorize(b, set("prompt", "login"))
		b.Login(page, "alice", apptest.Password) // the browser gives this answer up
		again := b.Login(page, "alice", apptest.Password)
		wantAnswered(t, again)
		link := regexp.MustCompile(`href="(/authorize\?[^"]*)"`).FindStringSubmatch(again.Body)
		if link == nil {
			t.Fatalf("no way on: %.600s", again.Body)
		}
		if page := b.Get(html.UnescapeString(link[1])); !page.IsLogin() { // prompt=login is asked for again, and answered
			t.Errorf("%d %s", page.Status, page.URL)
		} else if done := b.Login(page, "alice", apptest.Password); done.Answer().Get("state") != "state of web" || done.Answer().Get("code") == "" {
			t.Errorf("%d %s", done.Status, done.URL)
		}
	})
	t.Run("an account chosen here is not another tab's", func(t *testing.T) {
		b := p.Browser()
		web.SignIn(b, "alice")
		page := web.Authorize(b, set("prompt", "select_account consent"))
		consent := b.Submit(page, set("account", "current"))
		if !consent.IsConsent() {
			t.Fatalf("%d %s", consent.Status, consent.URL)
		}
		p.Client("spa").Code(b, "bob", set("prompt", "login"))
		if page := b.Get(consent.URL.String()); !page.IsLogin() {
			t.Errorf("alice's choice went on as bob: %d %s", page.Status, page.URL)
		}
	})
	t.Run("expired, answered, unknown and foreign interactions", func(t *testing.T) {
		b := p.Browser()
		late := web.Authorize(b)
		p.Advance(oidc.InteractionLifetime)
		wantPage(t, b.Get(late.URL.String()), 400)
		wantPage(t, b.Login(late, "alice", apptest.Password), 400)
		if page := web.Authorize(b); !page.IsLogin() {
			t.Errorf("an expired form signed in: %s", page.URL)
		}
		page := web.Authorize(b)
		done := b.Login(page, "alice", apptest.Password)
		if done.IsConsent() {
			done = b.Allow(done)
		}
		unchanged(t, p, func() {
			wantAnswered(t, b.Get(page.URL.String()))
			wantAnswered(t, b.Login(page, "bob", apptest.Password))
			wantPage(t, b.Get("/login?interaction=unknown"), 400)
			wantPage(t, b.Get("/consent?interaction="+strings.Repeat("x", 4000)), 400)
			wantPage(t, b.Get("/consent"), 400)
		})
		mine := web.Authorize(p.Browser())
		unchanged(t, p, func() {
			wantPage(t, b.Get(mine.URL.String()), 400)
			wantPage(t, p.Browser().Get(mine.URL.String()), 400)
			if page := b.Login(mine, "alice", apptest.Password); page.Status != http.StatusForbidden { // its form is of another browser
				t.Errorf("another browser's form: %d", page.Status)
			}
		})
	})
	t.Run("consent form before anybody signed in", func(t *testing.T) {
		b := p.Browser()
		login := spa.Authorize(b)
		_, form := b.Form(login)
		unchanged(t, p, func() {
			form.Set("approved", "true")
			if page := b.Do("POST", "/consent", form, nil); page.Status != http.StatusForbidden {
				t.Errorf("%d %s", page.Status, page.Location)
			}
		})
	})
	t.Run("two people in two browsers", func(t *testing.T) {
		a, b := p.Browser(), p.Browser()
		one, two := web.Authorize(a), web.Authorize(b)
		one, two = a.Login(one, "alice", apptest.Password), b.Login(two, "bob", apptest.Password)
		if x, y := whose(t, web, one), whose(t, web, two); x != "alice" || y != "bob" {
			t.Errorf("%s %s", x, y)
		}
	})
	t.Run("a code from one browser in another application's hands", func(t *testing.T) {
		b := p.Browser()
		code := web.Code(b, "alice")
		evil := p.Client("evil")
		wantError(t, evil.Exchange(code), 400, "invalid_grant")
		wantError(t, evil.Post("/token", url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {web.RedirectURI},
			"code_verifier": {apptest.Verifier}, "client_id": {"web"}, "client_secret": {""}}, nil), 401, "invalid_client")
		wantTokens(t, web.Exchange(code))
	})
	t.Run("parallel sign-ins of one page", func(t *testing.T) {
		b := p.Browser()
		action, form := b.Form(web.Authorize(b))
		form.Set("username", "alice")
		form.Set("password", apptest.Password)
		codes := 0
		for _, r := range parallel(8, func() apptest.Page { return b.Do("POST", action, form, nil) }) {
			if strings.Contains(r.Location, "code=") {
				codes++
			} else if r.Status != 400 && r.Status != 503 {
				t.Errorf("%d %s", r.Status, r.Location)
			}
		}
		if codes != 1 {
			t.Errorf("%d codes", codes)
		}
	})
}

// AZ-14, CN-03: a consent page answers for whom it showed, whoever another tab has signed in since.
func TestConsentIsWhoseItShowed(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	b, web, spa := p.Browser(), p.Client("web"), p.Client("spa")
	web.SignIn(b, "alice") // so that the next page is consent at once
	page := spa.Authorize(b)
	if !page.IsConsent() {
		t.Fatalf("%d %s", page.Status, page.URL)
	}
	spa.Code(b, "bob", set("prompt", "login")) // the other tab: bob signs in and agrees
	issued := len(p.Events(audit.CodeIssued))
	if after := b.Allow(page); !after.IsLogin() || len(p.Events(audit.CodeIssued)) != issued {
		t.Errorf("alice's page was answered for bob: %d %s", after.Status, after.URL)
	}
}
