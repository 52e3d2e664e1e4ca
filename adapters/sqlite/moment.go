package sqlite

import (
	"errors"
	"time"

	"latchkey/domain/oauth"
	"latchkey/ports"
)

func (r *reader) Moment(m ports.Moment) (time.Time, error) {
	at, err := one(r, (*row).time, "SELECT at FROM moment WHERE name = ?", string(m))
	if errors.Is(err, ports.ErrNotFound) {
		return time.Time{}, nil
	}
	return at, err
}

func (t *tx) SaveMoment(m ports.Moment, at time.Time) error {
	return t.save(upsert("moment", "name", "name, at"), string(m), ms(at))
}

func (r *reader) TokenRevoked(id oauth.TokenID) (bool, error) {
	return one(r, (*row).bool, "SELECT EXISTS (SELECT 1 FROM revoked_token WHERE id = ?)", string(id))
}

func (t *tx) RevokeToken(id oauth.TokenID, expires time.Time) error {
	t.changed = true
	return t.save(upsert("revoked_token", "id", "id, expires_at"), string(id), ms(expires))
}

// Expire looks at every row: a clock is seldom set back.
func (t *tx) Expire(at, since time.Time) error {
	t.changed = true
	for _, statement := range []string{
		"UPDATE session SET ended_at = ?1 WHERE ended_at = 0 AND (expires_at <= ?1 OR last_seen_at + idle <= ?1 OR auth_time > ?2)",
		"DELETE FROM code WHERE (expires_at <= ?1 OR created_at > ?2) AND redeemed_at = 0",
		"DELETE FROM interaction WHERE expires_at <= ?1 OR created_at > ?2",
		"DELETE FROM ticket WHERE expires_at <= ?1 OR created_at > ?2",
		"DELETE FROM challenge WHERE expires_at <= ?1 OR created_at > ?2",
	} {
		if err := t.save(statement, ms(at), ms(since)); err != nil {
			return err
		}
	}
	return t.save("UPDATE token_family SET revoked_at = ?1, revoke_reason = 'expired' WHERE revoked_at = 0 AND (expires_at <= ?1 OR rotated_at + ?3 <= ?1 OR rotated_at > ?2)",
		ms(at), ms(since), oauth.RefreshIdle.Milliseconds())
}
