package admin_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey/app/admin"
	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/ports"
)

const secret32 = "01234567890123456789012345678901"

const household = `{
 "settings": {"organisation_name": "Desa"},
 "users": [
  {"username": "Sari", "password": "a river runs past the school", "email": "sari@example.org", "groups": ["b", "a", "b"], "claims": {"name": "Sari"}, "admin": true},
  {"username": "tio"}],
 "groups": [{"name": "ops", "members": ["tio", "SARI"]}],
 "clients": [
  {"client_id": "wiki", "client_secret": "` + secret32 + `", "redirect_uris": ["https://wiki.example/cb"]},
  {"client_id": "made", "redirect_uris": ["https://made.example/cb"]}]
}`

func TestApplyCreates(t *testing.T) {
	f := newFixture(t)
	p := f.apply(household)
	want := `~ settings organisation_name: "" -> "Desa"
+ user "sari"
+ user "tio"
    cannot sign in yet: no password was declared
+ client "wiki"
+ client "made"
    a client secret is made and shown once
`
	if diff := cmp.Diff(want, p.String()); diff != "" {
		t.Errorf("plan (-want +got):\n%s", diff)
	}
	if len(p.Made) != 1 || oauth.CheckSecret(p.Made[0].Secret) != nil || f.client("made").Secret != p.Made[0].Secret.Digest() {
		t.Errorf("made secrets: %d", len(p.Made))
	}
	sari := f.user("sari")
	sari.ID = ""
	wantUser := identity.User{Username: "sari", Password: "hash:a river runs past the school", Email: "sari@example.org",
		Claims: identity.Claims{Name: "Sari"}, Groups: []string{"a", "b", "ops"}, Admin: true, CreatedAt: noon, UpdatedAt: noon, PasswordChangedAt: noon}
	if diff := cmp.Diff(wantUser, sari); diff != "" {
		t.Errorf("sari (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]audit.Kind{audit.SettingsChanged, audit.UserCreated, audit.UserCreated, audit.ClientCreated, audit.ClientCreated}, f.kinds(0)); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	for _, e := range f.events() {
		if text := fmt.Sprint(e); strings.Contains(text, "river") || strings.Contains(text, secret32) || e.Caller != caller {
			t.Errorf("event %v", e)
		}
	}
}

func TestApplyTwiceWritesNothing(t *testing.T) {
	f := newFixture(t)
	f.apply(household)
	updates, hashed, events := f.store.updates, f.passwords.hashed, len(f.events())
	p := f.apply(household)
	if p.Changed() || p.Applied || len(p.Made) != 0 {
		t.Errorf("second plan:\n%s", p)
	}
	if f.store.updates != updates || f.passwords.hashed != hashed || len(f.events()) != events {
		t.Error("the second run opened a unit of work, hashed a password or recorded something")
	}
	if want := "= client \"made\" unchanged\n"; !strings.Contains(p.String(), want) {
		t.Errorf("plan:\n%s", p)
	}
}

func TestPlanOnlyChangesNothing(t *testing.T) {
	f := newFixture(t)
	p, err := f.Apply(t.Context(), caller, f.parse(household), true)
	if err != nil || !p.Changed() || p.Applied || len(p.Made) != 0 {
		t.Errorf("plan %+v, %v", p, err)
	}
	if f.store.updates != 0 || f.passwords.hashed != 0 || f.user("sari").ID != "" {
		t.Error("a plan changed something")
	}
}

func TestApplyShowsDifferencesWithoutSecrets(t *testing.T) {
	f := newFixture(t)
	f.apply(household)
	before := f.user("sari")
	f.now = f.now.Add(1e9)
	changed := strings.NewReplacer(`a river runs past the school`, `another river runs by the sea`, secret32, "x"+secret32,
		`"https://wiki.example/cb"]`, `"https://wiki.example/x"], "require_nonce": false`, `"Sari"}`, `"Sari Dewi", "address": {"country": "ID"}}`).Replace(household)
	p := f.apply(changed)
	want := `= settings unchanged
~ user "sari" password: changed
~ user "sari" claims.name: "Sari" -> "Sari Dewi"
~ user "sari" claims.address.country: "" -> "ID"
= user "tio" unchanged
~ client "wiki" client_secret: changed
~ client "wiki" redirect_uris: ["https://wiki.example/cb"] -> ["https://wiki.example/x"]
~ client "wiki" require_nonce: true -> false
= client "made" unchanged
`
	if diff := cmp.Diff(want, p.String()); diff != "" {
		t.Errorf("plan (-want +got):\n%s", diff)
	}
	if p.Summary() != "0 to create, 2 to change, 3 unchanged" {
		t.Error(p.Summary())
	}
	after := f.user("sari")
	if after.ID != before.ID || after.CreatedAt != noon || after.UpdatedAt != f.now || after.PasswordChangedAt != f.now {
		t.Errorf("sari: %+v", after)
	}
	if diff := cmp.Diff([]audit.Kind{audit.UserChanged, audit.PasswordChanged, audit.ClientChanged}, f.kinds(5)); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if got := f.events()[7].Facts["changed"]; got != "client_secret, redirect_uris, require_nonce" {
		t.Errorf("facts: %q", got)
	}
}

func TestGroupsAdd(t *testing.T) {
	f := newFixture(t)
	f.apply(household)
	f.apply(`{"groups": [{"name": "new", "members": ["sari"]}]}`)
	if got := f.user("sari"); !cmp.Equal(got.Groups, []string{"a", "b", "new", "ops"}) || !got.Admin || got.Email == "" {
		t.Errorf("%+v", got)
	}
}

// Everything that is wrong is said at once, and nothing of the document is kept.
func TestProblemsChangeNothing(t *testing.T) {
	f := newFixture(t)
	d := f.parse(`{"users": [{"username": "new", "password": "id.example.org example"}], "groups": [{"name": "g", "members": ["nobody"]}]}`)
	_, err := f.Apply(t.Context(), caller, d, false)
	nobody := `groups[0].members[0]: there is no user "nobody"`
	if want := []string{"users[0].password: " + identity.ErrPasswordCommon.Error(), nobody}; !cmp.Equal(problems(err), want) {
		t.Errorf("a password made of the issuer's name, and an unknown member: %v", err)
	}
	d.Users[0].Password = "a river runs past the school"
	_, err = f.Apply(t.Context(), caller, d, false)
	if want := []string{nobody}; !cmp.Equal(problems(err), want) {
		t.Errorf("an unknown member: %v", err)
	}
	if f.store.updates != 0 || f.user("new").ID != "" {
		t.Error("something was kept")
	}
}

// A document with mistakes of form goes through every other check too, those against the file included; what may only
// follow from such a mistake is not told.
func TestMistakesOfFormHideNothing(t *testing.T) {
	f := newFixture(t)
	tests := []struct {
		name, document string
		want           []string
	}{
		{"form, value and store", `{"users": [{"username": "sari", "admin": "yes", "email": "x"}], "groups": [{"name": "g", "members": ["sari", "nobody", 7]}]}`,
			[]string{"users[0].admin: must be", `users[0].email "x"`, "groups[0].members[2]: must be", `groups[0].members[1]: there is no user "nobody"`}},
		{"the member may be the user without a name", `{"users": [{"username": 1}], "groups": [{"name": "g", "members": ["sari"]}]}`,
			[]string{"users[0].username: must be"}},
		{"what follows", `{"users": [{"username": "a", "email": 1, "email_verified": true, "claims": {"phone_number": 2, "phone_number_verified": true}}, 3]}`,
			[]string{"users[0].email: must be", "users[0].claims.phone_number: must be", "users[1]: must be"}},
		{"not JSON", `{`, []string{"line 1"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d, err := admin.ParseDocument([]byte(test.document))
			if err == nil {
				t.Fatal("parsed without a problem")
			}
			_, err = f.Apply(t.Context(), caller, d, false)
			got := problems(err)
			for _, w := range test.want {
				if !strings.Contains(strings.Join(got, "\n"), w) {
					t.Errorf("no problem with %q", w)
				}
			}
			if len(got) != len(test.want) || f.store.updates != 0 {
				t.Errorf("got %d problems in %d units:\n%s", len(got), f.store.updates, strings.Join(got, "\n"))
			}
		})
	}
}

// Two people at once: what was compared outside the unit is compared again inside it.
func TestApplyNoticesAPasswordChangedMeanwhile(t *testing.T) {
	f := newFixture(t)
	f.apply(household)
	f.store.before = func() {
		u := f.user("sari")
		u.Password = "hash:changed by somebody else"
		f.save(func(tx ports.Tx) error { return tx.SaveUser(u) })
	}
	p := f.apply(strings.Replace(household, `"email": "sari@`, `"email": "s@`, 1))
	if got := f.user("sari"); got.Password != "hash:a river runs past the school" || !strings.Contains(p.String(), `"sari" password: changed`) {
		t.Errorf("password %s, plan:\n%s", got.Password, p)
	}
}

// A user may be found by e-mail address too; that must never overwrite somebody else.
func TestUsernameThatIsSomebodysEmail(t *testing.T) {
	f := newFixture(t)
	f.apply(household)
	f.apply(`{"users": [{"username": "sari@example.org"}]}`)
	if f.user("sari").ID == f.user("sari@example.org").ID {
		t.Error("the declaration of one user changed another")
	}
}

// RF-08, RF-09, AD-11: what a person or an application loses takes effect in the same unit of work.
func TestWhatEnds(t *testing.T) {
	const rest = `"redirect_uris": ["https://wiki.example/cb"]`
	tests := []struct {
		name, document, dead, other string
		effects                     []string
	}{
		{"RF-08, AD-11: user disabled", `{"users": [{"username": "tio", "disabled": true}]}`, "session grant tokens", "",
			[]string{"1 session ends", "1 grant is revoked", "1 line of tokens is revoked"}},
		{"RF-09: password changed", `{"users": [{"username": "tio", "password": "a river runs past the school"}]}`, "session tokens", "",
			[]string{"1 session ends", "1 line of tokens is revoked"}},
		{"administrator", `{"users": [{"username": "tio", "admin": true}]}`, "session", "", []string{"1 session ends"}},
		{"claims", `{"users": [{"username": "tio", "email": "t@example.org"}]}`, "", "", nil},
		{"RF-08: client disabled", `{"clients": [{"client_id": "wiki", "disabled": true, ` + rest + `}]}`, "grant tokens", "grant tokens",
			[]string{"2 grants are revoked", "2 lines of tokens are revoked"}},
		{"RF-08: refresh_token taken away", `{"clients": [{"client_id": "wiki", "grant_types": ["authorization_code"], ` + rest + `}]}`, "tokens", "tokens",
			[]string{"2 lines of tokens are revoked"}},
		{"client renamed", `{"clients": [{"client_id": "wiki", "client_name": "W", ` + rest + `}]}`, "", "", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t)
			f.apply(`{"users": [{"username": "tio"}, {"username": "sari"}], "clients": [{"client_id": "wiki", "client_secret": "` + secret32 + `", ` + rest + `}]}`)
			s, g, fam := f.signIn(f.user("tio"), "wiki")
			s2, g2, fam2 := f.signIn(f.user("sari"), "wiki")
			p, err := f.Apply(t.Context(), caller, f.parse(test.document), true)
			if err != nil || f.dead(s, g, fam) != "" {
				t.Fatalf("a plan ended %q, %v", f.dead(s, g, fam), err)
			}
			if diff := cmp.Diff(test.effects, p.Changes[0].Effects); diff != "" {
				t.Errorf("effects of the plan (-want +got):\n%s", diff)
			}
			events := len(f.events())
			f.apply(test.document)
			if got := f.dead(s, g, fam); got != test.dead {
				t.Errorf("ended %q, want %q", got, test.dead)
			}
			if got := f.dead(s2, g2, fam2); got != test.other {
				t.Errorf("of the other user ended %q, want %q", got, test.other)
			}
			ended := 0
			for _, k := range f.kinds(events) {
				if k == audit.SessionEnded || k == audit.GrantRevoked {
					ended++
				}
			}
			if want := len(strings.Fields(test.dead + " " + test.other)); ended != want {
				t.Errorf("%d events for %d ends", ended, want)
			}
		})
	}
}

// Turning a secret-keeping client into a public one drops its secret, and back makes a new one.
func TestSecretFollowsTheMethod(t *testing.T) {
	f := newFixture(t)
	f.apply(household)
	const public = `{"clients": [{"client_id": "wiki", "token_endpoint_auth_method": "none", "redirect_uris": ["https://wiki.example/cb"]}]}`
	if p := f.apply(public); !f.client("wiki").Secret.IsZero() || !strings.Contains(p.String(), "client_secret: changed") {
		t.Errorf("plan:\n%s", p)
	}
	p := f.apply(strings.Replace(public, "none", "client_secret_post", 1))
	if len(p.Made) != 1 || p.Made[0].Secret.Digest() != f.client("wiki").Secret {
		t.Errorf("plan:\n%s", p)
	}
}

func TestAdd(t *testing.T) {
	f := newFixture(t)
	if err := f.AddUser(t.Context(), caller, admin.User{Username: "Tio", Password: "a river runs past the school", Groups: []string{"staff"}}); err != nil {
		t.Fatal(err)
	}
	if err := f.AddUser(t.Context(), caller, admin.User{Username: "tio"}); !errors.Is(err, admin.ErrExists) {
		t.Errorf("a second tio: %v", err)
	}
	if err := f.AddUser(t.Context(), caller, admin.User{Username: "x", Password: "short", Email: "no"}); len(problems(err)) != 2 || !strings.HasPrefix(problems(err)[0], "password: ") {
		t.Errorf("problems: %v", err)
	}
	client := admin.Client{ID: "wiki", RedirectURIs: []string{"https://wiki.example/cb"}}
	made, err := f.AddClient(t.Context(), caller, client)
	if err != nil || made.Digest() != f.client("wiki").Secret {
		t.Errorf("made %d characters, %v", len(made), err)
	}
	if _, err := f.AddClient(t.Context(), caller, client); !errors.Is(err, admin.ErrExists) {
		t.Errorf("a second wiki: %v", err)
	}
	spa := admin.Client{ID: "spa", RedirectURIs: []string{"https://spa.example/cb"}, AuthMethod: oauth.AuthNone}
	if made, err := f.AddClient(t.Context(), caller, spa); err != nil || made != "" {
		t.Errorf("a public client got a secret, or %v", err)
	}
	if _, err := f.AddClient(t.Context(), caller, admin.Client{ID: "x", RedirectURIs: []string{"http://x.example/"}}); len(problems(err)) != 1 {
		t.Errorf("http redirect: %v", err)
	}
}
