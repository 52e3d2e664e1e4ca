package token

import (
	"context"
	"errors"

	"latchkey/domain/audit"
	"latchkey/domain/oauth"
	"latchkey/ports"
)

var _ ports.RevocationEndpoint = (*Endpoint)(nil)

// Revoke ends a token for its client (RFC 7009 §2): an access token alone, a refresh token with its whole family. Whoever
// presents a token of another client is told nothing, and only the record knows.
func (e *Endpoint) Revoke(ctx context.Context, caller audit.Caller, req oauth.PresentedToken) error {
	ctx = context.WithoutCancel(ctx) // what has begun is finished, even if its caller has left
	x, err := e.authenticate(ctx, ports.EndpointRevocation, caller, req.Credentials)
	if err != nil {
		return err
	}
	if req.Token == "" {
		_, err := e.deny(ctx, x, audit.TokenDenied, oauth.Refuse(oauth.InvalidRequest, "token is missing"))
		return err
	}
	if token, refusal := oauth.ParseRefreshToken(req.Token); refusal == nil {
		return e.revokeRefreshToken(ctx, x, token)
	}
	token, err := e.Signer.VerifyAccessToken(req.Token)
	if errors.Is(err, ports.ErrKeysNotReady) {
		return err
	}
	// One that has expired opens nothing. One dated in the future is not good yet, and must not become so.
	if err != nil || token.Issuer != e.Issuer || !x.now.Before(token.ExpiresAt) {
		return nil
	}
	return e.revokeAccessToken(ctx, x, token)
}

// revokeRefreshToken ends the family. Its newest token and the older ones name it alike: whoever wants one of them gone wants
// the line gone. A forged one names whatever it likes, and is nothing.
func (e *Endpoint) revokeRefreshToken(ctx context.Context, x exchange, token oauth.RefreshToken) error {
	return e.Store.Update(ctx, func(tx ports.Tx) error {
		family, err := tx.TokenFamily(token.Family)
		if errors.Is(err, ports.ErrNotFound) || (err == nil && !family.Issued(token, e.Tag)) {
			return nil
		}
		if err != nil {
			return err
		}
		event := x.revocation("refresh_token", family.Client)
		event.User, event.Session, event.Grant, event.Family = string(family.User), string(family.Session), string(family.Grant), string(family.ID)
		switch {
		case family.Client != x.client.ID:
			return tx.Record(event)
		case !family.RevokedAt.IsZero():
			return nil
		}
		family.Revoke("revoked by the client", x.now)
		return errors.Join(tx.SaveTokenFamily(family), tx.Record(event))
	})
}

func (e *Endpoint) revokeAccessToken(ctx context.Context, x exchange, token oauth.AccessToken) error {
	return e.Store.Update(ctx, func(tx ports.Tx) error {
		event := x.revocation("access_token", token.Client)
		event.Session, event.Family = string(token.Session), string(token.ID.Family())
		if event.Family != "" { // else the subject is the client itself
			event.User = string(token.Subject)
		}
		if token.Client != x.client.ID {
			return tx.Record(event)
		}
		already, err := tx.TokenRevoked(token.ID)
		if already || err != nil {
			return err
		}
		return errors.Join(tx.RevokeToken(token.ID, token.ExpiresAt), tx.Record(event))
	})
}

// revocation is the event of a token presented for revocation, whose client the owner is.
func (x exchange) revocation(tokenType string, owner oauth.ClientID) audit.Event {
	e := x.event(audit.TokenRevoked, nil)
	e.Facts = map[string]string{"token_type": tokenType}
	if owner != x.client.ID {
		e.Kind, e.Facts["reason"] = audit.TokenMismatch, "other client"
	}
	return e
}
