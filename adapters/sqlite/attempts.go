package sqlite

import (
	"latchkey/domain/identity"
	"latchkey/ports"
)

const attemptsColumns = `key, count, since, locked_at`

func scanAttempts(r *row) identity.Attempts {
	return identity.Attempts{Key: r.text(), Count: int(r.int()), Since: r.time(), LockedAt: r.time()}
}

func (r *reader) Attempts(key string) (identity.Attempts, error) {
	a, err := one(r, scanAttempts, "SELECT "+attemptsColumns+" FROM attempts WHERE key = ?", key)
	if err == ports.ErrNotFound {
		return identity.Attempts{Key: key}, nil
	}
	return a, err
}

var saveAttempts = upsert("attempts", "key", attemptsColumns)

func (t *tx) SaveAttempts(a identity.Attempts) error {
	return t.save(saveAttempts, a.Key, int64(a.Count), ms(a.Since), ms(a.LockedAt))
}
