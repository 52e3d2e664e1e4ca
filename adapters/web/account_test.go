package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"latchkey/adapters/web/page"
	"latchkey/domain/identity"
	"latchkey/domain/oidc"
	"latchkey/ports"

	"github.com/google/go-cmp/cmp"
)

// Whoever is signed out is sent to sign in, and from there to the account and to nowhere else.
func TestAccountLeadsThroughLogin(t *testing.T) {
	b := newBench(t)
	signedOut := func(ports.Browser) (identity.Session, identity.User, error) {
		return identity.Session{}, identity.User{}, nil
	}
	b.onAccount = func() (ports.Account, error) { return ports.Account{}, ports.ErrSignedOut }
	b.onCurrent = signedOut
	for _, path := range []string{"/account", "/account/password", "/account/email"} {
		w := b.get(path, asBrowser, browserOne)
		wantStatus(t, w, http.StatusSeeOther)
		wantHeader(t, w, "Location", "/login?next=account")
	}
	for next, want := range map[string]string{"?next=account": "/account", "": "/", "?next=https://evil.test": "/", "?next=//evil.test/account": "/"} {
		page := b.get("/login"+next, asBrowser, browserOne)
		action := "/login"
		if want == "/account" {
			action = "/login?next=account"
		}
		if !strings.Contains(page.Body.String(), `<form method="post" action="`+action+`">`) {
			t.Errorf("%s: %s", next, page.Body)
		}
		fields := url.Values{"username": {"alice"}, "password": {"p"}, "csrf": {b.token(page)}}
		w := b.post("/login"+next, fields.Encode(), asBrowser, browserOne)
		wantStatus(t, w, http.StatusSeeOther)
		wantHeader(t, w, "Location", want)
	}
}

// What a form of the account answers: a page to go on from, with the status the problem has.
func TestAccountProblems(t *testing.T) {
	email := ownForms[slices.IndexFunc(ownForms, func(o ownForm) bool { return o.action == "/account/email" })]
	tests := []struct {
		name    string
		change  ports.AccountChange
		current []string // what the form has of it
		status  int
		texts   []string
		lacks   string
	}{
		{"password not asked yet", ports.AccountChange{Problems: []error{ports.ErrPasswordNeeded}}, nil, 200,
			[]string{"Save the new email address?", `name="email" value="new@mail.test"`, `id="current"`}, `role="alert"`},
		{"password left empty", ports.AccountChange{Problems: []error{ports.ErrPasswordNeeded}}, []string{""}, 200,
			[]string{`role="alert"`, `href="#current"`, `name="email" value="new@mail.test"`}, "hunter2"},
		{"wrong password", ports.AccountChange{Problems: []error{ports.ErrPasswordWrong}}, []string{"hunter2"}, 200,
			[]string{"<title>Error: ", `aria-invalid="true" aria-describedby="current-problem"`}, "hunter2"},
		{"locked", ports.AccountChange{Problems: []error{ports.ErrLocked}, RetryAfter: 61 * time.Second}, []string{"hunter2"}, 429,
			[]string{"Wait 2 minutes"}, "hunter2"},
		{"busy", ports.AccountChange{Problems: []error{ports.ErrBusy}, RetryAfter: 5 * time.Second}, []string{"hunter2"}, 503,
			[]string{"The server is busy"}, "hunter2"},
		{"no address", ports.AccountChange{Problems: []error{identity.ErrEmail}}, nil, 200,
			[]string{"Change your email address", `value="new@mail.test"`, `href="#email"`}, `id="current"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t)
			fields := email.open(b, browserOne)
			if fields.Del("current"); test.current != nil {
				fields["current"] = test.current
			}
			b.onChange = func(any) (ports.AccountChange, error) { return test.change, nil }
			w := b.post(email.action, fields.Encode(), asBrowser, browserOne)
			wantStatus(t, w, test.status)
			for _, text := range test.texts {
				if !strings.Contains(w.Body.String(), text) {
					t.Errorf("the page lacks %q: %s", text, w.Body)
				}
			}
			if strings.Contains(w.Body.String(), test.lacks) {
				t.Errorf("the page has %q", test.lacks)
			}
			if test.change.RetryAfter > 0 {
				wantHeader(t, w, "Retry-After", strconv.Itoa(int(test.change.RetryAfter/time.Second)))
			}
			if policy := w.Header().Get("Content-Security-Policy"); !strings.Contains(policy, "form-action 'self'") {
				t.Errorf("policy %q", policy)
			}
		})
	}
}

// AD-05: what is not there and what is somebody else's are one answer; a page of another person is another.
func TestAccountRefusals(t *testing.T) {
	for problem, want := range map[error]struct {
		status  int
		message page.Message
	}{
		ports.ErrNotFound:  {http.StatusNotFound, page.MsgNotFound},
		ports.ErrOtherUser: {http.StatusConflict, page.MsgWrongAccount},
	} {
		for _, o := range ownForms {
			if !strings.HasPrefix(o.action, "/account/") || o.action == totpPath && problem == ports.ErrNotFound {
				continue
			}
			b := newBench(t)
			fields := o.open(b, browserOne)
			b.onChange = func(any) (ports.AccountChange, error) { return ports.AccountChange{Problems: []error{problem}}, nil }
			wantPage(t, b.post(o.action, fields.Encode(), asBrowser, browserOne), want.status, want.message)
		}
	}
}

// What a form did is said once, after the redirect, and only in our own words.
func TestAccountDone(t *testing.T) {
	b := newBench(t)
	for done, want := range map[string]string{"password": "Your password is changed", "sessions": "All other browsers are signed out",
		"": "", "no.such": "", "<script>": ""} {
		page := b.get("/account?done="+url.QueryEscape(done), asBrowser, browserOne).Body.String()
		if strings.Contains(page, `role="status"`) != (want != "") || !strings.Contains(page, want) {
			t.Errorf("%q: %s", done, page)
		}
	}
	for _, o := range ownForms {
		if !strings.HasPrefix(o.action, "/account/") || o.action == totpPath+"/new" || o.action == "/account/recovery-codes" {
			continue // what they lead to is another page
		}
		fields := o.open(b, browserOne)
		b.onChange = func(any) (ports.AccountChange, error) { return ports.AccountChange{Cookie: "new-session"}, nil }
		w := b.post(o.action, fields.Encode(), asBrowser, browserOne)
		wantStatus(t, w, http.StatusSeeOther)
		done, ours := strings.CutPrefix(w.Header().Get("Location"), "/account?done=")
		if accountDone[done] == "" || !ours {
			t.Errorf("%s: Location %q", o.action, w.Header().Get("Location"))
		}
		if c := cookiesSet(w)["__Host-latchkey-session"]; c == nil || c.Value != "new-session" {
			t.Errorf("%s: cookies %v", o.action, cookiesSet(w))
		}
	}
}

// UI-06, AD-06: of a form only its own fields are read.
func TestAccountFormsIgnoreTheRest(t *testing.T) {
	for _, o := range ownForms {
		if !strings.HasPrefix(o.action, "/account/") {
			continue
		}
		var got [2]any
		for i := range got {
			b := newBench(t)
			fields := o.open(b, browserOne)
			if i == 1 {
				for _, name := range []string{"sub", "admin", "groups", "email_verified", "disabled", "password_hash", "User"} {
					fields.Set(name, "user-2")
				}
			}
			b.onChange = func(form any) (ports.AccountChange, error) {
				got[i] = form
				return ports.AccountChange{}, nil
			}
			b.post(o.action, fields.Encode(), asBrowser, browserOne)
		}
		if diff := cmp.Diff(got[0], got[1]); diff != "" || got[0] == nil {
			t.Errorf("%s reads more: %v %s", o.action, got[0], diff)
		}
	}
}

// WB-07: what another computer called itself is shown as a kind of browser, never as it came.
func TestAccountUserAgentIsNotShown(t *testing.T) {
	b := newBench(t)
	b.onAccount = func() (ports.Account, error) {
		s := identity.Session{ID: "sid-1", UserAgent: `<script>alert(1)</script> Firefox/1 X11; Linux`, IP: `<b>1</b>`}
		return ports.Account{User: alice, Session: s, Sessions: []ports.AccountSession{{Session: s}}}, nil
	}
	page := b.get("/account", asBrowser, browserOne).Body.String()
	if strings.Contains(page, "alert") || strings.Contains(page, "<b>") || !strings.Contains(page, "Firefox on Linux") {
		t.Error(page)
	}
}

// The page of the codes tells what to do with the reference that error_uri brought, and shows nothing that is none: a link
// to it may come from anybody (WB-05). Administrators are led on to the explanation.
func TestReferenceOnErrorCodes(t *testing.T) {
	const command, link = "latchkey explain err_3gdx5ttng2fkygtp", `href="/admin/explain?ref=err_3gdx5ttng2fkygtp"`
	for _, c := range []struct {
		name, ref   string
		user        identity.User
		shown, link bool
	}{
		{"a developer", "err_3gdx5ttng2fkygtp", identity.User{}, true, false},
		{"a user", "err_3gdx5ttng2fkygtp", alice, true, false},
		{"an administrator", "err_3gdx5ttng2fkygtp", carol, true, true},
		{"none", "", carol, false, false},
		{"words of somebody else", "err_call 0800 1234567", carol, false, false},
		{"of the right length", "err_$(reboot)0123456", carol, false, false},
		{"too long", "err_3gdx5ttng2fkygtpa", carol, false, false},
	} {
		b := newBench(t)
		b.onCurrent = func(ports.Browser) (identity.Session, identity.User, error) {
			return identity.Session{ID: "sid-1"}, c.user, nil
		}
		page := b.get("/errors?ref="+url.QueryEscape(c.ref), asBrowser, signedInCookie).Body.String()
		if strings.Contains(page, command) != c.shown || strings.Contains(page, link) != c.link || strings.Contains(page, "latchkey explain") != c.shown {
			t.Errorf("%s: %s", c.name, page)
		}
	}
}

// settingsOf answers with settings of one's choice.
type settingsOf struct {
	ports.Publications
	settings oidc.Settings
	err      error
}

func (s settingsOf) Settings(context.Context) (oidc.Settings, error) { return s.settings, s.err }

// Every page says whose sign-in it is and where help is, in the same place; settings that cannot be read are no reason for
// no page (3.2.6).
func TestOrganisationAndHelp(t *testing.T) {
	settings := oidc.Settings{OrganisationName: "Kopi & Co", Support: "mailto:help@kopi.example"}
	for _, test := range []struct {
		name  string
		from  settingsOf
		brand string
		help  string
	}{
		{"set", settingsOf{settings: settings}, "Kopi &amp; Co", `<p><a id="help" href="mailto:help@kopi.example">Help</a></p>`},
		{"a page for help", settingsOf{settings: oidc.Settings{Support: "https://kopi.example/help"}}, "Latchkey", `<a id="help" href="https://kopi.example/help">`},
		{"a script for help", settingsOf{settings: oidc.Settings{Support: "javascript:alert(1)"}}, "Latchkey", ""},
		{"unreadable", settingsOf{settings: settings, err: ports.ErrUnavailable}, "Latchkey", ""},
	} {
		b := newBench(t, func(c *Config) { c.Publications = test.from })
		for path, status := range map[string]int{"/": 200, "/account": 200, "/errors": 200, "/nothing": 404} {
			w := b.get(path, asBrowser, browserOne)
			wantStatus(t, w, status)
			page := w.Body.String()
			if !strings.Contains(page, "<span>"+test.brand+"</span></header>") || !strings.Contains(page, "· "+test.brand+"</title>") {
				t.Errorf("%s: %s is not of %s: %s", test.name, path, test.brand, page)
			}
			if strings.Contains(page, `id="help"`) != (test.help != "") || !strings.Contains(page, test.help) {
				t.Errorf("%s: %s: the help link is not %q", test.name, path, test.help)
			}
		}
	}
}
