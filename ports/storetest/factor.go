package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/domain/identity"
	"latchkey/ports"
)

// factors checks who has what, that a credential belongs to one factor, and that all of it goes with its user.
func factors(t *testing.T, s ports.Store) {
	populate(t, s)
	factor := func(id identity.FactorID, user identity.UserID, second int, credential string) identity.Factor {
		return identity.Factor{ID: id, User: user, CreatedAt: epoch.Add(time.Duration(second) * time.Second), CredentialID: []byte(credential)}
	}
	update(t, s, func(tx ports.Tx) error {
		return errors.Join(
			each(tx.SaveFactor, factor("new", "u1", 2, "a"), factor("old", "u1", 1, ""), factor("gone", "u1", 0, "b"), factor("other", "u2", 1, "")),
			tx.DeleteFactor("gone"), tx.DeleteFactor("never"),
			each(tx.SaveRecoveryCodes, identity.RecoveryCodes{User: "u1", Digests: [][32]byte{{1}, {2}}}, identity.RecoveryCodes{User: "u2", Digests: [][32]byte{{3}}}),
			each(tx.SaveChallenge, identity.Challenge{Key: [32]byte{1}, User: "u1"}, identity.Challenge{Key: [32]byte{2}, User: "u2"}, identity.Challenge{Key: [32]byte{3}, User: "u2"}),
			tx.DeleteChallenge([32]byte{3}), tx.DeleteChallenge([32]byte{9}))
	})
	found := func(user identity.UserID) (names []string, codes int) {
		view(t, s, func(r ports.Reader) error {
			all, err1 := r.Factors(user)
			left, err2 := r.RecoveryCodes(user)
			names, codes = ids(all, func(f identity.Factor) string { return string(f.ID) }), len(left.Digests)
			return errors.Join(err1, err2)
		})
		return names, codes
	}
	check := func(user identity.UserID, want []string, wantCodes int) {
		t.Helper()
		names, codes := found(user)
		if diff := cmp.Diff(want, names); diff != "" || codes != wantCodes {
			t.Errorf("%s has %d codes and these factors (-want +got):\n%s", user, codes, diff)
		}
	}
	check("u1", []string{"old", "new"}, 2)
	check("u2", []string{"other"}, 1)
	for name, refused := range map[string]func(ports.Tx) error{
		"the credential of another factor": func(tx ports.Tx) error { return tx.SaveFactor(factor("thief", "u2", 3, "a")) },
		"a factor of nobody":               func(tx ports.Tx) error { return tx.SaveFactor(factor("x", "nobody", 3, "")) },
		"codes of nobody":                  func(tx ports.Tx) error { return tx.SaveRecoveryCodes(identity.RecoveryCodes{User: "nobody"}) },
		"a challenge of nobody":            func(tx ports.Tx) error { return tx.SaveChallenge(identity.Challenge{User: "nobody"}) },
	} {
		if err := s.Update(t.Context(), refused); err == nil {
			t.Errorf("%s was saved", name)
		}
	}
	update(t, s, func(tx ports.Tx) error { // a clock that is set back: what had expired, and what was begun after it
		err := each(tx.SaveChallenge, identity.Challenge{Key: [32]byte{4}, User: "u2", ExpiresAt: epoch}, identity.Challenge{Key: [32]byte{5}, User: "u2", ExpiresAt: epoch.Add(time.Hour)},
			identity.Challenge{Key: [32]byte{6}, User: "u2", CreatedAt: epoch.Add(2 * time.Second), ExpiresAt: epoch.Add(time.Hour)}, identity.Challenge{Key: [32]byte{2}, User: "u2", ExpiresAt: epoch.Add(time.Hour)})
		return errors.Join(err, tx.Expire(epoch, epoch.Add(time.Second)))
	})
	update(t, s, func(tx ports.Tx) error { return tx.DeleteUser("u1") })
	check("u1", nil, 0)
	check("u2", []string{"other"}, 1)
	view(t, s, func(r ports.Reader) error {
		_, err := r.Challenge([32]byte{2})
		if _, err := r.Challenge([32]byte{5}); err != nil {
			t.Errorf("a challenge that had not expired is gone: %v", err)
		}
		for _, key := range [][32]byte{{1}, {3}, {4}, {6}} {
			if _, err := r.Challenge(key); !errors.Is(err, ports.ErrNotFound) {
				t.Errorf("challenge %d: %v, want ErrNotFound", key[0], err)
			}
		}
		return err
	})
}
