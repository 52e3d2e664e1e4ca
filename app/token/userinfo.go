package token

import (
	"context"

	"latchkey/domain/audit"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

// UserInfo answers UserInfo requests.
type UserInfo struct {
	Bearer

	remembered verdicts[oidc.Claims]
}

var _ ports.UserInfoEndpoint = (*UserInfo)(nil)

// UserInfo returns the claims an access token entitles to (OIDC Core §5.3), after checking the token and everything it
// hangs on. A verdict is remembered while Store.Changes and Signer.Rings stand still, so nothing revoked is ever accepted from memory.
func (e *UserInfo) UserInfo(ctx context.Context, caller audit.Caller, text oauth.Secret) (oidc.Claims, error) {
	now, digest := e.Now(), text.Digest()
	state := stateOf(e.Store, e.Signer)
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
	e.remembered.keep(digest, verdict[oidc.Claims]{claims, state, token.ExpiresAt})
	return claims, nil
}
