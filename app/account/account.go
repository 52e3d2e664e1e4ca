package account

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"latchkey/app/session"
	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/ports"
)

// Endpoint shows and changes the account of whoever is signed in.
type Endpoint struct {
	*session.Authenticator
	Issuer string
}

var _ ports.AccountEndpoint = Endpoint{}

// Account returns everything the account page shows.
func (e Endpoint) Account(ctx context.Context, b ports.Browser) (ports.Account, error) {
	var a ports.Account
	now := e.Now()
	err := e.Store.View(ctx, func(r ports.Reader) (err error) {
		if a.Session, a.User, err = current(r, b, now); err != nil {
			return err
		}
		if a.Sessions, err = sessions(r, a.Session, now); err != nil {
			return err
		}
		if a.Applications, err = applications(r, a.User); err != nil {
			return err
		}
		factors, err := r.Factors(a.User.ID)
		if err != nil {
			return err
		}
		a.Factors = identity.ConfirmedFactors(factors)
		a.Recovery, err = r.RecoveryCodes(a.User.ID)
		return err
	})
	return a, err
}

// current returns the session of the browser and its user, or ErrSignedOut.
func current(r ports.Reader, b ports.Browser, now time.Time) (identity.Session, identity.User, error) {
	s, user, err := session.Of(r, b.Session, now)
	if err == nil && user.ID == "" {
		err = ports.ErrSignedOut
	}
	return s, user, err
}

func sessions(r ports.Reader, own identity.Session, now time.Time) ([]ports.AccountSession, error) {
	all, err := r.SessionsOfUser(own.User)
	if err != nil {
		return nil, err
	}
	var live []ports.AccountSession
	for _, s := range all {
		if !s.Live(now) {
			continue
		}
		clients, err := clientsOf(r, s.ID)
		if err != nil {
			return nil, err
		}
		live = append(live, ports.AccountSession{Session: s, Clients: clients})
	}
	slices.SortStableFunc(live, func(a, b ports.AccountSession) int {
		switch own.ID {
		case a.Session.ID:
			return -1
		case b.Session.ID:
			return 1
		}
		return b.Session.LastSeenAt.Compare(a.Session.LastSeenAt)
	})
	return live, nil
}

// clientsOf returns the clients that hold tokens for a session, each once, by name.
func clientsOf(r ports.Reader, id identity.SessionID) ([]oauth.Client, error) {
	families, err := r.FamiliesOfSession(id)
	if err != nil {
		return nil, err
	}
	seen := map[oauth.ClientID]bool{}
	var clients []oauth.Client
	for _, f := range families {
		if seen[f.Client] {
			continue
		}
		seen[f.Client] = true
		c, err := r.Client(f.Client)
		if err != nil {
			return nil, err
		}
		clients = append(clients, c)
	}
	slices.SortFunc(clients, func(a, b oauth.Client) int { return cmp.Compare(a.DisplayName(), b.DisplayName()) })
	return clients, nil
}

func applications(r ports.Reader, user identity.User) ([]ports.AccountApplication, error) {
	grants, err := r.GrantsOfUser(user.ID)
	if err != nil {
		return nil, err
	}
	var all []ports.AccountApplication
	for _, g := range grants {
		c, err := r.Client(g.Client)
		if err != nil {
			return nil, err
		}
		application := ports.AccountApplication{Grant: g, Client: c}
		last, err := r.LatestFamilies(g.ID, 1)
		if err != nil {
			return nil, err
		}
		if len(last) > 0 {
			application.LastUsed = last[0].RotatedAt
		}
		all = append(all, application)
	}
	return all, nil
}

// visit is one form of a signed-in user.
type visit struct {
	caller  audit.Caller
	now     time.Time
	session identity.Session
	user    identity.User
}

func (v visit) event(kind audit.Kind) audit.Event {
	return audit.Event{At: v.now, Kind: kind, Caller: v.caller, User: string(v.user.ID), Session: string(v.session.ID)}
}

// notYours is one problem for what does not exist and what is somebody else's, so that ids cannot be probed; only the
// second is worth a record.
func notYours(tx ports.Tx, v visit, found error, thing, id string) ([]error, error) {
	switch {
	case found == nil:
		e := v.event(audit.AccessDenied)
		e.Facts = map[string]string{thing: id}
		return []error{ports.ErrNotFound}, tx.Record(e)
	case errors.Is(found, ports.ErrNotFound):
		return []error{ports.ErrNotFound}, nil
	}
	return nil, found
}

// target finds what a form is about, and what is wrong with that; deed does what the form asks. Both run in the unit of
// work; the session of the visit is the one that goes on.
type (
	target func(ports.Tx, visit) (problems []error, err error)
	deed   func(ports.Tx, visit) error
)

// change does what a form asks, once its user has shown that they are there: by a recent sign-in or by the current
// password. A right password is a new sign-in: the browser gets a new cookie, and is not asked again for a while.
func (e Endpoint) change(ctx context.Context, caller audit.Caller, b ports.Browser, proof ports.AccountProof, find target, do deed) (ports.AccountChange, error) {
	v := visit{caller: caller, now: e.Now()}
	verified, out, err := e.verify(ctx, v, b, proof)
	if err != nil || len(out.Problems) > 0 {
		return out, err
	}
	cookie := e.Secrets.Secret()
	err = e.Store.Update(ctx, func(tx ports.Tx) error {
		out = ports.AccountChange{}
		v := v
		if v.session, v.user, err = current(tx, b, v.now); err != nil {
			return err
		}
		if v.user.ID != proof.User {
			out.Problems = []error{ports.ErrOtherUser}
			return nil
		}
		if out.Problems, err = guarded(tx, v); err != nil || len(out.Problems) > 0 {
			return err
		}
		if out.Problems, err = find(tx, v); err != nil || len(out.Problems) > 0 {
			return err
		}
		switch {
		case proof.Current != "":
			s, ok, err := e.Confirm(tx, verified, caller, v.session, b.Session, cookie, v.now)
			if err != nil {
				return err
			}
			if !ok { // the account changed while the password was checked
				out.Problems = []error{ports.ErrPasswordWrong}
				return nil
			}
			v.session, out.Cookie = s, cookie
		case !v.session.Recent(v.now):
			out.Problems = []error{ports.ErrPasswordNeeded}
			return nil
		}
		return do(tx, v)
	})
	return out, err
}

// verify checks the current password, if one was typed, through the counter and the lock of every sign-in (LG-06).
func (e Endpoint) verify(ctx context.Context, v visit, b ports.Browser, proof ports.AccountProof) (session.Verified, ports.AccountChange, error) {
	var out ports.AccountChange
	if proof.Current == "" {
		return session.Verified{}, out, nil
	}
	var user identity.User
	err := e.Store.View(ctx, func(r ports.Reader) (err error) {
		_, user, err = current(r, b, v.now)
		return err
	})
	if err != nil {
		return session.Verified{}, out, err
	}
	if user.ID != proof.User {
		return session.Verified{}, ports.AccountChange{Problems: []error{ports.ErrOtherUser}}, nil
	}
	verified, login, err := e.Verify(ctx, v.caller, ports.LoginForm{Username: user.Username, Password: proof.Current})
	out.RetryAfter = login.RetryAfter
	switch login.Problem {
	case "":
	case ports.LoginLocked:
		out.Problems = []error{ports.ErrLocked}
	case ports.LoginBusy:
		out.Problems = []error{ports.ErrBusy}
	default:
		out.Problems = []error{ports.ErrPasswordWrong}
	}
	return verified, out, err
}
