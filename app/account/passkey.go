package account

import (
	"context"
	"errors"

	"latchkey/app/session"
	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

var _ ports.PasskeyEndpoint = Endpoint{}

// NewPasskey asks for a passkey for the account.
func (e Endpoint) NewPasskey(ctx context.Context, b ports.Browser) (ports.PasskeyRequest, error) {
	return e.AskPasskey(ctx, b, identity.PasskeyEnrolTicket, ports.PasskeyRequest{}, func(r ports.Reader, request *ports.PasskeyRequest) error {
		s, user, err := current(r, b, e.Now())
		if err != nil {
			return err
		}
		problems, err := guarded(r, visit{session: s, user: user})
		if err != nil || len(problems) > 0 {
			return errors.Join(append(problems, err)...)
		}
		request.User = user
		request.Known, err = session.PasskeysOf(r, user.ID)
		return err
	})
}

// EnrolPasskey adds a passkey to the account. Making one shows that the user has it, so it counts from now on, and the
// session becomes one with a second factor.
func (e Endpoint) EnrolPasskey(ctx context.Context, caller audit.Caller, b ports.Browser, form ports.EnrolForm) (ports.AccountChange, error) {
	made, problems, err := e.checkNewPasskey(ctx, caller, b, form)
	if err != nil || len(problems) > 0 {
		return ports.AccountChange{Problems: problems}, err
	}
	codes, digests := e.newCodes(form.User)
	id := identity.FactorID("fac_" + e.Secrets.ID())
	cookie, raised, withCodes := e.Secrets.Secret(), false, false
	out, err := e.change(ctx, caller, b, form.AccountProof,
		func(tx ports.Tx, v visit) ([]error, error) {
			if _, err := tx.FactorByCredential(made.CredentialID); !errors.Is(err, ports.ErrNotFound) {
				return []error{ports.ErrPasskeyKnown}, err
			}
			known, err := session.PasskeysOf(tx, v.user.ID)
			if err == nil && len(known) >= identity.MaxPasskeys {
				return []error{ports.ErrPasskeyMany}, nil
			}
			return nil, err
		},
		func(tx ports.Tx, v visit) error {
			f := made.Factor(id, v.user.ID, form.Name, identity.PasskeyTransports(form.Transports), v.now)
			event := v.event(audit.FactorEnrolled)
			event.Facts = map[string]string{"factor": string(f.ID), "kind": string(f.Kind)}
			if err := errors.Join(tx.SaveFactor(f), tx.Record(event)); err != nil {
				return err
			}
			// A session that began with more than a password says already how.
			if raised = v.session.ACR != oidc.ACRMultiFactor; raised {
				if _, err := session.Raise(tx, v.session, session.AMROfPasskey(f.BackupEligible, false), caller, cookie, v.now); err != nil {
					return err
				}
			}
			left, err := tx.RecoveryCodes(v.user.ID)
			if withCodes = len(left.Digests) == 0; err != nil || !withCodes {
				return err
			}
			return saveCodes(tx, v, digests)
		})
	if err == nil && len(out.Problems) == 0 {
		if raised {
			out.Cookie = cookie
		}
		if withCodes {
			out.Codes = codes
		}
	}
	return out, err
}

// checkNewPasskey uses up the challenge and checks what answers it.
func (e Endpoint) checkNewPasskey(ctx context.Context, caller audit.Caller, b ports.Browser, form ports.EnrolForm) (identity.NewPasskey, []error, error) {
	now := e.Now()
	v := visit{caller: caller, now: now}
	var fresh bool
	err := e.Store.Update(ctx, func(tx ports.Tx) (err error) {
		if v.session, v.user, err = current(tx, b, now); err != nil {
			return err
		}
		fresh, err = session.SpendPasskeyChallenge(tx, identity.PasskeyEnrolTicket, v.user.ID, b.Key, form.Challenge, now)
		return err
	})
	if err != nil {
		return identity.NewPasskey{}, nil, err
	}
	made, reason := identity.NewPasskey{}, ports.ErrPasskeyOver
	problem := ports.ErrPasskeyOver
	if fresh {
		problem = ports.ErrPasskeyRefused
		if made, reason = e.Passkeys.Register(form.Challenge, form.PasskeyRegistration); reason == nil {
			return made, nil, nil
		}
	}
	event := v.event(audit.FactorRefused)
	event.Facts = map[string]string{"kind": string(identity.PasskeyFactor), "reason": reason.Error()}
	return made, []error{problem}, e.Store.Update(context.WithoutCancel(ctx), func(tx ports.Tx) error { return tx.Record(event) })
}
