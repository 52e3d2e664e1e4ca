package admin_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"latchkey/adapters/chance"
	"latchkey/adapters/memory"
	"latchkey/app/admin"
	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

var caller = audit.Caller{RequestID: "req_1"}

// fixture is a service on a store in memory, with a clock that stands still and passwords that cost nothing.
type fixture struct {
	*admin.Service
	t         testing.TB
	store     *counting
	passwords *passwords
	signer    *signer
	now       time.Time
}

func newFixture(t testing.TB) *fixture {
	f := &fixture{t: t, store: &counting{Store: memory.New()}, passwords: &passwords{}, signer: &signer{}, now: noon}
	f.Service = &admin.Service{Store: f.store, Secrets: chance.Source{}, Passwords: f.passwords, Signer: f.signer, Keys: &maker{},
		Now: func() time.Time { return f.now }, Issuer: "https://id.example.org"}
	return f
}

// counting counts the units of work and may change something just before one.
type counting struct {
	ports.Store
	updates int
	before  func()
}

func (c *counting) Update(ctx context.Context, fn func(ports.Tx) error) error {
	c.updates++
	if before := c.before; before != nil {
		c.before = nil
		before()
	}
	return c.Store.Update(ctx, fn)
}

// passwords stores a password as "hash:" and itself.
type passwords struct {
	mu     sync.Mutex
	hashed int
	busy   bool
}

func (p *passwords) Hash(_ context.Context, password string) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.busy {
		return "", ports.ErrBusy
	}
	p.hashed++
	return "hash:" + password, nil
}

func (p *passwords) Verify(_ context.Context, phc, password string, _ ports.Beside) (bool, bool, error) {
	return phc == "hash:"+password, false, nil
}

type signer struct {
	ports.Signer
	used []oidc.KeyRing
	err  error
}

func (s *signer) Use(r oidc.KeyRing) error {
	s.used = append(s.used, r)
	return s.err
}

type maker struct{ made int }

func (m *maker) NewKey(order oidc.KeyOrder, now time.Time) (oidc.SigningKey, error) {
	m.made++
	return oidc.SigningKey{ID: oidc.KeyID(chance.Source{}.ID()), Algorithm: order.Algorithm, Public: []byte("{}"), Sealed: []byte("sealed"),
		CreatedAt: now, ActiveAt: order.ActiveAt}, nil
}

func (f *fixture) parse(document string) admin.Document {
	f.t.Helper()
	d, err := admin.ParseDocument([]byte(document))
	if err != nil {
		f.t.Fatalf("ParseDocument: %v", err)
	}
	return d
}

func (f *fixture) apply(document string) admin.Plan {
	f.t.Helper()
	p, err := f.Apply(f.t.Context(), caller, f.parse(document), false)
	if err != nil {
		f.t.Fatalf("Apply: %v", err)
	}
	return p
}

func view[T any](f *fixture, fn func(ports.Reader) (T, error)) T {
	f.t.Helper()
	var found T
	err := f.store.View(f.t.Context(), func(r ports.Reader) (err error) {
		found, err = fn(r)
		return err
	})
	if err != nil && !errors.Is(err, ports.ErrNotFound) {
		f.t.Fatal(err)
	}
	return found
}

func (f *fixture) user(name string) identity.User {
	return view(f, func(r ports.Reader) (identity.User, error) { return r.UserByLogin(name) })
}

func (f *fixture) client(id oauth.ClientID) oauth.Client {
	return view(f, func(r ports.Reader) (oauth.Client, error) { return r.Client(id) })
}

func (f *fixture) events() []audit.Event {
	return view(f, func(r ports.Reader) ([]audit.Event, error) { return r.Events(audit.Query{Limit: 1000}) })
}

// kinds are the kinds of the events since the first n.
func (f *fixture) kinds(n int) []audit.Kind {
	var all []audit.Kind
	for _, e := range f.events()[n:] {
		all = append(all, e.Kind)
	}
	return all
}

func (f *fixture) save(fn func(ports.Tx) error) {
	f.t.Helper()
	if err := f.store.Store.Update(f.t.Context(), fn); err != nil {
		f.t.Fatal(err)
	}
}

// signIn gives the user a session and, for the client, a grant with a line of tokens.
func (f *fixture) signIn(user identity.User, client oauth.ClientID) (identity.SessionID, oauth.GrantID, oauth.FamilyID) {
	f.t.Helper()
	id := chance.Source{}.ID()
	s := identity.NewSession(identity.SessionID("s"+id), oauth.Secret(id).Digest(), user, []string{"pwd"}, "", f.now)
	g := oauth.Grant{ID: oauth.GrantID("g" + id), Client: client, User: user.ID, Scope: "openid", CreatedAt: f.now, UpdatedAt: f.now}
	t := oauth.TokenFamily{ID: oauth.FamilyID("g" + id + ".f"), Grant: g.ID, Client: client, User: user.ID, Session: s.ID, Scope: "openid",
		Refresh: true, Generation: 1, CreatedAt: f.now, RotatedAt: f.now, ExpiresAt: f.now.Add(time.Hour)}
	f.save(func(tx ports.Tx) error {
		return errors.Join(tx.SaveSession(s), tx.SaveGrant(g), tx.SaveTokenFamily(t))
	})
	return s.ID, g.ID, t.ID
}

// dead says which of "session", "grant" and "tokens" have ended.
func (f *fixture) dead(s identity.SessionID, g oauth.GrantID, t oauth.FamilyID) string {
	var all []string
	if !view(f, func(r ports.Reader) (identity.Session, error) { return r.Session(s) }).EndedAt.IsZero() {
		all = append(all, "session")
	}
	if !view(f, func(r ports.Reader) (oauth.Grant, error) { return r.Grant(g) }).Live() {
		all = append(all, "grant")
	}
	if !view(f, func(r ports.Reader) (oauth.TokenFamily, error) { return r.TokenFamily(t) }).RevokedAt.IsZero() {
		all = append(all, "tokens")
	}
	return strings.Join(all, " ")
}

func problems(err error) []string {
	var p admin.Problems
	if errors.As(err, &p) {
		return slices.Clone(p)
	}
	return nil
}
