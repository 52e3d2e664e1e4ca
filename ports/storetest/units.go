package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

var errBoom = errors.New("boom")

// ruin changes one of everything that may be looked up differently: by a store that remembers, and by one that does not.
func ruin(tx ports.Tx) error {
	err := errors.Join(tx.SaveClient(oauth.Client{ID: "c1", Name: "ruined"}), tx.SaveUser(identity.User{ID: "u1", Username: "ruined"}),
		tx.SaveSettings(oidc.Settings{OrganisationName: "ruined"}), tx.SaveSigningKey(oidc.SigningKey{ID: "ruined"}),
		tx.SaveGrant(oauth.Grant{ID: "g1", User: "u1", Client: "c1", Scope: "ruined"}), tx.Record(audit.Event{Kind: "ruined"}),
		tx.DeleteClient("c2"))
	if err != nil {
		return err
	}
	_, err = tx.Client("c1") // which might be remembered
	return err
}

// intact checks that nothing of ruin is seen.
func intact(t *testing.T, s ports.Store) {
	t.Helper()
	look := func(r ports.Reader) error {
		c, err1 := r.Client("c1")
		_, err2 := r.Client("c2")
		u, err3 := r.User("u1")
		set, err4 := r.Settings()
		keys, err5 := r.SigningKeys()
		g, err6 := r.Grant("g1")
		events, err7 := r.Events(audit.Query{Limit: 1})
		if err := errors.Join(err1, err2, err3, err4, err5, err6, err7); err != nil {
			t.Error(err)
		}
		if c.Name != "" || u.Username != "ana" || set.OrganisationName != "" || len(keys) > 0 || g.Scope != "" || len(events) > 0 {
			t.Errorf("the dropped unit is seen: %q %q %q, %d keys, %q, %d events", c.Name, u.Username, set.OrganisationName, len(keys), g.Scope, len(events))
		}
		return nil
	}
	update(t, s, func(tx ports.Tx) error { return look(tx) })
	view(t, s, look)
	// The commit of a later unit must not carry the dropped one along.
	update(t, s, func(tx ports.Tx) error { return tx.SaveTicket(identity.Ticket{}) })
	view(t, s, look)
}

func errorDropsTheUnit(t *testing.T, s ports.Store) {
	populate(t, s)
	err := s.Update(t.Context(), func(tx ports.Tx) error {
		if err := ruin(tx); err != nil {
			t.Error(err)
		}
		return errBoom
	})
	if !errors.Is(err, errBoom) {
		t.Errorf("got %v, want boom", err)
	}
	intact(t, s)
}

func panicDropsTheUnit(t *testing.T, s ports.Store) {
	populate(t, s)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic did not reach the caller")
			}
		}()
		s.Update(t.Context(), func(tx ports.Tx) error {
			if err := ruin(tx); err != nil {
				t.Error(err)
			}
			panic(errBoom)
		})
	}()
	intact(t, s)
}

// A caller that overlooks a failed save must not commit the rest.
func failedSaveDropsTheUnit(t *testing.T, s ports.Store) {
	populate(t, s)
	for name, save := range map[string]func(ports.Tx) error{
		"session of nobody":     func(tx ports.Tx) error { return tx.SaveSession(identity.Session{ID: "x", User: "nobody"}) },
		"grant of nobody":       func(tx ports.Tx) error { return tx.SaveGrant(oauth.Grant{ID: "x", User: "nobody", Client: "c1"}) },
		"grant to no client":    func(tx ports.Tx) error { return tx.SaveGrant(oauth.Grant{ID: "x", User: "u2", Client: "none"}) },
		"family under no grant": func(tx ports.Tx) error { return tx.SaveTokenFamily(oauth.TokenFamily{ID: "x", Grant: "none"}) },
		"username taken":        func(tx ports.Tx) error { return tx.SaveUser(identity.User{ID: "x", Username: "ana"}) },
		"second live grant":     func(tx ports.Tx) error { return tx.SaveGrant(oauth.Grant{ID: "x", User: "u1", Client: "c1"}) },
		"after a delete of both": func(tx ports.Tx) error {
			tx.DeleteUser("u1")
			return tx.SaveSession(identity.Session{ID: "x", User: "u1"})
		},
	} {
		err := s.Update(t.Context(), func(tx ports.Tx) error {
			if err := tx.SaveClient(oauth.Client{ID: "c1", Name: "ruined"}); err != nil {
				t.Error(err)
			}
			if save(tx) == nil {
				t.Errorf("%s was saved", name)
			}
			tx.Record(audit.Event{Kind: "ruined"})
			return nil
		})
		if err == nil {
			t.Errorf("%s: the unit was kept", name)
		}
		intact(t, s)
	}
}

// A replayed refresh token is refused and its family revoked, in one unit.
func refusalKeepsTheUnit(t *testing.T, s ports.Store) {
	populate(t, s)
	tag := func([]byte) [32]byte { return [32]byte{7} }
	client := oauth.Client{ID: "c1", Rules: oauth.Rules{RotateRefreshTokens: true}}
	family := oauth.TokenFamily{ID: "f", Grant: "g1", Client: "c1", Refresh: true, Generation: 1, RotatedAt: epoch, ExpiresAt: epoch.Add(time.Hour)}
	old, err := oauth.ParseRefreshToken(family.RefreshToken(tag))
	if err != nil {
		t.Fatal(err)
	}
	family.Generation = 9
	update(t, s, func(tx ports.Tx) error { return tx.SaveTokenFamily(family) })
	_, answer := ports.Decide(t.Context(), s, func(tx ports.Tx) (struct{}, *oauth.Error, error) {
		f, err := tx.TokenFamily("f")
		if err != nil {
			return struct{}{}, nil, err
		}
		_, refusal := f.Rotate(client, old, tag, epoch)
		return struct{}{}, refusal, tx.SaveTokenFamily(f)
	})
	if refusal := (*oauth.Error)(nil); !errors.As(answer, &refusal) || refusal.Code != oauth.InvalidGrant {
		t.Fatalf("got %v, want a refusal", answer)
	}
	view(t, s, func(r ports.Reader) error {
		f, err := r.TokenFamily("f")
		if f.RevokedAt != epoch {
			t.Errorf("family revoked at %v, want %v", f.RevokedAt, epoch)
		}
		return err
	})
	_, answer = ports.Decide(t.Context(), s, func(tx ports.Tx) (struct{}, *oauth.Error, error) {
		return struct{}{}, oauth.Refuse(oauth.InvalidGrant, "no"), errors.Join(tx.SaveTicket(identity.Ticket{Purpose: "x"}), errBoom)
	})
	if !errors.Is(answer, errBoom) {
		t.Errorf("got %v, want boom: a fault beside a refusal is a fault", answer)
	}
	view(t, s, func(r ports.Reader) error {
		if _, err := r.Ticket([32]byte{}); !errors.Is(err, ports.ErrNotFound) {
			t.Errorf("the faulty unit is seen: %v", err)
		}
		return nil
	})
}

func cancelledUnitDoesNotBegin(t *testing.T, s ports.Store) {
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	began := false
	err1 := s.Update(gone, func(ports.Tx) error { began = true; return nil })
	err2 := s.View(gone, func(ports.Reader) error { began = true; return nil })
	if began || !errors.Is(err1, context.Canceled) || !errors.Is(err2, context.Canceled) {
		t.Errorf("began: %v, %v, %v", began, err1, err2)
	}
}

// Of twenty that redeem one code at once, one succeeds and the others see that it did.
func updatesRunAlone(t *testing.T, s ports.Store) {
	digest := oauth.Secret("code").Digest()
	update(t, s, func(tx ports.Tx) error {
		return tx.SaveCode(oauth.AuthorizationCode{Digest: digest, Client: "c1", CreatedAt: epoch, ExpiresAt: epoch.Add(time.Minute)})
	})
	var won, lost atomic.Int32
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			_, err := ports.Decide(t.Context(), s, func(tx ports.Tx) (struct{}, *oauth.Error, error) {
				c, err := tx.Code(digest)
				if err != nil {
					return struct{}{}, nil, err
				}
				refusal := c.Redeem(oauth.Exchange{Client: oauth.Client{ID: "c1"}}, epoch)
				if refusal == nil {
					c.Family = oauth.FamilyID(fmt.Sprint(i))
				}
				return struct{}{}, refusal, tx.SaveCode(c)
			})
			refusal := (*oauth.Error)(nil)
			switch {
			case err == nil:
				won.Add(1)
			case errors.As(err, &refusal):
				lost.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 || lost.Load() != 19 {
		t.Errorf("%d redeemed the code and %d were refused, want 1 and 19", won.Load(), lost.Load())
	}
	view(t, s, func(r ports.Reader) error {
		c, err := r.Code(digest)
		if c.RedeemedAt != epoch || c.ReplayedAt != epoch || c.Family == "" {
			t.Errorf("redeemed %v, replayed %v, family %q", c.RedeemedAt, c.ReplayedAt, c.Family)
		}
		return err
	})
}

// Units that run at the same moment are kept or dropped each for itself: every third fails, every fourth panics.
func neighboursAreIndependent(t *testing.T, s ports.Store) {
	const n = 120
	key := func(i int) [32]byte { return [32]byte{byte(i)} }
	dropped := func(i int) bool { return i%3 == 1 || i%4 == 1 }
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			defer func() { recover() }()
			err := s.Update(t.Context(), func(tx ports.Tx) error {
				if err := tx.SaveTicket(identity.Ticket{Key: key(i)}); err != nil {
					return err
				}
				switch {
				case i%3 == 1:
					return errBoom
				case i%4 == 1:
					panic(errBoom)
				}
				return nil
			})
			if (err != nil) != dropped(i) {
				t.Errorf("unit %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	view(t, s, func(r ports.Reader) error {
		for i := range n {
			if _, err := r.Ticket(key(i)); errors.Is(err, ports.ErrNotFound) != dropped(i) {
				t.Errorf("unit %d: %v", i, err)
			}
		}
		return nil
	})
}

func snapshotIsConsistent(t *testing.T, s ports.Store) {
	populate(t, s)
	update(t, s, func(tx ports.Tx) error {
		return tx.SaveTokenFamily(oauth.TokenFamily{ID: "f", Grant: "g1", Session: "s"})
	})
	view(t, s, func(r ports.Reader) error {
		if _, err := r.Grant("g2"); err != nil { // the view has begun
			return err
		}
		update(t, s, ruin)
		update(t, s, func(tx ports.Tx) error { return tx.DeleteUser("u1") })
		c, err1 := r.Client("c1")
		u, err2 := r.User("u1")
		g, err3 := r.LiveGrant("u1", "c1")
		fs, err4 := r.FamiliesOfSession("s")
		events, err5 := r.Events(audit.Query{Limit: 1})
		if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
			return err
		}
		if c.Name != "" || u.Username != "ana" || g.Scope != "" || len(fs) != 1 || len(events) != 0 {
			t.Errorf("the view sees a later unit: %q %q %q, %d families, %d events", c.Name, u.Username, g.Scope, len(fs), len(events))
		}
		return nil
	})
}

// What one Update saved, the next View and Update see, also where a store remembers.
func unitsSeeTheCommittedState(t *testing.T, s ports.Store) {
	for i := range 20 {
		name := fmt.Sprint(i)
		update(t, s, func(tx ports.Tx) error {
			return errors.Join(tx.SaveClient(oauth.Client{ID: "c", Name: name}), tx.SaveUser(identity.User{ID: "u", Username: name}),
				tx.SaveSettings(oidc.Settings{Support: name}), tx.SaveSigningKey(oidc.SigningKey{ID: "k", Algorithm: oauth.Algorithm(name)}))
		})
		check := func(r ports.Reader) error {
			c, err1 := r.Client("c")
			u, err2 := r.User("u")
			set, err3 := r.Settings()
			keys, err4 := r.SigningKeys()
			if c.Name != name || u.Username != name || set.Support != name || len(keys) != 1 || string(keys[0].Algorithm) != name {
				t.Errorf("after %s: %q %q %q %v", name, c.Name, u.Username, set.Support, keys)
			}
			return errors.Join(err1, err2, err3, err4)
		}
		view(t, s, check)
		update(t, s, func(tx ports.Tx) error { return check(tx) })
	}
	update(t, s, func(tx ports.Tx) error {
		return errors.Join(tx.DeleteClient("c"), tx.DeleteUser("u"), tx.DeleteSigningKey("k"))
	})
	view(t, s, func(r ports.Reader) error {
		_, err1 := r.Client("c")
		_, err2 := r.User("u")
		keys, err := r.SigningKeys()
		if !errors.Is(err1, ports.ErrNotFound) || !errors.Is(err2, ports.ErrNotFound) || len(keys) > 0 {
			t.Errorf("deleted, but %v, %v, %d keys", err1, err2, len(keys))
		}
		return err
	})
}

func readerCannotSave(t *testing.T, s ports.Store) {
	view(t, s, func(r ports.Reader) error {
		if _, ok := r.(ports.Tx); ok {
			t.Errorf("the reader of a view is a ports.Tx")
		}
		if _, ok := r.(interface{ SaveClient(oauth.Client) error }); ok {
			t.Errorf("the reader of a view saves")
		}
		return nil
	})
}
