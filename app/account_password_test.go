package app_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"latchkey/app/apptest"
	"latchkey/domain/audit"
	"latchkey/domain/identity"
)

const newPassword = "seven quiet harbours at dawn"

func changePassword(b *apptest.Browser, current, next string) apptest.Page {
	return b.Submit(b.Get("/account/password"), set("current", current, "password", next, "password_again", next))
}

// LG-11, RF-09: a new password ends every session and every token, offline ones too; this browser goes on with another
// cookie, and what was allowed stays allowed.
func TestChangePassword(t *testing.T) {
	p := apptest.New(t)
	web, spa := p.Client("web"), p.Client("spa")
	laptop, phone, tablet := device(p, firefoxOnLinux), device(p, chromeOnAndroid), p.Browser()
	signedIn(t, laptop, "alice", apptest.Password)
	here := web.SignIn(laptop, "alice")
	there := spa.SignIn(phone, "alice")
	code := web.Code(laptop, "alice")
	signedIn(t, tablet, "alice", apptest.Password)
	bob := web.SignIn(p.Browser(), "bob")
	p.Advance(time.Minute)

	before := laptop.Cookies()
	form := laptop.Get("/account/password")
	events := recorded(t, p, func() {
		page := laptop.Submit(form, set("current", apptest.Password, "password", newPassword, "password_again", newPassword))
		if page = wantAccount(t, page); !strings.Contains(page.Body, "Your password is changed") || strings.Contains(page.Body, `id="end-others"`) {
			t.Errorf("the page does not say so: %s", page.Body)
		}
	}, audit.LoginSucceeded, audit.PasswordChanged, audit.GrantRevoked, audit.GrantRevoked, audit.SessionEnded, audit.SessionEnded, audit.SessionEnded)
	for _, e := range events {
		if strings.Contains(fmt.Sprint(e), newPassword) {
			t.Errorf("a password is on record: %+v", e)
		}
		if e.Kind == audit.GrantRevoked && (e.Family == "" || e.Facts["reason"] != "password changed") {
			t.Errorf("revoked: %+v", e)
		}
	}
	after := laptop.Cookies()
	if before["latchkey-session"] == after["latchkey-session"] {
		t.Error("the cookie is the old one")
	}
	anonymous(t, phone)
	anonymous(t, tablet)
	thief := p.Browser()
	thief.SetCookie("latchkey-session", before["latchkey-session"])
	anonymous(t, thief)
	for _, r := range []struct {
		rp *apptest.RP
		apptest.Reply
	}{{web, here}, {spa, there}} {
		dead(t, r.rp, r.Get("access_token"))
		wantError(t, r.rp.Refresh(r.Get("refresh_token")), http.StatusBadRequest, "invalid_grant")
	}
	wantError(t, web.Exchange(code), http.StatusBadRequest, "invalid_grant")
	alive(t, web, bob.Get("access_token"))

	if page := p.Browser(); !page.Login(page.Get("/login"), "alice", apptest.Password).IsLogin() {
		t.Error("the old password still works")
	}
	if page := web.Authorize(laptop); page.Answer().Get("code") == "" {
		t.Errorf("what was allowed is asked for again: %d %s", page.Status, page.URL)
	}
	signedIn(t, p.Browser(), "alice", newPassword)
}

// LG-11: the current password, the policy and the second field, each before anything changes.
func TestChangePasswordRefused(t *testing.T) {
	p := apptest.New(t)
	laptop := p.Browser()
	signedIn(t, laptop, "alice", apptest.Password)
	for _, test := range []struct{ name, current, next, again, want string }{
		{"wrong", "not the password of alice", newPassword, newPassword, "This is not your current password."},
		{"none", "", newPassword, newPassword, "Your current password is needed."},
		{"short", apptest.Password, "harbours", "harbours", "The password is too short."},
		{"the user's own name", apptest.Password, "alicealicealicealice", "alicealicealicealice", "This password is too easy to guess."},
		{"two different", apptest.Password, newPassword, newPassword + " ", "The two passwords are not the same."},
		{"two different, beside the rest", "", "harbours", "harbour", "The two passwords are not the same."},
		{"the rest, beside two different", "", "harbours", "harbour", "The password is too short."},
	} {
		t.Run(test.name, func(t *testing.T) {
			unchanged(t, p, func() {
				page := laptop.Submit(laptop.Get("/account/password"), set("current", test.current, "password", test.next, "password_again", test.again))
				if page.Status != http.StatusOK || !strings.Contains(page.Body, test.want) || !strings.Contains(page.Body, `<title>Error: `) {
					t.Errorf("%d %s", page.Status, page.Body)
				}
				if strings.Contains(page.Body, "harbours") || strings.Contains(page.Body, apptest.Password) {
					t.Error("a password comes back")
				}
			})
		})
	}
}

// LG-06: guesses at the current password count against the account like any other, and the lock holds at every door.
func TestAccountPasswordIsLocked(t *testing.T) {
	p := apptest.New(t)
	laptop := p.Browser()
	signedIn(t, laptop, "alice", apptest.Password)
	for range identity.AccountAttempts {
		changePassword(laptop, "not the password of alice", newPassword)
	}
	unchanged(t, p, func() {
		page := changePassword(laptop, apptest.Password, newPassword)
		if page.Status != http.StatusTooManyRequests || page.Header.Get("Retry-After") == "" || !strings.Contains(page.Body, "Wait 15 minutes") {
			t.Errorf("%d %v %s", page.Status, page.Header, page.Body)
		}
		b := p.Browser()
		if page := b.Login(b.Get("/login"), "alice", apptest.Password); page.Status != http.StatusTooManyRequests {
			t.Errorf("the login page: %d", page.Status)
		}
	})
	if n := len(p.Events(audit.LoginLocked)); n != 1 {
		t.Errorf("%d locks on record", n)
	}
	p.Advance(identity.AttemptWindow)
	wantAccount(t, changePassword(laptop, apptest.Password, newPassword))
}
