package token

import (
	"context"

	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/ports"
)

// clientCredentials serves grant_type=client_credentials (RFC 6749 §4.4): a token about the client itself. Nobody signed
// in, so there is no ID token, no refresh token, and no scope that speaks of a user.
func (e *Endpoint) clientCredentials(ctx context.Context, x exchange) (oauth.TokenResponse, error) {
	asked, refusal := oauth.ParseScope(x.Scope)
	if refusal != nil {
		return e.deny(ctx, x, audit.TokenDenied, refusal)
	}
	if asked == "" {
		asked = x.client.Scope
	}
	if refusal := narrow(x.client, x.client.Scope, asked); refusal != nil {
		return e.deny(ctx, x, audit.TokenDenied, refusal)
	}
	for _, s := range oauth.StandardScopes {
		asked = asked.Without(oauth.Scope(s))
	}
	err := e.Store.Update(ctx, func(tx ports.Tx) error { return tx.Record(x.event(audit.TokenIssued, nil)) })
	if err != nil {
		return oauth.TokenResponse{}, err
	}
	return e.respond(x, oauth.AccessToken{ID: oauth.TokenID(e.Secrets.ID() + e.Secrets.ID()), Subject: identity.UserID(x.client.ID), Scope: asked})
}
