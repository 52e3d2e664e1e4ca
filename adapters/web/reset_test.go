package web

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"latchkey/adapters/web/page"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/ports"

	"github.com/google/go-cmp/cmp"
)

// The page of a reset link: whose password it sets, and no session afterwards.
func TestReset(t *testing.T) {
	b := newBench(t)
	var asked oauth.Secret
	var typed ports.ResetForm
	b.onResetOffered = func(link oauth.Secret) (identity.User, error) { asked = link; return alice, nil }
	b.onReset = func(f ports.ResetForm) ([]error, error) { typed = f; return nil, nil }
	shown := b.get("/reset?token=link-1", asBrowser)
	wantStatus(t, shown, http.StatusOK)
	wantHeader(t, shown, "Referrer-Policy", "no-referrer")
	key := cookiesSet(shown)["__Host-latchkey-browser"]
	if asked != "link-1" || key == nil || !strings.Contains(shown.Body.String(), "alice") {
		t.Fatalf("asked about %q, cookies %v: %s", asked.Reveal(), cookiesSet(shown), shown.Body)
	}
	_, fields := submitted(t, shown.Body.String())
	fields.Set("password", "p w")
	fields.Set("password_again", "p v")
	w := b.post("/reset", fields.Encode(), asBrowser, "Cookie: __Host-latchkey-browser="+key.Value)
	wantPage(t, w, http.StatusOK, page.MsgPasswordReset)
	if diff := cmp.Diff(ports.ResetForm{Link: "link-1", Password: "p w", Again: "p v"}, typed); diff != "" {
		t.Errorf("typed: %s", diff)
	}
	if _, ok := cookiesSet(w)["__Host-latchkey-session"]; ok || !strings.Contains(w.Body.String(), `href="/login"`) {
		t.Errorf("after it people sign in, by themselves: %v %s", cookiesSet(w), w.Body)
	}
	if text := b.log.String(); strings.Contains(text, "link-1") || strings.Contains(text, "p w") {
		t.Errorf("a secret was logged: %s", text)
	}
}

// LG-12, LG-02: a dead link and one that never lived have one answer, whatever is done with it.
func TestResetDeadLink(t *testing.T) {
	dead := func() error {
		refusal := oauth.Refuse(oauth.InvalidRequest, "dead").With("reason", "used")
		refusal.Cause = ports.ErrNotFound
		return fmt.Errorf("reset: %w", refusal)
	}
	b := newBench(t)
	fields := resetForm.open(b, browserOne)
	b.onResetOffered = func(oauth.Secret) (identity.User, error) { return identity.User{}, dead() }
	b.onReset = func(ports.ResetForm) ([]error, error) { return nil, dead() }
	for _, target := range []string{"/reset?token=old", "/reset", "/reset?token=a&token=b"} {
		w := b.get(target, asBrowser)
		wantPage(t, w, http.StatusBadRequest, page.MsgResetLinkInvalid)
		wantHeader(t, w, "Set-Cookie", "")
		wantError(t, b.get(target), http.StatusBadRequest, "invalid_request")
	}
	wantPage(t, b.post("/reset", fields.Encode(), asBrowser, browserOne), http.StatusBadRequest, page.MsgResetLinkInvalid)
}

// Everything that is wrong is said at once, beside its field; the passwords do not come back.
func TestResetProblems(t *testing.T) {
	b := newBench(t)
	b.onReset = func(ports.ResetForm) ([]error, error) {
		return []error{identity.ErrPasswordShort, ports.ErrPasswordsDiffer}, nil
	}
	fields := resetForm.open(b, browserOne)
	fields.Set("password", "hunter2")
	fields.Set("password_again", "hunter3")
	w := b.post("/reset", fields.Encode(), asBrowser, browserOne)
	wantPage(t, w, http.StatusOK, page.MsgPasswordShort)
	wantPage(t, w, http.StatusOK, page.MsgPasswordMismatch)
	if strings.Contains(w.Body.String(), "hunter") {
		t.Errorf("a password came back: %s", w.Body)
	}
	b.onReset = nil
	fields.Set("csrf", b.token(w))
	wantPage(t, b.post("/reset", fields.Encode(), asBrowser, browserOne), http.StatusOK, page.MsgPasswordReset)
	b.onReset = func(ports.ResetForm) ([]error, error) { return nil, ports.ErrBusy }
	wantPage(t, b.post("/reset", fields.Encode(), asBrowser, browserOne), http.StatusServiceUnavailable, page.MsgServerBusy)
}

// What is wrong with the set-up form is said at once too: two passwords that differ hide no other problem.
func TestSetupSaysEverythingAtOnce(t *testing.T) {
	b := newBench(t)
	var typed ports.SetupForm
	b.onComplete = func(f ports.SetupForm) (identity.User, []error, error) {
		typed = f
		return identity.User{}, []error{identity.ErrUsername, ports.ErrPasswordsDiffer}, nil
	}
	fields := setupForm.open(b, browserOne)
	fields.Set("password_again", "another")
	w := b.post("/setup", fields.Encode(), asBrowser, browserOne)
	wantPage(t, w, http.StatusOK, page.MsgUsernameInvalid)
	wantPage(t, w, http.StatusOK, page.MsgPasswordMismatch)
	if typed.Again != "another" {
		t.Errorf("the use case saw %q as the second password", typed.Again)
	}
}

// The same holds for the form for a new password in the account, whose use case sees both passwords.
func TestPasswordSaysEverythingAtOnce(t *testing.T) {
	b := newBench(t)
	b.onChange = func(form any) (ports.AccountChange, error) {
		f := form.(ports.PasswordForm)
		if f.New != "hunter2" || f.Again != "another" {
			t.Errorf("the use case saw %q and %q", f.New, f.Again)
		}
		return ports.AccountChange{Problems: []error{ports.ErrPasswordNeeded, identity.ErrPasswordShort, ports.ErrPasswordsDiffer}}, nil
	}
	fields := ownForm{action: "/account/password", page: "/account/password", fields: url.Values{"current": {""}}}.open(b, browserOne)
	fields.Set("password", "hunter2")
	fields.Set("password_again", "another")
	w := b.post("/account/password", fields.Encode(), asBrowser, browserOne)
	for _, want := range []page.Message{page.MsgCurrentNeeded, page.MsgPasswordShort, page.MsgPasswordMismatch} {
		wantPage(t, w, http.StatusOK, want)
	}
	if strings.Contains(w.Body.String(), "hunter") {
		t.Errorf("a password came back: %s", w.Body)
	}
}
