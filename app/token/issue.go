package token

import (
	"context"
	"errors"

	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

// issue signs the tokens of a family as they stand after the unit of work.
func (e *Endpoint) issue(ctx context.Context, x exchange, f oauth.TokenFamily, scope oauth.Scope, nonce string) (oauth.TokenResponse, error) {
	resp, err := e.respond(x, oauth.AccessToken{ID: oauth.TokenID(string(f.ID) + "." + e.Secrets.ID()), Subject: f.User, Session: f.Session,
		Scope: scope, AuthTime: f.AuthTime, ACR: f.ACR, AMR: f.AMR})
	if err != nil {
		return resp, err
	}
	if f.Refresh {
		resp.RefreshToken = f.RefreshToken(e.Tag)
	}
	if !scope.Has(oauth.ScopeOpenID) {
		return resp, nil
	}
	id := oidc.IDToken{Issuer: e.Issuer, Subject: f.User, Audience: f.Client, Session: f.Session, Nonce: nonce,
		AuthTime: f.AuthTime, ACR: f.ACR, AMR: f.AMR, AccessTokenHash: oidc.AccessTokenHash(resp.AccessToken),
		IssuedAt: x.now, ExpiresAt: x.now.Add(oidc.IDTokenLifetime)}
	if x.client.Rules.ClaimsInIDToken {
		if id.Claims, err = e.claims(ctx, f.User, scope); err != nil {
			return resp, err
		}
	}
	resp.IDToken, err = e.Signer.SignIDToken(id, x.client.Rules.IDTokenAlg)
	return resp, err
}

// respond signs an access token and puts it into a response.
func (e *Endpoint) respond(x exchange, t oauth.AccessToken) (oauth.TokenResponse, error) {
	lifetime := x.client.Rules.AccessTokenLifetime
	t.Issuer, t.Audience, t.Client = e.Issuer, e.Issuer, x.client.ID
	t.IssuedAt, t.ExpiresAt = x.now, x.now.Add(lifetime)
	resp := oauth.TokenResponse{TokenType: "Bearer", ExpiresIn: lifetime, Scope: t.Scope}
	if x.client.Rules.LowerCaseTokenType {
		resp.TokenType = "bearer"
	}
	var err error
	resp.AccessToken, err = e.Signer.SignAccessToken(t)
	return resp, err
}

// claims reads the user again after the unit of work; somebody deleted meanwhile has none left to tell.
func (e *Endpoint) claims(ctx context.Context, id identity.UserID, scope oauth.Scope) (claims oidc.Claims, err error) {
	err = e.Store.View(ctx, func(r ports.Reader) error {
		user, err := r.User(id)
		if errors.Is(err, ports.ErrNotFound) {
			return nil
		}
		claims = oidc.ClaimsFor(user, scope)
		return err
	})
	return claims, err
}
