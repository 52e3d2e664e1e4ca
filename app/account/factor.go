package account

import (
	"context"
	"crypto/sha256"
	"errors"
	"strconv"
	"time"

	"latchkey/app/session"
	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

var _ ports.FactorEndpoint = Endpoint{}

// guarded is what is wrong with changing the account in the session of a visit: whoever has a second factor must have shown
// it in this session. In one from before there was a factor, a stolen password would else be enough to add another beside
// it, or to lock its owner out with a new password (MF-04).
func guarded(r ports.Reader, v visit) ([]error, error) {
	all, err := r.Factors(v.user.ID)
	if err != nil {
		return nil, err
	}
	if len(identity.ConfirmedFactors(all)) > 0 && v.session.ACR != oidc.ACRMultiFactor {
		return []error{ports.ErrFactorNeeded}, nil
	}
	return nil, nil
}

// OfferTOTP makes a seed. There is one offer at a time: an older one is gone.
func (e Endpoint) OfferTOTP(ctx context.Context, caller audit.Caller, b ports.Browser, proof ports.AccountProof) (ports.AccountChange, error) {
	var s identity.Session
	err := e.Store.View(ctx, func(r ports.Reader) (err error) {
		s, _, err = current(r, b, e.Now())
		return err
	})
	if err != nil {
		return ports.AccountChange{}, err
	}
	f := identity.Factor{ID: identity.FactorID("fac_" + e.Secrets.ID()), User: proof.User, Kind: identity.TOTPFactor}
	f.Sealed = e.Keychain.Seal(ports.PurposeFactors, offerRow(f, s), e.newSeed())
	return e.change(ctx, caller, b, proof, func(ports.Tx, visit) ([]error, error) { return nil, nil },
		func(tx ports.Tx, v visit) error {
			all, err := tx.Factors(v.user.ID)
			if err != nil {
				return err
			}
			for _, old := range all {
				if old.Kind == identity.TOTPFactor && !old.Confirmed() {
					if err := tx.DeleteFactor(old.ID); err != nil {
						return err
					}
				}
			}
			f.CreatedAt = v.now
			event := v.event(audit.FactorOffered)
			event.Facts = map[string]string{"factor": string(f.ID), "kind": string(f.Kind)}
			return errors.Join(tx.SaveFactor(f), tx.Record(event))
		})
}

// offerRow is what the seed of an offer is sealed for: the session that asked for it. Somebody who knows the password, in a
// session of their own, must neither read the seed that the owner is about to take over nor slip them one that they know.
func offerRow(f identity.Factor, s identity.Session) string {
	return f.SealRow() + "\x00" + string(s.ID)
}

// newSeed returns 160 random bits.
func (e Endpoint) newSeed() []byte {
	first, second := e.Secrets.Salt(), e.Secrets.Salt()
	return append(first[:], second[:identity.TOTPSeedSize-len(first)]...)
}

// OfferedTOTP shows the seed of the offer.
func (e Endpoint) OfferedTOTP(ctx context.Context, b ports.Browser) (ports.TOTPOffer, error) {
	var offer ports.TOTPOffer
	var f identity.Factor
	var s identity.Session
	var site string
	now := e.Now()
	err := e.Store.View(ctx, func(r ports.Reader) (err error) {
		var user identity.User
		if s, user, err = current(r, b, now); err != nil {
			return err
		}
		settings, err := r.Settings()
		if err != nil {
			return err
		}
		offer.User, site = user, settings.OrganisationName
		if f, err = offered(r, user, now); err == nil && !s.Recent(now) {
			err = ports.ErrNotFound
		}
		return err
	})
	if err != nil {
		return offer, err
	}
	seed, err := e.Keychain.Open(ports.PurposeFactors, offerRow(f, s), f.Sealed)
	if err != nil { // the offer of another session
		return offer, ports.ErrNotFound
	}
	if site == "" {
		site = identity.SiteWords(e.Issuer)[0]
	}
	offer.Factor, offer.Secret, offer.URI = f.ID, identity.TOTPSecret(seed), identity.TOTPURI(site, offer.User.Username, seed)
	return offer, nil
}

// offered returns the factor of the user that waits to be confirmed, or ErrNotFound.
func offered(r ports.Reader, user identity.User, now time.Time) (identity.Factor, error) {
	all, err := r.Factors(user.ID)
	if err != nil {
		return identity.Factor{}, err
	}
	for _, f := range all {
		if f.Kind == identity.TOTPFactor && f.Offered(now) {
			return f, nil
		}
	}
	return identity.Factor{}, ports.ErrNotFound
}

// ConfirmTOTP makes the offered factor count. Its user has just shown it, so the session becomes one with a second factor.
func (e Endpoint) ConfirmTOTP(ctx context.Context, caller audit.Caller, b ports.Browser, form ports.ConfirmForm) (ports.AccountChange, error) {
	step, sealed, problems, err := e.checkOffer(ctx, caller, b, form)
	if err != nil || len(problems) > 0 {
		return ports.AccountChange{Problems: problems}, err
	}
	made, digests := e.newCodes(form.User)
	cookie, withCodes := e.Secrets.Secret(), false
	out, err := e.change(ctx, caller, b, form.AccountProof,
		func(tx ports.Tx, v visit) ([]error, error) {
			f, err := offered(tx, v.user, v.now)
			if errors.Is(err, ports.ErrNotFound) || err == nil && f.ID != form.Factor {
				return []error{ports.ErrNotFound}, nil
			}
			return nil, err
		},
		func(tx ports.Tx, v visit) error {
			f, err := tx.Factor(form.Factor)
			if err != nil {
				return err
			}
			f.Name, f.Sealed, f.ConfirmedAt, f.LastUsedAt, f.LastStep = identity.FactorName(form.Name), sealed, v.now, v.now, step
			event := v.event(audit.FactorEnrolled)
			event.Facts = map[string]string{"factor": string(f.ID), "kind": string(f.Kind)}
			amr := session.AMROfCode()
			if v.session.ACR == oidc.ACRMultiFactor { // it began with two factors already, and maybe without a password
				amr = v.session.AMR
			}
			if _, err := session.Raise(tx, v.session, amr, caller, cookie, v.now); err != nil {
				return err
			}
			if err := errors.Join(tx.SaveFactor(f), tx.Record(event)); err != nil {
				return err
			}
			left, err := tx.RecoveryCodes(v.user.ID)
			if withCodes = len(left.Digests) == 0; err != nil || !withCodes {
				return err
			}
			return saveCodes(tx, v, digests)
		})
	if err == nil && len(out.Problems) == 0 {
		out.Cookie = cookie
		if withCodes {
			out.Codes = made
		}
	}
	return out, err
}

// checkOffer returns the time step of the code that was typed and the seed sealed for good, or what is wrong. Guessing it
// leads nowhere: whoever sees the page has the seed.
func (e Endpoint) checkOffer(ctx context.Context, caller audit.Caller, b ports.Browser, form ports.ConfirmForm) (int64, []byte, []error, error) {
	v := visit{caller: caller, now: e.Now()}
	var f identity.Factor
	err := e.Store.View(ctx, func(r ports.Reader) (err error) {
		if v.session, v.user, err = current(r, b, v.now); err != nil {
			return err
		}
		if f, err = offered(r, v.user, v.now); err == nil && (f.ID != form.Factor || !v.session.Recent(v.now)) {
			err = ports.ErrNotFound
		}
		return err
	})
	if errors.Is(err, ports.ErrNotFound) {
		return 0, nil, []error{ports.ErrNotFound}, nil
	}
	if err != nil {
		return 0, nil, nil, err
	}
	seed, err := e.Keychain.Open(ports.PurposeFactors, offerRow(f, v.session), f.Sealed)
	if err != nil {
		return 0, nil, []error{ports.ErrNotFound}, nil
	}
	step, found := identity.FindTOTPStep(seed, form.Code, v.now)
	if !found {
		event := v.event(audit.FactorRefused)
		event.Facts = map[string]string{"factor": string(f.ID), "kind": string(f.Kind)}
		return 0, nil, []error{ports.ErrCodeWrong}, e.Store.Update(context.WithoutCancel(ctx), func(tx ports.Tx) error { return tx.Record(event) })
	}
	return step, e.Keychain.Seal(ports.PurposeFactors, f.SealRow(), seed), nil, nil
}

// newCodes makes a set of recovery codes and what is kept of them.
func (e Endpoint) newCodes(user identity.UserID) (codes []oauth.Secret, digests [][sha256.Size]byte) {
	for range identity.RecoveryCodeCount {
		code := e.Secrets.ID()
		digest, ok := identity.RecoveryDigest(user, code)
		if !ok {
			panic("an id is no recovery code") // ports.Secrets promises 80 bits in base32
		}
		codes, digests = append(codes, oauth.Secret(code)), append(digests, digest)
	}
	return codes, digests
}

// saveCodes replaces the codes of the user: the old ones are dead.
func saveCodes(tx ports.Tx, v visit, digests [][sha256.Size]byte) error {
	event := v.event(audit.RecoveryMade)
	event.Facts = map[string]string{"codes": strconv.Itoa(len(digests))}
	return errors.Join(tx.SaveRecoveryCodes(identity.RecoveryCodes{User: v.user.ID, Digests: digests, MadeAt: v.now}), tx.Record(event))
}

// ownFactor finds a confirmed factor of the visit's user.
func ownFactor(tx ports.Tx, v visit, id identity.FactorID) ([]error, error) {
	f, err := tx.Factor(id)
	if err != nil || f.User != v.user.ID || !f.Confirmed() {
		return notYours(tx, v, err, "factor", string(id))
	}
	return nil, nil
}

// RenameFactor gives a factor of the user another name.
func (e Endpoint) RenameFactor(ctx context.Context, caller audit.Caller, b ports.Browser, form ports.RenameForm) (ports.AccountChange, error) {
	return e.change(ctx, caller, b, form.AccountProof,
		func(tx ports.Tx, v visit) ([]error, error) { return ownFactor(tx, v, form.Factor) },
		func(tx ports.Tx, v visit) error {
			f, err := tx.Factor(form.Factor)
			if err != nil {
				return err
			}
			f.Name = identity.FactorName(form.Name)
			event := v.event(audit.FactorRenamed)
			event.Facts = map[string]string{"factor": string(f.ID)}
			return errors.Join(tx.SaveFactor(f), tx.Record(event))
		})
}

// RemoveFactor removes a factor of the user who has shown one now. Recovery codes stand in for a factor, so they go with the
// last one.
func (e Endpoint) RemoveFactor(ctx context.Context, caller audit.Caller, b ports.Browser, form ports.RemoveForm) (ports.AccountChange, error) {
	proven, out, err := e.proveOwn(ctx, caller, b, form)
	if err != nil || len(out.Problems) > 0 {
		return out, err
	}
	return e.change(ctx, caller, b, form.AccountProof,
		func(tx ports.Tx, v visit) ([]error, error) {
			problems, err := ownFactor(tx, v, form.Factor)
			if err != nil || len(problems) > 0 || form.Current == "" && !v.session.Recent(v.now) {
				return problems, err
			}
			ok, err := e.Spend(tx, proven, caller, v.now)
			if err == nil && !ok {
				problems = []error{ports.ErrCodeWrong}
			}
			return problems, err
		},
		func(tx ports.Tx, v visit) error {
			event := v.event(audit.FactorRemoved)
			event.Facts = map[string]string{"factor": string(form.Factor)}
			if err := errors.Join(tx.DeleteFactor(form.Factor), tx.Record(event)); err != nil {
				return err
			}
			left, err := tx.Factors(v.user.ID)
			if err != nil || len(identity.ConfirmedFactors(left)) > 0 {
				return err
			}
			return tx.SaveRecoveryCodes(identity.RecoveryCodes{User: v.user.ID})
		})
}

// proveOwn checks the code of a form of the account, through the budget of every such code.
func (e Endpoint) proveOwn(ctx context.Context, caller audit.Caller, b ports.Browser, form ports.RemoveForm) (session.Proven, ports.AccountChange, error) {
	if form.Code == "" && form.Passkey == nil {
		return session.Proven{}, ports.AccountChange{Problems: []error{ports.ErrCodeWrong}}, nil
	}
	var user identity.User
	err := e.Store.View(ctx, func(r ports.Reader) (err error) {
		_, user, err = current(r, b, e.Now())
		return err
	})
	if err != nil {
		return session.Proven{}, ports.AccountChange{}, err
	}
	if user.ID != form.User {
		return session.Proven{}, ports.AccountChange{Problems: []error{ports.ErrOtherUser}}, nil
	}
	proven, problem, err := e.Prove(ctx, caller, user.ID, "", form.FactorForm)
	out := ports.AccountChange{RetryAfter: problem.RetryAfter}
	switch problem.Problem {
	case "":
	case ports.LoginLocked:
		out.Problems = []error{ports.ErrLocked}
	default:
		out.Problems = []error{ports.ErrCodeWrong}
	}
	return proven, out, err
}

// MakeRecoveryCodes replaces the codes of a user who has a factor for them to stand in for.
func (e Endpoint) MakeRecoveryCodes(ctx context.Context, caller audit.Caller, b ports.Browser, proof ports.AccountProof) (ports.AccountChange, error) {
	made, digests := e.newCodes(proof.User)
	out, err := e.change(ctx, caller, b, proof,
		func(tx ports.Tx, v visit) ([]error, error) {
			all, err := tx.Factors(v.user.ID)
			if err != nil || len(identity.ConfirmedFactors(all)) == 0 {
				return []error{ports.ErrNotFound}, err
			}
			return nil, nil
		},
		func(tx ports.Tx, v visit) error { return saveCodes(tx, v, digests) })
	if err == nil && len(out.Problems) == 0 {
		out.Codes = made
	}
	return out, err
}

// OwnCodes reports whether every code is an unused one of the user.
func (e Endpoint) OwnCodes(ctx context.Context, b ports.Browser, typed []string) (own bool, err error) {
	err = e.Store.View(ctx, func(r ports.Reader) error {
		_, user, err := current(r, b, e.Now())
		if err != nil {
			return err
		}
		codes, err := r.RecoveryCodes(user.ID)
		own = len(typed) > 0 && len(typed) <= identity.RecoveryCodeCount
		for _, code := range typed {
			digest, ok := identity.RecoveryDigest(user.ID, code)
			own = own && ok && codes.Has(digest)
		}
		return err
	})
	return own, err
}
