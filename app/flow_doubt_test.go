package app_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/adapters/chance"
	"latchkey/app/apptest"
	"latchkey/app/session"
	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/ports"
)

// wrongPasswords is told what comes beside each password, all of which are wrong, or fail to be compared.
type wrongPasswords struct {
	passwords
	told func(ports.Beside) error
}

func (b wrongPasswords) Verify(_ context.Context, _, _ string, with ports.Beside) (match, outdated bool, err error) {
	return false, false, b.told(with)
}

// RL-04: what came from the same network within the quarter hour decides whose turn it is, and what is still being looked at
// is no wrong password.
func TestWrongPasswordsWaitBehindOthers(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	var seen ports.Beside
	var meanwhile func()
	var fault error
	a := &session.Authenticator{Store: p.Store, Secrets: chance.Source{}, Now: p.Now, Scale: 1, Passwords: wrongPasswords{told: func(b ports.Beside) error {
		if next := meanwhile; next != nil {
			meanwhile = nil
			next()
			return nil // what next has seen
		}
		seen = b
		return fault
	}}}
	guess := func(ip string) {
		if _, login, err := a.Verify(t.Context(), audit.Caller{RequestID: "req_test", IP: ip}, ports.LoginForm{Username: "bob", Password: "a guess"}); !errors.Is(err, fault) || err == nil && login.Problem != ports.LoginFailed {
			t.Fatal(login.Problem, err)
		}
	}
	left := fmt.Errorf("%w: %w", ports.ErrInterrupted, context.Canceled)
	for _, step := range []struct {
		name string
		ip   string
		do   func()
		want ports.Beside
	}{
		{"the first", "2001:db8::1", nil, ports.Beside{}},
		{"the second, of the same network", "2001:db8::2", nil, ports.Beside{Wrong: 1}},
		{"of another network", "2001:db8:0:1::1", nil, ports.Beside{}},
		{"the third", "2001:db8::1", nil, ports.Beside{Wrong: 2}},
		{"one beside the fourth", "2001:db8::1", func() { meanwhile = func() { guess("2001:db8::1") } }, ports.Beside{Wrong: 3, Pending: 1}},
		{"when nothing is limited", "2001:db8::1", func() { a.Scale = 0 }, ports.Beside{}},
		{"after the window", "2001:db8::1", func() { a.Scale = 1; p.Advance(identity.AttemptWindow + time.Second) }, ports.Beside{}},
		{"who hangs up while it is compared", "192.0.2.1", func() { fault = left }, ports.Beside{}},
		{"has guessed, and hangs up while it waits", "192.0.2.1", func() { fault = context.Canceled }, ports.Beside{Wrong: 1}},
		{"which is no guess", "192.0.2.1", func() { fault = nil }, ports.Beside{Wrong: 1, Pending: 1}},
	} {
		if step.do != nil {
			step.do()
		}
		guess(step.ip)
		if diff := cmp.Diff(step.want, seen); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.name, diff)
		}
	}
}

// A right password takes a wrong one of its network back, so that an office where some mistype does not wait behind guesses.
func TestRightPasswordsTakeWrongOnesBack(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	wrong := func() (n int) {
		if err := p.Store.View(t.Context(), func(r ports.Reader) error {
			a, err := r.Attempts("wrong:127.0.0.1")
			n = a.Recent(p.Now())
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for i, step := range []struct {
		password string
		want     int
	}{{"a guess", 1}, {"a guess", 2}, {apptest.Password, 1}, {apptest.Password, 0}, {apptest.Password, 0}, {"a guess", 1}} {
		b := p.Browser()
		b.Login(b.Get("/login"), "bob", step.password)
		if n := wrong(); n != step.want {
			t.Errorf("after step %d: %d wrong, want %d", i, n, step.want)
		}
	}
}
