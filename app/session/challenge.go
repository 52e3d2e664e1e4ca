package session

import (
	"context"
	"errors"
	"time"

	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

var _ ports.ChallengeEndpoint = Endpoint{}

// challengeOf returns the open challenge of a cookie and its user, or zero values.
func challengeOf(r ports.Reader, secret oauth.Secret, now time.Time) (identity.Challenge, identity.User, error) {
	if secret == "" {
		return identity.Challenge{}, identity.User{}, nil
	}
	c, err := r.Challenge(secret.Digest())
	if err == nil {
		var user identity.User
		if user, err = r.User(c.User); err == nil && c.Open(user, now) {
			return c, user, nil
		}
	}
	if errors.Is(err, ports.ErrNotFound) {
		err = nil
	}
	return identity.Challenge{}, identity.User{}, err
}

// BeginSignIn goes on from a right password, within a unit of work: to a session, or to a challenge when the user has a second
// factor. The secret opens the one or answers the other. interaction is whose page took the password; empty: our own.
func (a *Authenticator) BeginSignIn(tx ports.Tx, v Verified, caller audit.Caller, old, secret oauth.Secret, interaction string, now time.Time) (ports.Login, error) {
	user, ok, err := a.accept(tx, v, caller, now)
	if err != nil || !ok {
		return ports.Login{Problem: ports.LoginFailed}, err
	}
	if v.passkey != nil {
		return a.startWithPasskey(tx, user, *v.passkey, caller, old, secret, now)
	}
	more, err := hasFactor(tx, user.ID)
	if err != nil {
		return ports.Login{}, err
	}
	if !more {
		s, err := a.start(tx, user, []string{oidc.AMRPassword}, oidc.ACRPassword, caller, old, secret, now)
		return ports.Login{Cookie: secret, Session: s}, err
	}
	c := identity.NewChallenge(secret.Digest(), user, now)
	c.Interaction = interaction
	return ports.Login{Challenge: secret}, errors.Join(tx.SaveChallenge(c),
		tx.Record(audit.Event{At: now, Kind: audit.FactorAsked, Caller: caller, User: string(user.ID)}))
}

// Finish answers the challenge of the browser with what was proven for it, within a unit of work. It reports false when
// the challenge is over or the code was taken meanwhile.
func (a *Authenticator) Finish(tx ports.Tx, p Proven, caller audit.Caller, b ports.Browser, cookie oauth.Secret, now time.Time) (
	s identity.Session, c identity.Challenge, ok bool, err error) {
	c, user, err := challengeOf(tx, b.Challenge, now)
	if err != nil || user.ID == "" || user.ID != p.user.ID {
		return s, c, false, err
	}
	before, owner, err := Of(tx, b.Session, now)
	if err != nil || c.Session != "" && (before.ID != c.Session || owner.ID != user.ID) {
		return s, c, false, err
	}
	if ok, err = a.Spend(tx, p, caller, now); err != nil || !ok {
		return s, c, false, err
	}
	if c.Session != "" {
		s, err = Raise(tx, before, p.amr(), caller, cookie, now)
	} else {
		s, err = a.start(tx, user, p.amr(), oidc.ACRMultiFactor, caller, b.Session, cookie, now)
	}
	return s, c, true, errors.Join(err, tx.DeleteChallenge(c.Key))
}

// Challenge returns what the page of the second factor shows.
func (e Endpoint) Challenge(ctx context.Context, b ports.Browser) (shown ports.Challenge, err error) {
	if b.Challenge == "" {
		return shown, ports.ErrNoChallenge
	}
	err = e.Store.View(ctx, func(r ports.Reader) error {
		c, user, err := challengeOf(r, b.Challenge, e.Now())
		if err != nil {
			return err
		}
		if user.ID == "" {
			return ports.ErrNoChallenge
		}
		codes, err := r.RecoveryCodes(user.ID)
		if err != nil {
			return err
		}
		shown = ports.Challenge{User: user, Interaction: oidc.InteractionID(c.Interaction), Tries: c.Attempts, Recovery: len(codes.Digests) > 0}
		factors, err := r.Factors(user.ID)
		for _, f := range identity.ConfirmedFactors(factors) {
			shown.App = shown.App || f.Kind == identity.TOTPFactor
			shown.Passkey = shown.Passkey || f.Kind == identity.PasskeyFactor
		}
		return err
	})
	return shown, err
}

// RaiseSession begins a challenge for the session of the browser, whose user has a factor that it began without.
func (e Endpoint) RaiseSession(ctx context.Context, caller audit.Caller, b ports.Browser) (oauth.Secret, error) {
	secret, now := e.Secrets.Secret(), e.Now()
	err := e.Store.Update(ctx, func(tx ports.Tx) error {
		s, user, err := Of(tx, b.Session, now)
		if err != nil {
			return err
		}
		has, err := hasFactor(tx, user.ID)
		switch {
		case err != nil:
			return err
		case !has, s.ACR == oidc.ACRMultiFactor:
			return ports.ErrNoChallenge
		}
		c := identity.NewChallenge(secret.Digest(), user, now)
		c.Session = s.ID
		return errors.Join(tx.SaveChallenge(c), tx.Record(audit.Event{At: now, Kind: audit.FactorAsked, Caller: caller, User: string(user.ID), Session: string(s.ID)}))
	})
	return secret, err
}

// AnswerChallenge answers a challenge on the page of the provider itself.
func (e Endpoint) AnswerChallenge(ctx context.Context, caller audit.Caller, b ports.Browser, form ports.FactorForm) (ports.Login, error) {
	if b.Challenge == "" {
		return ports.Login{Problem: ports.FactorOver}, nil
	}
	proven, problem, err := e.Prove(ctx, caller, "", b.Challenge, form)
	if err != nil || problem.Problem != "" {
		return problem, err
	}
	cookie, login := e.Secrets.Secret(), ports.Login{}
	// Whoever typed the right code and hung up has signed in; the code is spent either way.
	err = e.Store.Update(context.WithoutCancel(ctx), func(tx ports.Tx) error {
		s, _, ok, err := e.Finish(tx, proven, caller, b, cookie, e.Now())
		if login = (ports.Login{Cookie: cookie, Session: s}); !ok {
			login = ports.Login{Problem: ports.FactorOver}
		}
		return err
	})
	return login, err
}
