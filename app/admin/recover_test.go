package admin_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/ports"
)

// The break-glass gives an administrator back who is disabled, demoted, locked or out of the account.
func TestRecoverAdmin(t *testing.T) {
	f := newFixture(t)
	f.apply(household)
	tio := f.user("tio")
	s, g, tokens := f.signIn(tio, "wiki")
	f.save(func(tx ports.Tx) error {
		tio.DisabledAt, tio.Password = f.now, "hash:of a password that somebody else knows"
		return errors.Join(tx.SaveUser(tio), tx.SaveAttempts(identity.Attempts{Key: identity.AccountKey(tio.ID), Count: 10, Since: f.now, LockedAt: f.now}))
	})
	n := len(f.events())
	link, err := f.RecoverAdmin(t.Context(), caller, "tio")
	if err != nil || link.ExpiresAt.Sub(f.now) > time.Hour {
		t.Fatalf("%v, %v", link.ExpiresAt, err)
	}
	// Somebody else may know the password: it must not open an account that has just been enabled and given more.
	if got := f.user("tio"); !got.Admin || got.Disabled() || got.Password != "" || !got.PasswordChangedAt.Equal(f.now) {
		t.Errorf("on file: %+v", got)
	}
	if a := view(f, func(r ports.Reader) (identity.Attempts, error) { return r.Attempts(identity.AccountKey(tio.ID)) }); a.Count != 0 || a.Locked(f.now) {
		t.Errorf("attempts: %+v", a)
	}
	if got := f.dead(s, g, tokens); got != "session" {
		t.Errorf("ended: %q", got)
	}
	want := []audit.Kind{audit.AdminRecovered, audit.SessionEnded, audit.ResetOffered}
	if diff := cmp.Diff(want, f.kinds(n)); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if got := f.events()[n].Facts["changed"]; got != "admin, disabled, password" {
		t.Errorf("the record names %q", got)
	}
	if problems, err := f.ResetPassword(t.Context(), caller, resetWith(link.Secret)); err != nil || len(problems) > 0 {
		t.Errorf("the link: %v, %v", problems, err)
	}
	if _, err := f.RecoverAdmin(t.Context(), caller, "nobody"); !errors.Is(err, ports.ErrNotFound) {
		t.Errorf("unknown: %v", err)
	}
}

// AD-02: the link that makes another administrator works once, for its time, and replaces every link before it.
func TestOfferRecovery(t *testing.T) {
	f := newFixture(t)
	first := f.offer()
	f.apply(household)
	offer := func() oauth.Secret {
		t.Helper()
		link, err := f.OfferRecovery(t.Context(), caller)
		if err != nil {
			t.Fatal(err)
		}
		return link.Secret
	}
	old := offer()
	link := offer()
	if f.offered(first) || f.offered(old) || !f.offered(link) {
		t.Errorf("only the newest link works: %v %v %v", f.offered(first), f.offered(old), f.offered(link))
	}
	f.now = f.now.Add(identity.SetupLifetime - time.Millisecond)
	typed := form(link)
	typed.Username = "rina"
	if user, wrong, err := f.Complete(t.Context(), caller, typed); err != nil || len(wrong) > 0 || !user.Admin {
		t.Fatalf("%+v, %v, %v", user, wrong, err)
	}
	typed.Username = "rini"
	if _, _, err := f.Complete(t.Context(), caller, typed); !errors.Is(err, ports.ErrNotFound) {
		t.Errorf("a second use: %v", err)
	}
	link = offer()
	f.now = f.now.Add(identity.SetupLifetime)
	if f.offered(link) {
		t.Error("the link outlived its time")
	}
}
