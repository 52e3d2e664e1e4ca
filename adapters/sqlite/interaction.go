package sqlite

import (
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
)

const interactionColumns = `id, browser, client, parameters, created_at, expires_at, account, logged_in, switch, consented, decided, answered_at`

func scanInteraction(r *row) (i oidc.Interaction) {
	i.ID = oidc.InteractionID(r.text())
	r.blob(i.Browser[:])
	i.Client = oauth.ClientID(r.text())
	r.json(&i.Parameters)
	i.CreatedAt, i.ExpiresAt = r.time(), r.time()
	i.Account, i.LoggedIn, i.Switch = identity.UserID(r.text()), r.bool(), r.bool()
	i.Consented, i.Decided, i.AnsweredAt = oauth.Scope(r.text()), r.bool(), r.time()
	return i
}

func (r *reader) Interaction(id oidc.InteractionID) (oidc.Interaction, error) {
	return one(r, scanInteraction, "SELECT "+interactionColumns+" FROM interaction WHERE id = ?", string(id))
}

var saveInteraction = upsert("interaction", "id", interactionColumns)

func (t *tx) SaveInteraction(i oidc.Interaction) error {
	return t.save(saveInteraction, string(i.ID), i.Browser[:], string(i.Client), dictionary(i.Parameters),
		ms(i.CreatedAt), ms(i.ExpiresAt), string(i.Account), i.LoggedIn, i.Switch, string(i.Consented), i.Decided, ms(i.AnsweredAt))
}
