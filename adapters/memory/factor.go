package memory

import (
	"bytes"
	"crypto/sha256"
	"maps"
	"time"

	"latchkey/domain/identity"
	"latchkey/ports"
)

func (r reader) Factor(id identity.FactorID) (identity.Factor, error) { return r.factors.find(id) }

func (r reader) Factors(id identity.UserID) ([]identity.Factor, error) {
	return list(&r.factors, func(f identity.Factor) bool { return f.User == id }, func(f identity.Factor) time.Time { return f.CreatedAt }), nil
}

func (r reader) FactorByCredential(id []byte) (identity.Factor, error) {
	for f := range maps.Values(r.factors.rows) {
		if len(id) > 0 && bytes.Equal(f.value.CredentialID, id) {
			return clone(f.value), nil
		}
	}
	return identity.Factor{}, ports.ErrNotFound
}

func (r reader) RecoveryCodes(id identity.UserID) (identity.RecoveryCodes, error) {
	c, err := r.recovery.find(id)
	if err != nil {
		return identity.RecoveryCodes{User: id}, nil
	}
	return c, nil
}

func (r reader) Challenge(key [sha256.Size]byte) (identity.Challenge, error) {
	return r.challenges.find(key)
}

func (t *tx) SaveFactor(f identity.Factor) error {
	if err := t.check(has(t.users, f.User), "factor %s: no user %s", f.ID, f.User); err != nil {
		return err
	}
	other, err := t.FactorByCredential(f.CredentialID)
	if err := t.check(err != nil || other.ID == f.ID, "factor %s: factor %s has the credential", f.ID, other.ID); err != nil {
		return err
	}
	t.factors.save(t.state, f.ID, f)
	return nil
}

func (t *tx) DeleteFactor(id identity.FactorID) error {
	t.factors.remove(-1, func(f identity.Factor) bool { return f.ID == id })
	return t.failed
}

func (t *tx) SaveRecoveryCodes(c identity.RecoveryCodes) error {
	if err := t.check(has(t.users, c.User), "recovery codes: no user %s", c.User); err != nil {
		return err
	}
	t.recovery.save(t.state, c.User, c)
	return nil
}

func (t *tx) SaveChallenge(c identity.Challenge) error {
	if err := t.check(has(t.users, c.User), "challenge: no user %s", c.User); err != nil {
		return err
	}
	t.challenges.save(t.state, c.Key, c)
	return nil
}

func (t *tx) DeleteChallenge(key [sha256.Size]byte) error {
	t.challenges.remove(-1, func(c identity.Challenge) bool { return c.Key == key })
	return t.failed
}
