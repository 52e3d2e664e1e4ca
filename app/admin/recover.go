package admin

import (
	"context"
	"errors"
	"time"

	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/ports"
)

// The break-glass: whoever may read the database and its key on the host may always administer it again. Nothing that was
// configured stands in the way, and everything is recorded.

// RecoverAdmin makes the user an administrator who can sign in: enabled, not locked, with a one-time link for a new
// password. Their sessions end and their password is dead, because they may be somebody else's: whoever took the account
// over would else be let in as an administrator, before its owner opens the link. So are their second factors, which may be
// lost or another's as well.
func (s *Service) RecoverAdmin(ctx context.Context, caller audit.Caller, username string) (Link, error) {
	link, now := Link{Secret: s.Secrets.Secret()}, s.Now()
	link.ExpiresAt = now.Add(identity.ResetLifetime)
	err := s.Store.Update(ctx, func(tx ports.Tx) error {
		old, err := s.findUser(tx, username)
		if err != nil {
			return err
		}
		user := old
		user.Admin, user.DisabledAt = true, time.Time{}
		user.Password, user.PasswordChangedAt = "", now
		e, err := endingOfUser(tx, user.ID, "administrator recovered", false, false)
		if err != nil {
			return err
		}
		c := Change{Members: append(differences(userMembers(old), userMembers(user)), Difference{Member: "password"})}
		p := planner{now: now, caller: caller}
		link.User = user
		return errors.Join(tx.SaveUser(user), tx.SaveAttempts(identity.Attempts{Key: identity.AccountKey(user.ID)}),
			p.record(tx, audit.AdminRecovered, c, audit.Event{User: string(user.ID)}), removeFactors(tx, caller, user, now), e.save(tx, caller, now), saveReset(tx, caller, link, now))
	})
	return link, err
}

// OfferRecovery makes a one-time link that makes a new administrator beside those there are; older set-up links die.
func (s *Service) OfferRecovery(ctx context.Context, caller audit.Caller) (Link, error) {
	secret, now := s.Secrets.Secret(), s.Now()
	err := s.Store.Update(ctx, func(tx ports.Tx) error {
		return errors.Join(saveOffer(tx, identity.RecoverTicket, secret, now),
			tx.Record(audit.Event{At: now, Kind: audit.AdminRecovered, Caller: caller, Facts: map[string]string{"with": "a set-up link"}}))
	})
	return Link{Secret: secret, ExpiresAt: now.Add(identity.SetupLifetime)}, err
}
