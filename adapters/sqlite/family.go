package sqlite

import (
	"time"

	"latchkey/domain/identity"
	"latchkey/domain/oauth"
)

const familyColumns = `id, grant_id, session, expires_at, revoked_at, client, user, scope, refresh, salt, generation, nonce, auth_time, amr,
	acr, created_at, rotated_at, revoke_reason`

// familyIndexed is what the indexes of a family hold.
type familyIndexed struct {
	id      oauth.FamilyID
	grant   oauth.GrantID
	session identity.SessionID
	expires time.Time
	revoked time.Time
}

func indexed(f oauth.TokenFamily) familyIndexed {
	return familyIndexed{f.ID, f.Grant, f.Session, f.ExpiresAt, f.RevokedAt}
}

func scanFamily(r *row) (f oauth.TokenFamily) {
	f.ID, f.Grant, f.Session = oauth.FamilyID(r.text()), oauth.GrantID(r.text()), identity.SessionID(r.text())
	f.ExpiresAt, f.RevokedAt = r.time(), r.time()
	f.Client, f.User, f.Scope = oauth.ClientID(r.text()), identity.UserID(r.text()), oauth.Scope(r.text())
	f.Refresh = r.bool()
	r.blob(f.Salt[:])
	f.Generation = int(r.int())
	f.Nonce, f.AuthTime, f.AMR, f.ACR = r.text(), r.time(), r.list(), r.text()
	f.CreatedAt, f.RotatedAt, f.RevokeReason = r.time(), r.time(), r.text()
	return f
}

func (r *reader) TokenFamily(id oauth.FamilyID) (oauth.TokenFamily, error) {
	return one(r, scanFamily, "SELECT "+familyColumns+" FROM token_family WHERE id = ?", string(id))
}

func (r *reader) FamiliesOfGrant(id oauth.GrantID) ([]oauth.TokenFamily, error) {
	return many(r, scanFamily, "SELECT "+familyColumns+" FROM token_family WHERE grant_id = ? AND revoked_at = 0 ORDER BY created_at, rowid", string(id))
}

func (r *reader) LatestFamilies(id oauth.GrantID, limit int) ([]oauth.TokenFamily, error) {
	return many(r, scanFamily, "SELECT "+familyColumns+" FROM token_family WHERE grant_id = ? ORDER BY rotated_at DESC, rowid DESC LIMIT ?",
		string(id), int64(limit))
}

func (r *reader) FamiliesOfSession(id identity.SessionID) ([]oauth.TokenFamily, error) {
	return many(r, scanFamily, "SELECT "+familyColumns+" FROM token_family WHERE session = ? AND revoked_at = 0 ORDER BY created_at, rowid", string(id))
}

func (t *tx) TokenFamily(id oauth.FamilyID) (oauth.TokenFamily, error) {
	f, err := t.reader.TokenFamily(id)
	t.family = indexed(f)
	return f, err
}

// SaveTokenFamily leaves the indexes alone when the unit read the family and did not change what they hold, which is what
// every rotation does.
func (t *tx) SaveTokenFamily(f oauth.TokenFamily) error {
	t.changed = t.changed || !f.RevokedAt.IsZero()
	query, now := saveFamily, indexed(f)
	if t.family == now {
		query = rotateFamily
	}
	t.family = now
	return t.save(query, string(f.ID), string(f.Grant), string(f.Session), ms(f.ExpiresAt), ms(f.RevokedAt), string(f.Client), string(f.User),
		string(f.Scope), f.Refresh, f.Salt[:], int64(f.Generation), f.Nonce, ms(f.AuthTime), list(f.AMR), f.ACR, ms(f.CreatedAt),
		ms(f.RotatedAt), f.RevokeReason)
}

var (
	saveFamily   = upsert("token_family", "id", familyColumns)
	rotateFamily = upsert("token_family", "id", familyColumns, "grant_id", "session", "expires_at", "revoked_at")
)
