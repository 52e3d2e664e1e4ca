package account_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"latchkey/adapters/memory"
	"latchkey/app/account"
	"latchkey/app/session"
	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

const (
	oldPassword = "a password of alice and bob"
	newPassword = "seven quiet harbours at dawn"
)

// passwords are kept as they are; each of its answers can be replaced.
type passwords struct {
	verify error
	hash   error
	during func() // runs while a password is checked
}

func (p *passwords) Hash(_ context.Context, password string) (string, error) {
	return "hash of " + password, p.hash
}

func (p *passwords) Verify(_ context.Context, phc, password string, _ ports.Beside) (bool, bool, error) {
	if p.during != nil {
		p.during()
	}
	return phc == "hash of "+password, false, p.verify
}

type secrets struct {
	mu sync.Mutex
	n  int
}

func (s *secrets) next() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n++
	return s.n
}

func (s *secrets) Secret() oauth.Secret { return oauth.Secret(fmt.Sprintf("secret-%d", s.next())) }
func (s *secrets) ID() string           { return fmt.Sprintf("id-%d", s.next()) }
func (s *secrets) Salt() [16]byte       { return [16]byte{byte(s.next())} }

type bench struct {
	account.Endpoint
	t         *testing.T
	passwords *passwords
	now       time.Time
}

var caller = audit.Caller{RequestID: "req_test", IP: "203.0.113.7", UserAgent: "test"}

// newBench has alice, who is signed in under two cookies.
func newBench(t *testing.T) *bench {
	b := &bench{t: t, passwords: &passwords{}, now: time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC)}
	b.Endpoint = account.Endpoint{Issuer: "https://kopi.example", Authenticator: &session.Authenticator{Store: memory.New(), Passwords: b.passwords,
		Secrets: &secrets{}, Now: func() time.Time { return b.now }, Scale: 1}}
	alice := identity.User{ID: "alice", Username: "alice", Password: "hash of " + oldPassword, Email: "alice@example.com", EmailVerified: true}
	b.update(func(tx ports.Tx) error {
		err := tx.SaveUser(alice)
		for _, id := range []string{"laptop", "phone"} {
			s := identity.NewSession(identity.SessionID(id), oauth.Secret(id+"-cookie").Digest(), alice, []string{"pwd"}, "", b.now)
			err = errors.Join(err, tx.SaveSession(s))
		}
		return err
	})
	return b
}

func (b *bench) update(fn func(ports.Tx) error) {
	b.t.Helper()
	if err := b.Store.Update(b.t.Context(), fn); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) user() (u identity.User) {
	b.t.Helper()
	b.update(func(tx ports.Tx) (err error) {
		u, err = tx.User("alice")
		return err
	})
	return u
}

func (b *bench) attempts() (n int) {
	b.t.Helper()
	b.update(func(tx ports.Tx) error {
		a, err := tx.Attempts("user:alice")
		n = a.Count
		return err
	})
	return n
}

var (
	laptop = ports.Browser{Key: "browser", Session: "laptop-cookie"}
	proof  = ports.AccountProof{User: "alice", Current: oldPassword}
)

func (b *bench) changePassword(password string) (ports.AccountChange, error) {
	return b.ChangePassword(b.t.Context(), caller, laptop, ports.PasswordForm{AccountProof: proof, New: password, Again: password})
}

// LG-11: of two changes at once one wins, and the other changes nothing.
func TestPasswordChangesAtOnce(t *testing.T) {
	b := newBench(t)
	inside := false
	b.passwords.during = func() {
		if inside {
			return
		}
		inside = true
		if _, err := b.changePassword("nine distant lanterns on a pier"); err != nil {
			t.Fatal(err)
		}
	}
	_, err := b.changePassword(newPassword)
	if !errors.Is(err, ports.ErrSignedOut) { // the first change ended the session that the second came with
		t.Errorf("the second: %v", err)
	}
	if got := b.user().Password; got != "hash of nine distant lanterns on a pier" {
		t.Errorf("password is %s", got)
	}
}

// A session that ends while the password is checked is over for the form too.
func TestSessionEndsMeanwhile(t *testing.T) {
	for name, act := range map[string]func(*bench) (ports.AccountChange, error){
		"password": func(b *bench) (ports.AccountChange, error) { return b.changePassword(newPassword) },
		"email": func(b *bench) (ports.AccountChange, error) {
			return b.ChangeEmail(b.t.Context(), caller, laptop, ports.EmailForm{AccountProof: proof, Email: "a@new.example"})
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.passwords.during = func() {
				b.update(func(tx ports.Tx) error {
					s, err := tx.Session("laptop")
					return errors.Join(err, session.End(tx, s, caller, b.now))
				})
			}
			before := b.user()
			if out, err := act(b); !errors.Is(err, ports.ErrSignedOut) || out.Cookie != "" {
				t.Errorf("%+v, %v", out, err)
			}
			if got := b.user(); got.Password != before.Password || got.Email != before.Email {
				t.Errorf("changed: %+v", got)
			}
		})
	}
}

// The password changes elsewhere while the old one is checked: it proves nothing any more.
func TestPasswordChangesMeanwhile(t *testing.T) {
	b := newBench(t)
	b.passwords.during = func() {
		b.update(func(tx ports.Tx) error {
			u, err := tx.User("alice")
			u.Password, u.PasswordChangedAt = "hash of another", b.now.Add(time.Second)
			return errors.Join(err, tx.SaveUser(u))
		})
	}
	out, err := b.ChangeEmail(t.Context(), caller, laptop, ports.EmailForm{AccountProof: proof, Email: "a@new.example"})
	if err != nil || !slices.Equal(out.Problems, []error{ports.ErrPasswordWrong}) || out.Cookie != "" {
		t.Errorf("%+v, %v", out, err)
	}
	if got := b.user(); got.Email != "alice@example.com" || !got.EmailVerified {
		t.Errorf("changed: %+v", got)
	}
}

// MF-04: a code that somebody else uses while the password is checked removes no factor: the password is no second one.
func TestCodeIsUsedMeanwhile(t *testing.T) {
	const code = "ABCDEFGHIJKLMNOP"
	digest, _ := identity.RecoveryDigest("alice", code)
	for name, used := range map[string]bool{"used": true, "left alone": false} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.update(func(tx ports.Tx) error {
				s, err := tx.Session("laptop")
				s.ACR = oidc.ACRMultiFactor
				return errors.Join(err, tx.SaveSession(s), tx.SaveRecoveryCodes(identity.RecoveryCodes{User: "alice", Digests: [][32]byte{digest}}),
					tx.SaveFactor(identity.Factor{ID: "fac_1", User: "alice", Kind: identity.TOTPFactor, CreatedAt: b.now, ConfirmedAt: b.now}))
			})
			b.passwords.during = func() {
				if used {
					b.update(func(tx ports.Tx) error { return tx.SaveRecoveryCodes(identity.RecoveryCodes{User: "alice"}) })
				}
			}
			out, err := b.RemoveFactor(t.Context(), caller, laptop, ports.RemoveForm{AccountProof: proof, Factor: "fac_1", FactorForm: ports.FactorForm{Code: code, Recovery: true}})
			if err != nil || slices.Equal(out.Problems, []error{ports.ErrCodeWrong}) != used {
				t.Errorf("%+v, %v", out, err)
			}
			b.update(func(tx ports.Tx) error {
				left, err := tx.Factors("alice")
				if (len(left) == 1) != used {
					t.Errorf("factors %+v", left)
				}
				return err
			})
		})
	}
}

// A success costs no attempt, a busy server neither; a wrong password does (LG-06).
func TestAttempts(t *testing.T) {
	b := newBench(t)
	b.passwords.verify = ports.ErrBusy
	if out, err := b.changePassword(newPassword); err != nil || !slices.Equal(out.Problems, []error{ports.ErrBusy}) || out.RetryAfter == 0 {
		t.Errorf("busy: %+v, %v", out, err)
	}
	b.passwords.verify = nil
	if n := b.attempts(); n != 0 {
		t.Errorf("%d attempts after a busy server", n)
	}
	wrong := proof
	wrong.Current = "not the password of alice"
	out, err := b.EndSession(t.Context(), caller, laptop, ports.SessionForm{AccountProof: wrong, Others: true})
	if err != nil || !slices.Equal(out.Problems, []error{ports.ErrPasswordWrong}) {
		t.Errorf("wrong: %+v, %v", out, err)
	}
	if out, err := b.changePassword(newPassword); err != nil || len(out.Problems) > 0 || out.Cookie == "" {
		t.Errorf("right: %+v, %v", out, err)
	}
	if n := b.attempts(); n != 1 {
		t.Errorf("%d attempts", n)
	}
}

// A new password that cannot be hashed changes nothing.
func TestHashFails(t *testing.T) {
	b := newBench(t)
	b.passwords.hash = ports.ErrBusy
	if _, err := b.changePassword(newPassword); !errors.Is(err, ports.ErrBusy) {
		t.Error(err)
	}
	if a, err := b.Account(t.Context(), laptop); err != nil || len(a.Sessions) != 2 || a.User.Password != "hash of "+oldPassword {
		t.Errorf("%+v, %v", a, err)
	}
}

// The site's own words do not make a password.
func TestPasswordOfTheSite(t *testing.T) {
	b := newBench(t)
	for _, password := range []string{"kopi.example kopi.example 1", "alice@kopi.example!", "ALICEalice123456789"} {
		out, err := b.changePassword(password)
		if err != nil || !slices.Equal(out.Problems, []error{identity.ErrPasswordCommon}) {
			t.Errorf("%s: %+v, %v", password, out, err)
		}
	}
	if n := b.attempts(); n != 0 {
		t.Errorf("%d attempts were counted for passwords that were never looked at", n)
	}
}

// Whatever is wrong with the form itself is said at once, and costs no attempt.
func TestPasswordFormSaysEverythingAtOnce(t *testing.T) {
	b := newBench(t)
	out, err := b.ChangePassword(t.Context(), caller, laptop, ports.PasswordForm{AccountProof: ports.AccountProof{User: "alice"}, New: "short", Again: "shorter"})
	if err != nil || !slices.Equal(out.Problems, []error{ports.ErrPasswordNeeded, identity.ErrPasswordShort, ports.ErrPasswordsDiffer}) {
		t.Errorf("%+v, %v", out, err)
	}
	out, err = b.ChangePassword(t.Context(), caller, laptop, ports.PasswordForm{AccountProof: proof, New: newPassword, Again: newPassword + " "})
	if err != nil || !slices.Equal(out.Problems, []error{ports.ErrPasswordsDiffer}) || b.user().Password != "hash of "+oldPassword || b.attempts() != 0 {
		t.Errorf("%+v, %v, %d attempts", out, err, b.attempts())
	}
}

// Everything for the user of the session, whatever the form says: a page that was made for somebody else changes nothing.
func TestFormOfAnotherUser(t *testing.T) {
	other := ports.AccountProof{User: "bob"}
	otherProved := ports.AccountProof{User: "bob", Current: oldPassword}
	for _, proof := range []ports.AccountProof{other, otherProved} {
		b := newBench(t)
		before := b.user()
		for name, act := range map[string]func() (ports.AccountChange, error){
			"email": func() (ports.AccountChange, error) {
				return b.ChangeEmail(t.Context(), caller, laptop, ports.EmailForm{AccountProof: proof, Email: "a@new.example"})
			},
			"sessions": func() (ports.AccountChange, error) {
				return b.EndSession(t.Context(), caller, laptop, ports.SessionForm{AccountProof: proof, Others: true})
			},
		} {
			if out, err := act(); err != nil || !slices.Equal(out.Problems, []error{ports.ErrOtherUser}) {
				t.Errorf("%s: %+v, %v", name, out, err)
			}
		}
		if got := b.user(); got.Email != before.Email {
			t.Errorf("changed: %+v", got)
		}
		if a, err := b.Account(t.Context(), laptop); err != nil || len(a.Sessions) != 2 {
			t.Errorf("sessions: %+v, %v", a.Sessions, err)
		}
	}
}

// A session that went unused too long is over, although nobody ended it: it is not there to be signed out.
func TestIdleSessionsAreNotListed(t *testing.T) {
	b := newBench(t)
	b.now = b.now.Add(identity.SessionIdle)
	b.update(func(tx ports.Tx) error {
		s, err := tx.Session("laptop")
		s.LastSeenAt = b.now
		return errors.Join(err, tx.SaveSession(s))
	})
	a, err := b.Account(t.Context(), laptop)
	if err != nil || len(a.Sessions) != 1 || a.Sessions[0].Session.ID != "laptop" {
		t.Errorf("%+v, %v", a.Sessions, err)
	}
}
