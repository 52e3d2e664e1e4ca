package sqlite

import (
	"crypto/sha256"
	"time"

	"latchkey/domain/identity"
)

const sessionColumns = `id, key, user, auth_time, amr, acr, created_at, last_seen_at, idle, expires_at, ended_at, ip, user_agent,
	confirmed_at`

func scanSession(r *row) (s identity.Session) {
	s.ID = identity.SessionID(r.text())
	r.blob(s.Key[:])
	s.User = identity.UserID(r.text())
	s.AuthTime, s.AMR, s.ACR = r.time(), r.list(), r.text()
	s.CreatedAt, s.LastSeenAt, s.Idle, s.ExpiresAt, s.EndedAt = r.time(), r.time(), r.duration(), r.time(), r.time()
	s.IP, s.UserAgent, s.ConfirmedAt = r.text(), r.text(), r.time()
	return s
}

func (r *reader) Session(id identity.SessionID) (identity.Session, error) {
	return one(r, scanSession, "SELECT "+sessionColumns+" FROM session WHERE id = ?", string(id))
}

func (r *reader) SessionByKey(key [sha256.Size]byte) (identity.Session, error) {
	return one(r, scanSession, "SELECT "+sessionColumns+" FROM session WHERE key = ?", key[:])
}

func (r *reader) SessionsOfUser(id identity.UserID) ([]identity.Session, error) {
	return many(r, scanSession, "SELECT "+sessionColumns+" FROM session WHERE user = ? AND ended_at = 0 ORDER BY created_at, rowid", string(id))
}

func (r *reader) Sessions(now time.Time, limit int) ([]identity.Session, error) {
	return many(r, scanSession, "SELECT "+sessionColumns+` FROM session WHERE ended_at = 0 AND expires_at > ?1 AND last_seen_at + idle > ?1
		ORDER BY created_at DESC, rowid DESC LIMIT ?2`, ms(now), int64(max(limit, 0)))
}

var saveSession = upsert("session", "id", sessionColumns)

func (t *tx) SaveSession(s identity.Session) error {
	t.changed = t.changed || !s.EndedAt.IsZero()
	return t.save(saveSession, string(s.ID), s.Key[:], string(s.User), ms(s.AuthTime), list(s.AMR), s.ACR,
		ms(s.CreatedAt), ms(s.LastSeenAt), s.Idle.Milliseconds(), ms(s.ExpiresAt), ms(s.EndedAt), s.IP, s.UserAgent, ms(s.ConfirmedAt))
}
