package oidc

import (
	"time"

	"latchkey/domain/oauth"
)

// NextRotation returns when another key begins to sign with the algorithm, as far as is planned at now. It is the zero
// time without any key.
func (r KeyRing) NextRotation(alg oauth.Algorithm, now time.Time) time.Time {
	var next time.Time
	for _, k := range r {
		if k.Algorithm == alg && k.ActiveAt.After(now) && (next.IsZero() || k.ActiveAt.Before(next)) {
			next = k.ActiveAt
		}
	}
	if active, ok := r.Active(alg, now); next.IsZero() && ok {
		next = active.ActiveAt.Add(KeyRotation)
	}
	return next
}
