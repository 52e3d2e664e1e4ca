package main

import (
	"errors"
	"testing"
	"time"

	"latchkey/app"
	"latchkey/domain/identity"
	"latchkey/ports"
)

// What a user lost is taken off: after saying what ends, and once.
func TestUserResetFactors(t *testing.T) {
	inHousehold(t)
	signedIn(t, "sari")
	a, err := app.New(t.Context(), app.Config{})
	if err != nil {
		t.Fatal(err)
	}
	err = a.Store.Update(t.Context(), func(tx ports.Tx) error {
		u, err := tx.UserByLogin("sari")
		return errors.Join(err, tx.SaveFactor(identity.Factor{ID: "fac_1", User: u.ID, Kind: identity.TOTPFactor, ConfirmedAt: time.UnixMilli(1)}))
	})
	if err := errors.Join(err, a.Close()); err != nil {
		t.Fatal(err)
	}
	take(t,
		step{"", "user reset-factors sari", exitRefused, `^$`, `This will happen:\n~ user "sari" second factors: changed\n    second factors are removed: 1, with all recovery codes\n    1 session ends[^$]*add --yes`},
		step{"", "user show sari", exitOK, `sessions: 1\n`, `^$`},
		step{"", "user reset-factors sari --yes", exitOK, `second factors are removed: 1`, `Removed. Next, if the password may be known to somebody: latchkey user reset-link sari`},
		step{"", "user show sari", exitOK, `sessions: 0\n`, `^$`},
		step{"", "user reset-factors sari --yes", exitOK, `unchanged`, `Nothing to change`},
		step{"", "user reset-factors srai", exitNotFound, `^$`, `did you mean sari`},
		step{"", "audit query --kind mfa.removed", exitOK, `mfa.removed user=sari .*how="by an administrator"`, `^$`},
	)
}
