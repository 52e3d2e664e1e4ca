package oidc

import (
	"cmp"
	"slices"
	"time"

	"latchkey/domain/oauth"
)

// KeyID is the kid of a signing key.
type KeyID string

// The life of signing keys. A key is published long before it signs, so that a client which caches the key set for
// its whole max-age and never fetches early still knows it; it stays published until the last token it signed has expired,
// and the last session that began with one of its ID tokens: until then the token may come back as a hint.
const (
	KeySetMaxAge = 5 * time.Minute
	KeyRotation  = 90 * 24 * time.Hour
	KeyLead      = 24 * time.Hour     // published before signing; more than 2 × KeySetMaxAge
	KeyTail      = 8 * 24 * time.Hour // published after signing; more than the longest token and session live
)

// SigningKey is one signing key. Its state follows from its times and now: nothing has to happen at the instant of a
// change for the change to be true.
type SigningKey struct {
	ID        KeyID
	Algorithm oauth.Algorithm
	Public    []byte // JWK (RFC 7517), public members only
	Sealed    []byte // private key, PKCS #8, sealed under the master key for this ID
	CreatedAt time.Time
	ActiveAt  time.Time // signs from here until the next key of its algorithm does
}

// KeyState is where a key is in its life.
type KeyState string

const (
	Upcoming KeyState = "upcoming"
	Active   KeyState = "active"
	Retired  KeyState = "retired"
)

// KeyRing holds every signing key on file.
type KeyRing []SigningKey

// Active returns the key that signs with the algorithm at now: the newest whose time has come, or the oldest when the
// clock was set back before all of them.
func (r KeyRing) Active(alg oauth.Algorithm, now time.Time) (SigningKey, bool) {
	var active SigningKey
	for _, k := range r {
		if k.Algorithm != alg {
			continue
		}
		come, better := !k.ActiveAt.After(now), k.ActiveAt.After(active.ActiveAt)
		if active.ID != "" && active.ActiveAt.After(now) {
			better = come || k.ActiveAt.Before(active.ActiveAt)
		} else if active.ID != "" && !come {
			continue
		}
		if active.ID == "" || better {
			active = k
		}
	}
	return active, active.ID != ""
}

// State returns where the key is in its life at now.
func (r KeyRing) State(k SigningKey, now time.Time) KeyState {
	active, _ := r.Active(k.Algorithm, now)
	switch {
	case k.ActiveAt.After(now):
		return Upcoming
	case k.ID == active.ID:
		return Active
	}
	return Retired
}

// KeyOrder asks for a new key.
type KeyOrder struct {
	Algorithm oauth.Algorithm
	ActiveAt  time.Time
}

// KeyPlan is what has to be done to the ring now.
type KeyPlan struct {
	Create []KeyOrder
	Erase  []KeyID
}

// Plan says which keys to make and which to erase at now, for the algorithms in use. Carrying it out and planning again
// plans nothing.
func (r KeyRing) Plan(algorithms []oauth.Algorithm, now time.Time) KeyPlan {
	var p KeyPlan
	for _, alg := range algorithms {
		keys := slices.DeleteFunc(slices.Clone(r), func(k SigningKey) bool { return k.Algorithm != alg })
		slices.SortFunc(keys, func(a, b SigningKey) int { return a.ActiveAt.Compare(b.ActiveAt) })
		active, ok := r.Active(alg, now)
		if !ok {
			p.Create = append(p.Create, KeyOrder{alg, now}) // the first key: no client has cached a set without it
			continue
		}
		if newest := keys[len(keys)-1]; !newest.ActiveAt.After(now) && !now.Before(newest.ActiveAt.Add(KeyRotation-KeyLead)) {
			p.Create = append(p.Create, KeyOrder{alg, maxTime(newest.ActiveAt.Add(KeyRotation), now.Add(KeyLead))})
		}
		for _, k := range keys[:len(keys)-1] {
			if at := r.ErasedAt(k); k.ID != active.ID && !at.IsZero() && !now.Before(at) {
				p.Erase = append(p.Erase, k.ID)
			}
		}
	}
	slices.SortFunc(p.Erase, cmp.Compare[KeyID])
	return p
}

// ErasedAt returns when the plan erases the key: KeyTail after the next key of its algorithm begins to sign. It is the
// zero time while none is to follow.
func (r KeyRing) ErasedAt(k SigningKey) time.Time {
	var next time.Time
	for _, other := range r {
		follows := other.Algorithm == k.Algorithm && other.ActiveAt.After(k.ActiveAt)
		if follows && (next.IsZero() || other.ActiveAt.Before(next)) {
			next = other.ActiveAt
		}
	}
	if next.IsZero() {
		return next
	}
	return next.Add(KeyTail)
}

// Rotate says which keys to make so that each algorithm has one to come, however young its active key is. A new key is
// published for KeyLead before it signs, as ever: a client that has not fetched it yet would refuse what it signed.
func (r KeyRing) Rotate(algorithms []oauth.Algorithm, now time.Time) []KeyOrder {
	var orders []KeyOrder
	for _, alg := range algorithms {
		coming := slices.ContainsFunc(r, func(k SigningKey) bool { return k.Algorithm == alg && k.ActiveAt.After(now) })
		if !coming {
			orders = append(orders, KeyOrder{alg, now.Add(KeyLead)})
		}
	}
	return orders
}

// Revoke takes a key out of the ring at once, because somebody else may have it. When it was the key that signs, its
// successor begins now: the key to come if there is one, which clients may have fetched, or else a new one, which is
// ordered.
func (r KeyRing) Revoke(id KeyID, now time.Time) (rest KeyRing, order *KeyOrder) {
	i := slices.IndexFunc(r, func(k SigningKey) bool { return k.ID == id })
	if i < 0 {
		return r, nil
	}
	revoked := r[i]
	active, _ := r.Active(revoked.Algorithm, now)
	rest = slices.Delete(slices.Clone(r), i, i+1)
	if revoked.ID != active.ID {
		return rest, nil
	}
	next := -1
	for j, k := range rest {
		if k.Algorithm == revoked.Algorithm && k.ActiveAt.After(now) && (next < 0 || k.ActiveAt.Before(rest[next].ActiveAt)) {
			next = j
		}
	}
	if next < 0 {
		return rest, &KeyOrder{revoked.Algorithm, now}
	}
	rest[next].ActiveAt = now
	return rest, nil
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
