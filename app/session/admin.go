package session

import (
	"context"

	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

var _ ports.Administrators = Endpoint{}

// Administrator is the one door to administration.
func (e Endpoint) Administrator(ctx context.Context, caller audit.Caller, b ports.Browser) (identity.User, error) {
	s, user, err := e.Current(ctx, b)
	switch {
	case err != nil:
		return identity.User{}, err
	case user.ID == "":
		return identity.User{}, ports.ErrSignedOut
	case !user.Admin:
		refusal := oauth.Refuse(oauth.Forbidden, "this page is for administrators")
		event := audit.Event{At: e.Now(), Kind: audit.AdminDenied, Caller: caller, User: string(user.ID), Session: string(s.ID), Facts: refusal.Report()}
		if err := e.Store.Update(context.WithoutCancel(ctx), func(tx ports.Tx) error { return tx.Record(event) }); err != nil {
			return identity.User{}, err
		}
		return identity.User{}, refusal
	case !s.Administers(e.Now()):
		return identity.User{}, ports.ErrStepUp
	case s.ACR != oidc.ACRMultiFactor:
		var has bool
		err := e.Store.View(ctx, func(r ports.Reader) (err error) {
			has, err = hasFactor(r, user.ID)
			return err
		})
		if err == nil && !has {
			err = ports.ErrNoFactor
		} else if err == nil {
			err = ports.ErrFactorNeeded
		}
		return identity.User{}, err
	}
	return user, nil
}
