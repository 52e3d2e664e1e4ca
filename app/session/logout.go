package session

import (
	"cmp"
	"context"
	"errors"

	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

// Logout signs users out when a relying party asks.
type Logout struct {
	Issuer string
	Store  ports.Store
	Signer ports.Signer
	Now    ports.Clock
}

var _ ports.LogoutEndpoint = (*Logout)(nil)

// Logout answers a request. With an ID token of the user who is signed in, their session ends at once; without, a page has to
// ask them first, because a link or an image of any site can make this request.
func (e *Logout) Logout(ctx context.Context, caller audit.Caller, b ports.Browser, q oidc.LogoutRequest) (ports.Logout, error) {
	hint, err := e.readHint(q)
	if err != nil {
		return ports.Logout{}, err
	}
	return e.answer(ctx, caller, b, q, hint, "id_token_hint", hint.Proves)
}

// ConfirmLogout answers the confirmation page. If another tab signed in somebody else since, they are asked anew.
func (e *Logout) ConfirmLogout(ctx context.Context, caller audit.Caller, b ports.Browser, q oidc.LogoutRequest, shown identity.UserID) (ports.Logout, error) {
	return e.answer(ctx, caller, b, q, oidc.IDTokenHint{}, "confirmation", func(s identity.Session) bool { return shown != "" && s.User == shown })
}

// readHint verifies the id_token_hint, whatever its age: applications keep the one they signed in with. One that is not ours
// proves nothing and names nobody.
func (e *Logout) readHint(q oidc.LogoutRequest) (oidc.IDTokenHint, error) {
	if q.Hint == "" {
		return oidc.IDTokenHint{}, nil
	}
	hint, err := e.Signer.VerifyIDToken(q.Hint, e.Issuer)
	if errors.Is(err, ports.ErrKeysNotReady) {
		return hint, err
	}
	if err != nil {
		return oidc.IDTokenHint{}, nil
	}
	return hint, nil
}

// answer ends the session of the browser if the request is proven. Without a live session there is nothing to end and nothing
// to protect, and the answer is the one that follows signing out.
func (e *Logout) answer(ctx context.Context, caller audit.Caller, b ports.Browser, q oidc.LogoutRequest, hint oidc.IDTokenHint,
	proof string, proven func(identity.Session) bool) (ports.Logout, error) {
	now := e.Now()
	return ports.Decide(context.WithoutCancel(ctx), e.Store, func(tx ports.Tx) (a ports.Logout, refusal *oauth.Error, err error) {
		event := audit.Event{At: now, Kind: audit.LogoutRequested, Caller: caller, Facts: map[string]string{"proof": proof}}
		a.Client, refusal, err = party(tx, q, hint)
		if refusal == nil && err == nil {
			event.Client = string(a.Client.ID)
			a.Return, refusal = q.Return(a.Client)
		}
		switch {
		case err != nil:
			return a, nil, err
		case refusal != nil:
			if q.Client != "" && a.Client.ID == "" {
				if err := Name(tx, refusal, q.Client); err != nil {
					return a, nil, err
				}
			}
			event.Kind, event.Facts = audit.LogoutDenied, refusal.Report()
			event.Client = cmp.Or(event.Client, event.Facts["client_id"])
			return a, refusal, tx.Record(event)
		}
		s, user, err := Of(tx, b.Session, now)
		if err != nil || s.ID == "" {
			return a, nil, err
		}
		if !proven(s) {
			a.Ask, a.User = true, user
			return a, nil, nil
		}
		event.User, event.Session = string(s.User), string(s.ID)
		if a.Return != "" {
			event.Facts["redirect_uri"] = q.RedirectURI
		}
		a.Ended = s.ID
		return a, nil, errors.Join(End(tx, s, caller, now), tx.Record(event))
	})
}

// party returns the client a request comes from: the one it names, else the one its ID token was issued to, which may be
// registered no more.
func party(r ports.Reader, q oidc.LogoutRequest, hint oidc.IDTokenHint) (oauth.Client, *oauth.Error, error) {
	id := q.Client
	switch {
	case id == "":
		id = hint.Audience
	case hint.Audience != "" && hint.Audience != id:
		shown, err := recordable(r, id)
		return oauth.Client{}, oauth.Refuse(oauth.InvalidRequest, "id_token_hint was issued to another client than client_id names").
			With("received", string(shown)).With("expected", string(hint.Audience)), err
	}
	if id == "" {
		return oauth.Client{}, nil, nil
	}
	client, err := r.Client(id)
	switch {
	case err != nil && !errors.Is(err, ports.ErrNotFound):
		return oauth.Client{}, nil, err
	case err == nil && client.DisabledAt.IsZero():
		return client, nil, nil
	case q.Client != "":
		shown, err := recordable(r, q.Client)
		return oauth.Client{}, oauth.Refuse(oauth.InvalidClient, "client_id is not registered").With("received", string(shown)), err
	}
	return oauth.Client{}, nil, nil
}
