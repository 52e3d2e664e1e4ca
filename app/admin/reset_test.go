package admin_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/app/admin"
	"latchkey/app/session"
	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/ports"
)

const newPassword = "an otter sleeps beneath the bridge"

func (f *fixture) resetLink(username string) oauth.Secret {
	f.t.Helper()
	link, err := f.OfferReset(f.t.Context(), caller, username)
	if err != nil {
		f.t.Fatal(err)
	}
	return link.Secret
}

// resets reports whether the link still works.
func (f *fixture) resets(link oauth.Secret) bool {
	f.t.Helper()
	_, err := f.ResetOffered(f.t.Context(), caller, link)
	if err != nil && !errors.Is(err, ports.ErrNotFound) {
		f.t.Fatal(err)
	}
	return err == nil
}

func resetWith(link oauth.Secret) ports.ResetForm {
	return ports.ResetForm{Link: link, Password: newPassword, Again: newPassword}
}

// LG-12: a link sets the password once, ends what was signed in before, and is stored as a digest alone.
func TestResetPassword(t *testing.T) {
	f := newFixture(t)
	f.apply(household)
	sari := f.user("sari")
	s, g, tokens := f.signIn(sari, "wiki")
	f.save(func(tx ports.Tx) error {
		return tx.SaveAttempts(identity.Attempts{Key: identity.AccountKey(sari.ID), Count: 10, Since: f.now, LockedAt: f.now})
	})
	n := len(f.events())
	link := f.resetLink("SARI ")
	if got := view(f, func(r ports.Reader) ([]identity.Ticket, error) { return r.TicketsOfUser(sari.ID) }); len(got) != 1 ||
		got[0].Key != link.Digest() || got[0].ExpiresAt != f.now.Add(15*time.Minute) {
		t.Fatalf("on file: %+v", got)
	}
	if got := f.dead(s, g, tokens); got != "" {
		t.Errorf("offering it ended %s", got)
	}
	if f.offered(link) {
		t.Error("a reset link makes an administrator")
	}
	f.now = f.now.Add(time.Minute)
	if problems, err := f.ResetPassword(t.Context(), caller, resetWith(link)); err != nil || len(problems) > 0 {
		t.Fatalf("%v, %v", problems, err)
	}
	after := f.user("sari")
	if after.Password != "hash:"+newPassword || !after.PasswordChangedAt.Equal(f.now) {
		t.Errorf("on file: %+v", after)
	}
	if got := f.dead(s, g, tokens); got != "session tokens" {
		t.Errorf("it ended %q, want session tokens: what the user agreed to stays", got)
	}
	if a := view(f, func(r ports.Reader) (identity.Attempts, error) { return r.Attempts(identity.AccountKey(sari.ID)) }); a.Count != 0 {
		t.Errorf("the account is still locked: %+v", a)
	}
	hashed := f.passwords.hashed
	if _, err := f.ResetPassword(t.Context(), caller, resetWith(link)); !errors.Is(err, ports.ErrNotFound) || f.passwords.hashed != hashed {
		t.Errorf("a second use: %v, %d passwords hashed", err, f.passwords.hashed-hashed)
	}
	want := []audit.Kind{audit.ResetOffered, audit.SetupDenied, audit.PasswordChanged, audit.SessionEnded, audit.GrantRevoked, audit.ResetDenied}
	if diff := cmp.Diff(want, f.kinds(n)); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	for _, e := range f.events() {
		if text := fmt.Sprint(e); strings.Contains(text, link.Reveal()) || strings.Contains(text, newPassword) {
			t.Errorf("a secret is in the trail: %v", e)
		}
	}
}

// LG-12: what kills a link. LG-02: the answer is the same for each, and for a link that never lived.
func TestResetLinksDie(t *testing.T) {
	edit := func(e admin.UserEdit) func(*fixture) error {
		return func(f *fixture) error { _, err := f.EditUser(f.t.Context(), caller, "sari", e); return err }
	}
	email := "new@example.org"
	no := false
	for name, tt := range map[string]struct {
		do   func(*fixture) error
		dead bool
	}{
		"nothing":                  {func(*fixture) error { return nil }, false},
		"almost over":              {func(f *fixture) error { f.now = f.now.Add(15*time.Minute - time.Millisecond); return nil }, false},
		"over":                     {func(f *fixture) error { f.now = f.now.Add(15 * time.Minute); return nil }, true},
		"a newer link":             {func(f *fixture) error { f.resetLink("sari"); return nil }, true},
		"the break-glass":          {func(f *fixture) error { _, err := f.RecoverAdmin(f.t.Context(), caller, "sari"); return err }, true},
		"a link for somebody else": {func(f *fixture) error { f.resetLink("tio"); return nil }, false},
		"e-mail changed":           {edit(admin.UserEdit{Email: &email}), true},
		"name changed":             {edit(admin.UserEdit{Name: &email}), false},
		"no administrator more":    {edit(admin.UserEdit{Admin: &no}), true},
		"password set": {func(f *fixture) error {
			_, err := f.SetPassword(f.t.Context(), caller, "sari", newPassword)
			return err
		}, true},
		"password declared": {func(f *fixture) error {
			f.apply(`{"users": [{"username": "sari", "email": "sari@example.org", "admin": true, "password": "` + newPassword + `"}]}`)
			return nil
		}, true},
		"disabled": {func(f *fixture) error { _, err := f.DisableUser(f.t.Context(), caller, "sari", false); return err }, true},
		"disabled and enabled": {func(f *fixture) error {
			_, err := f.DisableUser(f.t.Context(), caller, "sari", false)
			_, err2 := f.EnableUser(f.t.Context(), caller, "sari")
			return errors.Join(err, err2)
		}, true},
		"disabled for a look only": {func(f *fixture) error { _, err := f.DisableUser(f.t.Context(), caller, "sari", true); return err }, false},
		"deleted":                  {func(f *fixture) error { _, err := f.DeleteUser(f.t.Context(), caller, "sari", false); return err }, true},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.apply(household)
			link := f.resetLink("sari")
			if err := tt.do(f); err != nil {
				t.Fatal(err)
			}
			if dead := !f.resets(link); dead != tt.dead {
				t.Fatalf("dead %v, want %v", dead, tt.dead)
			}
			if !tt.dead {
				return
			}
			_, killed := f.ResetPassword(t.Context(), caller, resetWith(link))
			_, unknown := f.ResetPassword(t.Context(), caller, resetWith("never made"))
			if killed == nil || unknown == nil || killed.Error() != unknown.Error() || !errors.Is(killed, ports.ErrNotFound) {
				t.Errorf("a dead link says %v, an unknown one %v", killed, unknown)
			}
		})
	}
}

// A link from a time before the account was in other hands dies with every change its user makes alone.
func TestTicketsAreSpentForTheirUserOnly(t *testing.T) {
	f := newFixture(t)
	f.apply(household)
	one, other := f.resetLink("sari"), f.resetLink("tio")
	f.save(func(tx ports.Tx) error { return session.SpendTickets(tx, f.user("sari").ID, f.now) })
	if f.resets(one) || !f.resets(other) {
		t.Error("the links of sari die, those of tio live")
	}
}

func TestResetProblems(t *testing.T) {
	f := newFixture(t)
	f.apply(household)
	link := f.resetLink("sari")
	for typed, want := range map[ports.ResetForm][]error{
		{Password: "short", Again: "other"}:                                             {identity.ErrPasswordShort, ports.ErrPasswordsDiffer},
		{Password: newPassword, Again: newPassword + "x"}:                               {ports.ErrPasswordsDiffer},
		{Password: "sari example id.example.org", Again: "sari example id.example.org"}: {identity.ErrPasswordCommon},
	} {
		typed.Link = link
		got, err := f.ResetPassword(t.Context(), caller, typed)
		if err != nil || !cmp.Equal(want, got, cmp.Comparer(errors.Is)) {
			t.Errorf("%q: %v, %v", typed.Password, got, err)
		}
	}
	f.passwords.busy = true
	if _, err := f.ResetPassword(t.Context(), caller, resetWith(link)); !errors.Is(err, ports.ErrBusy) {
		t.Errorf("busy: %v", err)
	}
	f.passwords.busy = false
	if problems, err := f.ResetPassword(t.Context(), caller, resetWith(link)); err != nil || len(problems) > 0 {
		t.Errorf("the link was spent: %v, %v", problems, err)
	}
}

// LG-12: of twenty uses at once one wins.
func TestResetRace(t *testing.T) {
	f := newFixture(t)
	f.apply(household)
	link := f.resetLink("sari")
	f.Store = f.store.Store // counting is for one goroutine
	var won, lost int
	var mu sync.Mutex
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			_, err := f.ResetPassword(t.Context(), caller, resetWith(link))
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won++
			} else if errors.Is(err, ports.ErrNotFound) {
				lost++
			}
		})
	}
	all.Wait()
	if won != 1 || lost != 19 {
		t.Errorf("%d won and %d lost", won, lost)
	}
}

func TestResetOfWhoCannotSignIn(t *testing.T) {
	f := newFixture(t)
	f.apply(household)
	if _, err := f.DisableUser(t.Context(), caller, "tio", false); err != nil {
		t.Fatal(err)
	}
	if _, err := f.OfferReset(t.Context(), caller, "tio"); len(problems(err)) != 1 {
		t.Errorf("disabled: %v", err)
	}
	var unknown *admin.UnknownError
	if _, err := f.OfferReset(t.Context(), caller, "tyo"); !errors.As(err, &unknown) || !errors.Is(err, ports.ErrNotFound) ||
		!cmp.Equal(unknown.Known, []string{"sari", "tio"}) {
		t.Errorf("unknown: %v", err)
	}
}

// LG-12: a link that was good when its form came, and was used while the password was hashed, is used.
func TestResetLinkUsedMeanwhile(t *testing.T) {
	f := newFixture(t)
	f.apply(household)
	link := f.resetLink("sari")
	f.store.before = func() {
		first := resetWith(link)
		first.Password, first.Again = "another otter beneath the bridge", "another otter beneath the bridge"
		if problems, err := f.ResetPassword(t.Context(), caller, first); err != nil || len(problems) > 0 {
			t.Errorf("the first: %v, %v", problems, err)
		}
	}
	if _, err := f.ResetPassword(t.Context(), caller, resetWith(link)); !errors.Is(err, ports.ErrNotFound) {
		t.Errorf("the second: %v", err)
	}
	if got := f.user("sari").Password; got != "hash:another otter beneath the bridge" {
		t.Errorf("on file: %s", got)
	}
}
