package sqlite

import (
	"time"

	"latchkey/domain/identity"
	"latchkey/domain/oauth"
)

const codeColumns = `digest, grant_id, client, user, session, redirect_uri, scope, nonce, challenge, auth_time, amr, acr, created_at,
	redeemed_at, replayed_at, family, expires_at`

// codeIndexed is what the indexes of a code hold.
type codeIndexed struct {
	digest  oauth.Digest
	expires time.Time
}

func scanCode(r *row) (c oauth.AuthorizationCode) {
	r.blob(c.Digest[:])
	c.Grant, c.Client, c.User = oauth.GrantID(r.text()), oauth.ClientID(r.text()), identity.UserID(r.text())
	c.Session = identity.SessionID(r.text())
	c.RedirectURI, c.Scope, c.Nonce = r.text(), oauth.Scope(r.text()), r.text()
	c.Challenge = oauth.CodeChallenge(r.text())
	c.AuthTime, c.AMR, c.ACR = r.time(), r.list(), r.text()
	c.CreatedAt, c.RedeemedAt, c.ReplayedAt = r.time(), r.time(), r.time()
	c.Family, c.ExpiresAt = oauth.FamilyID(r.text()), r.time()
	return c
}

func (r *reader) Code(digest oauth.Digest) (oauth.AuthorizationCode, error) {
	return one(r, scanCode, "SELECT "+codeColumns+" FROM code WHERE digest = ?", digest[:])
}

func (t *tx) Code(digest oauth.Digest) (oauth.AuthorizationCode, error) {
	c, err := t.reader.Code(digest)
	t.code = codeIndexed{c.Digest, c.ExpiresAt}
	return c, err
}

// SaveCode leaves the indexes alone when the unit read the code and did not change what they hold.
func (t *tx) SaveCode(c oauth.AuthorizationCode) error {
	query, now := saveCode, codeIndexed{c.Digest, c.ExpiresAt}
	if t.code == now {
		query = spendCode
	}
	t.code = now
	return t.save(query, c.Digest[:], string(c.Grant), string(c.Client), string(c.User), string(c.Session), c.RedirectURI, string(c.Scope),
		c.Nonce, string(c.Challenge), ms(c.AuthTime), list(c.AMR), c.ACR, ms(c.CreatedAt), ms(c.RedeemedAt), ms(c.ReplayedAt),
		string(c.Family), ms(c.ExpiresAt))
}

var (
	saveCode  = upsert("code", "digest", codeColumns)
	spendCode = upsert("code", "digest", codeColumns, "expires_at")
)
