package admin

import (
	"context"
	"errors"
	"time"

	"latchkey/app/session"
	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/ports"
)

var _ ports.ResetEndpoint = (*Service)(nil)

// Link is a one-time link that was made. Its secret is seen only now.
type Link struct {
	Secret    oauth.Secret
	User      identity.User // whom it is for; zero: whoever has it
	ExpiresAt time.Time
}

// OfferReset makes a one-time link that sets the password of a user; older links of theirs die. Only its digest is
// stored. Only an administrator makes one, so no stranger learns from it who exists.
func (s *Service) OfferReset(ctx context.Context, caller audit.Caller, username string) (Link, error) {
	link, now := Link{Secret: s.Secrets.Secret()}, s.Now()
	link.ExpiresAt = now.Add(identity.ResetLifetime)
	err := s.Store.Update(ctx, func(tx ports.Tx) (err error) {
		if link.User, err = s.findUser(tx, username); err != nil {
			return err
		}
		if link.User.Disabled() {
			return Problems{"user " + link.User.Username + " is disabled, and a link would not work: next, latchkey user enable " + link.User.Username}
		}
		return saveReset(tx, caller, link, now)
	})
	return link, err
}

func saveReset(tx ports.Tx, caller audit.Caller, link Link, now time.Time) error {
	return errors.Join(session.SpendTickets(tx, link.User.ID, now),
		tx.SaveTicket(identity.Ticket{Key: link.Secret.Digest(), Purpose: identity.ResetTicket, User: link.User.ID, CreatedAt: now, ExpiresAt: link.ExpiresAt}),
		tx.Record(audit.Event{At: now, Kind: audit.ResetOffered, Caller: caller, User: string(link.User.ID)}))
}

// ResetOffered returns the user whose password the link sets, or the refusal of a dead link, which is recorded.
func (s *Service) ResetOffered(ctx context.Context, caller audit.Caller, link oauth.Secret) (identity.User, error) {
	now := s.Now()
	var user identity.User
	var dead string
	err := s.Store.View(ctx, func(r ports.Reader) (err error) {
		_, user, dead, err = openReset(r, link, now)
		return err
	})
	if err != nil || dead == "" {
		return user, err
	}
	_, err = ports.Decide(ctx, s.Store, func(tx ports.Tx) (struct{}, *oauth.Error, error) {
		refusal := deadReset(dead)
		return struct{}{}, refusal, tx.Record(audit.Event{At: now, Kind: audit.ResetDenied, Caller: caller, User: string(user.ID), Facts: refusal.Report()})
	})
	return identity.User{}, err
}

// openReset returns the ticket of a link and its user, or why the link is dead, for the record alone.
func openReset(r ports.Reader, link oauth.Secret, now time.Time) (ticket identity.Ticket, user identity.User, dead string, err error) {
	ticket, err = r.Ticket(link.Digest())
	if errors.Is(err, ports.ErrNotFound) || (err == nil && ticket.Purpose != identity.ResetTicket) {
		return ticket, user, "unknown", nil
	}
	if err != nil {
		return ticket, user, "", err
	}
	user, err = r.User(ticket.User)
	if err != nil && !errors.Is(err, ports.ErrNotFound) {
		return ticket, user, "", err
	}
	switch {
	case ticket.Resets(user, now):
	case !ticket.UsedAt.IsZero():
		dead = "used, replaced, or the account changed since"
	case !now.Before(ticket.ExpiresAt):
		dead = "expired"
	default:
		dead = "user disabled or deleted"
	}
	return ticket, user, dead, nil
}

// deadReset is one refusal for every link that does not work, so that none can be probed; why is for the record.
func deadReset(why string) *oauth.Error {
	refusal := oauth.Refuse(oauth.InvalidRequest, "this link was used already, was replaced or has expired").With("reason", why)
	refusal.Cause = ports.ErrNotFound
	return refusal
}

// ResetPassword sets the password of the link's user and ends whatever was signed in before; it signs nobody in. Of many
// uses of a link one wins; what the form gets wrong does not spend it. A dead link is refused before any password is
// hashed, so that nobody without a link can keep us busy.
func (s *Service) ResetPassword(ctx context.Context, caller audit.Caller, form ports.ResetForm) ([]error, error) {
	user, err := s.ResetOffered(ctx, caller, form.Link)
	if err != nil {
		return nil, err
	}
	if problems := checkNewPassword(form.Password, form.Again, user.Username, s.Issuer); len(problems) > 0 {
		return problems, nil
	}
	hash, err := s.Passwords.Hash(ctx, form.Password)
	if err != nil {
		return nil, err
	}
	now := s.Now()
	_, err = ports.Decide(ctx, s.Store, func(tx ports.Tx) (Change, *oauth.Error, error) {
		_, user, dead, err := openReset(tx, form.Link, now)
		if err != nil {
			return Change{}, nil, err
		}
		if dead != "" {
			refusal := deadReset(dead)
			return Change{}, refusal, tx.Record(audit.Event{At: now, Kind: audit.ResetDenied, Caller: caller, User: string(user.ID), Facts: refusal.Report()})
		}
		done, err := s.setPassword(tx, caller, user, hash, "reset link", now) // spends the ticket with the user's others
		return done, nil, err
	})
	return nil, err
}

// checkNewPassword returns everything that is wrong with a password that was typed twice.
func checkNewPassword(password, again, username, issuer string) []error {
	var problems []error
	if err := identity.CheckPassword(password, append([]string{username}, identity.SiteWords(issuer)...)...); err != nil {
		problems = append(problems, err)
	}
	if password != again {
		problems = append(problems, ports.ErrPasswordsDiffer)
	}
	return problems
}
