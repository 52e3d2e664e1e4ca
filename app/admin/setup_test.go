package admin_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/app/admin"
	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/ports"
)

func (f *fixture) offer() oauth.Secret {
	f.t.Helper()
	link, err := f.Offer(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	return link
}

func (f *fixture) offered(link oauth.Secret) bool {
	f.t.Helper()
	open, err := f.Offered(f.t.Context(), caller, link)
	if err != nil {
		f.t.Fatal(err)
	}
	return open
}

func form(link oauth.Secret) ports.SetupForm {
	return ports.SetupForm{Link: link, Username: "Sari", Email: "sari@example.org", Password: "a river runs past the school", Again: "a river runs past the school"}
}

// AD-01, AD-02: there is no account until the link was used, and it is used once.
func TestSetup(t *testing.T) {
	f := newFixture(t)
	if view(f, func(r ports.Reader) (bool, error) { return r.HasAdmin() }) {
		t.Fatal("a fresh provider has an administrator")
	}
	link := f.offer()
	if !f.offered(link) || f.offered("") || f.offered("guess") {
		t.Fatal("the link works, and only the link")
	}
	user, wrong, err := f.Complete(t.Context(), caller, form(link))
	if err != nil || len(wrong) != 0 || user.Username != "sari" || !user.Admin {
		t.Fatalf("user %+v, %v, %v", user, wrong, err)
	}
	if got := f.user("sari"); got.ID != user.ID || got.Password != "hash:a river runs past the school" {
		t.Errorf("on file: %+v", got)
	}
	hashed := f.passwords.hashed
	if _, _, err := f.Complete(t.Context(), caller, form(link)); !errors.Is(err, ports.ErrNotFound) || f.passwords.hashed != hashed {
		t.Errorf("a second use: %v, %d passwords hashed", err, f.passwords.hashed-hashed)
	}
	if f.offered(link) {
		t.Error("the link is still offered")
	}
	if _, err := f.Offer(t.Context()); !errors.Is(err, admin.ErrAdminExists) {
		t.Errorf("an offer beside an administrator: %v", err)
	}
	want := []audit.Kind{audit.SetupOffered, audit.SetupDenied, audit.SetupDenied, audit.UserCreated, audit.SetupUsed, audit.SetupDenied, audit.SetupDenied}
	if diff := cmp.Diff(want, f.kinds(0)); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	denied := view(f, func(r ports.Reader) ([]audit.Event, error) {
		return r.Events(audit.Query{Kinds: want[1:2], Refused: true, Limit: 10})
	})
	if len(denied) != 4 || denied[0].Caller != caller {
		t.Errorf("refusals that can be explained: %+v", denied)
	}
}

// AD-02: after its time, after a newer one and after somebody became administrator otherwise, a link is dead.
func TestSetupLinksDie(t *testing.T) {
	f := newFixture(t)
	old := f.offer()
	new := f.offer() // at the same instant
	if f.offered(old) || !f.offered(new) {
		t.Error("only the newest link works")
	}
	f.now = f.now.Add(identity.SetupLifetime - time.Millisecond)
	if !f.offered(new) {
		t.Error("the link died early")
	}
	f.now = f.now.Add(time.Millisecond)
	if f.offered(new) {
		t.Error("the link outlived its time")
	}
	link := f.offer()
	f.apply(`{"users": [{"username": "tio", "admin": true}]}`)
	if f.offered(link) {
		t.Error("the link makes a second administrator")
	}
	if _, _, err := f.Complete(t.Context(), caller, form(link)); !errors.Is(err, ports.ErrNotFound) {
		t.Errorf("completing it: %v", err)
	}
}

// What the form gets wrong is said at once and does not spend the link.
func TestSetupProblems(t *testing.T) {
	f := newFixture(t)
	f.apply(`{"users": [{"username": "tio"}]}`)
	link := f.offer()
	_, wrong, err := f.Complete(t.Context(), caller, ports.SetupForm{Link: link, Username: " ", Email: "x", Password: "id.example.org example"})
	if err != nil || !cmp.Equal([]error{identity.ErrUsername, identity.ErrEmail, identity.ErrPasswordCommon, ports.ErrPasswordsDiffer}, wrong, cmp.Comparer(errors.Is)) {
		t.Errorf("problems %v, %v", wrong, err)
	}
	taken := form(link)
	taken.Username = "tio"
	if _, wrong, err := f.Complete(t.Context(), caller, taken); err != nil || len(wrong) != 1 || !errors.Is(wrong[0], ports.ErrUsernameTaken) {
		t.Errorf("a taken name: %v, %v", wrong, err)
	}
	f.passwords.busy = true
	if _, _, err := f.Complete(t.Context(), caller, form(link)); !errors.Is(err, ports.ErrBusy) {
		t.Errorf("busy: %v", err)
	}
	f.passwords.busy = false
	if _, wrong, err := f.Complete(t.Context(), caller, form(link)); err != nil || len(wrong) != 0 {
		t.Errorf("the link was spent: %v, %v", wrong, err)
	}
}

// AD-02: of twenty uses at once one wins.
func TestSetupRace(t *testing.T) {
	f := newFixture(t)
	f.Store = f.store.Store // counting is for one goroutine
	link := f.offer()
	var won, lost int
	var mu sync.Mutex
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			typed := form(link)
			typed.Username = "sari" + strings.Repeat("x", i)
			_, _, err := f.Complete(t.Context(), caller, typed)
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
