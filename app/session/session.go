package session

import (
	"context"
	"errors"
	"slices"
	"time"

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
	login := ports.Login{Cookie: e.Secrets.Secret()}
	err = e.Store.Update(ctx, func(tx ports.Tx) error {
		s, ok, err := e.Begin(tx, v, caller, b.Session, login.Cookie, e.Now())
		if login.Session = s; !ok {
			login = ports.Login{Problem: ports.LoginFailed}
		}
		return err
	})
	return login, err
}

// SignOut ends the session of the browser.
func (e Endpoint) SignOut(ctx context.Context, caller audit.Caller, b ports.Browser) error {
	now := e.Now()
	return e.Store.Update(ctx, func(tx ports.Tx) error {
		s, err := sessionOf(tx, b.Session)
		if err != nil || !s.Live(now) {
			return err
		}
		return End(tx, s, caller, now)
	})
}

// End ends a session and what was issued for it without offline_access: an application that may act while its user is
// away keeps its refresh tokens, every other loses them with the session.
func End(tx ports.Tx, s identity.Session, caller audit.Caller, now time.Time) error {
	s.End(now)
	families, err := tx.FamiliesOfSession(s.ID)
	if err != nil {
		return err
	}
	families = slices.DeleteFunc(families, func(f oauth.TokenFamily) bool { return f.Scope.Has(oauth.ScopeOfflineAccess) })
	return errors.Join(RevokeFamilies(tx, families, "session ended", caller, now), tx.SaveSession(s),
		tx.Record(audit.Event{At: now, Kind: audit.SessionEnded, Caller: caller, User: string(s.User), Session: string(s.ID)}))
}

// RevokeFamilies ends every token of the families, with one event for each.
func RevokeFamilies(tx ports.Tx, families []oauth.TokenFamily, reason string, caller audit.Caller, now time.Time) error {
	for _, f := range families {
		f.Revoke(reason, now)
		if err := tx.SaveTokenFamily(f); err != nil {
			return err
		}
		if err := tx.Record(audit.Event{At: now, Kind: audit.GrantRevoked, Caller: caller, Client: string(f.Client), User: string(f.User),
			Session: string(f.Session), Grant: string(f.Grant), Family: string(f.ID), Facts: map[string]string{"reason": reason}}); err != nil {
			return err
		}
	}
	return nil
}

// Deny records a refusal that an adapter made before any use case.
func (e Endpoint) Deny(ctx context.Context, caller audit.Caller, kind audit.Kind, refusal *oauth.Error) error {
	return e.Store.Update(context.WithoutCancel(ctx), func(tx ports.Tx) error {
		return tx.Record(audit.Event{At: e.Now(), Kind: kind, Caller: caller, Facts: refusal.Report()})
	})
}
