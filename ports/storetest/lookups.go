package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

func missingIsErrNotFound(t *testing.T, s ports.Store) {
	check := func(r ports.Reader) error {
		for name, find := range map[string]func() (any, error){
			"Client":        func() (any, error) { return r.Client("x") },
			"User":          func() (any, error) { return r.User("x") },
			"UserByLogin":   func() (any, error) { return r.UserByLogin("x") },
			"no login":      func() (any, error) { return r.UserByLogin("") },
			"Session":       func() (any, error) { return r.Session("x") },
			"SessionByKey":  func() (any, error) { return r.SessionByKey([32]byte{}) },
			"Ticket":        func() (any, error) { return r.Ticket([32]byte{}) },
			"Interaction":   func() (any, error) { return r.Interaction("x") },
			"Grant":         func() (any, error) { return r.Grant("x") },
			"LiveGrant":     func() (any, error) { return r.LiveGrant("x", "x") },
			"Code":          func() (any, error) { return r.Code(oauth.Digest{}) },
			"TokenFamily":   func() (any, error) { return r.TokenFamily("x") },
			"LogoutNotice":  func() (any, error) { return r.LogoutNotice("x") },
			"Factor":        func() (any, error) { return r.Factor("x") },
			"credential":    func() (any, error) { return r.FactorByCredential([]byte("x")) },
			"no credential": func() (any, error) { return r.FactorByCredential(nil) },
			"Challenge":     func() (any, error) { return r.Challenge([32]byte{}) },
		} {
			if _, err := find(); !errors.Is(err, ports.ErrNotFound) {
				t.Errorf("%s: got %v, want ErrNotFound", name, err)
			}
		}
		a, err1 := r.Attempts("x")
		set, err2 := r.Settings()
		keys, err3 := r.SigningKeys()
		clients, err4 := r.Clients()
		events, err5 := r.Events(audit.Query{Limit: 10})
		if (a != identity.Attempts{Key: "x"}) || (set != oidc.Settings{}) || len(keys)+len(clients)+len(events) > 0 {
			t.Errorf("an empty store has %v, %v, %v, %v, %v", a, set, keys, clients, events)
		}
		return errors.Join(err1, err2, err3, err4, err5)
	}
	view(t, s, check)
	update(t, s, func(tx ports.Tx) error { return check(tx) }) // a lookup that finds nothing does not end the unit
}

func userByLogin(t *testing.T, s ports.Store) {
	update(t, s, func(tx ports.Tx) error {
		return each(tx.SaveUser,
			identity.User{ID: "1", Username: "ana", Email: "Ana@Example.org", EmailVerified: true},
			identity.User{ID: "2", Username: "budi", Email: "shared@example.org", EmailVerified: true},
			identity.User{ID: "3", Username: "citra", Email: "SHARED@example.org", EmailVerified: true},
			identity.User{ID: "4", Username: "eve@example.org"},
			identity.User{ID: "5", Username: "dewi", Email: "eve@example.org", EmailVerified: true},
			identity.User{ID: "6", Username: "fajar", Email: "ana@example.org"}, // claims her address without having shown it
			identity.User{ID: "7", Username: "gita"})
	})
	view(t, s, func(r ports.Reader) error {
		for login, want := range map[string]identity.UserID{
			"ana":                "1",
			"ana@example.org":    "1", // however it is spelt on file
			"shared@example.org": "",  // of two users: it says nothing about who is meant
			"eve@example.org":    "4", // a username wins, or an e-mail address would capture it
			"dewi":               "5",
			"":                   "", // users without an address are not found by none
			"nobody":             "",
			"an%":                "",
			"ſhared@example.org": "", // no folding beyond ASCII
		} {
			u, err := r.UserByLogin(login)
			if u.ID != want || errors.Is(err, ports.ErrNotFound) != (want == "") {
				t.Errorf("%q: got %q, %v, want %q", login, u.ID, err, want)
			}
		}
		return nil
	})
}

func hasAdmin(t *testing.T, s ports.Store) {
	check := func(want bool) {
		t.Helper()
		view(t, s, func(r ports.Reader) error {
			got, err := r.HasAdmin()
			if got != want {
				t.Errorf("HasAdmin is %v, want %v", got, want)
			}
			return err
		})
	}
	check(false)
	update(t, s, func(tx ports.Tx) error { return tx.SaveUser(identity.User{ID: "1", Username: "ana"}) })
	check(false)
	update(t, s, func(tx ports.Tx) error {
		// A disabled administrator counts: the set-up link is for a provider that never had one.
		return tx.SaveUser(identity.User{ID: "2", Username: "budi", Admin: true, DisabledAt: epoch})
	})
	check(true)
}

func listsAreLiveAndOldestFirst(t *testing.T, s ports.Store) {
	populate(t, s)
	at := func(n int) time.Time { return epoch.Add(time.Duration(n) * time.Second) }
	update(t, s, func(tx ports.Tx) error {
		return errors.Join(
			tx.SaveClient(oauth.Client{ID: "c0"}), tx.SaveClient(oauth.Client{ID: "c3"}),
			each(tx.SaveGrant,
				oauth.Grant{ID: "new", User: "u2", Client: "c1", CreatedAt: at(2)},
				oauth.Grant{ID: "old", User: "u2", Client: "c2", CreatedAt: at(1)},
				oauth.Grant{ID: "revoked", User: "u2", Client: "c0", CreatedAt: at(0), RevokedAt: at(3)},
				oauth.Grant{ID: "tie", User: "u2", Client: "c3", CreatedAt: at(2)}),
			each(tx.SaveTokenFamily,
				oauth.TokenFamily{ID: "new", Grant: "g1", Session: "s1", CreatedAt: at(2), RotatedAt: at(5)},
				oauth.TokenFamily{ID: "old", Grant: "g1", Session: "s1", CreatedAt: at(1), RotatedAt: at(7)},
				oauth.TokenFamily{ID: "revoked", Grant: "g1", Session: "s1", CreatedAt: at(0), RotatedAt: at(6), RevokedAt: at(3)},
				oauth.TokenFamily{ID: "tie", Grant: "g1", Session: "s2", CreatedAt: at(2), RotatedAt: at(4)},
				oauth.TokenFamily{ID: "other", Grant: "g2", Session: "s1", CreatedAt: at(3)}),
			each(tx.SaveSession,
				identity.Session{ID: "new", Key: [32]byte{1}, User: "u1", CreatedAt: at(2)},
				identity.Session{ID: "old", Key: [32]byte{2}, User: "u1", CreatedAt: at(1)},
				identity.Session{ID: "ended", Key: [32]byte{3}, User: "u1", CreatedAt: at(0), EndedAt: at(3)},
				identity.Session{ID: "other", Key: [32]byte{4}, User: "u2", CreatedAt: at(1)}))
	})
	check := func(r ports.Reader) error {
		clients, err1 := r.Clients()
		ofUser, err2 := r.GrantsOfUser("u2")
		ofClient, err3 := r.GrantsOfClient("c1")
		ofGrant, err4 := r.FamiliesOfGrant("g1")
		latest, err7 := r.LatestFamilies("g1", 3)
		ofSession, err5 := r.FamiliesOfSession("s1")
		sessions, err6 := r.SessionsOfUser("u1")
		grantID := func(g oauth.Grant) string { return string(g.ID) }
		familyID := func(f oauth.TokenFamily) string { return string(f.ID) }
		for name, list := range map[string]struct{ got, want []string }{
			"Clients":           {ids(clients, func(c oauth.Client) string { return string(c.ID) }), []string{"c0", "c1", "c2", "c3"}},
			"GrantsOfUser":      {ids(ofUser, grantID), []string{"old", "new", "tie"}},
			"GrantsOfClient":    {ids(ofClient, grantID), []string{"g1", "new"}},
			"FamiliesOfGrant":   {ids(ofGrant, familyID), []string{"old", "new", "tie"}},
			"LatestFamilies":    {ids(latest, familyID), []string{"old", "revoked", "new"}},
			"FamiliesOfSession": {ids(ofSession, familyID), []string{"old", "new", "other"}},
			"SessionsOfUser":    {ids(sessions, func(s identity.Session) string { return string(s.ID) }), []string{"old", "new"}},
		} {
			if diff := cmp.Diff(list.want, list.got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
		return errors.Join(err1, err2, err3, err4, err5, err6, err7)
	}
	view(t, s, check)
	update(t, s, func(tx ports.Tx) error { return check(tx) })
}

func ids[T any](values []T, id func(T) string) (list []string) {
	for _, v := range values {
		list = append(list, id(v))
	}
	return list
}

func liveGrantIgnoresRevoked(t *testing.T, s ports.Store) {
	populate(t, s)
	find := func() (g oauth.Grant, err error) {
		view(t, s, func(r ports.Reader) error { g, err = r.LiveGrant("u1", "c1"); return nil })
		return g, err
	}
	if g, err := find(); g.ID != "g1" || err != nil {
		t.Errorf("got %q, %v, want g1", g.ID, err)
	}
	update(t, s, func(tx ports.Tx) error {
		return tx.SaveGrant(oauth.Grant{ID: "g1", User: "u1", Client: "c1", RevokedAt: epoch})
	})
	if g, err := find(); !errors.Is(err, ports.ErrNotFound) {
		t.Errorf("got %q, %v, want ErrNotFound", g.ID, err)
	}
	update(t, s, func(tx ports.Tx) error { return tx.SaveGrant(oauth.Grant{ID: "again", User: "u1", Client: "c1"}) })
	if g, err := find(); g.ID != "again" || err != nil {
		t.Errorf("got %q, %v, want the new grant", g.ID, err)
	}
}

// Revoked grants and changed usernames are out of the way of new ones.
func oneLiveGrantAndOneUsername(t *testing.T, s ports.Store) {
	populate(t, s)
	update(t, s, func(tx ports.Tx) error {
		return errors.Join(
			each(tx.SaveGrant,
				oauth.Grant{ID: "g1", User: "u1", Client: "c1", RevokedAt: epoch},
				oauth.Grant{ID: "g3", User: "u1", Client: "c1", RevokedAt: epoch},
				oauth.Grant{ID: "g4", User: "u1", Client: "c1"},
				oauth.Grant{ID: "g4", User: "u1", Client: "c1", Scope: "openid"},
				oauth.Grant{ID: "g1", User: "u1", Client: "c1", RevokedAt: epoch, Scope: "openid"}),
			each(tx.SaveUser, identity.User{ID: "u1", Username: "ana2"}, identity.User{ID: "u3", Username: "ana"}, identity.User{ID: "u3", Username: "ana"}))
	})
	view(t, s, func(r ports.Reader) error {
		g, err1 := r.LiveGrant("u1", "c1")
		u, err2 := r.UserByLogin("ana")
		if g.ID != "g4" || u.ID != "u3" {
			t.Errorf("got grant %q and user %q, want g4 and u3", g.ID, u.ID)
		}
		return errors.Join(err1, err2)
	})
}

func deletingTakesAlong(t *testing.T, s ports.Store) {
	populate(t, s)
	update(t, s, func(tx ports.Tx) error {
		return errors.Join(
			tx.SaveGrant(oauth.Grant{ID: "g3", User: "u2", Client: "c2"}),
			each(tx.SaveTokenFamily, oauth.TokenFamily{ID: "f1", Grant: "g1"}, oauth.TokenFamily{ID: "f2", Grant: "g2"}, oauth.TokenFamily{ID: "f3", Grant: "g3"},
				oauth.TokenFamily{ID: "f4", Grant: "g1", RevokedAt: epoch}),
			each(tx.SaveCode, oauth.AuthorizationCode{Digest: oauth.Digest{1}, Grant: "g1", User: "u1", Client: "c1"},
				oauth.AuthorizationCode{Digest: oauth.Digest{2}, Grant: "g2", User: "u1", Client: "c2"},
				oauth.AuthorizationCode{Digest: oauth.Digest{3}, Grant: "g3", User: "u2", Client: "c2"}),
			each(tx.SaveSession, identity.Session{ID: "s1", Key: [32]byte{1}, User: "u1"}, identity.Session{ID: "s2", Key: [32]byte{2}, User: "u2"}))
	})
	// left reports what is still there.
	left := func() (found []string) {
		view(t, s, func(r ports.Reader) error {
			for name, find := range map[string]func() (any, error){
				"client 1":  func() (any, error) { return r.Client("c1") },
				"client 2":  func() (any, error) { return r.Client("c2") },
				"user 1":    func() (any, error) { return r.User("u1") },
				"user 2":    func() (any, error) { return r.User("u2") },
				"grant 1":   func() (any, error) { return r.Grant("g1") },
				"grant 2":   func() (any, error) { return r.Grant("g2") },
				"grant 3":   func() (any, error) { return r.Grant("g3") },
				"family 1":  func() (any, error) { return r.TokenFamily("f1") },
				"family 2":  func() (any, error) { return r.TokenFamily("f2") },
				"family 3":  func() (any, error) { return r.TokenFamily("f3") },
				"family 4":  func() (any, error) { return r.TokenFamily("f4") },
				"code 1":    func() (any, error) { return r.Code(oauth.Digest{1}) },
				"code 2":    func() (any, error) { return r.Code(oauth.Digest{2}) },
				"code 3":    func() (any, error) { return r.Code(oauth.Digest{3}) },
				"session 1": func() (any, error) { return r.Session("s1") },
				"session 2": func() (any, error) { return r.Session("s2") },
			} {
				if _, err := find(); err == nil {
					found = append(found, name)
				} else if !errors.Is(err, ports.ErrNotFound) {
					t.Error(err)
				}
			}
			return nil
		})
		return found
	}
	check := func(after string, want ...string) {
		t.Helper()
		sorted := map[string]bool{}
		for _, name := range left() {
			sorted[name] = true
		}
		expected := map[string]bool{}
		for _, name := range want {
			expected[name] = true
		}
		if diff := cmp.Diff(expected, sorted); diff != "" {
			t.Errorf("left after %s (-want +got):\n%s", after, diff)
		}
	}
	update(t, s, func(tx ports.Tx) error {
		err := tx.DeleteClient("c1")
		if _, err := tx.Grant("g1"); !errors.Is(err, ports.ErrNotFound) {
			t.Errorf("the unit still finds what it deleted: %v", err)
		}
		return err
	})
	check("deleting client 1", "client 2", "user 1", "user 2", "grant 2", "grant 3", "family 2", "family 3", "code 2", "code 3", "session 1", "session 2")
	update(t, s, func(tx ports.Tx) error { return tx.DeleteUser("u1") })
	check("deleting user 1", "client 2", "user 2", "grant 3", "family 3", "code 3", "session 2")
	update(t, s, func(tx ports.Tx) error {
		return errors.Join(tx.DeleteUser("nobody"), tx.DeleteClient("none"), tx.DeleteSigningKey("none"))
	})
	check("deleting nothing", "client 2", "user 2", "grant 3", "family 3", "code 3", "session 2")
}
