package app_test

import (
	"context"
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

// wrongPasswords is told what comes beside each password, all of which are wrong.
type wrongPasswords struct {
	passwords
	told func(ports.Beside)
}

func (b wrongPasswords) Verify(_ context.Context, _, _ string, with ports.Beside) (match, outdated bool, err error) {
	b.told(with)
	return false, false, nil
}

// RL-04: what came from the same network within the quarter hour decides whose turn it is, and what is still being looked at
// is no wrong password.
func TestWrongPasswordsWaitBehindOthers(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	var seen ports.Beside
	var meanwhile func()
	a := &session.Authenticator{Store: p.Store, Secrets: chance.Source{}, Now: p.Now, Scale: 1, Passwords: wrongPasswords{told: func(b ports.Beside) {
		if next := meanwhile; next != nil {
			meanwhile = nil
			next()
			return // what next has seen
		}
		seen = b
	}}}
	guess := func(ip string) {
		if _, login, err := a.Verify(t.Context(), audit.Caller{RequestID: "req_test", IP: ip}, ports.LoginForm{Username: "bob", Password: "a guess"}); err != nil || login.Problem != ports.LoginFailed {
			t.Fatal(login.Problem, err)
		}
	}
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
