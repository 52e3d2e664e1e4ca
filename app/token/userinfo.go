package token

import (
	"context"
	"errors"
	"sync"
	"time"

	"latchkey/domain/audit"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

// UserInfo answers UserInfo requests.
type UserInfo struct {
	Issuer string
	Store  ports.Store
	Signer ports.Signer
	Now    ports.Clock

	remembered verdicts
}

var _ ports.UserInfoEndpoint = (*UserInfo)(nil)

// UserInfo returns the claims an access token entitles to (OIDC Core §5.3), after checking the token and everything it
// hangs on. A verdict is remembered while Store.Changes and Signer.Rings stand still, so nothing revoked is ever accepted from memory.
func (e *UserInfo) UserInfo(ctx context.Context, caller audit.Caller, text oauth.Secret) (oidc.Claims, error) {
	now, digest := e.Now(), text.Digest()
	state := state{changes: e.Store.Changes(), rings: e.Signer.Rings()} // read before what depends on it
	if v, ok := e.remembered.find(digest, state, now); ok {
		return v, nil
	}
	token, err := e.Signer.VerifyAccessToken(text)
	if errors.Is(err, ports.ErrKeysNotReady) {
		return nil, err
	}
	if err != nil || !token.Valid(e.Issuer, e.Issuer, now) {
		return nil, e.deny(ctx, caller, token, now, oauth.Refuse(oauth.InvalidToken, "the access token is not valid here or has expired"))
	}
	if !token.Scope.Has(oauth.ScopeOpenID) {
		return nil, e.deny(ctx, caller, token, now, oauth.Refuse(oauth.InsufficientScope, "the access token lacks the scope openid"))
	}
	var claims oidc.Claims
	var refusal *oauth.Error
	err = e.Store.View(ctx, func(r ports.Reader) error {
		if refusal, err = live(r, token); refusal != nil || err != nil {
			return err
		}
		user, err := r.User(token.Subject)
		claims = oidc.ClaimsFor(user, token.Scope)
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case refusal != nil:
		return nil, e.deny(ctx, caller, token, now, refusal)
	}
	e.remembered.keep(digest, verdict{claims, state, token.ExpiresAt})
	return claims, nil
}

// live checks what a valid access token hangs on: its family, grant, user and session.
func live(r ports.Reader, t oauth.AccessToken) (*oauth.Error, error) {
	revoked := oauth.Refuse(oauth.InvalidToken, "the access token was revoked")
	family, err := r.TokenFamily(t.ID.Family())
	if errors.Is(err, ports.ErrNotFound) || (err == nil && !family.RevokedAt.IsZero()) {
		return revoked.With("reason", "family revoked"), nil
	}
	if err != nil {
		return nil, err
	}
	refusal, err := standing(r, family.Grant, family.User, t.Session, t.Session == "")
	if refusal != nil {
		return revoked.With("reason", refusal.Facts["reason"]), nil
	}
	return nil, err
}

func (e *UserInfo) deny(ctx context.Context, caller audit.Caller, t oauth.AccessToken, now time.Time, refusal *oauth.Error) error {
	_, err := ports.Decide(context.WithoutCancel(ctx), e.Store, func(tx ports.Tx) (struct{}, *oauth.Error, error) {
		return struct{}{}, refusal, tx.Record(audit.Event{At: now, Kind: audit.BearerDenied, Caller: caller, Client: string(t.Client),
			User: string(t.Subject), Session: string(t.Session), Family: string(t.ID.Family()), Facts: refusal.Report()})
	})
	return err
}

// verdicts remembers which access tokens were found good, by digest, in bounded memory.
type verdicts struct {
	mu sync.RWMutex
	m  map[oauth.Digest]verdict
}

type verdict struct {
	claims  oidc.Claims
	state   state
	expires time.Time
}

// state is what a verdict depends on besides time: it holds while both numbers stand still.
type state struct{ changes, rings uint64 }

const maxVerdicts = 8192

func (v *verdicts) find(d oauth.Digest, s state, now time.Time) (oidc.Claims, bool) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	found, ok := v.m[d]
	return found.claims, ok && found.state == s && now.Before(found.expires)
}

func (v *verdicts) keep(d oauth.Digest, x verdict) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.m == nil || len(v.m) >= maxVerdicts {
		v.m = make(map[oauth.Digest]verdict)
	}
	v.m[d] = x
}
