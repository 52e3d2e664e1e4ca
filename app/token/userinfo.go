package token

import (
	"context"
	"sync"
	"time"

	"latchkey/domain/audit"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

// UserInfo answers UserInfo requests.
type UserInfo struct {
	Bearer

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
	token, err := e.Read(ctx, caller, text)
	if err != nil {
		return nil, err
	}
	if !token.Scope.Has(oauth.ScopeOpenID) {
		return nil, e.Deny(ctx, caller, token, oauth.Refuse(oauth.InsufficientScope, "the access token lacks the scope openid").
			With("received", string(token.Scope)).With("expected", oauth.ScopeOpenID))
	}
	var claims oidc.Claims
	var refusal *oauth.Error
	err = e.Store.View(ctx, func(r ports.Reader) error {
		if refusal, err = Live(r, token); refusal != nil || err != nil {
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
		return nil, e.Deny(ctx, caller, token, refusal)
	}
	e.remembered.keep(digest, verdict{claims, state, token.ExpiresAt})
	return claims, nil
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
