package admin

import (
	"context"
	"crypto/sha256"
	"errors"
	"time"

	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/ports"
)

var _ ports.SetupEndpoint = (*Service)(nil)

// newestOffer is a ticket that opens nothing. It remembers when the newest link was made, and with it that every older
// one is dead. No secret has its key as digest, as far as anybody can find out.
var newestOffer = [sha256.Size]byte{}

const newestPurpose identity.TicketPurpose = "setup.newest"

// Offer makes a one-time link that makes the first administrator; older links die. Only its digest is stored. The error
// is ErrAdminExists once there is an administrator.
func (s *Service) Offer(ctx context.Context) (oauth.Secret, error) {
	link, now := s.Secrets.Secret(), s.Now()
	err := s.Store.Update(ctx, func(tx ports.Tx) error {
		exists, err := tx.HasAdmin()
		if err != nil {
			return err
		}
		if exists {
			return ErrAdminExists
		}
		return saveOffer(tx, identity.SetupTicket, link, now)
	})
	if err != nil {
		return "", err
	}
	return link, nil
}

// saveOffer saves a link to the set-up page; every older one dies.
func saveOffer(tx ports.Tx, purpose identity.TicketPurpose, link oauth.Secret, now time.Time) error {
	newest, err := tx.Ticket(newestOffer)
	if err != nil && !errors.Is(err, ports.ErrNotFound) {
		return err
	}
	made := now
	if !made.After(newest.CreatedAt) {
		made = newest.CreatedAt.Add(time.Millisecond) // two links of one instant are still two
	}
	ticket := identity.Ticket{Key: link.Digest(), Purpose: purpose, CreatedAt: made, ExpiresAt: now.Add(identity.SetupLifetime)}
	newest = ticket
	newest.Key, newest.Purpose = newestOffer, newestPurpose
	return errors.Join(tx.SaveTicket(ticket), tx.SaveTicket(newest), tx.Record(audit.Event{At: now, Kind: audit.SetupOffered}))
}

// Offered reports whether the link still works. That a dead one was opened is recorded: somebody may be guessing, or have
// used it before its owner did.
func (s *Service) Offered(ctx context.Context, caller audit.Caller, link oauth.Secret) (open bool, err error) {
	now := s.Now()
	err = s.Store.View(ctx, func(r ports.Reader) error {
		_, open, err = openOffer(r, link, now)
		return err
	})
	if err != nil || open {
		return open, err
	}
	return false, s.Store.Update(ctx, func(tx ports.Tx) error { return recordDeadLink(tx, caller, now) })
}

// openOffer returns the ticket of the link and whether it makes an administrator now.
func openOffer(r ports.Reader, link oauth.Secret, now time.Time) (identity.Ticket, bool, error) {
	ticket, err := r.Ticket(link.Digest())
	if errors.Is(err, ports.ErrNotFound) {
		return ticket, false, nil
	}
	if err != nil {
		return ticket, false, err
	}
	beside := ticket.Open(identity.RecoverTicket, now)
	if !beside && !ticket.Open(identity.SetupTicket, now) {
		return ticket, false, nil
	}
	newest, err := r.Ticket(newestOffer)
	if err != nil && !errors.Is(err, ports.ErrNotFound) {
		return ticket, false, err
	}
	exists, err := r.HasAdmin()
	return ticket, (beside || !exists) && newest.CreatedAt.Equal(ticket.CreatedAt), err
}

// deadLink is one refusal, and ports.ErrNotFound, for a link that is unknown, used, expired or replaced.
func deadLink() *oauth.Error {
	refusal := oauth.Refuse(oauth.AccessDenied, "this set-up link was used already or has expired")
	refusal.Cause = ports.ErrNotFound
	return refusal
}

func recordDeadLink(tx ports.Tx, caller audit.Caller, now time.Time) error {
	return tx.Record(audit.Event{At: now, Kind: audit.SetupDenied, Caller: caller, Facts: deadLink().Report()})
}

// Complete makes the first administrator. Of two uses of a link one wins; what the form gets wrong does not spend it. A
// dead link is refused before any password is hashed, so that nobody without a link can keep us busy.
func (s *Service) Complete(ctx context.Context, caller audit.Caller, form ports.SetupForm) (identity.User, []error, error) {
	now := s.Now()
	open, err := s.Offered(ctx, caller, form.Link)
	if err != nil {
		return identity.User{}, nil, err
	}
	if !open {
		return identity.User{}, nil, deadLink()
	}
	user, problems := s.firstAdmin(form, now)
	if len(problems) > 0 {
		return identity.User{}, problems, nil
	}
	if user.Password, err = s.Passwords.Hash(ctx, form.Password); err != nil {
		return identity.User{}, nil, err
	}
	taken := false
	made, err := ports.Decide(ctx, s.Store, func(tx ports.Tx) (identity.User, *oauth.Error, error) {
		taken = false
		ticket, open, err := openOffer(tx, form.Link, now)
		if err != nil {
			return identity.User{}, nil, err
		}
		if !open {
			return identity.User{}, deadLink(), recordDeadLink(tx, caller, now)
		}
		old, err := userNamed(tx, user.Username)
		if err != nil {
			return identity.User{}, nil, err
		}
		if old.ID != "" {
			taken = true
			return identity.User{}, nil, nil
		}
		ticket.UsedAt = now
		about := audit.Event{At: now, Caller: caller, User: string(user.ID)}
		created, used := about, about
		created.Kind, used.Kind = audit.UserCreated, audit.SetupUsed
		return user, nil, errors.Join(tx.SaveTicket(ticket), tx.SaveUser(user), tx.Record(created), tx.Record(used))
	})
	if err == nil && taken {
		return identity.User{}, []error{ports.ErrUsernameTaken}, nil
	}
	return made, nil, err
}

// firstAdmin returns the administrator of the form, or everything that is wrong with it.
func (s *Service) firstAdmin(form ports.SetupForm, now time.Time) (identity.User, []error) {
	username, badName := identity.ParseUsername(form.Username)
	email, badEmail := identity.ParseEmail(form.Email)
	var problems []error
	for _, err := range []error{badName, badEmail} {
		if err != nil {
			problems = append(problems, err)
		}
	}
	problems = append(problems, checkNewPassword(form.Password, form.Again, username, s.Issuer)...)
	return identity.User{ID: identity.UserID("usr_" + s.Secrets.ID()), Username: username, Email: email, Admin: true,
		CreatedAt: now, UpdatedAt: now, PasswordChangedAt: now}, problems
}
