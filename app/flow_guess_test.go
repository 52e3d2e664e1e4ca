package app_test

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"latchkey/adapters/chance"
	"latchkey/app/apptest"
	"latchkey/app/session"
	"latchkey/domain/audit"
	"latchkey/ports"
)

// guesser tries passwords from an address; evaluated counts those that were compared.
func guesser(p *apptest.Provider) (guess func(ip, name string) ports.LoginProblem, evaluated *atomic.Int32) {
	evaluated = &atomic.Int32{}
	a := &session.Authenticator{Store: p.Store, Secrets: chance.Source{}, Now: p.Now, Scale: 1,
		Passwords: passwords(func(context.Context) (bool, error) { evaluated.Add(1); return false, nil })}
	return func(ip, name string) ports.LoginProblem {
		_, login, err := a.Verify(context.Background(), audit.Caller{RequestID: "req_test", IP: ip}, ports.LoginForm{Username: name, Password: "a guess"})
		if err != nil {
			return ports.LoginProblem(err.Error())
		}
		return login.Problem
	}, evaluated
}

func TestGuessing(t *testing.T) {
	t.Parallel()
	t.Run("LG-03, LG-15 an account locks, once, across a restart, and opens again", func(t *testing.T) {
		p := apptest.New(t)
		b := p.Browser()
		web := p.Client("web")
		for range 10 {
			if page := b.Login(web.Authorize(b), "alice", "a wrong password"); page.Status != http.StatusOK || !page.IsLogin() {
				t.Fatalf("%d %s", page.Status, page.URL)
			}
		}
		p.Restart()
		for range 2 {
			page := b.Login(web.Authorize(b), "alice", apptest.Password)
			if page.Status != http.StatusTooManyRequests || page.Header.Get("Retry-After") == "" || b.Cookies()["latchkey-session"] != "" {
				t.Errorf("locked: %d %v", page.Status, page.Header)
			}
		}
		if n := len(p.Events(audit.LoginLocked)); n != 1 {
			t.Errorf("%d events of one lock", n)
		}
		p.Advance(15*time.Minute + time.Second)
		web.SignIn(b, "alice")
	})
	t.Run("LG-04 one address over many names, and IPv6 by /64", func(t *testing.T) {
		p := apptest.New(t)
		guess, _ := guesser(p)
		for i := range 50 {
			if got := guess(fmt.Sprintf("2001:db8::%x", i), fmt.Sprintf("name%d", i)); got != ports.LoginFailed {
				t.Fatalf("attempt %d: %s", i, got)
			}
		}
		if got := guess("2001:db8::ffff", "another"); got != ports.LoginLocked {
			t.Errorf("the same /64: %s", got)
		}
		for _, ip := range []string{"2001:db8:0:1::1", "192.0.2.7"} {
			if got := guess(ip, "another"); got != ports.LoginFailed {
				t.Errorf("%s: %s", ip, got)
			}
		}
	})
	t.Run("LG-05 every spelling is one account", func(t *testing.T) {
		p := apptest.New(t)
		guess, evaluated := guesser(p)
		spellings := []string{"alice", "ALICE", " alice ", "ａｌｉｃｅ", "Alice@Example.com"}
		for i := range 30 {
			guess(fmt.Sprintf("192.0.2.%d", i), spellings[i%len(spellings)])
		}
		if n := evaluated.Load(); n != 10 {
			t.Errorf("%d guesses were compared", n)
		}
	})
	t.Run("LG-01 a name that nobody has costs a comparison too", func(t *testing.T) {
		p := apptest.New(t)
		guess, evaluated := guesser(p)
		for i, name := range []string{"alice", "nobody", "nobody@example.com", "dave"} {
			if got := guess("192.0.2.1", name); got != ports.LoginFailed || int(evaluated.Load()) != i+1 {
				t.Errorf("%s: %s, and %d comparisons so far, want %d", name, got, evaluated.Load(), i+1)
			}
		}
	})
	t.Run("LG-07 a disabled account looks like a wrong password", func(t *testing.T) {
		p := apptest.New(t)
		b := p.Browser()
		page := b.Login(p.Client("web").Authorize(b), "dave", apptest.Password)
		if page.Status != http.StatusOK || !page.IsLogin() || len(p.Events(audit.LoginDisabled)) != 1 || len(p.Events(audit.LoginFailed)) != 0 {
			t.Errorf("%d %s %v", page.Status, page.URL, p.Events(audit.LoginDisabled))
		}
	})
	t.Run("LG-14 parallel guesses do not outrun the count", func(t *testing.T) {
		p := apptest.New(t)
		guess, evaluated := guesser(p)
		for i := range 9 {
			guess(fmt.Sprintf("192.0.2.%d", i), "alice")
		}
		parallel(100, func() ports.LoginProblem {
			return guess(fmt.Sprintf("198.51.100.%d", time.Now().UnixNano()%250), "alice")
		})
		if n := evaluated.Load(); n != 10 {
			t.Errorf("%d guesses were compared, want 10", n)
		}
	})
}
