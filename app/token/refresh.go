package token

import (
	"context"
	"errors"
	"time"

	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/ports"
)

// refresh serves grant_type=refresh_token (RFC 6749 §6).
func (e *Endpoint) refresh(ctx context.Context, x exchange) (oauth.TokenResponse, error) {
	if x.RefreshToken == "" {
		return e.deny(ctx, x, audit.TokenDenied, oauth.Refuse(oauth.InvalidRequest, "refresh_token is missing"))
	}
	token, refusal := oauth.ParseRefreshToken(x.RefreshToken)
	if refusal != nil {
		return e.deny(ctx, x, audit.TokenDenied, refusal)
	}
	asked, refusal := oauth.ParseScope(x.Scope)
	if refusal != nil {
		return e.deny(ctx, x, audit.TokenDenied, refusal)
	}
	family, err := ports.Decide(ctx, e.Store, func(tx ports.Tx) (oauth.TokenFamily, *oauth.Error, error) {
		family, err := tx.TokenFamily(token.Family)
		if errors.Is(err, ports.ErrNotFound) {
			refusal := oauth.Refuse(oauth.InvalidGrant, "the refresh token is unknown or expired").With("reason", "unknown family")
			return family, refusal, tx.Record(x.event(audit.TokenDenied, refusal))
		}
		if err != nil {
			return family, nil, err
		}
		rotation, refusal := family.Rotate(x.client, token, e.Tag, x.now)
		if refusal == nil {
			refusal, err = standing(tx, family.Grant, family.User, family.Session, family.Scope.Has(oauth.ScopeOfflineAccess))
			if err != nil {
				return family, nil, err
			}
			if refusal != nil { // a line whose ground is gone does not come back
				family.Revoke(refusal.Facts["reason"], x.now)
				rotation = oauth.Replayed
			} else if refusal = narrow(x.client, family.Scope, asked); refusal != nil {
				rotation = oauth.Refused
			}
		}
		event := x.event(refreshKind(refusal), refusal)
		event.User, event.Session, event.Grant, event.Family = string(family.User), string(family.Session), string(family.Grant), string(family.ID)
		if rotation == oauth.Rotated || rotation == oauth.Replayed {
			err = tx.SaveTokenFamily(family)
		}
		err = errors.Join(err, tx.Record(event))
		if refusal == nil && err == nil {
			family.Session, err = liveSession(tx, family.Session, x.now)
		}
		return family, refusal, err
	})
	if err != nil {
		return oauth.TokenResponse{}, err
	}
	scope := family.Scope
	if asked != "" {
		scope = asked
	}
	return e.issue(ctx, x, family, scope, family.Nonce)
}

// narrow checks the scope of a refresh: at most what the user granted, and what the client may still have.
func narrow(c oauth.Client, granted, asked oauth.Scope) *oauth.Error {
	if asked == "" {
		asked = granted
	}
	switch {
	case !granted.Covers(asked):
		return oauth.Refuse(oauth.InvalidScope, "scope exceeds what the user granted").With("received", string(asked)).With("expected", string(granted))
	case !c.Scope.Covers(asked):
		return oauth.Refuse(oauth.InvalidScope, "scope has a value that this client may no longer ask for").With("expected", string(c.Scope))
	}
	return nil
}

func refreshKind(refusal *oauth.Error) audit.Kind {
	switch {
	case refusal == nil:
		return audit.TokenRefreshed
	case refusal.Facts["reason"] == "replayed":
		return audit.TokenReplayed
	case refusal.Facts["reason"] == "other client":
		return audit.TokenMismatch
	}
	return audit.TokenDenied
}

// liveSession returns the session while it lives. Tokens for a user who is away name none, so that they do not die of a
// sign-out that came before them.
func liveSession(r ports.Reader, id identity.SessionID, now time.Time) (identity.SessionID, error) {
	s, err := r.Session(id)
	if errors.Is(err, ports.ErrNotFound) || (err == nil && !s.Live(now)) {
		return "", nil
	}
	return id, err
}
