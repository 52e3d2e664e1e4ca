package token

import (
	"context"
	"errors"

	"latchkey/domain/audit"
	"latchkey/domain/oauth"
	"latchkey/ports"
)

var _ ports.IntrospectionEndpoint = (*Endpoint)(nil)

// Introspect tells a client what a token is worth now (RFC 7662 §2). A client that keeps no secret is refused: anybody could
// call itself by its name and try tokens.
//
// A token that was found live is remembered while Store.Changes and Signer.Rings stand still: whom it concerns and its time
// are looked at every time, and nothing revoked is ever called active from memory.
func (e *Endpoint) Introspect(ctx context.Context, caller audit.Caller, req oauth.PresentedToken) (oauth.Introspection, error) {
	x, err := e.authenticate(ctx, ports.EndpointIntrospection, caller, req.Credentials)
	switch {
	case err != nil:
		return oauth.Introspection{}, err
	case x.client.Public():
		_, err := e.deny(ctx, x, audit.ClientAuthFailed, oauth.Refuse(oauth.InvalidClient, "introspection needs a client that keeps a secret"))
		return oauth.Introspection{}, err
	case req.Token == "":
		_, err := e.deny(ctx, x, audit.TokenDenied, oauth.Refuse(oauth.InvalidRequest, "token is missing"))
		return oauth.Introspection{}, err
	}
	if token, refusal := oauth.ParseRefreshToken(req.Token); refusal == nil {
		return e.introspectRefreshToken(ctx, x, token)
	}
	digest, state := req.Token.Digest(), stateOf(e.Store, e.Signer)
	token, ok := e.live.find(digest, state, x.now)
	if !ok {
		if token, err = e.Signer.VerifyAccessToken(req.Token); errors.Is(err, ports.ErrKeysNotReady) {
			return oauth.Introspection{}, err
		} else if err != nil {
			return oauth.Introspection{}, nil
		}
	}
	if !token.Concerns(x.client.ID) || !token.Valid(e.Issuer, token.Audience, x.now) {
		return oauth.Introspection{}, nil
	}
	if ok {
		return token.Introspection(), nil
	}
	var refusal *oauth.Error
	err = e.Store.View(ctx, func(r ports.Reader) (err error) {
		refusal, err = Live(r, token)
		return err
	})
	if refusal != nil || err != nil {
		return oauth.Introspection{}, err
	}
	e.live.keep(digest, verdict[oauth.AccessToken]{token, state, token.ExpiresAt})
	return token.Introspection(), nil
}

// introspectRefreshToken asks the family what a use of the token would come to, on a copy: to look at an old token is not to
// use it, and revokes nothing.
func (e *Endpoint) introspectRefreshToken(ctx context.Context, x exchange, token oauth.RefreshToken) (oauth.Introspection, error) {
	var answer oauth.Introspection
	err := e.Store.View(ctx, func(r ports.Reader) error {
		family, err := r.TokenFamily(token.Family)
		if errors.Is(err, ports.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		used := family
		if _, refusal := used.Rotate(x.client, token, e.Tag, x.now); refusal != nil {
			return nil
		}
		refusal, err := standing(r, family.Grant, family.User, family.Session, family.Scope.Has(oauth.ScopeOfflineAccess))
		if refusal == nil && err == nil {
			answer = family.Introspection(e.Issuer)
		}
		return err
	})
	return answer, err
}
