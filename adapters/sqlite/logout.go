package sqlite

import (
	"time"

	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
)

func (r *reader) SessionClients(id identity.SessionID) ([]oauth.ClientID, error) {
	return many(r, func(r *row) oauth.ClientID { return oauth.ClientID(r.text()) },
		"SELECT client FROM session_client WHERE session = ? ORDER BY client", string(id))
}

// JoinSession writes nothing when the client is in the session already, as at every further sign-in to it.
func (t *tx) JoinSession(s identity.SessionID, c oauth.ClientID) error {
	return t.save("INSERT INTO session_client (session, client) VALUES (?, ?) ON CONFLICT DO NOTHING", string(s), string(c))
}

const noticeColumns = `id, client, session, sub, created_at, attempts, next_at, delivered_at, failed_at, last_error`

func scanNotice(r *row) (n oidc.LogoutNotice) {
	n.ID, n.Client = oidc.NoticeID(r.text()), oauth.ClientID(r.text())
	n.Session, n.Sub = identity.SessionID(r.text()), identity.UserID(r.text())
	n.CreatedAt, n.Attempts = r.time(), int(r.int())
	n.NextAt, n.DeliveredAt, n.FailedAt, n.LastError = r.time(), r.time(), r.time(), r.text()
	return n
}

func (r *reader) LogoutNotice(id oidc.NoticeID) (oidc.LogoutNotice, error) {
	return one(r, scanNotice, "SELECT "+noticeColumns+" FROM logout_notice WHERE id = ?", string(id))
}

func (r *reader) NoticesOfSession(id identity.SessionID) ([]oidc.LogoutNotice, error) {
	return many(r, scanNotice, "SELECT "+noticeColumns+" FROM logout_notice WHERE session = ? ORDER BY id", string(id))
}

func (r *reader) DueLogoutNotices(now time.Time, each, limit int) ([]oidc.LogoutNotice, error) {
	return many(r, scanNotice, "SELECT "+noticeColumns+` FROM (SELECT *, rowid AS place, row_number() OVER (PARTITION BY client ORDER BY next_at, rowid) AS nth
		FROM logout_notice WHERE next_at <> 0 AND next_at <= ?) WHERE nth <= ? ORDER BY next_at, place LIMIT ?`, ms(now), int64(each), int64(max(limit, 0)))
}

func (r *reader) LogoutNotices(limit int) ([]oidc.LogoutNotice, error) {
	return many(r, scanNotice, "SELECT "+noticeColumns+" FROM logout_notice ORDER BY created_at DESC, rowid DESC LIMIT ?", int64(max(limit, 0)))
}

var saveNotice = upsert("logout_notice", "id", noticeColumns)

func (t *tx) SaveLogoutNotice(n oidc.LogoutNotice) error {
	return t.save(saveNotice, string(n.ID), string(n.Client), string(n.Session), string(n.Sub), ms(n.CreatedAt), int64(n.Attempts),
		ms(n.NextAt), ms(n.DeliveredAt), ms(n.FailedAt), n.LastError)
}
