package admin_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"latchkey/app/admin"
	"latchkey/domain/audit"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

func (f *fixture) rotate() admin.Rotation {
	f.t.Helper()
	done, err := f.RotateKeys(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	return done
}

func (f *fixture) ring() oidc.KeyRing {
	return view(f, func(r ports.Reader) (oidc.KeyRing, error) { return r.SigningKeys() })
}

// Two years, a minute looked at every day: there is always one key of each algorithm that signs, each was published a
// day before, and the ring stays small.
func TestRotateKeysThroughTheYears(t *testing.T) {
	f := newFixture(t)
	if done := f.rotate(); len(done.Created) != 2 || len(f.signer.used) != 1 {
		t.Fatalf("at the start: %+v, signer told %d times", done, len(f.signer.used))
	}
	created := 2
	for range 2 * 365 {
		f.now = f.now.Add(24 * time.Hour)
		created += len(f.rotate().Created)
		ring := f.ring()
		for _, alg := range []oauth.Algorithm{oauth.ES256, oauth.RS256} {
			key, ok := ring.Active(alg, f.now)
			if !ok || (key.CreatedAt != noon && key.ActiveAt.Sub(key.CreatedAt) < oidc.KeyLead) {
				t.Fatalf("%s at %s: %+v", alg, f.now, key)
			}
		}
		if len(ring) > 6 {
			t.Fatalf("%d keys at %s", len(ring), f.now)
		}
	}
	if created < 2*8 || created > 2*10 {
		t.Errorf("%d keys in two years", created)
	}
	n := 0
	for _, k := range f.kinds(0) {
		if k == audit.KeyCreated {
			n++
		}
	}
	if n != created {
		t.Errorf("%d events for %d keys", n, created)
	}
}

// Looking again costs no unit of work and does not bother the signer; a key that another process made reaches it.
func TestRotateKeysOnlyWhenDue(t *testing.T) {
	f := newFixture(t)
	f.rotate()
	updates := f.store.updates
	f.rotate()
	if f.store.updates != updates || len(f.signer.used) != 1 {
		t.Errorf("%d units of work, signer told %d times", f.store.updates-updates, len(f.signer.used))
	}
	f.save(func(tx ports.Tx) error {
		return tx.SaveSigningKey(oidc.SigningKey{ID: "other", Algorithm: oauth.ES256, Public: []byte("{}"), Sealed: []byte("x"), CreatedAt: noon, ActiveAt: noon.Add(oidc.KeyLead)})
	})
	f.rotate()
	if len(f.signer.used) != 2 || len(f.signer.used[1]) != 3 {
		t.Errorf("signer told %d times", len(f.signer.used))
	}
}

// A signer that cannot open the keys is asked again: a fault must not look like a success the second time.
func TestRotateKeysReportsTheSigner(t *testing.T) {
	f := newFixture(t)
	f.signer.err = errors.New("wrong master key")
	for range 2 {
		if _, err := f.RotateKeys(t.Context()); !errors.Is(err, f.signer.err) {
			t.Fatalf("got %v", err)
		}
	}
	if len(f.ring()) != 2 {
		t.Errorf("%d keys", len(f.ring()))
	}
}

// Servers that start on one new file at once make one key of each algorithm.
func TestRotateKeysRace(t *testing.T) {
	f := newFixture(t)
	var all sync.WaitGroup
	for range 10 {
		other := &admin.Service{Store: f.store.Store, Secrets: f.Secrets, Passwords: f.passwords, Signer: &signer{}, Keys: &maker{}, Now: f.Now}
		all.Go(func() {
			if _, err := other.RotateKeys(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if len(f.ring()) != 2 {
		t.Errorf("%d keys", len(f.ring()))
	}
}
