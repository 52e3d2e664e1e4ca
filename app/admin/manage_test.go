package admin_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/app/admin"
	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

// AD-11, RF-08: disabling a user ends everything of theirs in one unit of work, and says beforehand what that is.
func TestDisableUser(t *testing.T) {
	f := newFixture(t)
	f.apply(household)
	s, g, tokens := f.signIn(f.user("sari"), "wiki")
	s2, g2, tokens2 := f.signIn(f.user("sari"), "made")
	link := f.resetLink("sari")
	updates, n := f.store.updates, len(f.events())
	want := "~ user \"sari\" disabled: false -> true\n    2 sessions end\n    2 grants are revoked\n    2 lines of tokens are revoked\n"
	planned, err := f.DisableUser(t.Context(), caller, "sari", true)
	if err != nil || planned.String() != want || f.store.updates != updates || f.user("sari").Disabled() {
		t.Errorf("the look: %v, %s", err, planned)
	}
	done, err := f.DisableUser(t.Context(), caller, "sari", false)
	if err != nil || done.String() != want || f.store.updates != updates+1 {
		t.Errorf("%v, %d units of work, %s", err, f.store.updates-updates, done)
	}
	for _, got := range []string{f.dead(s, g, tokens), f.dead(s2, g2, tokens2)} {
		if got != "session grant tokens" {
			t.Errorf("dead: %q", got)
		}
	}
	if unused := view(f, func(r ports.Reader) ([]identity.Ticket, error) { return r.TicketsOfUser(f.user("sari").ID) }); f.resets(link) || len(unused) > 0 {
		t.Errorf("the reset link lives, or would when the user is enabled: %v", unused)
	}
	kinds := []audit.Kind{audit.UserChanged, audit.SessionEnded, audit.SessionEnded, audit.GrantRevoked, audit.GrantRevoked, audit.GrantRevoked, audit.GrantRevoked,
		audit.ResetDenied}
	if diff := cmp.Diff(kinds, f.kinds(n)); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	at := f.user("sari").DisabledAt
	f.now = f.now.Add(time.Hour)
	if again, err := f.DisableUser(t.Context(), caller, "sari", false); err != nil || again.Action != admin.Unchanged || !f.user("sari").DisabledAt.Equal(at) {
		t.Errorf("again: %v, %s", err, again)
	}
	if _, err := f.EnableUser(t.Context(), caller, "sari"); err != nil || f.user("sari").Disabled() {
		t.Errorf("enable: %v", err)
	}
	if got := f.dead(s, g, tokens); got != "session grant tokens" {
		t.Errorf("enabling brought something back: %q is dead", got)
	}
}

func TestEditUser(t *testing.T) {
	f := newFixture(t)
	f.apply(household)
	f.save(func(tx ports.Tx) error {
		u := f.user("sari")
		u.EmailVerified = true
		return tx.SaveUser(u)
	})
	email, name, groups, yes := "s@example.org", "Sari Dewi", []string{"b", "z", "b"}, false
	c, err := f.EditUser(t.Context(), caller, "sari", admin.UserEdit{Email: &email, Name: &name, Groups: &groups, Admin: &yes})
	if err != nil {
		t.Fatal(err)
	}
	got := f.user("sari")
	if got.Email != email || got.EmailVerified || got.Claims.Name != name || !slices.Equal(got.Groups, []string{"b", "z"}) || got.Admin {
		t.Errorf("on file: %+v\n%s", got, c)
	}
	if same, err := f.EditUser(t.Context(), caller, "sari", admin.UserEdit{Name: &name}); err != nil || same.Action != admin.Unchanged {
		t.Errorf("the same again: %v, %s", err, same)
	}
	bad, control := "x", []string{"a\x00"}
	if _, err := f.EditUser(t.Context(), caller, "sari", admin.UserEdit{Email: &bad, Groups: &control}); len(problems(err)) != 2 {
		t.Errorf("problems: %v", err)
	}
	if f.user("sari").Email != email {
		t.Error("a refused edit changed something")
	}
}

// RF-09, SS-04: a password that an administrator sets ends what was signed in with the old one.
func TestSetPassword(t *testing.T) {
	f := newFixture(t)
	f.apply(household)
	s, g, tokens := f.signIn(f.user("sari"), "wiki")
	if _, err := f.SetPassword(t.Context(), caller, "sari", "sari example example"); len(problems(err)) != 1 {
		t.Errorf("a guessable one: %v", err)
	}
	if _, err := f.SetPassword(t.Context(), caller, "sari", newPassword); err != nil {
		t.Fatal(err)
	}
	if got := f.dead(s, g, tokens); got != "session tokens" {
		t.Errorf("dead: %q", got)
	}
	if f.user("sari").Password != "hash:"+newPassword {
		t.Errorf("on file: %+v", f.user("sari"))
	}
}

func TestDeleteUser(t *testing.T) {
	f := newFixture(t)
	f.apply(household)
	sari := f.user("sari")
	s, _, tokens := f.signIn(sari, "wiki")
	n := len(f.events())
	if c, err := f.DeleteUser(t.Context(), caller, "sari", true); err != nil || len(c.Effects) != 3 || f.user("sari").ID == "" {
		t.Errorf("the look: %v %s", err, c)
	}
	if _, err := f.DeleteUser(t.Context(), caller, "sari", false); err != nil {
		t.Fatal(err)
	}
	if f.user("sari").ID != "" || view(f, func(r ports.Reader) (identity.Session, error) { return r.Session(s) }).ID != "" ||
		view(f, func(r ports.Reader) (oauth.TokenFamily, error) { return r.TokenFamily(tokens) }).ID != "" {
		t.Error("something is left")
	}
	// The record says what ended with the account: the rows that did are gone.
	if diff := cmp.Diff([]audit.Kind{audit.SessionEnded, audit.GrantRevoked, audit.GrantRevoked, audit.UserDeleted}, f.kinds(n)); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	events := f.events()[n:]
	if last := events[len(events)-1]; last.Kind != audit.UserDeleted || last.User != string(sari.ID) || last.Facts["name"] != "sari" {
		t.Errorf("recorded: %+v", last)
	}
	if sub, err := f.Subject(t.Context(), string(sari.ID)); err != nil || sub != string(sari.ID) {
		t.Errorf("the trail of somebody deleted is under %q, %v", sub, err)
	}
}

// AD-04: what is shown of users and clients has no hash and no secret in it.
func TestInspect(t *testing.T) {
	f := newFixture(t)
	f.apply(household)
	sari := f.user("sari")
	s, _, tokens := f.signIn(sari, "wiki")
	f.resetLink("sari")
	f.save(func(tx ports.Tx) error {
		used := audit.Event{At: noon, Kind: audit.TokenIssued, Client: "wiki"}
		return errors.Join(tx.Record(used), tx.SaveAttempts(identity.Attempts{Key: identity.AccountKey(sari.ID), Count: 10, Since: noon, LockedAt: noon}))
	})
	user, err := f.User(t.Context(), "sari")
	if err != nil || len(user.Sessions) != 1 || user.Sessions[0].ID != s || len(user.Applications) != 1 || user.Applications[0].Families[0] != tokens ||
		!user.Password || !user.LockedUntil.Equal(noon.Add(identity.AttemptWindow)) || !user.ResetLinkUntil.Equal(noon.Add(identity.ResetLifetime)) {
		t.Errorf("%v: %+v", err, user)
	}
	client, err := f.Client(t.Context(), "wiki")
	if err != nil || client.Grants != 1 || !client.LastUsed.Equal(noon) || len(client.Relaxed) != 0 {
		t.Errorf("%v: %+v", err, client)
	}
	var users []admin.UserInfo
	err = f.Users(t.Context(), func(u admin.UserInfo) error { users = append(users, u); return nil })
	clients, err2 := f.Clients(t.Context())
	sessions, err3 := f.Sessions(t.Context(), "")
	family, err4 := f.Family(t.Context(), tokens)
	keys, err5 := f.SigningKeys(t.Context())
	if err := errors.Join(err, err2, err3, err4, err5); err != nil || len(users) != 2 || len(clients) != 2 || len(sessions) != 1 || family.User != "sari" {
		t.Fatalf("%v: %d users, %d clients, %d sessions, family of %q", err, len(users), len(clients), len(sessions), family.User)
	}
	for _, shown := range []any{user, client, users, clients, sessions, family, keys} {
		b, err := json.Marshal(shown)
		text := string(b)
		if err != nil || strings.Contains(text, "hash:") || strings.Contains(strings.ToLower(text), "secret\"") || strings.Contains(text, "sealed") ||
			strings.Contains(text, f.client("wiki").Secret.String()) {
			t.Errorf("%v: %s", err, text)
		}
	}
	if _, err := f.RevokeFamily(t.Context(), caller, "g.none"); !errors.Is(err, ports.ErrNotFound) {
		t.Errorf("an unknown family: %v", err)
	}
}

// Rules that a client was given beyond its profile are marked, and those of lax profiles too.
func TestRelaxed(t *testing.T) {
	f := newFixture(t)
	f.apply(`{"clients": [
  {"client_id": "a", "redirect_uris": ["https://a.example/cb"], "access_token_lifetime": 3600},
  {"client_id": "b", "redirect_uris": ["https://b.example/cb"], "profile": "legacy2012"}]}`)
	clients, err := f.Clients(t.Context())
	if err != nil || !slices.Equal(clients[0].Relaxed, []string{"access_token_lifetime"}) ||
		!slices.Contains(clients[1].Relaxed, "dangerously_allow_neither_pkce_nor_nonce") || !slices.Contains(clients[1].Relaxed, "require_pkce") {
		t.Errorf("%v: %+v", err, clients)
	}
}

func TestManageClient(t *testing.T) {
	f := newFixture(t)
	f.apply(household)
	f.apply(`{"clients": [{"client_id": "spa", "token_endpoint_auth_method": "none", "redirect_uris": ["https://spa.example/cb"]}]}`)
	_, g, tokens := f.signIn(f.user("sari"), "wiki")
	old := f.client("wiki")
	secret, err := f.RotateSecret(t.Context(), caller, "wiki")
	if now := f.client("wiki"); err != nil || now.Secret != secret.Digest() || now.Secret == old.Secret {
		t.Errorf("rotated: %v", err)
	}
	if _, err := f.RotateSecret(t.Context(), caller, "spa"); len(problems(err)) != 1 {
		t.Errorf("of a public client: %v", err)
	}
	if c, err := f.DisableClient(t.Context(), caller, "wiki", true); err != nil || len(c.Effects) != 2 || !f.client("wiki").DisabledAt.IsZero() {
		t.Errorf("the look: %v %s", err, c)
	}
	if _, err := f.DisableClient(t.Context(), caller, "wiki", false); err != nil || f.client("wiki").DisabledAt.IsZero() {
		t.Error(err)
	}
	if f.view(g).Live() || f.dead("", g, tokens) == "grant" {
		t.Errorf("RF-08: of a disabled client only %q is dead", f.dead("", g, tokens))
	}
	if c, err := f.EnableClient(t.Context(), caller, "wiki"); err != nil || c.Action != admin.Update || !f.client("wiki").DisabledAt.IsZero() {
		t.Errorf("%v %s", err, c)
	}
	if _, err := f.DeleteClient(t.Context(), caller, "wiki", false); err != nil || f.client("wiki").ID != "" {
		t.Errorf("deleted: %v", err)
	}
	if _, err := f.DeleteClient(t.Context(), caller, "wiki", false); !errors.Is(err, ports.ErrNotFound) {
		t.Errorf("deleted again: %v", err)
	}
}

func (f *fixture) view(g oauth.GrantID) oauth.Grant {
	return view(f, func(r ports.Reader) (oauth.Grant, error) { return r.Grant(g) })
}

// OP-02: a revoked key is gone from the ring and the signer in one go, and its replacement signs at once.
func TestRevokeSigningKey(t *testing.T) {
	f := newFixture(t)
	if _, err := f.RotateKeys(t.Context()); err != nil {
		t.Fatal(err)
	}
	keys, err := f.SigningKeys(t.Context())
	if err != nil || len(keys) != 2 || keys[0].Algorithm != oauth.ES256 {
		t.Fatalf("%v: %+v", err, keys)
	}
	f.now = f.now.Add(time.Hour)
	n := len(f.events())
	if _, err := f.RevokeKey(t.Context(), caller, keys[0].ID, true); err != nil || len(f.events()) != n {
		t.Errorf("the look: %v", err)
	}
	done, err := f.RevokeKey(t.Context(), caller, keys[0].ID, false)
	if err != nil || done.Replacement.State != oidc.Active || !done.Replacement.ActiveAt.Equal(f.now) || done.Replacement.Algorithm != oauth.ES256 {
		t.Fatalf("%v: %+v", err, done)
	}
	used := f.signer.used[len(f.signer.used)-1]
	if len(used) != 2 || slices.ContainsFunc(used, func(k oidc.SigningKey) bool { return k.ID == keys[0].ID }) {
		t.Errorf("the signer has %+v", used)
	}
	if diff := cmp.Diff([]audit.Kind{audit.KeyCreated, audit.KeyRevoked}, f.kinds(n)); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if rotated, err := f.RotateKeys(t.Context()); err != nil || len(rotated.Created)+len(rotated.Erased) != 0 {
		t.Errorf("the plan then: %+v, %v", rotated, err)
	}
	var unknown *admin.UnknownError
	if _, err := f.RevokeKey(t.Context(), caller, keys[0].ID, false); !errors.As(err, &unknown) || len(unknown.Known) != 2 {
		t.Errorf("again: %v", err)
	}

	coming, err := f.BringRotationForward(t.Context(), caller)
	if err != nil || len(coming) != 2 || !coming[0].ActiveAt.Equal(f.now.Add(oidc.KeyLead)) {
		t.Fatalf("%v: %+v", err, coming)
	}
	if again, err := f.BringRotationForward(t.Context(), caller); err != nil || !cmp.Equal(coming, again) {
		t.Errorf("again: %v %+v", err, again)
	}
	// The key to come, which clients may have fetched, steps in before a new one does.
	done, err = f.RevokeKey(t.Context(), caller, done.Replacement.ID, false)
	if err != nil || done.Replacement.ID != coming[0].ID || !done.Replacement.ActiveAt.Equal(f.now) {
		t.Errorf("%v: %+v", err, done)
	}
}

// OP-02: the key that was to step in was erased by another process meanwhile: nothing signs less than before, and nothing is half
// done.
func TestRevokeKeyOfARingThatChanged(t *testing.T) {
	f := newFixture(t)
	if _, err := f.RotateKeys(t.Context()); err != nil {
		t.Fatal(err)
	}
	active, err := f.SigningKeys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	coming, err := f.BringRotationForward(t.Context(), caller)
	if err != nil {
		t.Fatal(err)
	}
	f.store.before = func() {
		f.save(func(tx ports.Tx) error { return tx.DeleteSigningKey(coming[0].ID) })
	}
	if _, err := f.RevokeKey(t.Context(), caller, active[0].ID, false); err == nil || !strings.Contains(err.Error(), "try again") {
		t.Errorf("got %v", err)
	}
	if keys, err := f.SigningKeys(t.Context()); err != nil || len(keys) != 3 || keys[0].ID != active[0].ID || keys[0].State != oidc.Active {
		t.Errorf("%v: %+v", err, keys)
	}
	if done, err := f.RevokeKey(t.Context(), caller, active[0].ID, false); err != nil || done.Replacement.State != oidc.Active {
		t.Errorf("again: %v %+v", err, done)
	}
}

// SS-04: an administrator ends one session or all of a user's; what was issued for use while the user is away stays.
func TestEndSessions(t *testing.T) {
	f := newFixture(t)
	f.apply(household)
	one, _, t1 := f.signIn(f.user("sari"), "wiki")
	two, _, _ := f.signIn(f.user("sari"), "made")
	other, _, _ := f.signIn(f.user("tio"), "wiki")
	if err := f.EndSession(t.Context(), caller, one); err != nil {
		t.Fatal(err)
	}
	if got := f.dead(one, "", t1); !strings.HasPrefix(got, "session") || !strings.HasSuffix(got, "tokens") {
		t.Errorf("dead: %q", got)
	}
	var unknown *admin.UnknownError
	if err := f.EndSession(t.Context(), caller, one); !errors.As(err, &unknown) || len(unknown.Known) != 2 {
		t.Errorf("again: %v", err)
	}
	if n, err := f.EndSessions(t.Context(), caller, "sari", true); n != 1 || err != nil {
		t.Errorf("the look: %d, %v", n, err)
	}
	if n, err := f.EndSessions(t.Context(), caller, "sari", false); n != 1 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	f.now = f.now.Add(identity.SessionAbsolute)
	events := len(f.events())
	if n, err := f.EndSessions(t.Context(), caller, "tio", false); n != 0 || err != nil || len(f.events()) != events {
		t.Errorf("a session whose time was over ended again: %d, %v", n, err)
	}
	f.now = noon
	left, err := f.Sessions(t.Context(), "")
	if err != nil || len(left) != 1 || left[0].ID != other || left[0].User != "tio" || two == other {
		t.Errorf("left: %+v, %v", left, err)
	}
	if revoked, err := f.RevokeFamily(t.Context(), caller, t1); revoked || err != nil {
		t.Errorf("a family that had ended: %v, %v", revoked, err)
	}
}
