package sqlite

import (
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
)

const grantColumns = `id, client, user, scope, created_at, updated_at, revoked_at`

func scanGrant(r *row) oauth.Grant {
	return oauth.Grant{ID: oauth.GrantID(r.text()), Client: oauth.ClientID(r.text()), User: identity.UserID(r.text()),
		Scope: oauth.Scope(r.text()), CreatedAt: r.time(), UpdatedAt: r.time(), RevokedAt: r.time()}
}

func (r *reader) Grant(id oauth.GrantID) (oauth.Grant, error) {
	return one(r, scanGrant, "SELECT "+grantColumns+" FROM grant WHERE id = ?", string(id))
}

func (r *reader) LiveGrant(user identity.UserID, client oauth.ClientID) (oauth.Grant, error) {
	return one(r, scanGrant, "SELECT "+grantColumns+" FROM grant WHERE user = ? AND client = ? AND revoked_at = 0", string(user), string(client))
}

func (r *reader) GrantsOfUser(id identity.UserID) ([]oauth.Grant, error) {
	return many(r, scanGrant, "SELECT "+grantColumns+" FROM grant WHERE user = ? AND revoked_at = 0 ORDER BY created_at, rowid", string(id))
}

func (r *reader) GrantsOfClient(id oauth.ClientID) ([]oauth.Grant, error) {
	return many(r, scanGrant, "SELECT "+grantColumns+" FROM grant WHERE client = ? AND revoked_at = 0 ORDER BY created_at, rowid", string(id))
}

var saveGrant = upsert("grant", "id", grantColumns)

func (t *tx) SaveGrant(g oauth.Grant) error {
	t.changed = t.changed || !g.RevokedAt.IsZero()
	return t.save(saveGrant, string(g.ID), string(g.Client), string(g.User), string(g.Scope),
		ms(g.CreatedAt), ms(g.UpdatedAt), ms(g.RevokedAt))
}
