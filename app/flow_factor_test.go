package app_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"latchkey/app"
	"latchkey/app/apptest"
	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/ports"
)

// wrongCode has the form of a code and is none: no app ever shows letters.
const wrongCode = "12345x"

// enrolled is a provider on which bob has an authenticator app.
func enrolled(t *testing.T, documents ...string) (*apptest.Provider, *apptest.App) {
	t.Helper()
	p := apptest.New(t, documents...)
	b := p.Browser()
	signedIn(t, b, "bob", apptest.Password)
	return p, p.Enrol(b)
}

// asked signs bob in as far as the page of the second factor.
func asked(t *testing.T, b *apptest.Browser) apptest.Page {
	t.Helper()
	page := tryLogin(b, "bob", apptest.Password)
	if !page.IsFactor() || isSignedIn(b) {
		t.Fatalf("not asked for the second factor: %d %s %.400s", page.Status, page.URL, page.Body)
	}
	return page
}

// MF-06: what a session began with is what its tokens say, whether it was asked for or not.
func TestSecondFactorSignIn(t *testing.T) {
	t.Parallel()
	p, phone := enrolled(t)
	web := p.Client("web")
	says := func(tokens apptest.Reply, acr string, amr ...string) {
		t.Helper()
		claims := verify(t, p, tokens.Get("id_token")).claims
		if claims["acr"] != acr || fmt.Sprint(claims["amr"]) != fmt.Sprint([]string(amr)) {
			t.Errorf("acr %v, amr %v; want %s, %v", claims["acr"], claims["amr"], acr, amr)
		}
	}
	through := func(b *apptest.Browser, page apptest.Page) apptest.Reply {
		t.Helper()
		if page.IsConsent() {
			page = b.Allow(page)
		}
		return wantTokens(t, web.Exchange(page.Answer().Get("code")))
	}
	t.Run("a code of the app", func(t *testing.T) {
		b := p.Browser()
		page := b.Login(web.Authorize(b), "bob", apptest.Password)
		if !page.IsFactor() || !strings.Contains(page.Body, "bob") || !strings.Contains(page.Body, `autocomplete="one-time-code"`) {
			t.Fatalf("%d %s", page.Status, page.Body)
		}
		code := phone.Code()
		says(through(b, b.Factor(page, " "+code[:3]+" "+code[3:])), "urn:sso:loa:mfa", "pwd", "otp", "mfa")
	})
	t.Run("a recovery code", func(t *testing.T) {
		b := p.Browser()
		page := b.Login(web.Authorize(b), "bob", apptest.Password)
		page = b.Get(page.URL.Path + "?" + page.URL.RawQuery + "&recovery=1")
		says(through(b, b.Factor(page, strings.ToUpper(phone.Recovery[0]))), "urn:sso:loa:mfa", "pwd", "mfa")
	})
	t.Run("a password, of who has no other factor", func(t *testing.T) {
		says(web.SignIn(p.Browser(), "alice"), "urn:sso:loa:pwd", "pwd")
		says(web.SignIn(p.Browser(), "alice", set("acr_values", "urn:sso:loa:pwd urn:sso:loa:mfa")), "urn:sso:loa:pwd", "pwd")
	})
	t.Run("prompt=login", func(t *testing.T) {
		b := p.Browser()
		b.Factor(asked(t, b), phone.Code())
		page := web.Authorize(b, set("prompt", "login"))
		if page = b.Login(page, "bob", apptest.Password); !page.IsFactor() {
			t.Fatalf("the password alone was enough: %d %s", page.Status, page.URL)
		}
		before := verify(t, p, through(b, b.Factor(page, phone.Code())).Get("id_token")).claims["auth_time"]
		p.Advance(time.Minute)
		after := verify(t, p, through(b, web.Authorize(b)).Get("id_token")).claims["auth_time"]
		if before != after {
			t.Errorf("auth_time %v became %v without a sign-in", before, after)
		}
	})
}

// MF-01: a code is good for one sign-in, in any order, at once, and after a restart.
func TestCodeCountsOnce(t *testing.T) {
	t.Parallel()
	t.Run("MF-01 twice, and after a restart", func(t *testing.T) {
		p, phone := enrolled(t)
		first, second, third := p.Browser(), p.Browser(), p.Browser()
		pages := []apptest.Page{asked(t, first), asked(t, second), asked(t, third)}
		code := phone.Code()
		first.Factor(pages[0], code)
		if !isSignedIn(first) {
			t.Fatal("the code does not sign in")
		}
		recorded(t, p, func() { second.Factor(pages[1], code) }, audit.FactorReplayed)
		p.Restart()
		recorded(t, p, func() { third.Factor(pages[2], code) }, audit.FactorReplayed)
		if isSignedIn(second) || isSignedIn(third) {
			t.Error("the code signed in again")
		}
		if third.Factor(pages[2], phone.Code()); !isSignedIn(third) {
			t.Error("the next code does not sign in")
		}
		// An older code is no way back, though it is within the window.
		old := p.Browser()
		page := asked(t, old)
		if old.Factor(page, identity.TOTPCode(phone.Seed, identity.TOTPStep(p.Now())-1)); isSignedIn(old) {
			t.Error("an older code signed in")
		}
	})
	t.Run("MF-01 the code that confirmed the app", func(t *testing.T) {
		p, phone := enrolled(t)
		b := p.Browser()
		page := asked(t, b)
		recorded(t, p, func() { b.Factor(page, identity.TOTPCode(phone.Seed, identity.TOTPStep(p.Now()))) }, audit.FactorReplayed)
		if isSignedIn(b) {
			t.Error("it signed in")
		}
	})
	for name, one := range map[string]bool{"MF-01 fifty at once, of fifty sign-ins": false, "MF-01 fifty at once, of one sign-in": true} {
		t.Run(name, func(t *testing.T) {
			p, phone := enrolled(t)
			p.Restart(func(c *app.Config) { c.RateLimitScale = 100 })
			browsers, pages := make([]*apptest.Browser, 50), make([]apptest.Page, 50)
			browsers[0] = p.Browser()
			pages[0] = asked(t, browsers[0])
			for i := range browsers {
				if browsers[i], pages[i] = browsers[0], pages[0]; !one {
					browsers[i] = p.Browser()
					pages[i] = asked(t, browsers[i])
				}
			}
			code, before := phone.Code(), len(p.Events(audit.LoginSucceeded))
			var all sync.WaitGroup
			for i := range browsers {
				action, form := browsers[i].Form(pages[i])
				form.Set("code", code)
				all.Go(func() { browsers[i].Do("POST", action, form, nil) })
			}
			all.Wait()
			if n := len(p.Events(audit.LoginSucceeded)) - before; n != 1 {
				t.Errorf("%d sign-ins with one code", n)
			}
		})
	}
}

// MF-02: five wrong codes end the sign-in, ten in fifteen minutes lock the second step of the account, however often the
// password is typed anew.
func TestCodesAreNotGuessed(t *testing.T) {
	t.Parallel()
	p, phone := enrolled(t)
	b := p.Browser()
	for round := range 2 {
		page := asked(t, b)
		for n := range identity.ChallengeAttempts {
			recorded(t, p, func() { page = b.Factor(page, wrongCode) }, audit.FactorFailed)
			if last := n == identity.ChallengeAttempts-1; page.IsLogin() != last || page.IsFactor() == last {
				t.Fatalf("round %d, wrong code %d: %d %s", round, n+1, page.Status, page.URL)
			}
			if hint := strings.Contains(page.Body, "clock of your phone"); hint != (n >= 1 && n < 4) {
				t.Errorf("after %d wrong codes, the clock is mentioned: %v", n+1, hint)
			}
		}
		if !strings.Contains(page.Body, "Enter your password again") {
			t.Errorf("the login page does not say why: %s", page.Body)
		}
	}
	page := asked(t, b)
	recorded(t, p, func() { page = b.Factor(page, phone.Code()) }, audit.FactorLocked)
	locked := func(b *apptest.Browser, page apptest.Page) {
		t.Helper()
		if page.Status != http.StatusTooManyRequests || page.Header.Get("Retry-After") == "" || isSignedIn(b) {
			t.Errorf("%d, Retry-After %q", page.Status, page.Header.Get("Retry-After"))
		}
	}
	locked(b, page)
	recorded(t, p, func() { locked(b, b.Factor(page, phone.Code())) })
	other := p.Browser()
	fresh := asked(t, other)
	recovery := other.Get("/second-factor?recovery=1")
	locked(other, other.Factor(recovery, phone.Recovery[0]))
	p.Restart()
	locked(other, other.Factor(fresh, phone.Code()))
	p.Advance(identity.AttemptWindow)
	again := p.Browser()
	if again.Factor(asked(t, again), phone.Code()); !isSignedIn(again) {
		t.Error("the lock does not end")
	}
}

// MF-02: a right code is no wrong one, so signing in often locks nobody out.
func TestRightCodesAreNotCounted(t *testing.T) {
	t.Parallel()
	p, phone := enrolled(t)
	for range 2 * identity.FactorAttempts {
		b := p.Browser()
		if b.Factor(asked(t, b), phone.Code()); !isSignedIn(b) {
			t.Fatal("locked out by right codes")
		}
	}
}

// MF-03: with the password alone one is nobody, at every door there is.
func TestPasswordAloneIsAnonymous(t *testing.T) {
	t.Parallel()
	p, phone := enrolled(t)
	web := p.Client("web")
	earlier := p.Browser() // bob has allowed the application before, so that only the second factor is missing
	earlier.Factor(asked(t, earlier), phone.Code())
	web.Code(earlier, "bob")
	own := wantAccount(t, earlier.Get("/account"))

	b := p.Browser()
	waiting := web.Authorize(b)
	page := b.Login(waiting, "bob", apptest.Password)
	if !page.IsFactor() {
		t.Fatalf("%d %s", page.Status, page.URL)
	}
	if b.Cookies()["latchkey-session"] != "" {
		t.Error("there is a session cookie")
	}
	interaction := page.URL.Query().Get("interaction")
	sweep := []struct{ method, path string }{
		{"GET", "/account"}, {"GET", "/account/password"}, {"GET", "/account/email"}, {"GET", "/account/totp"}, {"GET", "/account/factors?factor=x"},
		{"POST", "/account/password"}, {"POST", "/account/email"}, {"POST", "/account/sessions"}, {"POST", "/account/applications"},
		{"POST", "/account/totp"}, {"POST", "/account/totp/new"}, {"POST", "/account/factors"}, {"POST", "/account/factors/remove"},
		{"POST", "/account/recovery-codes"}, {"POST", "/account/recovery-codes/file"}, {"POST", "/consent"}, {"POST", "/authorizations"}, {"POST", "/select-account"},
		{"GET", "/admin"}, {"GET", "/admin/explain"}, {"GET", "/login"}, {"GET", "/login?interaction=" + interaction},
		{"GET", "/consent?interaction=" + interaction}, {"GET", "/select-account?interaction=" + interaction},
	}
	unchanged(t, p, func() {
		for _, s := range sweep {
			var form url.Values
			if s.method == "POST" { // as whole as it can be without a session: the tokens are those of another browser
				form = set("interaction", interaction, "approved", "true", "scope", "openid", "account", "current", "code", phone.Code(), "name", "x", "others", "true",
					"csrf", formOn(t, own, "/account/sessions", "").Get("csrf"), "email", "thief@evil.test", "current", apptest.Password)
			}
			got := b.Do(s.method, s.path, form, nil)
			if got.Status < 300 && s.path != "/login" || strings.Contains(got.Location, "code=") || strings.Contains(got.Body, "bob@example.com") || isSignedIn(b) {
				t.Errorf("%s %s: %d %s", s.method, s.path, got.Status, got.Location)
			}
		}
		for _, path := range []string{"/account", "/login", "/account/totp"} {
			if page := b.Get(path); !page.IsFactor() && !page.IsLogin() {
				t.Errorf("%s leads to %s", path, page.URL)
			}
		}
	})
	if page := b.Get("/login?interaction=" + interaction); !page.IsFactor() {
		t.Errorf("the interaction leads to %s", page.URL)
	}
	silent := web.Authorize(b, set("prompt", "none"))
	if silent.Answer().Get("error") != "login_required" || silent.Answer().Get("code") != "" {
		t.Errorf("prompt=none: %s", silent.URL)
	}
	if fresh := web.Authorize(b); fresh.Answer().Get("code") != "" || !fresh.IsLogin() {
		t.Errorf("another request: %d %s", fresh.Status, fresh.URL)
	}
	if answered := b.Factor(page, phone.Code()); answered.Answer().Get("code") == "" {
		t.Errorf("after the code: %d %s", answered.Status, answered.URL)
	}
}

// SS-05, MF-03: a cookie that was there before the sign-in is worth nothing after it, at each of its steps.
func TestCookiesChangeAtEachStep(t *testing.T) {
	t.Parallel()
	p, phone := enrolled(t)
	const planted = "PLANTEDPLANTEDPLANTEDPLANTED"
	b := p.Browser()
	for _, name := range []string{"latchkey-session", "latchkey-challenge"} {
		b.SetCookie(name, planted)
	}
	page := asked(t, b)
	challenge := b.Cookies()["latchkey-challenge"]
	if challenge == planted || challenge == "" {
		t.Fatalf("challenge %q", challenge)
	}
	b.Factor(page, phone.Code())
	session := b.Cookies()["latchkey-session"]
	if session == planted || session == "" || session == challenge || b.Cookies()["latchkey-challenge"] != "" {
		t.Errorf("cookies %v", b.Cookies())
	}
	thief := p.Browser()
	for _, value := range []string{planted, challenge} {
		thief.SetCookie("latchkey-session", value)
		thief.SetCookie("latchkey-challenge", value)
		if isSignedIn(thief) || thief.Get("/second-factor").IsFactor() {
			t.Errorf("%s opens something", value)
		}
	}

	// A session that is raised: the cookie of before is dead, and the applications keep what they have.
	p2 := apptest.New(t)
	here, there := p2.Browser(), p2.Browser()
	signedIn(t, here, "bob", apptest.Password)
	tokens := p2.Client("web").SignIn(here, "bob")
	first := verify(t, p2, tokens.Get("id_token")).claims
	signedIn(t, there, "bob", apptest.Password)
	other := p2.Enrol(there)
	before := here.Cookies()["latchkey-session"]
	p2.Advance(identity.RecentSignIn + time.Second)
	page = p2.Client("web").Authorize(here, set("acr_values", "urn:sso:loa:mfa"))
	if !page.IsFactor() {
		t.Fatalf("%d %s", page.Status, page.URL)
	}
	raised := p2.Client("web").Exchange(here.Factor(page, other.Code()).Answer().Get("code"))
	claims := verify(t, p2, raised.Get("id_token")).claims
	if claims["acr"] != "urn:sso:loa:mfa" || claims["sid"] != first["sid"] || here.Cookies()["latchkey-session"] == before {
		t.Errorf("claims %v, cookies %v", claims, here.Cookies())
	}
	// AZ-08: nobody asked for the password, so the sign-in is as old as it was, and does not change the account for it.
	if claims["auth_time"] != first["auth_time"] {
		t.Errorf("auth_time %v became %v by a step-up", first["auth_time"], claims["auth_time"])
	}
	if form := here.Submit(here.Get("/account/totp"), nil); !strings.Contains(form.Body, `name="current"`) || strings.Contains(form.Body, `id="secret"`) {
		t.Errorf("an old sign-in that was raised adds a factor: %d %s", form.Status, form.URL)
	}
	old := p2.Browser()
	if old.SetCookie("latchkey-session", before); isSignedIn(old) {
		t.Error("the cookie of before the step-up still opens the session")
	}
	wantTokens(t, p2.Client("web").Refresh(tokens.Get("refresh_token")))
}

// SS-05, MF-03: a challenge raises the session that it was begun in. Else a copied cookie, of a session from before there was a
// factor, would be raised by whatever factor its thief has.
func TestChallengeIsOfItsSession(t *testing.T) {
	t.Parallel()
	for name, copied := range map[string]string{"of somebody else": "bob", "of the same user": "alice"} {
		t.Run(name, func(t *testing.T) {
			p := apptest.New(t)
			thief, victim, own := p.Browser(), p.Browser(), p.Browser()
			signedIn(t, thief, "alice", apptest.Password)
			signedIn(t, victim, copied, apptest.Password)
			signedIn(t, own, "alice", apptest.Password)
			phone := p.Enrol(own)
			if copied != "alice" {
				there := p.Browser()
				signedIn(t, there, copied, apptest.Password)
				p.Enrol(there)
			}
			page := thief.Get("/second-factor?next=account")
			if !page.IsFactor() {
				t.Fatalf("%d %s", page.Status, page.URL)
			}
			thief.SetCookie("latchkey-session", victim.Cookies()["latchkey-session"])
			recorded(t, p, func() { thief.Factor(page, phone.Code()) })
			for browser, b := range map[string]*apptest.Browser{"the thief": thief, "the owner": victim} {
				if page := b.Get("/second-factor?next=account"); !page.IsFactor() {
					t.Errorf("the session of %s needs no factor any more: %d %s", browser, page.Status, page.URL)
				}
			}
		})
	}
}

// MF-07: a seed works in the row it was sealed for and in no other.
func TestSeedsAreBoundToTheirRow(t *testing.T) {
	t.Parallel()
	p, phone := enrolled(t)
	hers := p.Browser()
	signedIn(t, hers, "alice", apptest.Password)
	p.Enrol(hers)
	update(t, p, func(tx ports.Tx) error { // whoever can write the file, and has an app of their own
		bob, err1 := tx.UserByLogin("bob")
		alice, err2 := tx.UserByLogin("alice")
		from, err3 := tx.Factors(bob.ID)
		to, err4 := tx.Factors(alice.ID)
		to[0].Sealed, to[0].LastStep = from[0].Sealed, 0
		return errors.Join(err1, err2, err3, err4, tx.SaveFactor(to[0]))
	})
	b := p.Browser()
	page := tryLogin(b, "alice", apptest.Password)
	events := recorded(t, p, func() { b.Factor(page, phone.Code()) }, audit.SealBroken)
	if isSignedIn(b) || events[0].Facts["factor"] == "" {
		t.Errorf("bob's app signed alice in: %v", events)
	}
	rows := strings.Join(slices.Concat(digest(t, p)["factor"], digest(t, p)["recovery_codes"]), "\n")
	for _, secret := range append(phone.Recovery, string(phone.Seed), identity.TOTPSecret(phone.Seed)) {
		for _, form := range []string{secret, strings.ReplaceAll(secret, " ", "")} {
			if strings.Contains(rows, fmt.Sprintf("%x", form)) || strings.Contains(p.Log.String(), form) {
				t.Errorf("%q is in the file or the log", form)
			}
		}
	}
	if !strings.Contains(rows, fmt.Sprintf("%x", "totp")) {
		t.Error("nothing was looked at")
	}
}

// LG-06: an account that is locked is locked at the second step too, and at the forms that ask for a code.
func TestLockedAtTheSecondStep(t *testing.T) {
	t.Parallel()
	p, phone := enrolled(t)
	in, waiting := p.Browser(), p.Browser()
	in.Factor(asked(t, in), phone.Code())
	page, form := asked(t, waiting), removal(t, in)
	guesser := p.Browser()
	for range identity.AccountAttempts + 1 {
		tryLogin(guesser, "bob", "not the password of bob")
	}
	if got := waiting.Factor(page, phone.Code()); got.Status != http.StatusTooManyRequests || isSignedIn(waiting) {
		t.Errorf("the second step: %d %s", got.Status, got.URL)
	}
	recovery := waiting.Factor(waiting.Get("/second-factor?recovery=1"), phone.Recovery[0])
	if recovery.Status != http.StatusTooManyRequests || isSignedIn(waiting) {
		t.Errorf("a recovery code: %d %s", recovery.Status, recovery.URL)
	}
	form.Set("code", phone.Code())
	if got := send(in, "/account/factors/remove", form); got.Status != http.StatusTooManyRequests {
		t.Errorf("removing the factor: %d %s", got.Status, got.URL)
	}
}
