package app_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"latchkey/adapters/chance"
	inmemory "latchkey/adapters/memory"
	"latchkey/app/session"
	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/ports"
)

// glass is a keychain that hides nothing, and still opens only what was sealed for the row.
type glass struct{ ports.Keychain }

func (glass) Seal(purpose, row string, seed []byte) []byte {
	return append([]byte(purpose+row), seed...)
}

func (glass) Open(purpose, row string, sealed []byte) ([]byte, error) {
	seed, ok := bytes.CutPrefix(sealed, []byte(purpose+row))
	if !ok {
		return nil, errors.New("another row")
	}
	return seed, nil
}

// MF-01, MF-05: two sign-ins that have both seen that a code is right: the first to be saved has it, the other has nothing,
// and neither has whoever waited until the challenge was over.
func TestOneOfTwoHasTheCode(t *testing.T) {
	t.Parallel()
	seed, now := []byte("12345678901234567890"), time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	store := inmemory.New()
	auth := &session.Authenticator{Store: store, Secrets: chance.Source{}, Keychain: glass{}, Now: func() time.Time { return now }, Scale: 1}
	bob := identity.User{ID: "usr_bob", Username: "bob"}
	recovery := chance.Source{}.ID()
	digest, _ := identity.RecoveryDigest(bob.ID, recovery)
	f := identity.Factor{ID: "fac_1", User: bob.ID, Kind: identity.TOTPFactor, CreatedAt: now, ConfirmedAt: now}
	f.Sealed = glass{}.Seal(ports.PurposeFactors, f.SealRow(), seed)
	update := func(fn func(ports.Tx) error) {
		t.Helper()
		if err := store.Update(t.Context(), fn); err != nil {
			t.Fatal(err)
		}
	}
	update(func(tx ports.Tx) error {
		return errors.Join(tx.SaveUser(bob), tx.SaveFactor(f), tx.SaveRecoveryCodes(identity.RecoveryCodes{User: bob.ID, Digests: [][32]byte{digest}}))
	})
	caller := audit.Caller{RequestID: "req_test"}
	for name, form := range map[string]ports.FactorForm{
		"a code":          {Code: identity.TOTPCode(seed, identity.TOTPStep(now))},
		"a recovery code": {Code: recovery, Recovery: true},
	} {
		t.Run(name, func(t *testing.T) {
			challenges, proven := []oauth.Secret{"first", "second"}, make([]session.Proven, 2)
			for i, c := range challenges {
				update(func(tx ports.Tx) error { return tx.SaveChallenge(identity.NewChallenge(c.Digest(), bob, now)) })
				p, problem, err := auth.Prove(t.Context(), caller, "", c, form)
				if err != nil || problem.Problem != "" {
					t.Fatalf("%v %v", problem, err)
				}
				proven[i] = p
			}
			finish := func(i int) (ok bool) {
				update(func(tx ports.Tx) (err error) {
					_, _, ok, err = auth.Finish(tx, proven[i], caller, ports.Browser{Challenge: challenges[i]}, chance.Source{}.Secret(), now)
					return err
				})
				return ok
			}
			if !finish(0) || finish(1) {
				t.Error("the code counts for both, or for none")
			}
			// SS-05: not even the next code goes with it.
			err := store.View(t.Context(), func(r ports.Reader) error { _, err := r.Challenge(challenges[0].Digest()); return err })
			if finish(0) || !errors.Is(err, ports.ErrNotFound) {
				t.Errorf("an answered challenge begins another session: %v", err)
			}
		})
	}
}
