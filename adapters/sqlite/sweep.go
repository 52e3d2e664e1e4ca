package sqlite

import (
	"time"

	"latchkey/domain/identity"
)

// How long rows are kept after they stopped to matter: a code so that its replay is still recognised, the others so that
// their owners and an administrator can look back.
const (
	keepCode = 24 * time.Hour
	keepPast = 30 * 24 * time.Hour
)

// sweeps says of which rows nothing is left to know. Each condition is answered by an index, so that a sweep which finds
// nothing costs nothing. ?1 is the latest instant that has passed for long enough, ?2 how many rows may go.
var sweeps = []struct {
	table string
	keep  time.Duration
	where []string
}{
	{"interaction", 0, []string{"expires_at <= ?1"}},
	{"code", keepCode, []string{"expires_at <= ?1"}},
	{"session", keepPast, []string{"expires_at <= ?1", "ended_at <> 0 AND ended_at <= ?1"}},
	{"logout_notice", keepPast, []string{"created_at <= ?1"}},
	{"token_family", keepPast, []string{"expires_at <= ?1", "revoked_at <> 0 AND revoked_at <= ?1"}},
	// By then no family is left, unless it was revoked later: looking sooner would read every such grant at each step.
	{"grant", keepPast, []string{"revoked_at <> 0 AND revoked_at <= ?1 AND NOT EXISTS (SELECT 1 FROM token_family f WHERE f.grant_id = grant.id)"}},
	{"attempts", identity.AttemptWindow, []string{"since <= ?1"}},
	{"revoked_token", 0, []string{"expires_at <= ?1"}},
	{"ticket", 0, []string{"expires_at <= ?1", "used_at <> 0"}},
	{"challenge", 0, []string{"expires_at <= ?1"}},
	{"factor", identity.EnrolLifetime, []string{"confirmed_at = 0 AND created_at <= ?1"}},
}

func (t *tx) Sweep(now time.Time, limit int) (int, error) {
	total := 0
	for _, s := range sweeps {
		left := int64(limit)
		for _, where := range s.where {
			key := "rowid"
			switch s.table {
			case "attempts", "ticket", "challenge":
				key = "key"
			case "revoked_token":
				key = "id"
			}
			n, err := t.exec("DELETE FROM "+s.table+" WHERE "+key+" IN (SELECT "+key+" FROM "+s.table+" WHERE "+where+" LIMIT ?2)",
				ms(now.Add(-s.keep)), left)
			if err != nil {
				return 0, err
			}
			left -= n
			total += int(n)
		}
	}
	if total > 0 {
		select {
		case t.store.folding <- struct{}{}:
		default: // asked for already
		}
	}
	return total, nil
}
