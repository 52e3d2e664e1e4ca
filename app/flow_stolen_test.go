package app_test

import (
	"net/http"
	"strings"
	"testing"

	"latchkey/app/apptest"
	"latchkey/domain/audit"
)

// MF-04: somebody who knows the password too, in a session of their own, has no part in the second factor that the owner
// adds: they do not see its secret, and what they prepared is not what the owner takes over.
func TestOfferIsOfItsSession(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	thief, owner := p.Browser(), p.Browser()
	signedIn(t, thief, "bob", apptest.Password)
	signedIn(t, owner, "bob", apptest.Password)
	prepared := thief.Submit(thief.Get("/account/totp"), nil)
	planted := p.Scan(prepared)
	if page := owner.Get("/account/totp"); strings.Contains(page.Body, `id="secret"`) {
		t.Error("the owner is shown the secret that somebody else made")
	}
	phone := p.Scan(owner.Submit(owner.Get("/account/totp"), nil))
	if string(phone.Seed) == string(planted.Seed) {
		t.Error("the owner is given the secret that somebody else made")
	}
	if page := thief.Get("/account/totp"); strings.Contains(page.Body, `id="secret"`) {
		t.Error("somebody else is shown the secret of the owner")
	}
	if page := thief.Submit(prepared, set("code", planted.Code())); hasFactor(p) {
		t.Errorf("what the owner replaced is confirmed: %d %s", page.Status, page.URL)
	}
	page := owner.Submit(owner.Get("/account/totp"), set("code", phone.Code()))
	if len(apptest.RecoveryCodes(page)) == 0 || !hasFactor(p) {
		t.Errorf("the owner cannot confirm: %d %s", page.Status, page.URL)
	}
}

// MF-04: once there is a second factor, the password changes nothing any more in a session that began without it, and makes
// it no younger.
func TestPasswordAloneChangesNothing(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	thief, owner := p.Browser(), p.Browser()
	signedIn(t, thief, "bob", apptest.Password)
	passwords, emails := thief.Get("/account/password"), thief.Get("/account/email")
	signedIn(t, owner, "bob", apptest.Password)
	p.Enrol(owner)
	others := formOn(t, thief.Get("/account"), "/account/sessions", "")
	for name, fields := range map[string]map[string]string{
		"/account/password": {"csrf": formFields(thief, passwords).Get("csrf"), "current": apptest.Password, "password": newPassword, "password_again": newPassword},
		"/account/email":    {"csrf": formFields(thief, emails).Get("csrf"), "current": apptest.Password, "email": "thief@example.org"},
		"/account/sessions": {"csrf": others.Get("csrf"), "others": "true", "current": apptest.Password},
	} {
		form := set()
		for k, v := range fields {
			form.Set(k, v)
		}
		if page := thief.Do("POST", name, form, nil); page.Status != http.StatusSeeOther || page.Location != "/second-factor?next=account" {
			t.Errorf("%s: %d %s", name, page.Status, page.Location)
		}
	}
	for _, kind := range []audit.Kind{audit.PasswordChanged, audit.EmailChanged, audit.SessionEnded} {
		if events := p.Events(kind); len(events) > 0 {
			t.Errorf("%v", events)
		}
	}
	if !isSignedIn(owner) {
		t.Error("the owner was signed out")
	}
}
