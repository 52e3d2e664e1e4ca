package app_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey/adapters/chance"
	"latchkey/app"
	"latchkey/app/apptest"
	"latchkey/app/session"
	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/ports"
)

// wrong is nobody's password.
const wrong = "a password of nobody here"

// tryLogin signs in to the provider itself on a fresh login page.
func tryLogin(b *apptest.Browser, username, password string) apptest.Page {
	return b.Login(b.Get("/login"), username, password)
}

// wantLocked checks the page that refuses guesses, whatever the password.
func wantLocked(t *testing.T, b *apptest.Browser, page apptest.Page, retryAfter string) {
	t.Helper()
	if page.Status != http.StatusTooManyRequests || page.Location != "" || page.Header.Get("Retry-After") != retryAfter {
		t.Errorf("want 429 for %s s: %d, Retry-After %q", retryAfter, page.Status, page.Header.Get("Retry-After"))
	}
	if isSignedIn(b) {
		t.Error("a refused attempt signed in")
	}
}

// isSignedIn reports whether the browser has a session.
func isSignedIn(b *apptest.Browser) bool {
	return strings.Contains(b.Get("/").Body, "You are signed in as")
}

var chosenAnew = regexp.MustCompile(`(name="csrf" value=|name="interaction" value=|interaction=)"?[\w.-]+`)

// seen is what a stranger can compare of two pages: all but what is chosen anew for each, and the name typed.
func seen(page apptest.Page, name string) string {
	header := page.Header.Clone()
	for _, h := range []string{"Date", "X-Request-Id", "Content-Length"} {
		header.Del(h)
	}
	cookies := header["Set-Cookie"]
	for i, c := range cookies {
		name, rest, _ := strings.Cut(c, "=")
		_, attributes, _ := strings.Cut(rest, ";")
		cookies[i] = name + ";" + attributes
	}
	body := chosenAnew.ReplaceAllString(page.Body, "$1")
	return fmt.Sprintf("%d %v\n%s", page.Status, header, strings.ReplaceAll(body, name, "NAME"))
}

// A stranger must not learn who has an account, or which account is disabled.
func TestLoginTellsNothing(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	web := p.Client("web")
	failed := func(t *testing.T, name, password string, kind audit.Kind) string {
		t.Helper()
		b := p.Browser()
		login, page := web.Authorize(b), apptest.Page{}
		recorded(t, p, func() { page = b.Login(login, name, password) }, kind)
		if !page.IsLogin() || page.Status != http.StatusOK || isSignedIn(b) {
			t.Errorf("%s: %d %s", name, page.Status, page.URL)
		}
		return seen(page, name)
	}
	known := failed(t, "alice", wrong, audit.LoginFailed)

	t.Run("LG-01", func(t *testing.T) {
		if diff := cmp.Diff(known, failed(t, "nobody", wrong, audit.LoginFailed)); diff != "" {
			t.Errorf("alice and nobody (-alice +nobody):\n%s", diff)
		}
	})
	t.Run("LG-07", func(t *testing.T) {
		if diff := cmp.Diff(known, failed(t, "dave", apptest.Password, audit.LoginDisabled)); diff != "" {
			t.Errorf("a disabled user with the right password (-alice +dave):\n%s", diff)
		}
		if diff := cmp.Diff(known, failed(t, "dave", wrong, audit.LoginFailed)); diff != "" {
			t.Errorf("a disabled user with a wrong password (-alice +dave):\n%s", diff)
		}
	})
	t.Run("LG-13", func(t *testing.T) {
		hinted := func(name string) string {
			page := web.Authorize(p.Browser(), set("login_hint", name))
			if !page.IsLogin() || !strings.Contains(page.Body, `value="`+name+`"`) {
				t.Errorf("%s: no login page with the name filled in: %d %s", name, page.Status, page.URL)
			}
			return seen(page, name)
		}
		want := hinted("nobody")
		for _, name := range []string{"alice", "alice@example.com", "dave"} {
			if diff := cmp.Diff(want, hinted(name)); diff != "" {
				t.Errorf("login_hint (-nobody +%s):\n%s", name, diff)
			}
		}
	})
}

// Guesses are bounded for each account, however it is spelt and wherever the guesses come from.
func TestLoginLocksAccount(t *testing.T) {
	t.Parallel()

	t.Run("LG-03", func(t *testing.T) {
		t.Parallel()
		p := apptest.New(t)
		b := p.Browser()
		want := append(slices.Repeat([]audit.Kind{audit.LoginFailed}, identity.AccountAttempts), audit.LoginLocked)
		recorded(t, p, func() {
			for range identity.AccountAttempts {
				if page := tryLogin(b, "alice", wrong); page.Status != http.StatusOK || !page.IsLogin() {
					t.Fatalf("%d %s", page.Status, page.URL)
				}
			}
			for range 3 {
				wantLocked(t, b, tryLogin(b, "alice", apptest.Password), "900")
			}
		}, want...)
		if tryLogin(p.Browser(), "bob", apptest.Password).Status != http.StatusOK {
			t.Error("bob is locked with alice")
		}
		p.Advance(identity.AttemptWindow - 1e9)
		wantLocked(t, b, tryLogin(b, "alice", apptest.Password), "1")
		p.Advance(1e9)
		if tryLogin(b, "alice", apptest.Password); !isSignedIn(b) {
			t.Error("alice is locked for good")
		}
	})
	t.Run("LG-05", func(t *testing.T) {
		t.Parallel()
		p := apptest.New(t)
		spellings := []string{"alice", "ALICE", " alice ", "ａｌｉｃｅ", "Alice@Example.com"}
		for i := range identity.AccountAttempts {
			tryLogin(p.Browser(), spellings[i%len(spellings)], wrong)
		}
		for _, name := range spellings {
			b := p.Browser()
			wantLocked(t, b, tryLogin(b, name, apptest.Password), "900")
		}
		if n := len(p.Events(audit.LoginFailed)); n != identity.AccountAttempts {
			t.Errorf("%d guesses were compared", n)
		}
		if n := len(p.Events(audit.LoginLocked)); n != 1 {
			t.Errorf("%d locks of one account", n)
		}
		p.Advance(identity.AttemptWindow)
		for _, name := range spellings { // each of them is alice, or the test shows nothing
			b := p.Browser()
			if tryLogin(b, name, apptest.Password); !isSignedIn(b) {
				t.Errorf("%q is not alice", name)
			}
		}
	})
	t.Run("LG-14", func(t *testing.T) {
		t.Parallel()
		p := apptest.New(t)
		var compared, callers atomic.Int64
		auth := &session.Authenticator{Store: p.Store, Secrets: chance.Source{}, Now: p.Now, Scale: 1,
			Passwords: passwords(func(context.Context) (bool, error) { compared.Add(1); return false, nil })}
		guess := func() ports.LoginProblem { // each from an address of its own
			ip := fmt.Sprintf("192.0.2.%d", callers.Add(1))
			_, login, err := auth.Verify(t.Context(), audit.Caller{RequestID: "req_test", IP: ip}, ports.LoginForm{Username: "alice", Password: wrong})
			if err != nil {
				t.Error(err)
			}
			return login.Problem
		}
		for range identity.AccountAttempts - 1 {
			guess()
		}
		compared.Store(0)
		refused := 0
		for _, problem := range parallel(100, guess) {
			if problem == ports.LoginLocked {
				refused++
			}
		}
		if n := compared.Load(); n != 1 || refused != 99 {
			t.Errorf("%d guesses were compared and %d refused, want 1 and 99", n, refused)
		}
		if n := len(p.Events(audit.LoginLocked)); n != 1 {
			t.Errorf("%d locks", n)
		}
	})
	t.Run("LG-15", func(t *testing.T) {
		t.Parallel()
		p := apptest.New(t)
		for range identity.AccountAttempts {
			tryLogin(p.Browser(), "alice", wrong)
		}
		// What was counted for bob stays counted though each of his requests ends in a fault.
		fault := errors.New("a fault of the machine")
		auth := &session.Authenticator{Store: p.Store, Secrets: chance.Source{}, Now: p.Now, Scale: 1,
			Passwords: passwords(func(context.Context) (bool, error) { return false, fault })}
		for range identity.AccountAttempts {
			if _, _, err := auth.Verify(t.Context(), audit.Caller{RequestID: "req_test", IP: "192.0.2.1"},
				ports.LoginForm{Username: "bob", Password: wrong}); !errors.Is(err, fault) {
				t.Fatal(err)
			}
		}
		p.Restart()
		for _, name := range []string{"alice", "bob"} {
			b := p.Browser()
			wantLocked(t, b, tryLogin(b, name, apptest.Password), "900")
		}
	})
}

// Guesses are bounded for each address, whoever they are about.
func TestLoginLocksAddress(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		guessing []string // in turn
		other    string
	}{
		"LG-04 IPv4": {[]string{"192.0.2.1"}, "192.0.2.2"},
		"LG-04 IPv6": {[]string{"2001:db8::1", "2001:db8::2", "2001:db8::ffff:0:0:1"}, "2001:db8:0:1::1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := apptest.New(t)
			p.Restart(func(c *app.Config) { c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} })
			from := func(ip string) *apptest.Browser {
				b := p.Browser()
				b.Header.Set("X-Forwarded-For", ip)
				return b
			}
			for i := range identity.AddressAttempts {
				if page := tryLogin(from(c.guessing[i%len(c.guessing)]), fmt.Sprintf("user%d", i), wrong); page.Status != http.StatusOK {
					t.Fatalf("attempt %d: %d", i+1, page.Status)
				}
			}
			for _, ip := range c.guessing {
				b := from(ip)
				wantLocked(t, b, tryLogin(b, "alice", apptest.Password), "900")
			}
			if n := len(p.Events(audit.LoginLocked)); n != 1 {
				t.Errorf("%d locks of one address", n)
			}
			b := from(c.other)
			if tryLogin(b, "alice", apptest.Password); !isSignedIn(b) {
				t.Errorf("%s is locked with %v", c.other, c.guessing)
			}
		})
	}
}

// A hash of older parameters is replaced when its password is there to hash again.
func TestLoginUpgradesHash(t *testing.T) {
	t.Parallel()
	stored := func(p *apptest.Provider) (hash string) {
		update(t, p, func(tx ports.Tx) error {
			user, err := tx.UserByLogin("alice")
			hash = user.Password
			return err
		})
		return hash
	}
	older := func(t *testing.T) *apptest.Provider {
		t.Helper()
		p := apptest.New(t)
		p.Restart(func(c *app.Config) { c.PasswordIterations = 2000 })
		if h := stored(p); !strings.Contains(h, "$i=1000$") {
			t.Fatalf("hash before: %s", h)
		}
		return p
	}

	t.Run("LG-10 in parallel", func(t *testing.T) {
		p := older(t)
		old := stored(p)
		browsers := make(chan *apptest.Browser, 2)
		browsers <- p.Browser()
		browsers <- p.Browser()
		for _, in := range parallel(2, func() bool {
			b := <-browsers
			tryLogin(b, "alice", apptest.Password)
			return isSignedIn(b)
		}) {
			if !in {
				t.Error("one of two sign-ins failed")
			}
		}
		upgraded := stored(p)
		if upgraded == old || !strings.Contains(upgraded, "$i=2000$") {
			t.Errorf("hash after: %s", upgraded)
		}
		if b := p.Browser(); tryLogin(b, "alice", wrong).Status != http.StatusOK || isSignedIn(b) {
			t.Error("the new hash is of another password")
		}
		b := p.Browser()
		if tryLogin(b, "alice", apptest.Password); !isSignedIn(b) || stored(p) != upgraded {
			t.Error("the new hash was not used, or replaced again")
		}
	})
	t.Run("LG-10 interleaved", func(t *testing.T) {
		p := older(t)
		auth := &session.Authenticator{Store: p.Store, Secrets: chance.Source{}, Now: p.Now, Scale: 1, Passwords: p.Admin.Passwords}
		caller, form := audit.Caller{RequestID: "req_test", IP: "192.0.2.1"}, ports.LoginForm{Username: "alice", Password: apptest.Password}
		var both [2]session.Verified
		for i := range both { // both read the old hash before either replaces it
			v, login, err := auth.Verify(t.Context(), caller, form)
			if err != nil || login.Problem != "" {
				t.Fatalf("%s %v", login.Problem, err)
			}
			both[i] = v
		}
		var hashes []string
		for _, v := range both {
			update(t, p, func(tx ports.Tx) error {
				login, err := auth.BeginSignIn(tx, v, caller, "", chance.Source{}.Secret(), "", p.Now())
				if login.Cookie == "" {
					t.Error("a sign-in failed because of another")
				}
				return err
			})
			hashes = append(hashes, stored(p))
		}
		if !strings.Contains(hashes[0], "$i=2000$") || hashes[0] != hashes[1] {
			t.Errorf("upgraded twice: %v", hashes)
		}
	})
}

// One tab shows alice what an application asks of her. Meanwhile bob signs in in another. Her answer is not his.
func TestLoginOfAnotherWhileConsentIsAsked(t *testing.T) {
	t.Parallel()
	for name, his := range map[string]url.Values{
		"AZ-14; CN-03: he agreed to the same":     set("prompt", "login"),
		"AZ-14; CN-03: he agreed to less":         set("prompt", "login", "scope", "openid"),
		"AZ-14; CN-03: he only looks at the page": nil,
	} {
		t.Run(name, func(t *testing.T) {
			p := apptest.New(t)
			web, evil, b := p.Client("web"), p.Client("evil"), p.Browser()
			web.Code(b, "alice") // signed in before evil asks
			hers := evil.Authorize(b)
			if !hers.IsConsent() || !strings.Contains(hers.Body, "alice") {
				t.Fatalf("no consent page of alice: %d %s", hers.Status, hers.URL)
			}
			page := b.Login(evil.Authorize(b, set("prompt", "login"), his), "bob", apptest.Password)
			if page.IsConsent() && his != nil {
				page = b.Allow(page)
			}
			if his != nil && page.Answer().Get("code") == "" {
				t.Fatalf("bob: %d %s", page.Status, page.URL)
			}
			before := digest(t, p)
			events := recorded(t, p, func() { hers = b.Allow(hers) })
			if !hers.IsLogin() || len(events) != 0 {
				t.Errorf("alice's answer: %d %s", hers.Status, hers.URL)
			}
			after := digest(t, p)
			for _, table := range []string{"code", "grant", "token_family"} {
				if diff := cmp.Diff(before[table], after[table]); diff != "" {
					t.Errorf("%s (-before +after):\n%s", table, diff)
				}
			}
			// She signs in again, and is asked again.
			if hers = b.Login(hers, "alice", apptest.Password); !hers.IsConsent() {
				t.Fatalf("%d %s", hers.Status, hers.URL)
			}
			if e := b.Deny(hers).Answer().Get("error"); e != "access_denied" {
				t.Errorf("her own no: %q", e)
			}
		})
	}
}
