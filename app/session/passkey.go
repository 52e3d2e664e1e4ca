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

// OffersPasskeys reports whether browsers make passkeys for the issuer.
func (a *Authenticator) OffersPasskeys() bool { return a.Passkeys.Site().ID != "" }

// SignInPasskey asks for any passkey. No name is asked for and none is told, so that nothing about who has an account here,
// or a passkey, can be learnt from it (LG-13).
func (a *Authenticator) SignInPasskey(ctx context.Context, b ports.Browser) (ports.PasskeyRequest, error) {
	request := ports.PasskeyRequest{Verify: true}
	return a.AskPasskey(ctx, b, identity.PasskeySignInTicket, request, func(ports.Reader, *ports.PasskeyRequest) error { return nil })
}

// FactorPasskey asks for a passkey of the one who is asked for a second factor.
func (a *Authenticator) FactorPasskey(ctx context.Context, b ports.Browser) (ports.PasskeyRequest, error) {
	return a.AskPasskey(ctx, b, identity.PasskeyFactorTicket, ports.PasskeyRequest{}, func(r ports.Reader, request *ports.PasskeyRequest) error {
		_, user, err := challengeOf(r, b.Challenge, a.Now())
		if err == nil && user.ID == "" {
			_, user, err = Of(r, b.Session, a.Now())
		}
		if err == nil && user.ID == "" {
			err = ports.ErrSignedOut
		}
		if err != nil {
			return err
		}
		request.User = user
		if request.Known, err = PasskeysOf(r, user.ID); err == nil && len(request.Known) == 0 {
			err = ports.ErrNoFactor
		}
		return err
	})
}

// PasskeysOf returns the passkeys of a user, oldest first.
func PasskeysOf(r ports.Reader, user identity.UserID) ([]identity.Factor, error) {
	all, err := r.Factors(user)
	var keys []identity.Factor
	for _, f := range all {
		if f.Kind == identity.PasskeyFactor && f.Confirmed() {
			keys = append(keys, f)
		}
	}
	return keys, err
}

// AskPasskey draws the challenge of a ceremony and remembers it for this browser, this purpose, and the user that look puts
// into the request.
func (a *Authenticator) AskPasskey(ctx context.Context, b ports.Browser, purpose identity.TicketPurpose, request ports.PasskeyRequest,
	look func(ports.Reader, *ports.PasskeyRequest) error) (ports.PasskeyRequest, error) {
	if !a.OffersPasskeys() {
		return request, ports.ErrNotFound
	}
	request.Site = a.Passkeys.Site()
	digest := a.Secrets.Secret().Digest()
	request.Challenge = digest[:]
	now := a.Now()
	err := a.Store.Update(ctx, func(tx ports.Tx) error {
		request.User, request.Known = identity.User{}, nil
		if err := look(tx, &request); err != nil {
			return err
		}
		return tx.SaveTicket(identity.Ticket{Key: passkeyKey(b.Key, request.Challenge), Purpose: purpose, User: request.User.ID,
			CreatedAt: now, ExpiresAt: now.Add(identity.PasskeyChallengeLifetime)})
	})
	return request, err
}

// passkeyKey is what a challenge is kept under: no other browser finds it.
func passkeyKey(browser oauth.Secret, challenge []byte) [32]byte {
	return oauth.Secret("passkey\x00" + browser.Reveal() + "\x00" + string(challenge)).Digest()
}

// SpendPasskeyChallenge takes a challenge within a unit of work, before what answers it is looked at: it is answered once,
// rightly or not. It reports false when it is over, is for another purpose, or belongs to another browser or user.
func SpendPasskeyChallenge(tx ports.Tx, purpose identity.TicketPurpose, user identity.UserID, browser oauth.Secret, challenge []byte, now time.Time) (bool, error) {
	t, err := tx.Ticket(passkeyKey(browser, challenge))
	if errors.Is(err, ports.ErrNotFound) {
		return false, nil
	}
	if err != nil || !t.Open(purpose, now) || t.User != user {
		return false, err
	}
	t.UsedAt = now
	return true, tx.SaveTicket(t)
}

// verifyPasskey checks a passkey that stands alone: it says who signs in, and proves it.
func (a *Authenticator) verifyPasskey(ctx context.Context, caller audit.Caller, form ports.PasskeyForm) (Verified, ports.Login, error) {
	proven, user, problem, err := a.checkPasskey(ctx, caller, identity.PasskeySignInTicket, "", form, audit.LoginFailed)
	if err != nil || problem.Problem != "" {
		return Verified{}, problem, err
	}
	return Verified{user: user, passkey: &proven}, problem, nil
}

// checkPasskey checks what somebody showed of a passkey: of the owner, or of anybody when there is none to be. Either it
// returns what was proven and by whom, or the problem to show, which is then on record under the kind.
func (a *Authenticator) checkPasskey(ctx context.Context, caller audit.Caller, purpose identity.TicketPurpose, owner identity.UserID,
	form ports.PasskeyForm, kind audit.Kind) (Proven, identity.User, ports.Login, error) {
	now, alone := a.Now(), owner == ""
	var fresh bool
	var f identity.Factor
	var user identity.User
	err := a.Store.Update(ctx, func(tx ports.Tx) (err error) {
		f, user = identity.Factor{}, identity.User{}
		if fresh, err = SpendPasskeyChallenge(tx, purpose, owner, form.Browser, form.Challenge, now); err != nil || !fresh || len(form.CredentialID) == 0 {
			return err
		}
		if f, err = tx.FactorByCredential(form.CredentialID); err == nil {
			user, err = tx.User(f.User)
		}
		if errors.Is(err, ports.ErrNotFound) {
			err = nil
		}
		return err
	})
	if err != nil {
		return Proven{}, user, ports.Login{}, err
	}
	problem := ports.PasskeyFailed
	use, reason := identity.PasskeyUse{}, error(nil)
	switch {
	case !fresh:
		problem, reason = ports.PasskeyOver, ports.ErrPasskeyOver
	case user.ID == "":
		reason = errPasskeyUnknown
	default:
		use, reason = a.usePasskey(f, owner, form, now)
	}
	switch {
	case errors.Is(reason, identity.ErrPasskeyUnverified):
		problem = ports.PasskeyUnverified
	case reason == nil && user.Disabled():
		kind, reason = audit.LoginDisabled, errPasskeyDisabled
	}
	if reason == nil {
		return Proven{user: user, factor: f.ID, passkey: &use, alone: alone, eligible: f.BackupEligible}, user, ports.Login{}, nil
	}
	event := audit.Event{At: now, Kind: kind, Caller: caller, User: string(owner), Facts: map[string]string{"method": "passkey", "reason": reason.Error()}}
	if f.ID != "" {
		event.Facts["factor"] = string(f.ID)
	}
	if alone {
		event.User = string(user.ID)
	}
	// Whoever tries and hangs up has tried all the same.
	err = a.Store.Update(context.WithoutCancel(ctx), func(tx ports.Tx) error { return tx.Record(event) })
	return Proven{}, user, ports.Login{Problem: problem}, err
}

var (
	errPasskeyUnknown  = errors.New("nobody has the passkey")
	errPasskeyDisabled = errors.New("the user is disabled")
)

// usePasskey checks the signature and then the rules: who would learn from the order in which they fail could sign already.
func (a *Authenticator) usePasskey(f identity.Factor, owner identity.UserID, form ports.PasskeyForm, now time.Time) (identity.PasskeyUse, error) {
	use, err := a.Passkeys.Authenticate(form.Challenge, f.PublicKey, form.PasskeyAssertion)
	if err == nil {
		err = f.PasskeyOf(owner, form.UserHandle)
	}
	if err == nil {
		err = f.UsePasskey(use, owner == "", now)
	}
	return use, err
}

// provePasskey checks a passkey that comes after a password. It is heard as often as a code is.
func (a *Authenticator) provePasskey(ctx context.Context, caller audit.Caller, owner identity.User, challenge oauth.Secret, tries int,
	form ports.PasskeyForm) (Proven, ports.Login, error) {
	proven, _, problem, err := a.checkPasskey(ctx, caller, identity.PasskeyFactorTicket, owner.ID, form, audit.FactorFailed)
	if problem.Problem != "" && tries >= identity.ChallengeAttempts {
		problem.Problem = ports.FactorOver
		err = errors.Join(err, a.Store.Update(context.WithoutCancel(ctx), func(tx ports.Tx) error { return tx.DeleteChallenge(challenge.Digest()) }))
	}
	return proven, problem, err
}

// startWithPasskey signs in whoever the passkey belongs to: it and what its authenticator knows of its user are two factors.
func (a *Authenticator) startWithPasskey(tx ports.Tx, user identity.User, p Proven, caller audit.Caller, old, cookie oauth.Secret, now time.Time) (ports.Login, error) {
	ok, err := a.Spend(tx, p, caller, now)
	if err != nil || !ok {
		return ports.Login{Problem: ports.PasskeyFailed}, err
	}
	s, err := a.start(tx, user, p.amr(), oidc.ACRMultiFactor, caller, old, cookie, now)
	return ports.Login{Cookie: cookie, Session: s}, err
}

// spendPasskey notes the use of a passkey within the unit of work of what it is for. Of two uses with one count, as a copy
// of it makes them, one is taken.
func spendPasskey(tx ports.Tx, p Proven, caller audit.Caller, now time.Time) (bool, error) {
	f, err := tx.Factor(p.factor)
	if errors.Is(err, ports.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	refused := f.PasskeyOf(p.user.ID, nil)
	if refused == nil {
		refused = f.UsePasskey(*p.passkey, p.alone, now)
	}
	if refused != nil {
		return false, tx.Record(audit.Event{At: now, Kind: audit.FactorReplayed, Caller: caller, User: string(p.user.ID),
			Facts: map[string]string{"factor": string(p.factor), "method": "passkey", "reason": refused.Error()}})
	}
	err = tx.SaveFactor(f)
	if !p.alone {
		err = errors.Join(err, refund(tx, []string{identity.FactorKey(p.user.ID)}))
	}
	return true, err
}

// AMROfPasskey says how a session was begun with a passkey (RFC 8176 §2). A key that can be copied between devices is held
// by software, whatever the device; one that cannot is taken for hardware by its own account, since nobody's word for it
// was asked for. Its user was present, and either recognised by the authenticator or known by a password.
func AMROfPasskey(eligible, alone bool) []string {
	key := oidc.AMRHardwareKey
	if eligible {
		key = oidc.AMRSoftwareKey
	}
	amr := []string{key, oidc.AMRPresence, oidc.AMRMultiFactor}
	if !alone {
		amr = append([]string{oidc.AMRPassword}, amr...)
	}
	return amr
}
