package app_test

import (
	"encoding/base64"
	"net/url"
	"strings"
	"testing"
	"time"

	"latchkey/app/apptest"
	"latchkey/domain/audit"
)

func TestWhoIsSignedIn(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	web, evil := p.Client("web"), p.Client("evil")
	hintOf := func(rp *apptest.RP, user string) string { return rp.SignIn(p.Browser(), user).Get("id_token") }
	authTime := func(t *testing.T, rp *apptest.RP, code string) time.Time {
		t.Helper()
		n, _ := verify(t, p, wantTokens(t, rp.Exchange(code)).Get("id_token")).claims["auth_time"].(float64)
		return time.Unix(int64(n), 0)
	}

	t.Run("AZ-08; A11; A12", func(t *testing.T) {
		b := p.Browser()
		first := authTime(t, web, web.Code(b, "alice"))
		p.Advance(5 * time.Minute)
		for name, change := range map[string]url.Values{"login": set("prompt", "login"), "max_age": set("max_age", "1"), "max_age 0": set("max_age", "0"),
			"login consent": set("prompt", "login consent"), "select_account login": set("prompt", "select_account login")} {
			p.Advance(2 * time.Second)
			asked := p.Now().Truncate(time.Second)
			page := web.Authorize(b, change)
			if !page.IsLogin() {
				t.Errorf("%s: no new sign-in: %s", name, page.URL)
				continue
			}
			if page = b.Get(page.URL.String()); !page.IsLogin() {
				t.Errorf("%s: a reload answered the request: %s", name, page.URL)
				continue
			}
			page = b.Login(page, "alice", apptest.Password)
			if strings.Contains(change.Get("prompt"), "consent") != page.IsConsent() {
				t.Errorf("%s: consent page %v", name, page.IsConsent())
			}
			if page.IsConsent() {
				page = b.Allow(page)
			}
			if at := authTime(t, web, answer(t, b, page, web.RedirectURI).Get("code")); at.Before(asked) || at.Before(first) {
				t.Errorf("%s: auth_time %s, asked at %s", name, at, asked)
			}
		}
		last := authTime(t, web, web.Code(b, "alice"))
		p.Advance(time.Hour)
		for _, age := range []string{"15000", "10000"} {
			page := web.Authorize(b, set("max_age", age))
			if at := authTime(t, web, answer(t, b, page, web.RedirectURI).Get("code")); !at.Equal(last) {
				t.Errorf("max_age %s: auth_time %s, want %s", age, at, last)
			}
		}
		wantRedirectError(t, p, b, web.Authorize(b, set("max_age", "10", "prompt", "none")), web, "state of web", "login_required")
	})
	t.Run("AZ-09; A10", func(t *testing.T) {
		b := p.Browser()
		web.Code(b, "alice")
		hint := hintOf(web, "bob")
		wantRedirectError(t, p, b, web.Authorize(b, set("id_token_hint", hint, "prompt", "none")), web, "state of web", "login_required")
		page := web.Authorize(b, set("id_token_hint", hint))
		if !page.IsLogin() || !strings.Contains(page.Body, "signed in as alice") || !strings.Contains(page.Body, "asks for bob") {
			t.Fatalf("want a page that says who is asked for: %s %.900s", page.URL, page.Body)
		}
		if again := b.Login(page, "alice", apptest.Password); !again.IsLogin() {
			t.Fatalf("alice stood in for bob: %s", again.URL)
		}
		page = b.Login(b.Get(page.URL.String()), "bob", apptest.Password)
		tokens := wantTokens(t, web.Exchange(answer(t, b, page, web.RedirectURI).Get("code")))
		if name := web.UserInfo(tokens.Get("access_token")).Get("preferred_username"); name != "bob" {
			t.Errorf("signed in as %s", name)
		}
		// The hint of the current user goes through, however old.
		own := tokens.Get("id_token")
		p.Advance(3 * time.Hour)
		page = web.Authorize(b, set("id_token_hint", own, "prompt", "none"))
		again := wantTokens(t, web.Exchange(answer(t, b, page, web.RedirectURI).Get("code")))
		before, after := verify(t, p, own).claims, verify(t, p, again.Get("id_token")).claims
		if before["sub"] != after["sub"] || before["auth_time"] != after["auth_time"] || before["sid"] != after["sid"] {
			t.Errorf("A10: %v %v", before, after)
		}
	})
	t.Run("JW-05: hints that are not", func(t *testing.T) {
		b := p.Browser()
		mine := web.SignIn(b, "alice")
		foreign := hintOf(evil, "alice")
		signature := mine.Get("id_token")
		for name, hint := range map[string]string{
			"of another client": foreign, "an access token": mine.Get("access_token"), "a refresh token": mine.Get("refresh_token"),
			"cut": signature[:len(signature)-2], "unsigned": noneOf(signature), "long": strings.Repeat("a", 4096),
		} {
			unchanged(t, p, func() {
				for _, prompt := range []string{"none", "login", ""} {
					page := web.Authorize(b, set("id_token_hint", hint, "prompt", prompt))
					wantRedirectError(t, p, b, page, web, "state of web", "invalid_request")
					if t.Failed() {
						t.Fatal(name)
					}
				}
			})
		}
	})
	t.Run("A9; CN-05", func(t *testing.T) {
		b := p.Browser()
		web.Code(b, "alice")
		spa := p.Client("spa")
		silent := set("prompt", "none")
		recorded(t, p, func() { wantRedirectError(t, p, b, spa.Authorize(b, silent), spa, "state of spa", "consent_required") }, audit.RequestDenied)
		spa.Code(b, "alice")
		if page := spa.Authorize(b, silent); answer(t, b, page, spa.RedirectURI).Get("code") == "" {
			t.Errorf("no silent success: %s", page.URL)
		}
		narrow := p.Client("spa")
		narrow.Scope = "openid groups"
		wantRedirectError(t, p, b, narrow.Authorize(b, silent), spa, "state of spa", "consent_required")
		wantRedirectError(t, p, b, web.Authorize(b, set("prompt", "none consent")), web, "state of web", "invalid_request")
	})
	t.Run("select_account", func(t *testing.T) {
		b := p.Browser()
		web.Code(b, "alice")
		choose := set("prompt", "select_account")
		page := web.Authorize(b, choose)
		if page.URL.Path != "/select-account" {
			t.Fatalf("no account page: %s", page.URL)
		}
		if page = b.Submit(page, set("account", "current")); page.Answer().Get("code") == "" {
			t.Errorf("the account chosen does not go through: %s", page.URL)
		}
		page = b.Submit(web.Authorize(b, choose), set("account", "other"))
		if !page.IsLogin() {
			t.Fatalf("no login page for another account: %s", page.URL)
		}
		if page = b.Login(page, "bob", apptest.Password); page.IsConsent() {
			page = b.Allow(page)
		}
		tokens := wantTokens(t, web.Exchange(page.Answer().Get("code")))
		if name := web.UserInfo(tokens.Get("access_token")).Get("preferred_username"); name != "bob" {
			t.Errorf("signed in as %s", name)
		}
		// The page showed bob; alice signed in since: what was chosen is not what would happen.
		page = web.Authorize(b, choose)
		other := b.Get("/")
		b.Submit(other, nil) // signs out
		web.Code(b, "alice")
		if page = b.Submit(page, set("account", "current")); page.URL.Path != "/select-account" || page.Answer().Get("code") != "" {
			t.Errorf("the choice of bob signed in alice: %s", page.URL)
		}
	})
	t.Run("AZ-06", func(t *testing.T) {
		b := p.Browser()
		page := b.Do("GET", "/authorize?"+web.Request(set("prompt", "none")).Encode(), nil, nil)
		wantRedirectError(t, p, b, page, web, "state of web", "login_required")
		if page.Body != "" || len(page.Header.Values("Set-Cookie")) != 0 {
			t.Errorf("body %q, cookies %v", page.Body, page.Header.Values("Set-Cookie"))
		}
	})
}

// noneOf returns the token under alg none.
func noneOf(token string) string {
	parts := strings.Split(token, ".")
	return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + parts[1] + "."
}
