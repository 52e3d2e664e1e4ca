package oidc_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
)

const day = 24 * time.Hour

var algorithms = []oauth.Algorithm{oauth.ES256, oauth.RS256}

// life is what the world saw of one key.
type life struct {
	published, erased time.Time
	firstSigned       time.Time
	lastSigned        time.Time
}

// years runs the plan for three years, looking every step, and plans only when the job runs. It returns the lives of the
// keys, and fails when a moment has not exactly one signing key for each algorithm.
func years(t *testing.T, step time.Duration, runs func(now time.Time) bool) map[oidc.KeyID]*life {
	t.Helper()
	var ring oidc.KeyRing
	lives := map[oidc.KeyID]*life{}
	for now := start; now.Before(start.Add(3 * 365 * day)); now = now.Add(step) {
		if now.Equal(start) || runs(now) {
			ring = carryOut(t, ring, lives, now)
		}
		for _, alg := range algorithms {
			active, ok := ring.Active(alg, now)
			if !ok {
				t.Fatalf("%v: no key signs with %s", now, alg)
			}
			if l := lives[active.ID]; l.firstSigned.IsZero() {
				l.firstSigned = now
			}
			lives[active.ID].lastSigned = now
			states := map[oidc.KeyState]int{}
			for _, k := range ring {
				if k.Algorithm == alg {
					states[ring.State(k, now)]++
				}
			}
			if states[oidc.Active] != 1 || states[oidc.Upcoming] > 1 || states[oidc.Retired] > 1 || ring.State(active, now) != oidc.Active {
				t.Fatalf("%v: keys for %s by state: %v", now, alg, states)
			}
		}
	}
	return lives
}

func carryOut(t *testing.T, ring oidc.KeyRing, lives map[oidc.KeyID]*life, now time.Time) oidc.KeyRing {
	t.Helper()
	plan := ring.Plan(algorithms, now)
	for _, order := range plan.Create {
		id := oidc.KeyID(fmt.Sprintf("%s-%s", order.Algorithm, now.Format(time.RFC3339)))
		if order.ActiveAt.Before(now) || lives[id] != nil {
			t.Fatalf("%v: ordered %+v", now, order)
		}
		lives[id] = &life{published: now}
		ring = append(ring, oidc.SigningKey{ID: id, Algorithm: order.Algorithm, CreatedAt: now, ActiveAt: order.ActiveAt})
	}
	for _, id := range plan.Erase {
		lives[id].erased = now
		ring = slices.DeleteFunc(ring, func(k oidc.SigningKey) bool { return k.ID == id })
	}
	if again := ring.Plan(algorithms, now); len(again.Create)+len(again.Erase) > 0 {
		t.Fatalf("%v: planned again: %+v", now, again)
	}
	return ring
}

func TestKeyRingOverYears(t *testing.T) {
	daily := func(now time.Time) bool { return now.Sub(start)%day == 0 }
	for _, c := range []struct {
		name string
		step time.Duration
		runs func(time.Time) bool
		keys int // at least, for each algorithm
	}{
		{"day by day", day, daily, 13},
		{"every hour, the job runs daily", time.Hour, daily, 13},
		{"every hour, the job runs every hour", time.Hour, func(time.Time) bool { return true }, 13},
		{"the server is off for a hundred days at a time", 6 * time.Hour, func(now time.Time) bool { return int(now.Sub(start)/day)%100 == 0 }, 10},
		{"the server is on for a week each half year", 6 * time.Hour, func(now time.Time) bool { return int(now.Sub(start)/day)%182 < 7 }, 6},
	} {
		t.Run("OP-11 "+c.name, func(t *testing.T) {
			lives := years(t, c.step, c.runs)
			if len(lives) < 2*c.keys {
				t.Errorf("%d keys in three years", len(lives))
			}
			for id, l := range lives {
				lead := l.firstSigned.Sub(l.published)
				if first := l.published.Equal(start); !l.firstSigned.IsZero() && !first && lead < oidc.KeyLead {
					t.Errorf("%s was published %v before it signed", id, lead)
				}
				if !l.erased.IsZero() && l.erased.Sub(l.lastSigned) < oidc.KeyTail {
					t.Errorf("%s was erased %v after it signed", id, l.erased.Sub(l.lastSigned))
				}
				if !l.erased.IsZero() && l.firstSigned.IsZero() && l.erased.Sub(l.published) < oidc.KeyLead {
					t.Errorf("%s was erased before it ever signed", id)
				}
			}
		})
	}
}

// The promises of the constants: no client and no token is left behind.
func TestKeyTimes(t *testing.T) {
	for name, ok := range map[string]bool{
		"OP-11 a stubborn cache learns of a key before it signs": oidc.KeyLead > 2*oidc.KeySetMaxAge,
		"the longest access token can be checked to its end":     oidc.KeyTail > 24*time.Hour,
		"an ID token can be checked to its end":                  oidc.KeyTail > oidc.IDTokenLifetime,
		"AZ-09 a hint of the longest session is still known":     oidc.KeyTail > identity.SessionAbsolute,
		"a key has retired before the next one does":             oidc.KeyRotation > oidc.KeyLead+oidc.KeyTail,
	} {
		if !ok {
			t.Error(name, "- no longer")
		}
	}
}

func TestKeyRingActive(t *testing.T) {
	key := func(id oidc.KeyID, alg oauth.Algorithm, after time.Duration) oidc.SigningKey {
		return oidc.SigningKey{ID: id, Algorithm: alg, ActiveAt: start.Add(after)}
	}
	ring := oidc.KeyRing{key("b", oauth.ES256, 90*day), key("a", oauth.ES256, 0), key("r", oauth.RS256, 0), key("c", oauth.ES256, 180*day)}
	for _, c := range []struct {
		name  string
		ring  oidc.KeyRing
		alg   oauth.Algorithm
		after time.Duration
		want  oidc.KeyID
	}{
		{"first", ring, oauth.ES256, 0, "a"},
		{"before the change", ring, oauth.ES256, 90*day - time.Millisecond, "a"},
		{"at the change", ring, oauth.ES256, 90 * day, "b"},
		{"the newest", ring, oauth.ES256, 1000 * day, "c"},
		{"another algorithm", ring, oauth.RS256, 100 * day, "r"},
		{"OP-05 a clock set back before them all", ring, oauth.ES256, -time.Hour, "a"},
		{"OP-05 in any order", oidc.KeyRing{ring[3], ring[0], ring[1]}, oauth.ES256, -time.Hour, "a"},
		{"in any order", oidc.KeyRing{ring[3], ring[0], ring[1]}, oauth.ES256, 100 * day, "b"},
		{"no such algorithm", ring, "PS256", 0, ""},
		{"no keys", nil, oauth.ES256, 0, ""},
	} {
		got, ok := c.ring.Active(c.alg, start.Add(c.after))
		if got.ID != c.want || ok != (c.want != "") {
			t.Errorf("%s: %q, %v", c.name, got.ID, ok)
		}
	}
	if plan := ring.Plan([]oauth.Algorithm{oauth.ES256}, start.Add(-time.Hour)); len(plan.Create)+len(plan.Erase) > 0 {
		t.Errorf("OP-05: a clock set back plans %+v", plan)
	}
}
