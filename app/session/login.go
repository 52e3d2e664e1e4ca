package session

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"time"

	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

// Authenticator checks passwords.
type Authenticator struct {
	Store     ports.Store
	Passwords ports.Passwords
	Secrets   ports.Secrets
	Passkeys  ports.Passkeys
	Now       ports.Clock
	Keychain  ports.Keychain // of the seeds of second factors
	// Scale multiplies how many attempts are allowed; 0 allows any number.
	Scale float64
}

// Verified is a user whose password was right. It becomes a session, or a challenge for a second factor.
type Verified struct {
	user     identity.User
	rehashed string // the password under today's parameters; empty: they have not changed
	keys     []string
	passkey  *Proven // what was shown in place of a password; nil: nothing was
}

// Verify checks what was typed. Either it returns a verified user, or the problem to show; an error is a fault.
//
// The attempt is counted and saved before the password is looked at, so that parallel guesses cannot outrun the count
// and a failing request cannot undo it. An unknown name costs the same hash as a known one.
func (a *Authenticator) Verify(ctx context.Context, caller audit.Caller, form ports.LoginForm) (Verified, ports.Login, error) {
	if form.Passkey != nil {
		return a.verifyPasskey(ctx, caller, *form.Passkey)
	}
	name := identity.CanonicalLogin(form.Username)
	if name == "" || len(name) > identity.MaxEmail || form.Password == "" || len(form.Password) > identity.MaxPasswordBytes {
		return Verified{}, ports.Login{Problem: ports.LoginFailed}, nil
	}
	now := a.Now()
	r, err := a.reserve(ctx, caller, name, now)
	if err != nil || r.problem.Problem != "" {
		return Verified{}, r.problem, err
	}
	match, outdated, err := a.Passwords.Verify(ctx, r.user.Password, form.Password, r.beside)
	v := Verified{user: r.user, keys: r.keys}
	switch {
	case errors.Is(err, ports.ErrBusy):
		return v, ports.Login{Problem: ports.LoginBusy, RetryAfter: 5 * time.Second}, a.refund(context.WithoutCancel(ctx), r.keys)
	case errors.Is(err, ports.ErrInterrupted):
		// Nearly all of the work was done. Unless that counts, whoever hangs up in time is never in doubt, and has every
		// processor for as many guesses as the address is heard at all.
		return v, ports.Login{}, errors.Join(err, a.Store.Update(context.WithoutCancel(ctx), func(tx ports.Tx) error {
			return countWrong(tx, caller, now)
		}))
	case err != nil:
		return v, ports.Login{}, err
	case !match || r.user.Disabled():
		// Whoever guesses and hangs up has guessed all the same.
		return v, ports.Login{Problem: ports.LoginFailed}, a.recordFailure(context.WithoutCancel(ctx), caller, name, r.user, match, now)
	case outdated:
		if v.rehashed, err = a.Passwords.Hash(ctx, form.Password); err != nil && !errors.Is(err, ports.ErrBusy) {
			return v, ports.Login{}, err
		}
	}
	return v, ports.Login{}, nil
}

type reservation struct {
	user    identity.User // zero: nobody has the name
	keys    []string      // what the attempt was counted against
	beside  ports.Beside
	problem ports.Login
}

// reserve counts the attempt against the address, then against the account. Every name of an account leads to one
// counter; a name nobody has is counted in the same way.
func (a *Authenticator) reserve(ctx context.Context, caller audit.Caller, name string, now time.Time) (reservation, error) {
	var r reservation
	err := a.Store.Update(ctx, func(tx ports.Tx) error {
		r = reservation{}
		user, err := tx.UserByLogin(name)
		if err != nil && !errors.Is(err, ports.ErrNotFound) {
			return err
		}
		account, others := "name:"+oauth.Secret(name).Digest().String(), 0 // others of the address
		if user.ID != "" {
			r.user, account = user, identity.AccountKey(user.ID)
		}
		for _, c := range []struct {
			key   string
			limit int
		}{{addressKey(caller.IP), identity.AddressAttempts}, {account, identity.AccountAttempts}} {
			attempts, err := tx.Attempts(c.key)
			if err != nil {
				return err
			}
			allowed, lockedNow := attempts.Reserve(int(math.Ceil(float64(c.limit)*a.Scale)), now)
			if allowed || lockedNow {
				if err := tx.SaveAttempts(attempts); err != nil {
					return err
				}
			}
			if lockedNow {
				if err := tx.Record(audit.Event{At: now, Kind: audit.LoginLocked, Caller: caller, User: string(user.ID),
					Facts: named(user, name)}); err != nil {
					return err
				}
			}
			if !allowed {
				r.problem = ports.Login{Problem: ports.LoginLocked, RetryAfter: attempts.RetryAfter(now)}
				return nil
			}
			if r.keys = append(r.keys, c.key); len(r.keys) == 1 {
				others = attempts.Count - 1
			}
		}
		wrong, err := tx.Attempts(wrongKey(caller.IP))
		if a.Scale > 0 {
			r.beside = ports.Beside{Wrong: wrong.Recent(now), Pending: max(0, others-wrong.Recent(now))}
		}
		return err
	})
	return r, err
}

// addressKey is what attempts from an address are counted under.
func addressKey(ip string) string { return "ip:" + identity.Network(ip) }

// wrongKey is what wrong passwords from an address are counted under. Attempts are counted before they are heard, so those of
// an office that signs in at nine would look like guesses.
func wrongKey(ip string) string { return "wrong:" + identity.Network(ip) }

func (a *Authenticator) refund(ctx context.Context, keys []string) error {
	return a.Store.Update(ctx, func(tx ports.Tx) error { return refund(tx, keys) })
}

func refund(tx ports.Tx, keys []string) error {
	for _, key := range keys {
		attempts, err := tx.Attempts(key)
		if err != nil {
			return err
		}
		if !attempts.Refund() {
			continue
		}
		if err := tx.SaveAttempts(attempts); err != nil {
			return err
		}
	}
	return nil
}

func (a *Authenticator) recordFailure(ctx context.Context, caller audit.Caller, name string, user identity.User, match bool, now time.Time) error {
	e := audit.Event{At: now, Kind: audit.LoginFailed, Caller: caller, User: string(user.ID), Facts: named(user, name)}
	if match && user.Disabled() {
		e.Kind = audit.LoginDisabled
	}
	return a.Store.Update(ctx, func(tx ports.Tx) (err error) {
		if !match {
			err = countWrong(tx, caller, now)
		}
		return errors.Join(err, tx.Record(e))
	})
}

func countWrong(tx ports.Tx, caller audit.Caller, now time.Time) error {
	wrong, err := tx.Attempts(wrongKey(caller.IP))
	if err != nil {
		return err
	}
	wrong.Reserve(0, now)
	return tx.SaveAttempts(wrong)
}

// named tells which account was tried. A name that nobody has may be a password typed into the wrong field, so only enough
// of its digest is kept to recognise a second try.
func named(user identity.User, name string) map[string]string {
	if user.ID != "" {
		return map[string]string{"name": user.Username}
	}
	return map[string]string{"name_digest": oauth.Secret(name).Digest().String()[:8]}
}

// accept takes a right password within a unit of work. It reports false when the account changed since Verify, so that the
// sign-in has to be repeated.
func (a *Authenticator) accept(tx ports.Tx, v Verified, caller audit.Caller, now time.Time) (identity.User, bool, error) {
	user, err := tx.User(v.user.ID)
	if err != nil && !errors.Is(err, ports.ErrNotFound) {
		return user, false, err
	}
	if err != nil || user.Disabled() || !user.PasswordChangedAt.Equal(v.user.PasswordChangedAt) {
		return user, false, tx.Record(audit.Event{At: now, Kind: audit.LoginFailed, Caller: caller, User: string(v.user.ID),
			Facts: map[string]string{"reason": "the account changed meanwhile"}})
	}
	keys := v.keys
	if len(keys) > 0 { // a right password takes a wrong one back: an office where some mistype does not wait behind guesses
		keys = append(slices.Clip(keys), wrongKey(caller.IP))
	}
	if err := refund(tx, keys); err != nil {
		return user, false, err
	}
	if v.rehashed != "" && user.Password == v.user.Password {
		user.Password = v.rehashed
		if err := tx.SaveUser(user); err != nil {
			return user, false, err
		}
	}
	return user, true, nil
}

// start signs a user in: the browser's old session gives way to one opened by cookie.
//
// The same user signing in again keeps the session under a new cookie: the tokens of its applications live on, while a
// cookie that somebody planted or copied before opens nothing.
func (a *Authenticator) start(tx ports.Tx, user identity.User, amr []string, acr string, caller audit.Caller, old, cookie oauth.Secret, now time.Time) (identity.Session, error) {
	s := identity.NewSession(identity.SessionID("sid_"+a.Secrets.ID()), cookie.Digest(), user, amr, acr, now)
	s.IP, s.UserAgent = caller.IP, caller.UserAgent[:min(len(caller.UserAgent), 256)]
	before, err := sessionOf(tx, old)
	if err != nil {
		return s, err
	}
	switch {
	case before.Live(now) && before.User == user.ID:
		s.ID, s.CreatedAt = before.ID, before.CreatedAt
	case before.Live(now):
		if err := End(tx, before, caller, now); err != nil {
			return s, err
		}
	}
	return s, errors.Join(tx.SaveSession(s), tx.Record(audit.Event{At: now, Kind: audit.LoginSucceeded, Caller: caller,
		User: string(user.ID), Session: string(s.ID), Facts: map[string]string{"amr": strings.Join(amr, " ")}}))
}

// Confirm lets somebody who is signed in go on after they typed their password once more, in the session that old opens, or
// in one of its own when there is none. It reports false as accept does. A session that began with a second factor keeps it,
// and the instant of it: the password says only that its user is still there.
func (a *Authenticator) Confirm(tx ports.Tx, v Verified, caller audit.Caller, before identity.Session, old, cookie oauth.Secret, now time.Time) (identity.Session, bool, error) {
	user, ok, err := a.accept(tx, v, caller, now)
	if err != nil || !ok {
		return identity.Session{}, false, err
	}
	s, err := a.start(tx, user, []string{oidc.AMRPassword}, oidc.ACRPassword, caller, old, cookie, now)
	if err == nil && before.User == user.ID && before.ACR == oidc.ACRMultiFactor {
		s.AMR, s.ACR, s.AuthTime, s.ConfirmedAt = before.AMR, before.ACR, before.AuthTime, now
		err = tx.SaveSession(s)
	}
	return s, true, err
}

// sessionOf returns the session a cookie opens, live or not, or the zero value.
func sessionOf(r ports.Reader, cookie oauth.Secret) (identity.Session, error) {
	if cookie == "" {
		return identity.Session{}, nil
	}
	s, err := r.SessionByKey(cookie.Digest())
	if errors.Is(err, ports.ErrNotFound) {
		return identity.Session{}, nil
	}
	return s, err
}

// Of returns the live session a cookie opens and its user, or zero values: the one way in for every page.
func Of(r ports.Reader, cookie oauth.Secret, now time.Time) (identity.Session, identity.User, error) {
	s, err := sessionOf(r, cookie)
	if err != nil || !s.Live(now) {
		return identity.Session{}, identity.User{}, err
	}
	user, err := r.User(s.User)
	if errors.Is(err, ports.ErrNotFound) || (err == nil && user.Disabled()) {
		return identity.Session{}, identity.User{}, nil
	}
	return s, user, err
}
