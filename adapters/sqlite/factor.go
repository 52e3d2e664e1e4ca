package sqlite

import (
	"crypto/sha256"
	"errors"
	"fmt"

	"latchkey/domain/identity"
	"latchkey/ports"
)

const factorColumns = `id, user, kind, name, sealed, last_step, credential_id, public_key, sign_count, aaguid, backup_eligible, backed_up,
	transports, created_at, confirmed_at, last_used_at`

func scanFactor(r *row) (f identity.Factor) {
	f.ID, f.User, f.Kind, f.Name = identity.FactorID(r.text()), identity.UserID(r.text()), identity.FactorKind(r.text()), r.text()
	f.Sealed, f.LastStep = r.bytes(), r.int()
	f.CredentialID, f.PublicKey, f.SignCount = r.bytes(), r.bytes(), uint32(r.int())
	r.blob(f.AAGUID[:])
	f.BackupEligible, f.BackedUp, f.Transports = r.bool(), r.bool(), r.list()
	f.CreatedAt, f.ConfirmedAt, f.LastUsedAt = r.time(), r.time(), r.time()
	return f
}

func (r *reader) Factor(id identity.FactorID) (identity.Factor, error) {
	return one(r, scanFactor, "SELECT "+factorColumns+" FROM factor WHERE id = ?", string(id))
}

func (r *reader) FactorByCredential(id []byte) (identity.Factor, error) {
	return one(r, scanFactor, "SELECT "+factorColumns+" FROM factor WHERE credential_id = ? AND credential_id <> x''", blob(id))
}

func (r *reader) Factors(id identity.UserID) ([]identity.Factor, error) {
	return many(r, scanFactor, "SELECT "+factorColumns+" FROM factor WHERE user = ? ORDER BY created_at, rowid", string(id))
}

var saveFactor = upsert("factor", "id", factorColumns)

func (t *tx) SaveFactor(f identity.Factor) error {
	return t.save(saveFactor, string(f.ID), string(f.User), string(f.Kind), f.Name, blob(f.Sealed), f.LastStep, blob(f.CredentialID), blob(f.PublicKey),
		int64(f.SignCount), f.AAGUID[:], f.BackupEligible, f.BackedUp, list(f.Transports), ms(f.CreatedAt), ms(f.ConfirmedAt), ms(f.LastUsedAt))
}

func (t *tx) DeleteFactor(id identity.FactorID) error {
	return t.save("DELETE FROM factor WHERE id = ?", string(id))
}

const recoveryColumns = `user, digests, made_at`

func scanRecovery(r *row) (c identity.RecoveryCodes) {
	c.User = identity.UserID(r.text())
	all := r.bytes()
	if len(all)%sha256.Size != 0 {
		r.fail(fmt.Errorf("recovery codes have %d bytes", len(all)))
		return c
	}
	for ; len(all) > 0; all = all[sha256.Size:] {
		c.Digests = append(c.Digests, [sha256.Size]byte(all[:sha256.Size]))
	}
	c.MadeAt = r.time()
	return c
}

func (r *reader) RecoveryCodes(id identity.UserID) (identity.RecoveryCodes, error) {
	c, err := one(r, scanRecovery, "SELECT "+recoveryColumns+" FROM recovery_codes WHERE user = ?", string(id))
	if errors.Is(err, ports.ErrNotFound) {
		return identity.RecoveryCodes{User: id}, nil
	}
	return c, err
}

var saveRecovery = upsert("recovery_codes", "user", recoveryColumns)

func (t *tx) SaveRecoveryCodes(c identity.RecoveryCodes) error {
	all := []byte{}
	for _, d := range c.Digests {
		all = append(all, d[:]...)
	}
	return t.save(saveRecovery, string(c.User), all, ms(c.MadeAt))
}

const challengeColumns = `key, user, session, interaction, password_at, attempts, created_at, expires_at`

func scanChallenge(r *row) (c identity.Challenge) {
	r.blob(c.Key[:])
	c.User, c.Session, c.Interaction = identity.UserID(r.text()), identity.SessionID(r.text()), r.text()
	c.PasswordAt, c.Attempts, c.CreatedAt, c.ExpiresAt = r.time(), int(r.int()), r.time(), r.time()
	return c
}

func (r *reader) Challenge(key [sha256.Size]byte) (identity.Challenge, error) {
	return one(r, scanChallenge, "SELECT "+challengeColumns+" FROM challenge WHERE key = ?", key[:])
}

var saveChallenge = upsert("challenge", "key", challengeColumns)

func (t *tx) SaveChallenge(c identity.Challenge) error {
	return t.save(saveChallenge, c.Key[:], string(c.User), string(c.Session), c.Interaction, ms(c.PasswordAt), int64(c.Attempts), ms(c.CreatedAt), ms(c.ExpiresAt))
}

func (t *tx) DeleteChallenge(key [sha256.Size]byte) error {
	return t.save("DELETE FROM challenge WHERE key = ?", key[:])
}
