package storetest

import (
	"errors"
	"testing"

	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

func changesCountsWhatMatters(t *testing.T, s ports.Store) {
	populate(t, s)
	family := oauth.TokenFamily{ID: "f", Grant: "g1", Generation: 1}
	session := identity.Session{ID: "s", User: "u1"}
	for _, c := range []struct {
		name string
		want bool
		unit func(ports.Tx) error
	}{
		{"client", true, func(tx ports.Tx) error { return tx.SaveClient(oauth.Client{ID: "c1", Name: "x"}) }},
		{"settings", true, func(tx ports.Tx) error { return tx.SaveSettings(oidc.Settings{Support: "x"}) }},
		{"key", true, func(tx ports.Tx) error { return tx.SaveSigningKey(oidc.SigningKey{ID: "k"}) }},
		{"key deleted", true, func(tx ports.Tx) error { return tx.DeleteSigningKey("k") }},
		{"user", true, func(tx ports.Tx) error { return tx.SaveUser(identity.User{ID: "u1", Username: "ana"}) }},
		{"session begun", false, func(tx ports.Tx) error { return tx.SaveSession(session) }},
		{"session ended", true, func(tx ports.Tx) error { x := session; x.End(epoch); return tx.SaveSession(x) }},
		{"grant extended", false, func(tx ports.Tx) error {
			return tx.SaveGrant(oauth.Grant{ID: "g1", User: "u1", Client: "c1", Scope: "openid"})
		}},
		{"family begun", false, func(tx ports.Tx) error { return tx.SaveTokenFamily(family) }},
		{"family rotated", false, func(tx ports.Tx) error { f := family; f.Generation++; return tx.SaveTokenFamily(f) }},
		{"family revoked", true, func(tx ports.Tx) error { f := family; f.Revoke("x", epoch); return tx.SaveTokenFamily(f) }},
		{"grant revoked", true, func(tx ports.Tx) error {
			return tx.SaveGrant(oauth.Grant{ID: "g1", User: "u1", Client: "c1", RevokedAt: epoch})
		}},
		{"ticket", false, func(tx ports.Tx) error { return tx.SaveTicket(identity.Ticket{UsedAt: epoch}) }},
		{"factor", false, func(tx ports.Tx) error { return tx.SaveFactor(identity.Factor{ID: "f", User: "u1"}) }},
		{"notice", false, func(tx ports.Tx) error { return tx.SaveLogoutNotice(oidc.LogoutNotice{ID: "n"}) }},
		{"attempts", false, func(tx ports.Tx) error { return tx.SaveAttempts(identity.Attempts{Key: "x"}) }},
		{"interaction", false, func(tx ports.Tx) error { return tx.SaveInteraction(oidc.Interaction{ID: "x"}) }},
		{"code", false, func(tx ports.Tx) error { return tx.SaveCode(oauth.AuthorizationCode{}) }},
		{"event", false, func(tx ports.Tx) error { return tx.Record(audit.Event{}) }},
		{"sweep", false, func(tx ports.Tx) error { _, err := tx.Sweep(epoch.AddDate(10, 0, 0), 100); return err }},
		{"nothing", false, func(ports.Tx) error { return nil }},
		{"client deleted", true, func(tx ports.Tx) error { return tx.DeleteClient("c1") }},
		{"user deleted", true, func(tx ports.Tx) error { return tx.DeleteUser("u1") }},
	} {
		before := s.Changes()
		if before != s.Changes() {
			t.Fatal("Changes differs without a unit between")
		}
		update(t, s, c.unit)
		if changed := s.Changes() != before; changed != c.want {
			t.Errorf("%s: Changes differs: %v, want %v", c.name, changed, c.want)
		}
	}
	before := s.Changes()
	err := s.Update(t.Context(), func(tx ports.Tx) error {
		return errors.Join(tx.SaveClient(oauth.Client{ID: "c2", Name: "x"}), errBoom)
	})
	if !errors.Is(err, errBoom) || s.Changes() != before {
		t.Errorf("a dropped unit changed %d to %d: %v", before, s.Changes(), err)
	}
}
