package app_test

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"latchkey/app/apptest"
	"latchkey/domain/audit"
	"latchkey/domain/identity"
)

const (
	firefoxOnLinux  = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
	chromeOnAndroid = "Mozilla/5.0 (Linux; Android 15; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36"
)

// device is a browser that says what it is.
func device(p *apptest.Provider, userAgent string) *apptest.Browser {
	b := p.Browser()
	b.Header.Set("User-Agent", userAgent)
	return b
}

// signedIn signs a user in to the provider itself and shows the account.
func signedIn(t *testing.T, b *apptest.Browser, username, password string) apptest.Page {
	t.Helper()
	return wantAccount(t, b.Login(b.Get("/account"), username, password))
}

func wantAccount(t *testing.T, p apptest.Page) apptest.Page {
	t.Helper()
	if p.Status != http.StatusOK || p.URL.Path != "/account" || !strings.Contains(p.Body, "<h1>Your account</h1>") {
		t.Fatalf("not the account page: %d %s %.600s", p.Status, p.URL, p.Body)
	}
	return p
}

var (
	everyForm = regexp.MustCompile(`(?s)<form[^>]*action="([^"]*)".*?</form>`)
	everyCard = regexp.MustCompile(`(?s)<li>\n<div>\n<h3>.*?\n</li>\n`)
	hidden    = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)
)

// formOn returns what the button of a form sends: the first form to action, in the card that holds text when text is given.
func formOn(t *testing.T, p apptest.Page, action, text string) url.Values {
	t.Helper()
	parts := []string{p.Body}
	if text != "" {
		parts = everyCard.FindAllString(p.Body, -1)
	}
	for _, part := range parts {
		for _, f := range everyForm.FindAllStringSubmatch(part, -1) {
			if f[1] != action || !strings.Contains(part, text) {
				continue
			}
			fields := url.Values{}
			for _, i := range hidden.FindAllStringSubmatch(f[0], -1) {
				fields.Add(i[1], html.UnescapeString(i[2]))
			}
			return fields
		}
	}
	t.Fatalf("no form to %s about %q: %s", action, text, p.Body)
	return nil
}

// send sends a form and follows where it leads.
func send(b *apptest.Browser, action string, fields url.Values) apptest.Page {
	p := b.Do("POST", action, fields, nil)
	if p.Location != "" {
		return b.Get(p.Location)
	}
	return p
}

func anonymous(t *testing.T, b *apptest.Browser) {
	t.Helper()
	if p := b.Get("/account"); !p.IsLogin() {
		t.Errorf("still signed in: %d %s", p.Status, p.URL)
	}
}

// SS-06: whoever is signed in sees who they are, where, and what they allowed; nobody else sees anything.
func TestAccountPage(t *testing.T) {
	p := apptest.New(t)
	for _, path := range []string{"/account", "/account/password", "/account/email", "/account/sessions", "/account/applications"} {
		if page := p.Browser().Get(path); !page.IsLogin() || strings.Contains(page.Body, "alice") {
			t.Errorf("%s: %d %s", path, page.Status, page.URL)
		}
	}
	phone := device(p, chromeOnAndroid)
	signedIn(t, phone, "alice", apptest.Password)
	p.Advance(time.Minute)
	laptop := device(p, firefoxOnLinux)
	signedIn(t, laptop, "alice", apptest.Password)
	p.Client("web").SignIn(laptop, "alice")
	other := p.Browser()
	p.Client("spa").SignIn(other, "bob")

	page := wantAccount(t, laptop.Get("/account"))
	cards := everyCard.FindAllString(page.Body, -1)
	if len(cards) != 3 {
		t.Fatalf("%d cards: %s", len(cards), page.Body)
	}
	for i, want := range [][]string{
		{"Firefox on Linux", "This browser", "127.0.0.1", "Web application"},
		{"Chrome on Android", "127.0.0.1", `name="session"`},
		{"Web application", "app.test", "Know that it is you", "Stay connected while you are away", `name="grant"`},
	} {
		for _, text := range want {
			if !strings.Contains(cards[i], text) {
				t.Errorf("card %d lacks %q: %s", i, text, cards[i])
			}
		}
	}
	for _, text := range []string{"Alice Adams", "alice@example.com", "Verified", "staff"} {
		if !strings.Contains(page.Body, text) {
			t.Errorf("the page lacks %q", text)
		}
	}
	if strings.Contains(page.Body, "bob") || strings.Contains(page.Body, "spa.test") {
		t.Error("the page tells of somebody else")
	}
	p.Advance(identity.SessionIdle)
	anonymous(t, laptop)
}

// SS-04, SS-06: a session that is ended elsewhere is over at the next request. Access ends with it, unless the user allowed
// it to go on while they are away.
func TestEndSession(t *testing.T) {
	p := apptest.New(t)
	web, spa := p.Client("web"), p.Client("spa")
	laptop, phone, tablet := device(p, firefoxOnLinux), device(p, chromeOnAndroid), p.Browser()
	signedIn(t, laptop, "alice", apptest.Password)
	online := web.SignIn(phone, "alice", set("scope", "openid"))
	offline := spa.SignIn(phone, "alice")
	signedIn(t, tablet, "alice", apptest.Password)

	form := formOn(t, laptop.Get("/account"), "/account/sessions", "Chrome on Android")
	events := recorded(t, p, func() {
		page := wantAccount(t, send(laptop, "/account/sessions", form))
		if !strings.Contains(page.Body, `role="status"`) || strings.Contains(page.Body, "Chrome on Android") {
			t.Errorf("the page does not say so: %s", page.Body)
		}
	}, audit.GrantRevoked, audit.SessionEnded)
	if events[0].Facts["reason"] != "session ended" || events[0].Client != "web" || events[1].Session != form.Get("session") {
		t.Errorf("recorded %+v", events)
	}
	anonymous(t, phone)
	dead(t, web, online.Get("access_token"))
	wantTokens(t, spa.Refresh(offline.Get("refresh_token")))
	wantAccount(t, tablet.Get("/account"))

	t.Run("sent twice", func(t *testing.T) {
		recorded(t, p, func() { wantAccount(t, send(laptop, "/account/sessions", form)) })
	})
	t.Run("all others", func(t *testing.T) {
		recorded(t, p, func() {
			others := formOn(t, laptop.Get("/account"), "/account/sessions", "")
			others.Del("session")
			others.Set("others", "true")
			page := wantAccount(t, send(laptop, "/account/sessions", others))
			if strings.Contains(page.Body, `id="end-others"`) {
				t.Error("there are still others")
			}
		}, audit.SessionEnded)
		anonymous(t, tablet)
		wantAccount(t, laptop.Get("/account"))
	})
	t.Run("neither one nor all", func(t *testing.T) {
		signedIn(t, tablet, "alice", apptest.Password)
		form := formOn(t, laptop.Get("/account"), "/account/sessions", "")
		form.Del("session")
		unchanged(t, p, func() { wantPage(t, laptop.Do("POST", "/account/sessions", form, nil), http.StatusNotFound) })
		wantAccount(t, tablet.Get("/account"))
	})
	t.Run("one's own", func(t *testing.T) {
		form := formOn(t, tablet.Get("/account"), "/account/sessions", "Firefox on Linux")
		if page := send(laptop, "/account/sessions", formWith(t, laptop, form.Get("session"))); !page.IsLogin() {
			t.Errorf("%d %s", page.Status, page.URL)
		}
	})
}

// formWith is a form of the browser's own page about a session of one's choice.
func formWith(t *testing.T, b *apptest.Browser, session string) url.Values {
	t.Helper()
	form := formOn(t, b.Get("/account"), "/account/sessions", "")
	form.Del("others")
	form.Set("session", session)
	return form
}

// CN-06: what was allowed is taken back with all that came of it, and has to be asked for again.
func TestDisconnect(t *testing.T) {
	p := apptest.New(t)
	web, spa := p.Client("web"), p.Client("spa")
	laptop, phone := p.Browser(), p.Browser()
	signedIn(t, laptop, "alice", apptest.Password)
	tokens, elsewhere := web.SignIn(laptop, "alice"), web.SignIn(phone, "alice")
	code := web.Code(laptop, "alice")
	others := spa.SignIn(laptop, "alice")

	form := formOn(t, laptop.Get("/account"), "/account/applications", "Web application")
	recorded(t, p, func() {
		page := wantAccount(t, send(laptop, "/account/applications", form))
		if strings.Contains(page.Body, "Web application") || !strings.Contains(page.Body, "The application is disconnected") {
			t.Errorf("the page does not say so: %s", page.Body)
		}
	}, audit.GrantRevoked, audit.GrantRevoked, audit.GrantRevoked) // the grant and two families
	for _, r := range []apptest.Reply{tokens, elsewhere} {
		dead(t, web, r.Get("access_token"))
		wantError(t, web.Refresh(r.Get("refresh_token")), http.StatusBadRequest, "invalid_grant")
	}
	wantError(t, web.Exchange(code), http.StatusBadRequest, "invalid_grant")
	alive(t, spa, others.Get("access_token"))

	recorded(t, p, func() { wantAccount(t, send(laptop, "/account/applications", form)) }) // sent twice
	if page := web.Authorize(laptop); !page.IsConsent() {
		t.Errorf("not asked again: %d %s", page.Status, page.URL)
	}
}

// UI-06, AD-06: the address changes, and nothing else that was sent with it.
func TestChangeEmail(t *testing.T) {
	p := apptest.New(t)
	laptop := p.Browser()
	signedIn(t, laptop, "alice", apptest.Password)
	web := p.Client("web")
	tokens := web.SignIn(laptop, "alice", set("scope", "openid profile email groups"))
	before := web.UserInfo(tokens.Get("access_token"))

	events := recorded(t, p, func() {
		page := laptop.Submit(laptop.Get("/account/email"), set("email", "alice@new.example", "email_verified", "true", "verified", "1",
			"sub", "usr_root", "groups", "admins", "admin", "true", "role", "admin", "disabled", "true", "password_hash", "x", "username", "root"))
		if page = wantAccount(t, page); !strings.Contains(page.Body, "alice@new.example") || !strings.Contains(page.Body, "Not verified") {
			t.Errorf("the page does not show it: %s", page.Body)
		}
	}, audit.EmailChanged)
	if f := events[0].Facts; f["from"] != "alice@example.com" || f["to"] != "alice@new.example" {
		t.Errorf("recorded %v", f)
	}
	now := web.UserInfo(tokens.Get("access_token"))
	if now.Get("email") != "alice@new.example" || now.JSON["email_verified"] != false {
		t.Errorf("userinfo: %s", now.Text)
	}
	for _, member := range []string{"sub", "groups", "preferred_username", "name"} {
		if fmt.Sprint(now.JSON[member]) != fmt.Sprint(before.JSON[member]) {
			t.Errorf("%s became %v", member, now.JSON[member])
		}
	}
	unchanged(t, p, func() { // the same once more
		recorded(t, p, func() { laptop.Submit(laptop.Get("/account/email"), set("email", "alice@new.example")) })
	})
	unchanged(t, p, func() {
		page := laptop.Submit(laptop.Get("/account/email"), set("email", "alice at home"))
		if !strings.Contains(page.Body, "This is not an email address.") || !strings.Contains(page.Body, `value="alice at home"`) {
			t.Errorf("%d %s", page.Status, page.Body)
		}
	})
}

// SS-06: ten minutes after the sign-in a change asks for the password, once, and then does what was asked. A page that was
// opened before is no way around.
func TestAccountAsksWhoIsThere(t *testing.T) {
	p := apptest.New(t)
	laptop, phone := p.Browser(), device(p, chromeOnAndroid)
	page := signedIn(t, laptop, "alice", apptest.Password)
	p.Client("web").SignIn(laptop, "alice")
	signedIn(t, phone, "alice", apptest.Password)
	page = laptop.Get("/account")
	forms := map[string]url.Values{
		"/account/sessions":     formOn(t, page, "/account/sessions", "Chrome on Android"),
		"/account/applications": formOn(t, page, "/account/applications", "Web application"),
		"/account/email":        {},
	}
	_, email := laptop.Form(laptop.Get("/account/email"))
	email.Set("email", "alice@new.example")
	forms["/account/email"] = email
	p.Advance(identity.RecentSignIn + time.Millisecond)

	for action, form := range forms {
		t.Run(action, func(t *testing.T) {
			unchanged(t, p, func() {
				question := send(laptop, action, form)
				if question.Status != http.StatusOK || !strings.Contains(question.Body, `name="current"`) || strings.Contains(question.Body, `role="alert"`) {
					t.Fatalf("%d %s", question.Status, question.Body)
				}
				if wrong := laptop.Submit(question, set("current", "not the password of alice")); !strings.Contains(wrong.Body, "This is not your current password.") {
					t.Errorf("%d %s", wrong.Status, wrong.Body)
				}
				if empty := laptop.Submit(question, set("current", "")); !strings.Contains(empty.Body, "Your current password is needed.") {
					t.Errorf("%d %s", empty.Status, empty.Body)
				}
			})
		})
	}
	before := laptop.Cookies()["latchkey-session"]
	question := send(laptop, "/account/email", forms["/account/email"])
	wrong := laptop.Submit(question, set("current", "not the password of alice"))
	if page := wantAccount(t, laptop.Submit(wrong, set("current", apptest.Password))); !strings.Contains(page.Body, "alice@new.example") {
		t.Errorf("what was typed before is lost: %s", page.Body)
	}
	if laptop.Cookies()["latchkey-session"] == before {
		t.Error("the cookie is the old one") // SS-01
	}
	wantAccount(t, send(laptop, "/account/sessions", forms["/account/sessions"])) // not asked again
	anonymous(t, phone)
}

// AD-05: a session or grant of somebody else does not exist, and whoever reaches for it is on record.
func TestAccountOfSomebodyElse(t *testing.T) {
	p := apptest.New(t)
	alice, bob, phone := p.Browser(), p.Browser(), device(p, chromeOnAndroid)
	signedIn(t, phone, "alice", apptest.Password)
	tokens := p.Client("web").SignIn(alice, "alice")
	signedIn(t, bob, "bob", apptest.Password)
	p.Client("spa").SignIn(bob, "bob")
	signedIn(t, p.Browser(), "bob", apptest.Password)

	theirs := alice.Get("/account")
	session := formOn(t, theirs, "/account/sessions", "Chrome on Android").Get("session")
	grant := formOn(t, theirs, "/account/applications", "Web application").Get("grant")
	own := bob.Get("/account")
	sessions, applications := formOn(t, own, "/account/sessions", ""), formOn(t, own, "/account/applications", "")
	for _, test := range []struct {
		name, action string
		form         url.Values
		field, id    string
		kinds        []audit.Kind
	}{
		{"session", "/account/sessions", sessions, "session", session, []audit.Kind{audit.AccessDenied}},
		{"grant", "/account/applications", applications, "grant", grant, []audit.Kind{audit.AccessDenied}},
		{"no session", "/account/sessions", sessions, "session", "sid_nothing", nil},
		{"no grant", "/account/applications", applications, "grant", "", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.form.Set(test.field, test.id)
			unchanged(t, p, func() {
				recorded(t, p, func() { wantPage(t, bob.Do("POST", test.action, test.form, nil), http.StatusNotFound) }, test.kinds...)
			})
		})
	}
	wantAccount(t, phone.Get("/account"))
	alive(t, p.Client("web"), tokens.Get("access_token"))

	// A page of alice, still open in a browser where bob is signed in now: nothing happens to either.
	form := formOn(t, wantAccount(t, alice.Get("/account")), "/account/sessions", "Chrome on Android")
	alice.Submit(alice.Get("/"), nil)
	signedIn(t, alice, "bob", apptest.Password)
	unchanged(t, p, func() { wantPage(t, alice.Do("POST", "/account/sessions", form, nil), http.StatusConflict) })
}

// A form that outlives the session leads to the login page and does nothing.
func TestAccountFormAfterTheSession(t *testing.T) {
	p := apptest.New(t)
	laptop := p.Browser()
	signedIn(t, laptop, "alice", apptest.Password)
	page := laptop.Get("/account/password")
	laptop.Submit(laptop.Get("/"), nil)
	unchanged(t, p, func() {
		if page := laptop.Submit(page, set("current", apptest.Password, "password", newPassword, "password_again", newPassword)); !page.IsLogin() {
			t.Errorf("%d %s", page.Status, page.URL)
		}
	})
}
