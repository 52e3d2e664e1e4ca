package account

import (
	"context"
	"errors"

	"latchkey/app/session"
	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/ports"
)

// ChangePassword sets a new password. Whoever knew the old one may be anywhere by now, so everything it opened ends and
// this browser goes on in a session of its own.
//
// Both hashes are computed outside the unit of work; Begin finds out whether the account changed meanwhile, so that of
// two changes at once one wins.
func (e Endpoint) ChangePassword(ctx context.Context, caller audit.Caller, b ports.Browser, form ports.PasswordForm) (ports.AccountChange, error) {
	var out ports.AccountChange
	v := visit{caller: caller, now: e.Now()}
	err := e.Store.View(ctx, func(r ports.Reader) (err error) {
		v.session, v.user, err = current(r, b, v.now)
		return err
	})
	if err != nil {
		return out, err
	}
	if form.Current == "" {
		out.Problems = append(out.Problems, ports.ErrPasswordNeeded)
	}
	if err := identity.CheckPassword(form.New, append(identity.SiteWords(e.Issuer), v.user.Username)...); err != nil {
		out.Problems = append(out.Problems, err)
	}
	if form.New != form.Again {
		out.Problems = append(out.Problems, ports.ErrPasswordsDiffer)
	}
	if len(out.Problems) > 0 {
		return out, nil
	}
	verified, out, err := e.verify(ctx, v, b, form.AccountProof)
	if err != nil || len(out.Problems) > 0 {
		return out, err
	}
	hash, err := e.Passwords.Hash(ctx, form.New)
	if err != nil {
		return out, err
	}
	cookie := e.Secrets.Secret()
	err = e.Store.Update(ctx, func(tx ports.Tx) error {
		out = ports.AccountChange{}
		v := v
		before, user, err := current(tx, b, v.now)
		if err != nil {
			return err
		}
		if out.Problems, err = guarded(tx, visit{session: before, user: user}); err != nil || len(out.Problems) > 0 {
			return err
		}
		var ok bool
		// Without the old cookie: a session of its own, so that codes of the old one die with it.
		if v.session, ok, err = e.Confirm(tx, verified, caller, before, "", cookie, v.now); err != nil {
			return err
		}
		if !ok {
			out.Problems = []error{ports.ErrPasswordWrong}
			return nil
		}
		out.Cookie = cookie
		if v.user, err = tx.User(v.user.ID); err != nil {
			return err
		}
		v.user.Password, v.user.PasswordChangedAt = hash, v.now
		return errors.Join(tx.SaveUser(v.user), tx.Record(v.event(audit.PasswordChanged)), revokeEverything(tx, v, "password changed"),
			endOthers(tx, v), session.SpendTickets(tx, v.user.ID, v.now))
	})
	return out, err
}

// revokeEverything revokes all token families of the user; what was agreed to stays.
func revokeEverything(tx ports.Tx, v visit, reason string) error {
	grants, err := tx.GrantsOfUser(v.user.ID)
	if err != nil {
		return err
	}
	for _, g := range grants {
		if err := revokeUnder(tx, v, g, reason); err != nil {
			return err
		}
	}
	return nil
}

func revokeUnder(tx ports.Tx, v visit, g oauth.Grant, reason string) error {
	families, err := tx.FamiliesOfGrant(g.ID)
	if err != nil {
		return err
	}
	return session.RevokeFamilies(tx, families, reason, v.caller, v.now)
}

// endOthers ends every session of the user but the one of the visit.
func endOthers(tx ports.Tx, v visit) error {
	all, err := tx.SessionsOfUser(v.user.ID)
	if err != nil {
		return err
	}
	for _, s := range all {
		if s.ID == v.session.ID {
			continue
		}
		if err := session.End(tx, s, v.caller, v.now); err != nil {
			return err
		}
	}
	return nil
}

// ChangeEmail sets another address, which nobody has verified. The address there was goes into the record: that is how an
// operator gives a stolen account back.
func (e Endpoint) ChangeEmail(ctx context.Context, caller audit.Caller, b ports.Browser, form ports.EmailForm) (ports.AccountChange, error) {
	return e.change(ctx, caller, b, form.AccountProof,
		func(ports.Tx, visit) ([]error, error) {
			if _, err := identity.ParseEmail(form.Email); err != nil {
				return []error{err}, nil
			}
			return nil, nil
		},
		func(tx ports.Tx, v visit) error {
			user, err := tx.User(v.user.ID)
			if err != nil || user.Email == form.Email {
				return err
			}
			event := v.event(audit.EmailChanged)
			event.Facts = map[string]string{"from": user.Email, "to": form.Email}
			user.Email, user.EmailVerified, user.UpdatedAt = form.Email, false, v.now
			return errors.Join(tx.SaveUser(user), tx.Record(event), session.SpendTickets(tx, user.ID, v.now))
		})
}

// EndSession signs other browsers of the user out, one or all. One that is signed out already is no problem: forms are
// sent twice.
func (e Endpoint) EndSession(ctx context.Context, caller audit.Caller, b ports.Browser, form ports.SessionForm) (ports.AccountChange, error) {
	if form.Others {
		return e.change(ctx, caller, b, form.AccountProof,
			func(ports.Tx, visit) ([]error, error) { return nil, nil }, endOthers)
	}
	return e.change(ctx, caller, b, form.AccountProof,
		func(tx ports.Tx, v visit) ([]error, error) {
			s, err := tx.Session(form.Session)
			if err != nil || s.User != v.user.ID {
				return notYours(tx, v, err, "session", string(form.Session))
			}
			return nil, nil
		},
		func(tx ports.Tx, v visit) error {
			s, err := tx.Session(form.Session)
			if err != nil || !s.EndedAt.IsZero() {
				return err
			}
			return session.End(tx, s, v.caller, v.now)
		})
}

// Disconnect revokes a grant of the user with every token under it. A code under it is worth nothing from then on.
func (e Endpoint) Disconnect(ctx context.Context, caller audit.Caller, b ports.Browser, form ports.DisconnectForm) (ports.AccountChange, error) {
	return e.change(ctx, caller, b, form.AccountProof,
		func(tx ports.Tx, v visit) ([]error, error) {
			g, err := tx.Grant(form.Grant)
			if err != nil || g.User != v.user.ID {
				return notYours(tx, v, err, "grant", string(form.Grant))
			}
			return nil, nil
		},
		func(tx ports.Tx, v visit) error {
			g, err := tx.Grant(form.Grant)
			if err != nil || !g.Live() {
				return err
			}
			g.Revoke(v.now)
			event := v.event(audit.GrantRevoked)
			event.Client, event.Grant, event.Facts = string(g.Client), string(g.ID), map[string]string{"reason": "disconnected"}
			return errors.Join(tx.SaveGrant(g), tx.Record(event), revokeUnder(tx, v, g, "disconnected"))
		})
}
