package admin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/ports"
)

// UserEdit says what changes of a user; nil stays as it is.
type UserEdit struct {
	Email  *string
	Name   *string
	Groups *[]string
	Admin  *bool
}

// EditUser changes a user under the rules of a document. Another e-mail address is one that nobody has verified.
func (s *Service) EditUser(ctx context.Context, caller audit.Caller, username string, edit UserEdit) (Change, error) {
	return s.changeUser(ctx, caller, username, false, func(u *identity.User) error {
		if edit.Email != nil && *edit.Email != u.Email {
			u.Email, u.EmailVerified = *edit.Email, false
		}
		if edit.Name != nil {
			u.Claims.Name = *edit.Name
		}
		if edit.Groups != nil {
			u.Groups = set(*edit.Groups)
		}
		if edit.Admin != nil {
			u.Admin = *edit.Admin
		}
		declared := User{Username: u.Username, Email: u.Email, EmailVerified: u.EmailVerified, Claims: u.Claims, Groups: u.Groups}
		return declared.Check(s.Issuer)
	})
}

// DisableUser shuts a user out: sessions end, grants and lines of tokens are revoked, codes and one-time links are dead,
// in one unit of work (AD-11). With planOnly it only says so.
func (s *Service) DisableUser(ctx context.Context, caller audit.Caller, username string, planOnly bool) (Change, error) {
	return s.changeUser(ctx, caller, username, planOnly, func(u *identity.User) error {
		if !u.Disabled() {
			u.DisabledAt = s.Now()
		}
		return nil
	})
}

// EnableUser lets a user sign in again. What ended stays ended.
func (s *Service) EnableUser(ctx context.Context, caller audit.Caller, username string) (Change, error) {
	return s.changeUser(ctx, caller, username, false, func(u *identity.User) error {
		u.DisabledAt = time.Time{}
		return nil
	})
}

// changeUser does in one unit of work what a document with that change of one user would do. An error of change leaves
// everything as it was.
func (s *Service) changeUser(ctx context.Context, caller audit.Caller, username string, planOnly bool, change func(*identity.User) error) (Change, error) {
	var done Change
	plan := func(r ports.Reader) (outcome, error) {
		p := planner{now: s.Now(), caller: caller}
		var o outcome
		old, err := s.findUser(r, username)
		if err != nil {
			return o, err
		}
		new := old
		if err := change(&new); err != nil {
			return o, err
		}
		if err := p.planUser(&o, r, old, new, &newUser{seen: old.Password}); err != nil {
			return o, err
		}
		done = o.plan.Changes[0]
		return o, nil
	}
	if planOnly {
		err := s.Store.View(ctx, func(r ports.Reader) error {
			_, err := plan(r)
			return err
		})
		return done, err
	}
	err := s.Store.Update(ctx, func(tx ports.Tx) error {
		o, err := plan(tx)
		if err != nil {
			return err
		}
		return o.save(tx)
	})
	return done, err
}

func (o outcome) save(tx ports.Tx) error {
	for _, write := range o.writes {
		if err := write(tx); err != nil {
			return err
		}
	}
	return nil
}

// SetPassword sets a password that an administrator chose. Everything that was signed in with the old one ends (RF-09).
func (s *Service) SetPassword(ctx context.Context, caller audit.Caller, username string, password oauth.Secret) (Change, error) {
	var user identity.User
	err := s.Store.View(ctx, func(r ports.Reader) (err error) {
		user, err = s.findUser(r, username)
		return err
	})
	if err != nil {
		return Change{}, err
	}
	if err := identity.CheckPassword(password.Reveal(), append([]string{user.Username}, identity.SiteWords(s.Issuer)...)...); err != nil {
		return Change{}, Problems{"password: " + err.Error()}
	}
	hash, err := s.Passwords.Hash(ctx, password.Reveal())
	if err != nil {
		return Change{}, err
	}
	var c Change
	err = s.Store.Update(ctx, func(tx ports.Tx) (err error) {
		user, err := s.findUser(tx, username)
		if err != nil {
			return err
		}
		c, err = s.setPassword(tx, caller, user, hash, "set by an administrator", s.Now())
		return err
	})
	return c, err
}

// setPassword gives the user a new password and ends what was opened with the old one. Whoever mistyped the old one starts
// to count anew.
func (s *Service) setPassword(tx ports.Tx, caller audit.Caller, user identity.User, hash, how string, now time.Time) (Change, error) {
	e, err := endingOfUser(tx, user.ID, "password changed", false, true)
	if err != nil {
		return Change{}, err
	}
	user.Password, user.PasswordChangedAt = hash, now
	c := Change{Action: Update, Object: "user", Name: user.Username, Members: []Difference{{Member: "password"}}, Effects: e.effects()}
	return c, errors.Join(tx.SaveUser(user), tx.SaveAttempts(identity.Attempts{Key: identity.AccountKey(user.ID)}),
		tx.Record(audit.Event{At: now, Kind: audit.PasswordChanged, Caller: caller, User: string(user.ID), Facts: map[string]string{"how": how}}),
		e.save(tx, caller, now))
}

// ResetFactors takes every second factor and recovery code off a user who lost them. Their sessions end, because they may be
// somebody else's. With planOnly it only says so.
func (s *Service) ResetFactors(ctx context.Context, caller audit.Caller, username string, planOnly bool) (Change, error) {
	var c Change
	var e ending
	var factors int
	plan := func(r ports.Reader) (identity.User, error) {
		user, err := s.findUser(r, username)
		if err != nil {
			return user, err
		}
		all, err := r.Factors(user.ID)
		if err != nil {
			return user, err
		}
		factors = len(identity.ConfirmedFactors(all))
		c = Change{Action: Update, Object: "user", Name: user.Username, Members: []Difference{{Member: "second factors"}}}
		if factors == 0 {
			c = Change{Action: Unchanged, Object: "user", Name: user.Username}
			return user, nil
		}
		e, err = endingOfUser(r, user.ID, "second factors removed", false, false)
		c.Effects = append([]string{fmt.Sprintf("second factors are removed: %d, with all recovery codes", factors)}, e.effects()...)
		return user, err
	}
	if planOnly {
		err := s.Store.View(ctx, func(r ports.Reader) error {
			_, err := plan(r)
			return err
		})
		return c, err
	}
	now := s.Now()
	err := s.Store.Update(ctx, func(tx ports.Tx) error {
		user, err := plan(tx)
		if err != nil || c.Action == Unchanged {
			return err
		}
		return errors.Join(removeFactors(tx, caller, user, now), e.save(tx, caller, now))
	})
	return c, err
}

// removeFactors removes what the user has beside the password, with one event for each factor.
func removeFactors(tx ports.Tx, caller audit.Caller, user identity.User, now time.Time) error {
	all, err := tx.Factors(user.ID)
	if err != nil {
		return err
	}
	for _, f := range all {
		if err := tx.DeleteFactor(f.ID); err != nil {
			return err
		}
		if !f.Confirmed() {
			continue
		}
		if err := tx.Record(audit.Event{At: now, Kind: audit.FactorRemoved, Caller: caller, User: string(user.ID),
			Facts: map[string]string{"factor": string(f.ID), "how": "by an administrator"}}); err != nil {
			return err
		}
	}
	return errors.Join(tx.SaveRecoveryCodes(identity.RecoveryCodes{User: user.ID}), tx.SaveAttempts(identity.Attempts{Key: identity.FactorKey(user.ID)}))
}

// UnlockUser forgets the failed attempts to sign in to an account, at both steps.
func (s *Service) UnlockUser(ctx context.Context, caller audit.Caller, username string) error {
	now := s.Now()
	return s.Store.Update(ctx, func(tx ports.Tx) error {
		user, err := s.findUser(tx, username)
		if err != nil {
			return err
		}
		return errors.Join(tx.SaveAttempts(identity.Attempts{Key: identity.AccountKey(user.ID)}), tx.SaveAttempts(identity.Attempts{Key: identity.FactorKey(user.ID)}),
			tx.Record(audit.Event{At: now, Kind: audit.UserUnlocked, Caller: caller, User: string(user.ID)}))
	})
}

// DeleteUser deletes a user with everything of theirs; the audit trail keeps what they did. With planOnly it only says
// what would end.
func (s *Service) DeleteUser(ctx context.Context, caller audit.Caller, username string, planOnly bool) (Change, error) {
	var c Change
	var e ending
	plan := func(r ports.Reader) (identity.User, error) {
		user, err := s.findUser(r, username)
		if err != nil {
			return user, err
		}
		e, err = endingOfUser(r, user.ID, "user deleted", true, true)
		c = Change{Action: Delete, Object: "user", Name: user.Username, Effects: e.effects()}
		return user, err
	}
	if planOnly {
		err := s.Store.View(ctx, func(r ports.Reader) error {
			_, err := plan(r)
			return err
		})
		return c, err
	}
	now := s.Now()
	err := s.Store.Update(ctx, func(tx ports.Tx) error {
		user, err := plan(tx)
		if err != nil {
			return err
		}
		return errors.Join(e.save(tx, caller, now), tx.DeleteUser(user.ID),
			tx.Record(audit.Event{At: now, Kind: audit.UserDeleted, Caller: caller, User: string(user.ID), Facts: map[string]string{"name": user.Username}}))
	})
	return c, err
}

// mostNames bounds how many names are looked at for a suggestion.
const mostNames = 10000

// findUser returns the user with the username, however it is spelt. The error is an *UnknownError.
func (s *Service) findUser(r ports.Reader, username string) (identity.User, error) {
	user, err := userNamed(r, identity.CanonicalLogin(username))
	if err != nil || user.ID != "" {
		return user, err
	}
	users, err := r.Users("", mostNames)
	if err != nil {
		return user, err
	}
	unknown := &UnknownError{Object: "user", Name: username}
	for _, u := range users {
		unknown.Known = append(unknown.Known, u.Username)
	}
	return user, unknown
}
