package token

import (
	"context"
	"errors"

	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/ports"
)

// exchangeCode serves grant_type=authorization_code (RFC 6749 §4.1.3).
func (e *Endpoint) exchangeCode(ctx context.Context, x exchange) (oauth.TokenResponse, error) {
	if x.Code == "" {
		return e.deny(ctx, x, audit.TokenDenied, oauth.Refuse(oauth.InvalidRequest, "code is missing"))
	}
	salt := e.Secrets.Salt()
	id := oauth.FamilyID("." + e.Secrets.ID())
	family, err := ports.Decide(ctx, e.Store, func(tx ports.Tx) (oauth.TokenFamily, *oauth.Error, error) {
		var none oauth.TokenFamily
		code, err := tx.Code(x.Code.Digest())
		if errors.Is(err, ports.ErrNotFound) {
			refusal := oauth.Refuse(oauth.InvalidGrant, "the code is unknown or expired").With("reason", "unknown")
			return none, refusal, tx.Record(x.event(audit.TokenDenied, refusal))
		}
		if err != nil {
			return none, nil, err
		}
		first := code.ReplayedAt.IsZero()
		refusal := code.Redeem(oauth.Exchange{Client: x.client, RedirectURI: x.RedirectURI, Verifier: x.Verifier}, x.now)
		event := x.event(audit.CodeRedeemed, refusal)
		event.User, event.Session, event.Grant, event.Family = string(code.User), string(code.Session), string(code.Grant), string(code.Family)
		switch {
		case !code.ReplayedAt.IsZero():
			event.Kind = audit.CodeReplayed
			if first {
				err = errors.Join(tx.SaveCode(code), revokeFamily(tx, code.Family, "code replayed", x))
			}
			return none, refusal, errors.Join(err, tx.Record(event))
		case refusal != nil:
			event.Kind = audit.TokenDenied
			if code.Client != x.client.ID {
				event.Kind = audit.CodeClientMismatch
			}
			return none, refusal, tx.Record(event)
		}
		if refusal, err = standing(tx, code.Grant, code.User, code.Session, false); refusal != nil || err != nil {
			event.Kind = audit.TokenDenied
			if refusal != nil {
				event.Facts = refusal.Report()
			}
			return none, refusal, errors.Join(err, tx.SaveCode(code), tx.Record(event))
		}
		family := oauth.TokenFamily{ID: oauth.FamilyID(code.Grant) + id, Grant: code.Grant, Client: code.Client, User: code.User,
			Session: code.Session, Scope: code.Scope, Refresh: mayRefresh(x.client, code.Scope), Salt: salt, Generation: 1,
			Nonce: code.Nonce, AuthTime: code.AuthTime, AMR: code.AMR, ACR: code.ACR,
			CreatedAt: x.now, RotatedAt: x.now, ExpiresAt: x.now.Add(oauth.RefreshAbsolute)}
		if !family.Refresh { // it ends with its one access token
			family.ExpiresAt = x.now.Add(x.client.Rules.AccessTokenLifetime)
		}
		code.Family, event.Family = family.ID, string(family.ID)
		issued := event
		issued.Kind = audit.TokenIssued
		return family, nil, errors.Join(tx.SaveCode(code), tx.SaveTokenFamily(family), tx.JoinSession(code.Session, code.Client),
			tx.Record(event), tx.Record(issued))
	})
	if err != nil {
		return oauth.TokenResponse{}, err
	}
	// Signing follows the commit: a fault here leaves the code spent, never usable twice.
	return e.issue(ctx, x, family, family.Scope, family.Nonce)
}

// mayRefresh reports whether the code brings refresh tokens. Whoever holds one acts while the user is away, so the user
// was asked for offline_access, unless the registration says otherwise.
func mayRefresh(c oauth.Client, scope oauth.Scope) bool {
	return c.MayUse(oauth.GrantTypeRefresh) && (scope.Has(oauth.ScopeOfflineAccess) || c.Rules.RefreshWithoutOffline)
}

// standing checks that what a code or family hangs on still stands: the grant, the user and, unless the application may
// act while the user is away, the session.
func standing(r ports.Reader, g oauth.GrantID, u identity.UserID, s identity.SessionID, offline bool) (*oauth.Error, error) {
	grant, err := r.Grant(g)
	if err != nil && !errors.Is(err, ports.ErrNotFound) {
		return nil, err
	}
	if !grant.Live() {
		return oauth.Refuse(oauth.InvalidGrant, "the user has withdrawn the permission").With("reason", "grant revoked"), nil
	}
	user, err := r.User(u)
	if err != nil && !errors.Is(err, ports.ErrNotFound) {
		return nil, err
	}
	if user.ID == "" || user.Disabled() {
		return oauth.Refuse(oauth.InvalidGrant, "the user can no longer sign in").With("reason", "user disabled or deleted"), nil
	}
	if offline {
		return nil, nil
	}
	session, err := r.Session(s)
	if err != nil && !errors.Is(err, ports.ErrNotFound) {
		return nil, err
	}
	if session.ID == "" || !session.EndedAt.IsZero() {
		return oauth.Refuse(oauth.InvalidGrant, "the user has signed out").With("reason", "session ended"), nil
	}
	return nil, nil
}

func revokeFamily(tx ports.Tx, id oauth.FamilyID, reason string, x exchange) error {
	family, err := tx.TokenFamily(id)
	if errors.Is(err, ports.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	family.Revoke(reason, x.now)
	return tx.SaveTokenFamily(family)
}
