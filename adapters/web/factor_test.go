package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"latchkey/adapters/web/page"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

const challengeCookie = "Cookie: __Host-latchkey-browser=key-1; __Host-latchkey-challenge=c1"

// A right password of somebody with a second factor gives no session, only what answers for the sign-in; the page that
// follows is of the same interaction, or leads to the same page of ours.
func TestPasswordLeadsToSecondFactor(t *testing.T) {
	for _, c := range []struct{ page, next string }{
		{"/login", "/second-factor"}, {"/login?next=account", "/second-factor?next=account"}, {"/login?next=%2Fadmin", "/second-factor?next=%2Fadmin"},
		{"/login?next=%2F%2Fevil.test", "/second-factor"},
	} {
		b := newBench(t)
		b.onSignIn = func(ports.LoginForm) (ports.Login, error) { return ports.Login{Challenge: "challenge-1"}, nil }
		page := b.get(c.page, asBrowser, browserOne)
		w := b.post(c.page, url.Values{"username": {"alice"}, "password": {"p"}, "csrf": {b.token(page)}}.Encode(), asBrowser, browserOne)
		wantStatus(t, w, http.StatusSeeOther)
		wantHeader(t, w, "Location", c.next)
		set := cookiesSet(w)
		if k := set["__Host-latchkey-challenge"]; k == nil || k.Value != "challenge-1" || !k.HttpOnly || !k.Secure || k.MaxAge != 600 || set["__Host-latchkey-session"] != nil {
			t.Errorf("%s: cookies %v", c.page, set)
		}
	}
	b := newBench(t)
	b.onResume = func(ports.Browser, oidc.InteractionID) (ports.Next, error) { return waiting(oidc.Login), nil }
	b.onLogin = func(ports.Browser, oidc.InteractionID, ports.LoginForm) (ports.Next, error) {
		next := waiting(oidc.SecondFactor)
		next.Login.Challenge = "challenge-1"
		return next, nil
	}
	page := b.get("/login?interaction=int-1", asBrowser, browserOne)
	w := b.post("/login", url.Values{"username": {"alice"}, "password": {"p"}, "interaction": {"int-1"}, "csrf": {b.token(page)}}.Encode(), asBrowser, browserOne)
	wantHeader(t, w, "Location", "/second-factor?interaction=int-1")
}

// MF-03: who reloads the login page in the middle of a sign-in is asked for the code, unless they want another account or
// the page is of another sign-in.
func TestLoginPageDuringSecondFactor(t *testing.T) {
	for page, want := range map[string]string{"/login": "/second-factor", "/login?next=account": "/second-factor?next=account", "/login?switch=1": "",
		"/login?interaction=int-1": "", "/login?interaction=int-2": ""} {
		b := newBench(t)
		b.onChallenge = func(ports.Browser) (ports.Challenge, error) { return ports.Challenge{User: alice}, nil }
		wantHeader(t, b.get(page, asBrowser, challengeCookie), "Location", want)
		b.onChallenge = func(ports.Browser) (ports.Challenge, error) {
			return ports.Challenge{User: alice, Interaction: "int-1"}, nil
		}
		want = ""
		if page == "/login?interaction=int-1" {
			want = "/second-factor?interaction=int-1"
		}
		wantHeader(t, b.get(page, asBrowser, challengeCookie), "Location", want)
	}
}

// Whoever has nothing to answer is led to where they belong.
func TestSecondFactorWithoutChallenge(t *testing.T) {
	b := newBench(t)
	wantHeader(t, b.get("/second-factor", asBrowser), "Location", "/login")
	wantHeader(t, b.get("/second-factor?next=account", asBrowser), "Location", "/login?next=account")
	wantHeader(t, b.get("/second-factor?next=%2F%2Fevil.test", asBrowser), "Location", "/login")
	for step, want := range map[oidc.Step]string{oidc.Login: "/login", oidc.Consent: "/consent", oidc.Enrol: "/account/totp"} {
		b.onResume = func(ports.Browser, oidc.InteractionID) (ports.Next, error) { return waiting(step), nil }
		wantHeader(t, b.get("/second-factor?interaction=int-1", asBrowser), "Location", want+"?interaction=int-1")
	}
	// A session that is raised gets its challenge here.
	b.onResume = func(ports.Browser, oidc.InteractionID) (ports.Next, error) { return waiting(oidc.SecondFactor), nil }
	b.onRaise = func() (oauth.Secret, error) { return "raised-1", nil }
	b.onChallenge = func(x ports.Browser) (ports.Challenge, error) {
		if x.Challenge != "raised-1" {
			return ports.Challenge{}, ports.ErrNoChallenge
		}
		return ports.Challenge{User: alice, App: true}, nil
	}
	w := b.get("/second-factor?interaction=int-1", asBrowser, browserOne)
	wantStatus(t, w, http.StatusOK)
	if k := cookiesSet(w)["__Host-latchkey-challenge"]; k == nil || k.Value != "raised-1" {
		t.Errorf("cookies %v", cookiesSet(w))
	}
}

// What the page of the second factor answers, with the status the problem has; the code is never sent back to it.
func TestSecondFactorProblems(t *testing.T) {
	form := ownForms[0]
	for _, o := range ownForms {
		if o.action == factorPath && o.fields.Has("interaction") {
			form = o
		}
	}
	for _, c := range []struct {
		name   string
		login  ports.Login
		status int
		texts  []string
		over   bool
	}{
		{"wrong", ports.Login{Problem: ports.FactorFailed, Tries: 1}, 200, []string{`role="alert"`, `href="#code"`, `aria-invalid="true"`, "This code does not work."}, false},
		{"wrong again", ports.Login{Problem: ports.FactorFailed, Tries: 2}, 200, []string{"clock of your phone"}, false},
		{"locked", ports.Login{Problem: ports.LoginLocked, RetryAfter: 61 * time.Second}, 429, []string{"Wait 2 minutes"}, false},
		{"over", ports.Login{Problem: ports.FactorOver}, 200, []string{`id="login-submit"`, "Enter your password again"}, true},
	} {
		b := newBench(t)
		fields := form.open(b, challengeCookie)
		b.onFactor = func(oidc.InteractionID, ports.FactorForm) (ports.Next, error) {
			next := waiting(oidc.SecondFactor)
			next.Login = c.login
			return next, nil
		}
		w := b.post(factorPath, fields.Encode(), asBrowser, challengeCookie)
		wantStatus(t, w, c.status)
		for _, text := range c.texts {
			if !strings.Contains(w.Body.String(), text) {
				t.Errorf("%s lacks %q: %s", c.name, text, w.Body)
			}
		}
		if strings.Contains(w.Body.String(), "123456") {
			t.Errorf("%s: the code is on the page", c.name)
		}
		if dropped := cookiesSet(w)["__Host-latchkey-challenge"]; (dropped != nil && dropped.MaxAge < 0) != c.over {
			t.Errorf("%s: cookies %v", c.name, cookiesSet(w))
		}
	}
	b := newBench(t)
	fields := form.open(b, challengeCookie)
	w := b.post(factorPath, fields.Encode(), asBrowser, challengeCookie)
	set := cookiesSet(w)
	if w.Code != http.StatusSeeOther || set["__Host-latchkey-session"] == nil || set["__Host-latchkey-challenge"] == nil || set["__Host-latchkey-challenge"].MaxAge >= 0 {
		t.Errorf("signed in: %d %v", w.Code, set)
	}
	fields = form.open(b, challengeCookie)
	b.onChallenge = func(ports.Browser) (ports.Challenge, error) { return ports.Challenge{User: carol}, nil }
	wantPage(t, b.post(factorPath, fields.Encode(), asBrowser, challengeCookie), http.StatusConflict, page.MsgWrongAccount)
}

// The file of recovery codes: for whom the page was shown, of codes that are theirs, and never from elsewhere.
func TestRecoveryFile(t *testing.T) {
	b := newBench(t)
	b.onCurrent = func(ports.Browser) (identity.Session, identity.User, error) {
		return identity.Session{ID: "sid-1"}, alice, nil
	}
	b.onAccount = func() (ports.Account, error) { return accountWithFactor, nil }
	b.onChange = func(any) (ports.AccountChange, error) {
		return ports.AccountChange{Codes: []oauth.Secret{"abcdefghijklmno2", "bcdefghijklmno23"}}, nil
	}
	own := ownForm{action: "/account/recovery-codes", page: "/account"}
	token := own.token(t, b.get("/account", asBrowser, browserOne).Body.String())
	shown := b.post("/account/recovery-codes", url.Values{"csrf": {token}}.Encode(), asBrowser, browserOne)
	wantStatus(t, shown, http.StatusOK)
	wantHeader(t, shown, "Cache-Control", "no-store")
	file := ownForm{action: shownOnce}
	fields := url.Values{"csrf": {file.token(t, shown.Body.String())}, "recovery": {"abcd efgh ijkl mno2", "bcde fghi jklm no23"}}
	for _, code := range fields["recovery"] {
		if !strings.Contains(shown.Body.String(), ">"+code+"<") {
			t.Errorf("the page lacks %s: %s", code, shown.Body)
		}
	}
	b.ownCodes = true
	w := b.post(shownOnce, fields.Encode(), asBrowser, browserOne)
	wantStatus(t, w, http.StatusOK)
	wantHeader(t, w, "Content-Type", "text/plain; charset=utf-8")
	wantHeader(t, w, "Content-Disposition", `attachment; filename="recovery-codes.txt"`)
	if want := testIssuer + "\n\nabcd efgh ijkl mno2\nbcde fghi jklm no23\n"; w.Body.String() != want {
		t.Errorf("the file is %q", w.Body)
	}
	b.ownCodes = false
	wantPage(t, b.post(shownOnce, fields.Encode(), asBrowser, browserOne), http.StatusNotFound, page.MsgNotFound)
	wantStatus(t, b.post(shownOnce, fields.Encode(), asBrowser, browserTwo), http.StatusForbidden)
	wantStatus(t, b.post(shownOnce, fields.Encode(), asBrowser, browserOne, "Origin: https://evil.test"), http.StatusForbidden)
	fields.Set("csrf", token)
	wantStatus(t, b.post(shownOnce, fields.Encode(), asBrowser, browserOne), http.StatusForbidden)
}

// MF-04: where a session lacks the factor of its user, every form about factors leads to the page that asks for it.
func TestFactorFormsAskForTheFactor(t *testing.T) {
	for _, o := range ownForms {
		if strings.HasSuffix(o.action, "/passkey") || !strings.HasPrefix(o.action, "/account/factors") && !strings.HasPrefix(o.action, totpPath) && o.action != "/account/recovery-codes" {
			continue
		}
		b := newBench(t)
		fields := o.open(b, browserOne)
		b.onChange = func(any) (ports.AccountChange, error) {
			return ports.AccountChange{Problems: []error{ports.ErrFactorNeeded}}, nil
		}
		wantHeader(t, b.post(o.action, fields.Encode(), asBrowser, browserOne), "Location", "/second-factor?next=account")
	}
}
