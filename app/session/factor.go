package session

import (
	"context"
	"crypto/sha256"
	"errors"
	"math"
	"strconv"
	"strings"
	"time"

	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

// Proven is a second factor that somebody has just shown. It counts once: see spend.
type Proven struct {
	user     identity.User
	factor   identity.FactorID // of a code from an app
	step     int64
	recovery [sha256.Size]byte // of a recovery code, when there is no factor

	passkey  *identity.PasskeyUse // what the factor showed as a passkey; nil: it is none
	alone    bool                 // without a password
	eligible bool                 // the passkey may be copied
}

// amr says how the session that follows was begun. A recovery code is something the user keeps, for which RFC 8176 has no
// name of its own, so that only the number of factors is told.
func (p Proven) amr() []string {
	if p.passkey != nil {
		return AMROfPasskey(p.eligible, p.alone)
	}
	if p.factor == "" {
		return []string{oidc.AMRPassword, oidc.AMRMultiFactor}
	}
	return []string{oidc.AMRPassword, oidc.AMROneTimeCode, oidc.AMRMultiFactor}
}

// hasFactor reports whether the user has shown a second factor once.
func hasFactor(r ports.Reader, user identity.UserID) (bool, error) {
	all, err := r.Factors(user)
	return len(identity.ConfirmedFactors(all)) > 0, err
}

// Prove checks what was typed for the second factor of a user. Either it returns what was proven, or the problem to show.
//
// As with passwords, the attempt is counted and saved before the code is looked at. With a challenge, it counts against
// that as well; the budget of the account is one for all challenges, and no password fills it again (MF-02).
func (a *Authenticator) Prove(ctx context.Context, caller audit.Caller, user identity.UserID, challenge oauth.Secret, form ports.FactorForm) (Proven, ports.Login, error) {
	now := a.Now()
	owner, tries, problem, err := a.reserveFactor(ctx, caller, user, challenge, now)
	if err != nil || problem.Problem != "" {
		return Proven{}, problem, err
	}
	if form.Passkey != nil {
		return a.provePasskey(ctx, caller, owner, challenge, tries, *form.Passkey)
	}
	var factors []identity.Factor
	var codes identity.RecoveryCodes
	err = a.Store.View(ctx, func(r ports.Reader) (err error) {
		if factors, err = r.Factors(owner.ID); err != nil {
			return err
		}
		codes, err = r.RecoveryCodes(owner.ID)
		return err
	})
	if err != nil {
		return Proven{}, ports.Login{}, err
	}
	failure := audit.Event{At: now, Kind: audit.FactorFailed, Caller: caller, User: string(owner.ID), Facts: map[string]string{"method": "app"}}
	proven, found := Proven{user: owner}, false
	if form.Recovery {
		failure.Facts["method"] = "recovery code"
		if digest, ok := identity.RecoveryDigest(owner.ID, form.Code); ok && codes.Has(digest) {
			proven.recovery, found = digest, true
		}
	} else {
		found = a.findCode(&proven, &failure, identity.ConfirmedFactors(factors), form.Code, now)
	}
	if found {
		return proven, ports.Login{}, nil
	}
	// Whoever guesses and hangs up has guessed all the same.
	problem, err = a.recordFactorFailure(context.WithoutCancel(ctx), failure, challenge, tries)
	return Proven{}, problem, err
}

// findCode looks for the factor that shows the code now. A seed that does not open is no factor: it was sealed for another
// row, and somebody has been at the file (MF-07).
func (a *Authenticator) findCode(proven *Proven, failure *audit.Event, factors []identity.Factor, code string, now time.Time) bool {
	for _, f := range factors {
		if f.Kind != identity.TOTPFactor {
			continue
		}
		seed, err := a.Keychain.Open(ports.PurposeFactors, f.SealRow(), f.Sealed)
		if err != nil {
			failure.Kind, failure.Facts["factor"] = audit.SealBroken, string(f.ID)
			continue
		}
		step, found := identity.FindTOTPStep(seed, code, now)
		switch {
		case found && step > f.LastStep:
			proven.factor, proven.step = f.ID, step
			return true
		case found:
			failure.Kind, failure.Facts["factor"] = audit.FactorReplayed, string(f.ID)
		}
	}
	return false
}

// reserveFactor counts the attempt. An account that is locked is refused here as on the login page (LG-06).
func (a *Authenticator) reserveFactor(ctx context.Context, caller audit.Caller, id identity.UserID, secret oauth.Secret, now time.Time) (
	user identity.User, tries int, problem ports.Login, err error) {
	err = a.Store.Update(ctx, func(tx ports.Tx) error {
		user, tries, problem = identity.User{}, 0, ports.Login{}
		var c identity.Challenge
		if secret != "" {
			if c, user, err = challengeOf(tx, secret, now); err != nil {
				return err
			}
		} else if user, err = tx.User(id); err != nil && !errors.Is(err, ports.ErrNotFound) {
			return err
		}
		if user.ID == "" || user.Disabled() {
			problem.Problem = ports.FactorOver
			return nil
		}
		password, err := tx.Attempts(identity.AccountKey(user.ID))
		if err != nil {
			return err
		}
		if password.Locked(now) {
			problem = ports.Login{Problem: ports.LoginLocked, RetryAfter: password.RetryAfter(now)}
			return nil
		}
		attempts, err := tx.Attempts(identity.FactorKey(user.ID))
		if err != nil {
			return err
		}
		allowed, lockedNow := attempts.Reserve(int(math.Ceil(identity.FactorAttempts*a.Scale)), now)
		if lockedNow {
			if err := tx.Record(audit.Event{At: now, Kind: audit.FactorLocked, Caller: caller, User: string(user.ID), Facts: named(user, "")}); err != nil {
				return err
			}
		}
		if !allowed {
			problem = ports.Login{Problem: ports.LoginLocked, RetryAfter: attempts.RetryAfter(now)}
		} else if secret != "" && !c.Answer() {
			problem.Problem = ports.FactorOver
			return nil
		}
		if tries = c.Attempts; secret != "" {
			err = tx.SaveChallenge(c)
		}
		return errors.Join(err, tx.SaveAttempts(attempts))
	})
	return user, tries, problem, err
}

// recordFactorFailure notes a wrong code, and ends the challenge that has heard enough of them.
func (a *Authenticator) recordFactorFailure(ctx context.Context, failure audit.Event, secret oauth.Secret, tries int) (ports.Login, error) {
	problem := ports.Login{Problem: ports.FactorFailed, Tries: tries}
	return problem, a.Store.Update(ctx, func(tx ports.Tx) error {
		if tries >= identity.ChallengeAttempts {
			problem.Problem = ports.FactorOver
			if err := tx.DeleteChallenge(secret.Digest()); err != nil {
				return err
			}
		}
		return tx.Record(failure)
	})
}

// Spend takes what was proven, in the unit of work of what it is for, and reports whether it was still there: of two forms
// with one code, one finds it (MF-01).
func (a *Authenticator) Spend(tx ports.Tx, p Proven, caller audit.Caller, now time.Time) (bool, error) {
	if p.passkey != nil {
		return spendPasskey(tx, p, caller, now)
	}
	if p.factor == "" {
		codes, err := tx.RecoveryCodes(p.user.ID)
		if err != nil || !codes.Use(p.recovery) {
			return false, err
		}
		return true, errors.Join(tx.SaveRecoveryCodes(codes), refund(tx, []string{identity.FactorKey(p.user.ID)}),
			tx.Record(audit.Event{At: now, Kind: audit.RecoveryUsed, Caller: caller, User: string(p.user.ID),
				Facts: map[string]string{"left": strconv.Itoa(len(codes.Digests))}}))
	}
	f, err := tx.Factor(p.factor)
	switch {
	case errors.Is(err, ports.ErrNotFound):
		return false, nil
	case err != nil:
		return false, err
	case f.User != p.user.ID || !f.Confirmed() || p.step <= f.LastStep:
		return false, tx.Record(audit.Event{At: now, Kind: audit.FactorReplayed, Caller: caller, User: string(p.user.ID),
			Facts: map[string]string{"factor": string(p.factor)}})
	}
	f.LastStep, f.LastUsedAt = p.step, now
	return true, errors.Join(tx.SaveFactor(f), refund(tx, []string{identity.FactorKey(p.user.ID)}))
}

// Raise makes the session one that began with a second factor, under a new cookie: whoever knew the old one was not there
// for it (SS-05). Its sign-in does not get younger, because no password was asked for.
func Raise(tx ports.Tx, s identity.Session, amr []string, caller audit.Caller, cookie oauth.Secret, now time.Time) (identity.Session, error) {
	s.Key, s.AMR, s.ACR, s.LastSeenAt = cookie.Digest(), amr, oidc.ACRMultiFactor, now
	return s, errors.Join(tx.SaveSession(s), tx.Record(audit.Event{At: now, Kind: audit.LoginSucceeded, Caller: caller,
		User: string(s.User), Session: string(s.ID), Facts: map[string]string{"amr": strings.Join(amr, " ")}}))
}

// AMROfCode is how a session says that it began with a password and a code of an app.
func AMROfCode() []string { return Proven{factor: "any"}.amr() }
