package session

import (
	"context"
	"errors"

	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/ports"
)

// Endpoint signs browsers in and out of the provider itself.
type Endpoint struct {
	*Authenticator
}

var (
	_ ports.SessionEndpoint = Endpoint{}
	_ ports.Denials         = Endpoint{}
)

// Current returns the live session of the browser and its user, or zero values.
func (e Endpoint) Current(ctx context.Context, b ports.Browser) (s identity.Session, u identity.User, err error) {
	if b.Session == "" {
		return s, u, nil
	}
	err = e.Store.View(ctx, func(r ports.Reader) error {
		s, u, err = Of(r, b.Session, e.Now())
		return err
	})
	return s, u, err
}

// SignIn signs the browser in.
func (e Endpoint) SignIn(ctx context.Context, caller audit.Caller, b ports.Browser, form ports.LoginForm) (ports.Login, error) {
	v, problem, err := e.Verify(ctx, caller, form)
	if err != nil || problem.Problem != "" {
		return problem, err
	}
	secret, login := e.Secrets.Secret(), ports.Login{}
	err = e.Store.Update(ctx, func(tx ports.Tx) (err error) {
		login, err = e.BeginSignIn(tx, v, caller, b.Session, secret, "", e.Now())
		return err
	})
	return login, err
}

// SignOut ends the session of the browser and returns its id; none, if it had none that was live.
func (e Endpoint) SignOut(ctx context.Context, caller audit.Caller, b ports.Browser) (ended identity.SessionID, err error) {
	now := e.Now()
	err = e.Store.Update(ctx, func(tx ports.Tx) error {
		s, err := sessionOf(tx, b.Session)
		if ended = ""; err != nil || !s.Live(now) {
			return err
		}
		ended = s.ID
		return End(tx, s, caller, now)
	})
	return ended, err
}

// Deny records a refusal that an adapter made before any use case; the fact client_id is whom the request named.
func (e Endpoint) Deny(ctx context.Context, caller audit.Caller, kind audit.Kind, refusal *oauth.Error) error {
	return e.Store.Update(context.WithoutCancel(ctx), func(tx ports.Tx) error {
		if err := Name(tx, refusal, oauth.ClientID(refusal.Facts["client_id"])); err != nil {
			return err
		}
		return tx.Record(audit.Event{At: e.Now(), Kind: kind, Caller: caller, Client: refusal.Facts["client_id"], Facts: refusal.Report()})
	})
}

// Name adds the client that a request named, proved or not, to a refusal that goes on record: its operator looks for it
// there.
func Name(r ports.Reader, refusal *oauth.Error, id oauth.ClientID) error {
	if id == "" {
		return nil
	}
	id, err := recordable(r, id)
	refusal.With("client_id", string(id))
	return err
}

// recordable is what may be written down of a client_id that a request named: all of one that is registered, if disabled.
func recordable(r ports.Reader, id oauth.ClientID) (oauth.ClientID, error) {
	_, err := r.Client(id)
	if errors.Is(err, ports.ErrNotFound) {
		return id.Recordable(), nil
	}
	return id, err
}
