package web

import (
	"errors"
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

func TestSetup(t *testing.T) {
	b := newBench(t)
	var asked oauth.Secret
	var typed ports.SetupForm
	b.onOffered = func(link oauth.Secret) (bool, error) { asked = link; return true, nil }
	b.onComplete = func(f ports.SetupForm) (identity.User, []error, error) { typed = f; return alice, nil, nil }
	shown := b.get("/setup?token=link-1", asBrowser)
	wantStatus(t, shown, http.StatusOK)
	key := cookiesSet(shown)["__Host-latchkey-browser"]
	if asked != "link-1" || key == nil {
		t.Fatalf("asked about %q, cookies %v", asked.Reveal(), cookiesSet(shown))
	}
	_, fields := submitted(t, shown.Body.String())
	for name, value := range map[string]string{"username": "root", "email": "root@mail.test", "password": "p w", "password_again": "p w"} {
		fields.Set(name, value)
	}
	w := b.post("/setup", fields.Encode(), asBrowser, "Cookie: __Host-latchkey-browser="+key.Value)
	wantPage(t, w, http.StatusOK, page.MsgAdministratorCreated)
	if diff := cmp.Diff(ports.SetupForm{Link: "link-1", Username: "root", Email: "root@mail.test", Password: "p w", Again: "p w"}, typed); diff != "" {
		t.Errorf("typed: %s", diff)
	}
	if _, ok := cookiesSet(w)["__Host-latchkey-session"]; ok {
		t.Error("setting up signed somebody in")
	}
	if text := b.log.String(); strings.Contains(text, "link-1") || strings.Contains(text, "p w") {
		t.Errorf("a secret was logged: %s", text)
	}
}

func TestSetupDeadLink(t *testing.T) {
	b := newBench(t)
	b.onOffered = func(oauth.Secret) (bool, error) { return false, nil }
	for _, target := range []string{"/setup?token=old", "/setup", "/setup?token=a&token=b"} {
		w := b.get(target, asBrowser)
		wantPage(t, w, http.StatusBadRequest, page.MsgSetupLinkInvalid)
		wantHeader(t, w, "Set-Cookie", "")
		wantError(t, b.get(target), http.StatusBadRequest, "invalid_request")
	}
	b = newBench(t)
	b.onComplete = func(ports.SetupForm) (identity.User, []error, error) {
		refusal := oauth.Refuse(oauth.AccessDenied, "this link was used")
		refusal.Cause = ports.ErrNotFound
		return identity.User{}, nil, fmt.Errorf("setup: %w", refusal)
	}
	wantPage(t, b.post("/setup", setupForm.open(b, browserOne).Encode(), asBrowser, browserOne), http.StatusBadRequest, page.MsgSetupLinkInvalid)
}

// What is wrong with the form is said beside it; the passwords do not come back.
func TestSetupProblems(t *testing.T) {
	for _, tt := range []struct {
		problem error
		message page.Message
	}{
		{identity.ErrUsername, page.MsgUsernameInvalid}, {ports.ErrUsernameTaken, page.MsgUsernameTaken}, {identity.ErrEmail, page.MsgEmailInvalid},
		{identity.ErrPasswordShort, page.MsgPasswordShort}, {identity.ErrPasswordLong, page.MsgPasswordLong}, {identity.ErrPasswordNUL, page.MsgPasswordInvalid},
		{identity.ErrPasswordCommon, page.MsgPasswordCommon}, {ports.ErrPasswordsDiffer, page.MsgPasswordMismatch},
	} {
		b := newBench(t)
		b.onComplete = func(ports.SetupForm) (identity.User, []error, error) {
			return identity.User{}, []error{fmt.Errorf("field: %w", tt.problem)}, nil
		}
		fields := setupForm.open(b, browserOne)
		fields.Set("password", "hunter2hunter2")
		fields.Set("password_again", "hunter2hunter2")
		w := b.post("/setup", fields.Encode(), asBrowser, browserOne)
		wantPage(t, w, http.StatusOK, tt.message)
		if strings.Contains(w.Body.String(), "hunter") || !strings.Contains(w.Body.String(), `value="root"`) {
			t.Errorf("%v: %s", tt.problem, w.Body)
		}
		// The form that came back can be sent again.
		fields.Set("csrf", b.token(w))
		wantStatus(t, b.post("/setup", fields.Encode(), asBrowser, browserOne), http.StatusOK)
	}
}

func TestSetupFault(t *testing.T) {
	b := newBench(t)
	b.onComplete = func(ports.SetupForm) (identity.User, []error, error) {
		return identity.User{}, nil, errors.New("disk on fire")
	}
	fields := setupForm.open(b, browserOne)
	wantError(t, b.post("/setup", fields.Encode(), browserOne), http.StatusInternalServerError, "server_error")
	b.onComplete = func(ports.SetupForm) (identity.User, []error, error) { return identity.User{}, nil, ports.ErrBusy }
	wantPage(t, b.post("/setup", fields.Encode(), asBrowser, browserOne), http.StatusServiceUnavailable, page.MsgServerBusy)
}

// A link in the address of a page stays with this server: no other gets to see where a visitor comes from.
func TestSetupLinkStaysHere(t *testing.T) {
	page := newBench(t).get("/setup?token="+url.QueryEscape("link-1"), asBrowser)
	wantHeader(t, page, "Referrer-Policy", "no-referrer")
	if policy := page.Header().Get("Content-Security-Policy"); !strings.Contains(policy, "form-action 'self'") {
		t.Errorf("policy %q", policy)
	}
}
