package app_test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"latchkey/app/admin"
	"latchkey/app/apptest"
	"latchkey/domain/audit"
	"latchkey/domain/identity"
)

var factorLink = regexp.MustCompile(`href="(/account/factors\?factor=[^"]*)"`)

// removal is the form with which whoever is signed in removes their first factor, without the code.
func removal(t *testing.T, b *apptest.Browser) url.Values {
	t.Helper()
	m := factorLink.FindStringSubmatch(b.Get("/account").Body)
	if m == nil {
		t.Fatal("the account has no factor")
	}
	return formOn(t, b.Get(html.UnescapeString(m[1])), "/account/factors/remove", "")
}

// hasFactor reports whether signing in asks bob for more than the password.
func hasFactor(p *apptest.Provider) bool {
	return tryLogin(p.Browser(), "bob", apptest.Password).IsFactor()
}

// MF-04: what guards the account is added and removed by its owner alone: who signed in lately, and has the factor.
func TestFactorsAreGuarded(t *testing.T) {
	t.Parallel()
	t.Run("MF-04 adding asks for the password after a while", func(t *testing.T) {
		p := apptest.New(t)
		b := p.Browser()
		signedIn(t, b, "bob", apptest.Password)
		page := b.Get("/account/totp")
		p.Advance(identity.RecentSignIn + time.Millisecond)
		unchanged(t, p, func() {
			if page = b.Submit(page, nil); !strings.Contains(page.Body, `name="current"`) || strings.Contains(page.Body, `id="secret"`) {
				t.Fatalf("%d %s", page.Status, page.Body)
			}
			if wrong := b.Submit(page, set("current", "not the password of bob")); strings.Contains(wrong.Body, `id="secret"`) {
				t.Error("a wrong password shows a secret")
			}
		})
		recorded(t, p, func() { page = b.Submit(page, set("current", apptest.Password)) }, audit.LoginSucceeded, audit.FactorOffered)
		phone := p.Scan(page)
		recorded(t, p, func() { page = b.Submit(page, set("code", wrongCode)) }, audit.FactorRefused)
		if !strings.Contains(page.Body, "This code does not work.") || hasFactor(p) {
			t.Fatalf("MF-04: a wrong code: %d %s", page.Status, page.Body)
		}
		if again := p.Scan(page); string(again.Seed) != string(phone.Seed) {
			t.Error("a wrong code changes the secret that the app already has")
		}
		// Whoever comes to the open browser later sees no secret, and cannot confirm the one that was photographed.
		p.Advance(identity.RecentSignIn + time.Millisecond)
		if later := b.Get("/account/totp"); strings.Contains(later.Body, `id="secret"`) {
			t.Error("the secret is still shown")
		}
		if late := b.Submit(page, set("code", phone.Code())); hasFactor(p) || late.Status != http.StatusOK {
			t.Errorf("an offer of long ago was confirmed: %d %s", late.Status, late.URL)
		}
	})
	t.Run("MF-04 a session without the factor adds none", func(t *testing.T) {
		p := apptest.New(t)
		thief, owner := p.Browser(), p.Browser()
		signedIn(t, thief, "bob", apptest.Password)
		form := thief.Get("/account/totp")
		signedIn(t, owner, "bob", apptest.Password)
		p.Enrol(owner)
		unchanged(t, p, func() {
			if page := thief.Do("POST", "/account/totp/new", formFields(thief, form), nil); page.Location != "/second-factor?next=account" {
				t.Errorf("%d %s", page.Status, page.Location)
			}
		})
		for _, action := range []string{"/account/recovery-codes"} {
			fields := formOn(t, thief.Get("/account"), action, "")
			if page := thief.Do("POST", action, fields, nil); page.Location != "/second-factor?next=account" {
				t.Errorf("%s: %d %s", action, page.Status, page.Location)
			}
		}
	})
	t.Run("MF-04 removing needs the factor", func(t *testing.T) {
		p, phone := enrolled(t)
		b := p.Browser()
		b.Factor(asked(t, b), phone.Code())
		form := removal(t, b)
		with := func(pairs ...string) url.Values {
			fields := set(pairs...)
			for name, values := range form {
				fields[name] = values
			}
			return fields
		}
		for name, fields := range map[string]url.Values{"nothing": with(), "the password": with("current", apptest.Password),
			"the password as the code": with("code", apptest.Password, "current", apptest.Password), "a wrong code": with("code", wrongCode, "current", apptest.Password)} {
			if page := send(b, "/account/factors/remove", fields); page.URL.Path == "/account" || !hasFactor(p) {
				t.Fatalf("%s: %d %s", name, page.Status, page.URL)
			}
		}
		p.Advance(identity.RecentSignIn + time.Millisecond)
		if page := send(b, "/account/factors/remove", with("code", phone.Code())); !strings.Contains(page.Body, `name="current"`) || !hasFactor(p) {
			t.Fatalf("the code alone, long after the sign-in: %d %s", page.Status, page.URL)
		}
		recorded(t, p, func() {
			page := wantAccount(t, send(b, "/account/factors/remove", with("code", phone.Code(), "current", apptest.Password)))
			if !strings.Contains(page.Body, "The second step is removed") || factorLink.MatchString(page.Body) {
				t.Errorf("%s", page.Body)
			}
		}, audit.LoginSucceeded, audit.FactorRemoved)
		if hasFactor(p) {
			t.Error("it is still asked for")
		}
		// MF-05: nor do its recovery codes wait for the next one.
		if next := p.Enrol(b); len(next.Recovery) != identity.RecoveryCodeCount {
			t.Errorf("the next factor brings %d recovery codes", len(next.Recovery))
		}
		old := p.Browser()
		asked(t, old)
		if old.Factor(old.Get("/second-factor?recovery=1"), phone.Recovery[0]); isSignedIn(old) {
			t.Error("recovery codes outlive the last factor")
		}
	})
	t.Run("MF-04, AD-05 somebody else's", func(t *testing.T) {
		p, phone := enrolled(t)
		theirs := p.Browser()
		theirs.Factor(asked(t, theirs), phone.Code())
		id := removal(t, theirs).Get("factor")
		b := p.Browser()
		signedIn(t, b, "alice", apptest.Password)
		own := p.Enrol(b)
		form := removal(t, b)
		form.Set("factor", id)
		form.Set("code", own.Code())
		recorded(t, p, func() { wantPage(t, b.Do("POST", "/account/factors/remove", form, nil), http.StatusNotFound) }, audit.AccessDenied)
		if !hasFactor(p) {
			t.Error("alice removed bob's")
		}
	})
	t.Run("renamed", func(t *testing.T) {
		p, phone := enrolled(t)
		b := p.Browser()
		b.Factor(asked(t, b), phone.Code())
		m := factorLink.FindStringSubmatch(b.Get("/account").Body)
		form := formOn(t, b.Get(html.UnescapeString(m[1])), "/account/factors", "")
		form.Set("name", "  My <b>phone</b>  ")
		recorded(t, p, func() {
			if page := wantAccount(t, send(b, "/account/factors", form)); !strings.Contains(page.Body, "My &lt;b&gt;phone&lt;/b&gt;") {
				t.Errorf("%s", page.Body)
			}
		}, audit.FactorRenamed)
	})
}

// formFields is what the first form of a page sends.
func formFields(b *apptest.Browser, page apptest.Page) url.Values {
	_, fields := b.Form(page)
	return fields
}

// MF-05: recovery codes work once each, are shown once, and a new set is the end of the old one.
func TestRecoveryCodes(t *testing.T) {
	t.Parallel()
	p, phone := enrolled(t)
	use := func(code string) bool {
		b := p.Browser()
		asked(t, b)
		b.Factor(b.Get("/second-factor?recovery=1"), code)
		return isSignedIn(b)
	}
	recorded(t, p, func() {
		if !use(phone.Recovery[3]) {
			t.Error("a recovery code does not sign in")
		}
	}, audit.FactorAsked, audit.RecoveryUsed, audit.LoginSucceeded)
	recorded(t, p, func() {
		if use(phone.Recovery[3]) {
			t.Error("a recovery code signs in twice")
		}
	}, audit.FactorAsked, audit.FactorFailed)
	b := p.Browser()
	b.Factor(asked(t, b), phone.Code())
	account := wantAccount(t, b.Get("/account"))
	if !strings.Contains(account.Body, "9 left") {
		t.Errorf("the account does not tell how many are left: %s", account.Body)
	}
	var fresh []string
	recorded(t, p, func() {
		page := send(b, "/account/recovery-codes", formOn(t, account, "/account/recovery-codes", ""))
		if fresh = apptest.RecoveryCodes(page); len(fresh) != 10 || page.Header.Get("Cache-Control") != "no-store" {
			t.Fatalf("%d %s", page.Status, page.Body)
		}
		form := formOn(t, page, "/account/recovery-codes/file", "")
		file := b.Do("POST", "/account/recovery-codes/file", form, nil)
		if file.Status != http.StatusOK || !strings.HasPrefix(file.Header.Get("Content-Disposition"), "attachment") || !strings.Contains(file.Body, strings.Join(fresh, "\n")) {
			t.Errorf("the file: %d %v %s", file.Status, file.Header, file.Body)
		}
		form["recovery"] = []string{"what somebody wants in a file", fresh[0]}
		wantPage(t, b.Do("POST", "/account/recovery-codes/file", form, nil), http.StatusNotFound)
	}, audit.RecoveryMade)
	for _, path := range []string{"/account", "/account/totp", "/account/recovery-codes", "/account/recovery-codes/file"} { // read back: nowhere
		if page := b.Get(path); len(apptest.RecoveryCodes(page)) > 0 || strings.Contains(page.Body, fresh[0]) {
			t.Errorf("%s shows them again", path)
		}
	}
	if use(phone.Recovery[4]) {
		t.Error("the old set still works")
	}
	if !use(fresh[0]) {
		t.Error("the new set does not work")
	}
	// A second app brings no new codes: those there are go on.
	p.Advance(time.Minute)
	if page := b.Submit(b.Get("/account/totp"), nil); len(apptest.RecoveryCodes(page)) > 0 {
		t.Error("codes are shown again")
	}
	if second := p.Enrol(b); len(second.Recovery) > 0 || !use(fresh[1]) {
		t.Error("a second app replaces the codes")
	}
}

// MF-06: an application that asks for a second factor gets one: by a step up, by enrolment on the way, or not at all.
func TestApplicationAsksForSecondFactor(t *testing.T) {
	t.Parallel()
	mfa := set("acr_values", "urn:sso:loa:mfa")
	silent := set("acr_values", "urn:sso:loa:mfa", "prompt", "none")
	acr := func(p *apptest.Provider, page apptest.Page) any {
		t.Helper()
		return verify(t, p, wantTokens(t, p.Client("web").Exchange(page.Answer().Get("code"))).Get("id_token")).claims["acr"]
	}
	t.Run("MF-06 enrolment on the way", func(t *testing.T) {
		p := apptest.New(t)
		web, b := p.Client("web"), p.Browser()
		page := b.Login(web.Authorize(b, mfa), "bob", apptest.Password)
		if page.URL.Path != "/account/totp" || !strings.Contains(page.Body, "The application you come from asks for a second step.") {
			t.Fatalf("%d %s", page.Status, page.URL)
		}
		if got := web.Authorize(b, silent).Answer().Get("error"); got != "interaction_required" {
			t.Errorf("prompt=none: %q", got)
		}
		for _, path := range []string{"/login", "/consent", "/select-account"} { // no way around
			if around := b.Get(path + "?interaction=" + page.URL.Query().Get("interaction")); around.URL.Path != "/account/totp" {
				t.Errorf("%s leads to %s", path, around.URL)
			}
		}
		page = b.Submit(page, nil)
		phone := p.Scan(page)
		page = b.Submit(b.Submit(page, set("code", wrongCode)), set("code", phone.Code()))
		codes := apptest.RecoveryCodes(page)
		if len(codes) != 10 {
			t.Fatalf("%d %s", page.Status, page.Body)
		}
		on := regexp.MustCompile(`(?s)<form class="screen" method="get" action="([^"]*)">\n<input type="hidden" name="interaction" value="([^"]*)">`).FindStringSubmatch(page.Body)
		if on == nil {
			t.Fatalf("the page does not lead on: %s", page.Body)
		}
		page = b.Get(on[1] + "?interaction=" + url.QueryEscape(on[2]))
		if !page.IsConsent() {
			t.Fatalf("%d %s", page.Status, page.URL)
		}
		if got := acr(p, b.Allow(page)); got != "urn:sso:loa:mfa" {
			t.Errorf("acr %v", got)
		}
		if got := web.Authorize(b, silent); acr(p, got) != "urn:sso:loa:mfa" {
			t.Errorf("prompt=none: %s", got.URL)
		}
	})
	t.Run("MF-06 a step up", func(t *testing.T) {
		p := apptest.New(t)
		web, here, there := p.Client("web"), p.Browser(), p.Browser()
		signedIn(t, here, "bob", apptest.Password)
		web.Code(here, "bob")
		signedIn(t, there, "bob", apptest.Password)
		phone := p.Enrol(there)
		if got := web.Authorize(here, silent).Answer().Get("error"); got != "interaction_required" {
			t.Errorf("prompt=none: %q", got)
		}
		if got := acr(p, web.Authorize(here)); got != "urn:sso:loa:pwd" {
			t.Errorf("a request that does not ask raises the session: %v", got)
		}
		page := web.Authorize(here, mfa)
		if !page.IsFactor() {
			t.Fatalf("%d %s", page.Status, page.URL)
		}
		if page = here.Factor(page, wrongCode); !page.IsFactor() {
			t.Fatalf("%d %s", page.Status, page.URL)
		}
		if got := acr(p, here.Factor(page, phone.Code())); got != "urn:sso:loa:mfa" {
			t.Errorf("acr %v", got)
		}
	})
	t.Run("MF-06 a password will do, and unknown classes are wishes", func(t *testing.T) {
		p := apptest.New(t)
		for _, values := range []string{"urn:sso:loa:pwd urn:sso:loa:mfa", "urn:sso:loa:pwd", "1 2", "phr"} {
			b := p.Browser()
			page := b.Login(p.Client("web").Authorize(b, set("acr_values", values)), "alice", apptest.Password)
			if page.IsConsent() {
				page = b.Allow(page)
			}
			if got := acr(p, page); got != "urn:sso:loa:pwd" {
				t.Errorf("%s: acr %v", values, got)
			}
		}
	})
}

// Whoever lost everything gets back in with the help of the operator: the factors go, with what was signed in with them.
func TestFactorsAreTakenOff(t *testing.T) {
	t.Parallel()
	for name, help := range map[string]func(*apptest.Provider) error{
		"user reset-factors": func(p *apptest.Provider) error {
			change, err := p.Admin.ResetFactors(t.Context(), audit.Caller{RequestID: "req_test"}, "bob", true)
			if err != nil || len(change.Effects) == 0 || !hasFactor(p) {
				t.Errorf("the plan: %+v, %v", change, err)
			}
			_, err = p.Admin.ResetFactors(t.Context(), audit.Caller{RequestID: "req_test"}, "bob", false)
			return err
		},
		"recover-admin": func(p *apptest.Provider) error {
			link, err := p.Admin.RecoverAdmin(t.Context(), audit.Caller{RequestID: "req_test"}, "bob")
			if err == nil {
				b := p.Browser()
				b.Submit(b.Get("/reset?token="+url.QueryEscape(link.Secret.Reveal())), set("password", apptest.Password, "password_again", apptest.Password))
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			p, phone := enrolled(t)
			b, waiting := p.Browser(), p.Browser()
			b.Factor(asked(t, b), phone.Code())
			asked(t, waiting)
			if err := help(p); err != nil {
				t.Fatal(err)
			}
			if events := p.Events(audit.FactorRemoved); len(events) != 1 || events[0].Facts["how"] == "" {
				t.Errorf("events %v", events)
			}
			anonymous(t, b)
			if waiting.Factor(waiting.Get("/second-factor?recovery=1"), phone.Recovery[0]); isSignedIn(waiting) {
				t.Error("a recovery code outlives the factors")
			}
			in := p.Browser()
			if tryLogin(in, "bob", apptest.Password); !isSignedIn(in) {
				t.Error("bob is still asked for more than the password")
			}
			if change, err := p.Admin.ResetFactors(t.Context(), audit.Caller{RequestID: "req_test"}, "bob", false); err != nil || change.Action != admin.Unchanged {
				t.Errorf("once more: %+v, %v", change, err)
			}
		})
	}
}

// A new password is no way around: whoever waits for the second factor with the old one is sent back.
func TestPasswordChangeEndsTheSecondStep(t *testing.T) {
	t.Parallel()
	p, phone := enrolled(t)
	in, waiting := p.Browser(), p.Browser()
	in.Factor(asked(t, in), phone.Code())
	page := asked(t, waiting)
	wantAccount(t, changePassword(in, apptest.Password, newPassword))
	if page := waiting.Factor(page, phone.Code()); page.IsFactor() || isSignedIn(waiting) {
		t.Errorf("%d %s", page.Status, page.URL)
	}
	// The browser that changed it stays one with a second factor, and is not made younger by the password.
	if page := send(in, "/account/recovery-codes", formOn(t, in.Get("/account"), "/account/recovery-codes", "")); len(apptest.RecoveryCodes(page)) != 10 {
		t.Errorf("%d %s", page.Status, page.URL)
	}
}
