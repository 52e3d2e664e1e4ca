package sqlite_test

import (
	"crypto/sha256"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"latchkey/adapters/sqlite"
	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/ports"
)

const crowd = 1000 // sessions, grants and families on file

var start = time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)

func familyID(i int) oauth.FamilyID { return oauth.FamilyID(fmt.Sprintf("grant%011d.f%010d", i, i)) }

func sessionKey(i int) [32]byte { return sha256.Sum256(fmt.Append(nil, i)) }

// stocked returns a store with something to find.
func stocked(b *testing.B) *sqlite.Store {
	s, _ := create(b)
	must := func(err error) {
		if err != nil {
			b.Fatal(err)
		}
	}
	must(s.Update(b.Context(), func(tx ports.Tx) error {
		must(tx.SaveClient(oauth.Client{ID: "client", RedirectURIs: []string{"https://app.example.org/callback"}, GrantTypes: []string{"authorization_code", "refresh_token"}}))
		for i := range crowd {
			user := identity.User{ID: identity.UserID(fmt.Sprint("user", i)), Username: fmt.Sprint("user", i)}
			must(tx.SaveUser(user))
			must(tx.SaveSession(identity.Session{ID: identity.SessionID(fmt.Sprint("session", i)), Key: sessionKey(i), User: user.ID, AuthTime: start,
				AMR: []string{"pwd"}, ACR: "urn:sso:loa:pwd", CreatedAt: start, LastSeenAt: start, ExpiresAt: start, IP: "192.0.2.1", UserAgent: "Mozilla/5.0"}))
			grant := oauth.Grant{ID: oauth.GrantID(fmt.Sprintf("grant%011d", i)), Client: "client", User: user.ID, Scope: "openid profile offline_access"}
			must(tx.SaveGrant(grant))
			must(tx.SaveTokenFamily(oauth.TokenFamily{ID: familyID(i), Grant: grant.ID, Client: "client", User: user.ID, Session: "session",
				Scope: grant.Scope, Refresh: true, Generation: 1, AuthTime: start, AMR: []string{"pwd"}, ACR: "urn:sso:loa:pwd", CreatedAt: start,
				RotatedAt: start, ExpiresAt: start.Add(oauth.RefreshAbsolute)}))
		}
		return nil
	}))
	return s
}

// spent is the processor time of this process so far.
func spent() time.Duration {
	var r syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// together runs b.N calls of fn in n goroutines and reports how many were done a second, and the processor time of one, which
// other work on the machine hardly moves.
func together(b *testing.B, n int, fn func(i int) error) {
	var next atomic.Int64
	var wg sync.WaitGroup
	b.ReportAllocs()
	b.ResetTimer()
	begin, before := time.Now(), spent()
	for range n {
		wg.Go(func() {
			for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
				if err := fn(int(i)); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(spent()-before)/1000/float64(b.N), "cpu-us/op")
	b.ReportMetric(float64(b.N)/time.Since(begin).Seconds(), "units/s")
}

func rotate(tx ports.Tx, i int) error {
	f, err := tx.TokenFamily(familyID(i % crowd))
	if err != nil {
		return err
	}
	f.Generation++
	f.RotatedAt = start
	if err := tx.SaveTokenFamily(f); err != nil {
		return err
	}
	return record(tx, audit.TokenRefreshed, f)
}

func record(tx ports.Tx, kind audit.Kind, f oauth.TokenFamily) error {
	return tx.Record(audit.Event{At: start, Kind: kind, Caller: audit.Caller{RequestID: "01234567890123456789", IP: "192.0.2.1", UserAgent: "Mozilla/5.0"},
		Client: "client", User: string(f.User), Session: string(f.Session), Grant: string(f.Grant), Family: string(f.ID)})
}

// issue is what the authorization endpoint saves, redeem what the token endpoint does with it.
func issue(tx ports.Tx, i int) error {
	session, err := tx.SessionByKey(sessionKey(i % crowd))
	if err != nil {
		return err
	}
	if _, err := tx.User(session.User); err != nil {
		return err
	}
	if _, err := tx.LiveGrant(session.User, "client"); err != nil {
		return err
	}
	if err := tx.SaveCode(oauth.AuthorizationCode{Digest: sessionKey(i), Grant: oauth.GrantID(fmt.Sprintf("grant%011d", i%crowd)), Client: "client",
		User: session.User, Session: session.ID, RedirectURI: "https://app.example.org/callback", Scope: "openid profile",
		Nonce: "0123456789", Challenge: "S256:E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", AuthTime: start, AMR: []string{"pwd"}, CreatedAt: start,
		ExpiresAt: start.Add(time.Minute)}); err != nil {
		return err
	}
	return record(tx, audit.CodeIssued, oauth.TokenFamily{User: "user"})
}

func redeem(tx ports.Tx, i int) error {
	c, err := tx.Code(sessionKey(i))
	if err != nil {
		return err
	}
	if _, err := tx.Grant(c.Grant); err != nil {
		return err
	}
	if _, err := tx.User(c.User); err != nil {
		return err
	}
	if _, err := tx.Session(c.Session); err != nil {
		return err
	}
	c.RedeemedAt = start
	f := oauth.TokenFamily{ID: oauth.FamilyID(fmt.Sprintf("%s.%d", c.Grant, i)), Grant: c.Grant, Client: c.Client, User: c.User, Session: c.Session,
		Scope: c.Scope, Generation: 1, AuthTime: c.AuthTime, AMR: c.AMR, CreatedAt: start, RotatedAt: start, ExpiresAt: start.Add(oauth.RefreshAbsolute)}
	c.Family = f.ID
	if err := tx.SaveCode(c); err != nil {
		return err
	}
	if err := tx.SaveTokenFamily(f); err != nil {
		return err
	}
	if err := tx.JoinSession(c.Session, c.Client); err != nil {
		return err
	}
	if err := record(tx, audit.CodeRedeemed, f); err != nil {
		return err
	}
	return record(tx, audit.TokenIssued, f)
}

func BenchmarkUpdate(b *testing.B) {
	for _, n := range []int{1, 16, 64} {
		b.Run(fmt.Sprintf("rotation/callers=%d", n), func(b *testing.B) {
			s := stocked(b)
			together(b, n, func(i int) error {
				return s.Update(b.Context(), func(tx ports.Tx) error { return rotate(tx, i) })
			})
		})
		b.Run(fmt.Sprintf("code/callers=%d", n), func(b *testing.B) {
			s := stocked(b)
			together(b, n, func(i int) error {
				if err := s.Update(b.Context(), func(tx ports.Tx) error { return issue(tx, i) }); err != nil {
					return err
				}
				return s.Update(b.Context(), func(tx ports.Tx) error { return redeem(tx, i) })
			})
		})
	}
	// One COMMIT for each unit, for comparison: what 64 callers would wait for without the group.
	b.Run("rotation/alone", func(b *testing.B) {
		s := stocked(b)
		var alone sync.Mutex
		together(b, 64, func(i int) error {
			alone.Lock()
			defer alone.Unlock()
			return s.Update(b.Context(), func(tx ports.Tx) error { return rotate(tx, i) })
		})
	})
}

func BenchmarkView(b *testing.B) {
	views := map[string]func(ports.Reader, int) error{
		"client": func(r ports.Reader, _ int) error { _, err := r.Client("client"); return err },
		"user": func(r ports.Reader, i int) error {
			_, err := r.User(identity.UserID(fmt.Sprint("user", i%crowd)))
			return err
		},
		"session": func(r ports.Reader, i int) error { _, err := r.SessionByKey(sessionKey(i % crowd)); return err },
		"family":  func(r ports.Reader, i int) error { _, err := r.TokenFamily(familyID(i % crowd)); return err },
		"signed in": func(r ports.Reader, i int) error { // what the authorization endpoint looks up
			if _, err := r.Client("client"); err != nil {
				return err
			}
			session, err := r.SessionByKey(sessionKey(i % crowd))
			if err != nil {
				return err
			}
			if _, err := r.User(session.User); err != nil {
				return err
			}
			_, err = r.LiveGrant(session.User, "client")
			return err
		},
	}
	for name, view := range views {
		for _, n := range []int{1, 16, 64} {
			b.Run(fmt.Sprintf("%s/callers=%d", name, n), func(b *testing.B) {
				s := stocked(b)
				together(b, n, func(i int) error {
					return s.View(b.Context(), func(r ports.Reader) error { return view(r, i) })
				})
			})
		}
	}
}
