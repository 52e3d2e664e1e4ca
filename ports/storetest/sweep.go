package storetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

// sweepTakesWhatCannotMatter saves, for each rule, a row that has just become useless and one that will in a millisecond.
func sweepTakesWhatCannotMatter(t *testing.T, s ports.Store) {
	populate(t, s)
	const day = 24 * time.Hour
	now, later := epoch, epoch.AddDate(1, 0, 0)
	found := map[string]func(ports.Reader, int) error{}
	rule := func(name string, keep time.Duration, save func(tx ports.Tx, n int, end time.Time) error, find func(r ports.Reader, n int) error) {
		update(t, s, func(tx ports.Tx) error {
			return errors.Join(save(tx, 0, now.Add(-keep)), save(tx, 1, now.Add(-keep+time.Millisecond)))
		})
		found[name] = find
	}
	key := func(kind byte, n int) [32]byte { return [32]byte{kind, byte(n)} }
	id := func(name string, n int) string { return fmt.Sprint(name, n) }

	rule("interaction", 0, func(tx ports.Tx, n int, end time.Time) error {
		return tx.SaveInteraction(oidc.Interaction{ID: oidc.InteractionID(id("i", n)), ExpiresAt: end})
	}, func(r ports.Reader, n int) error { _, err := r.Interaction(oidc.InteractionID(id("i", n))); return err })
	rule("code, a day after it expired", day, func(tx ports.Tx, n int, end time.Time) error {
		return tx.SaveCode(oauth.AuthorizationCode{Digest: key(1, n), ExpiresAt: end})
	}, func(r ports.Reader, n int) error { _, err := r.Code(key(1, n)); return err })
	rule("session, 30 days after it expired", 30*day, func(tx ports.Tx, n int, end time.Time) error {
		return tx.SaveSession(identity.Session{ID: identity.SessionID(id("e", n)), Key: key(2, n), User: "u1", ExpiresAt: end})
	}, func(r ports.Reader, n int) error { _, err := r.Session(identity.SessionID(id("e", n))); return err })
	rule("session, 30 days after it ended", 30*day, func(tx ports.Tx, n int, end time.Time) error {
		return tx.SaveSession(identity.Session{ID: identity.SessionID(id("s", n)), Key: key(3, n), User: "u1", ExpiresAt: later, EndedAt: end})
	}, func(r ports.Reader, n int) error { _, err := r.Session(identity.SessionID(id("s", n))); return err })
	rule("family, 30 days after it expired", 30*day, func(tx ports.Tx, n int, end time.Time) error {
		return tx.SaveTokenFamily(oauth.TokenFamily{ID: oauth.FamilyID(id("e", n)), Grant: "g1", ExpiresAt: end})
	}, func(r ports.Reader, n int) error { _, err := r.TokenFamily(oauth.FamilyID(id("e", n))); return err })
	rule("family, 30 days after it was revoked", 30*day, func(tx ports.Tx, n int, end time.Time) error {
		return tx.SaveTokenFamily(oauth.TokenFamily{ID: oauth.FamilyID(id("r", n)), Grant: "g1", ExpiresAt: later, RevokedAt: end})
	}, func(r ports.Reader, n int) error { _, err := r.TokenFamily(oauth.FamilyID(id("r", n))); return err })
	rule("logout notice, after 30 days", 30*day, func(tx ports.Tx, n int, end time.Time) error {
		return tx.SaveLogoutNotice(oidc.LogoutNotice{ID: oidc.NoticeID(id("n", n)), CreatedAt: end})
	}, func(r ports.Reader, n int) error { _, err := r.LogoutNotice(oidc.NoticeID(id("n", n))); return err })
	rule("attempts, after their window", identity.AttemptWindow, func(tx ports.Tx, n int, end time.Time) error {
		return tx.SaveAttempts(identity.Attempts{Key: id("a", n), Count: 1, Since: end})
	}, func(r ports.Reader, n int) error {
		a, err := r.Attempts(id("a", n))
		if err == nil && a.Count == 0 {
			err = ports.ErrNotFound
		}
		return err
	})
	rule("challenge, expired", 0, func(tx ports.Tx, n int, end time.Time) error {
		return tx.SaveChallenge(identity.Challenge{Key: key(6, n), User: "u1", ExpiresAt: end})
	}, func(r ports.Reader, n int) error { _, err := r.Challenge(key(6, n)); return err })
	rule("factor, never confirmed", identity.EnrolLifetime, func(tx ports.Tx, n int, end time.Time) error {
		return errors.Join(tx.SaveFactor(identity.Factor{ID: identity.FactorID(id("o", n)), User: "u1", CreatedAt: end}),
			tx.SaveFactor(identity.Factor{ID: "confirmed", User: "u1", CreatedAt: end, ConfirmedAt: end}))
	}, func(r ports.Reader, n int) error { _, err := r.Factor(identity.FactorID(id("o", n))); return err })
	rule("ticket, expired", 0, func(tx ports.Tx, n int, end time.Time) error {
		return tx.SaveTicket(identity.Ticket{Key: key(4, n), ExpiresAt: end})
	}, func(r ports.Reader, n int) error { _, err := r.Ticket(key(4, n)); return err })
	rule("ticket, used", 0, func(tx ports.Tx, n int, end time.Time) error {
		k := identity.Ticket{Key: key(5, n), ExpiresAt: later}
		if n == 0 {
			k.UsedAt = end
		}
		return tx.SaveTicket(k)
	}, func(r ports.Reader, n int) error { _, err := r.Ticket(key(5, n)); return err })
	update(t, s, func(tx ports.Tx) error { return tx.Record(audit.Event{At: epoch.AddDate(-20, 0, 0)}) })

	update(t, s, func(tx ports.Tx) error {
		n, err := tx.Sweep(now, 1000)
		if n != len(found) {
			t.Errorf("swept %d rows, want %d", n, len(found))
		}
		return err
	})
	view(t, s, func(r ports.Reader) error {
		for name, find := range found {
			if err := find(r, 0); !errors.Is(err, ports.ErrNotFound) {
				t.Errorf("%s: still there: %v", name, err)
			}
			if err := find(r, 1); err != nil {
				t.Errorf("%s: gone too early: %v", name, err)
			}
		}
		events, err := r.Events(audit.Query{Limit: 10})
		if len(events) != 1 {
			t.Errorf("%d events are left, want 1", len(events))
		}
		if _, err := r.Grant("g1"); err != nil {
			t.Errorf("a live grant is gone: %v", err)
		}
		return err
	})
}

func sweepStopsAtItsLimit(t *testing.T, s ports.Store) {
	populate(t, s)
	update(t, s, func(tx ports.Tx) error {
		for i := range 5 {
			err := errors.Join(tx.SaveInteraction(oidc.Interaction{ID: oidc.InteractionID(fmt.Sprint(i))}),
				tx.SaveSession(identity.Session{ID: identity.SessionID(fmt.Sprint(i)), Key: [32]byte{byte(i)}, User: "u1", EndedAt: epoch,
					ExpiresAt: epoch.Add(time.Duration(i%2) * 10000 * time.Hour)}))
			if err != nil {
				return err
			}
		}
		return nil
	})
	for _, want := range []int{4, 4, 2, 0} {
		update(t, s, func(tx ports.Tx) error {
			n, err := tx.Sweep(epoch.AddDate(0, 3, 0), 2)
			if n != want {
				t.Errorf("swept %d rows, want %d: two of each kind", n, want)
			}
			return err
		})
	}
}

// A revoked grant goes after 30 days, once no family under it is left to explain.
func sweepKeepsGrantsWithHistory(t *testing.T, s ports.Store) {
	populate(t, s)
	update(t, s, func(tx ports.Tx) error {
		return errors.Join(tx.SaveTokenFamily(oauth.TokenFamily{ID: "f", Grant: "g1", ExpiresAt: epoch.AddDate(0, 0, 1)}),
			tx.SaveGrant(oauth.Grant{ID: "g1", User: "u1", Client: "c1", RevokedAt: epoch}),
			tx.SaveGrant(oauth.Grant{ID: "g2", User: "u1", Client: "c2", RevokedAt: epoch}))
	})
	for _, c := range []struct {
		now    time.Time
		g1, g2 bool
	}{{epoch.AddDate(0, 0, 30).Add(-1), true, true}, {epoch.AddDate(0, 0, 30), true, false}, {epoch.AddDate(0, 0, 31), false, false}} {
		update(t, s, func(tx ports.Tx) error { _, err := tx.Sweep(c.now, 10); return err })
		view(t, s, func(r ports.Reader) error {
			_, err1 := r.Grant("g1")
			_, err2 := r.Grant("g2")
			if (err1 == nil) != c.g1 || (err2 == nil) != c.g2 {
				t.Errorf("after the sweep at %v: g1 %v, g2 %v", c.now, err1, err2)
			}
			return nil
		})
	}
}
