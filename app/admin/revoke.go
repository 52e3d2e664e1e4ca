package admin

import (
	"errors"
	"fmt"
	"time"

	"latchkey/app/session"
	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/ports"
)

// What ends when a user or a client loses something, in the same unit of work as the loss:
//
//	user disabled            sessions, grants, token families: nothing of the user is live (RF-08, AD-11)
//	password changed         sessions and token families; consent stays, because the person agreed to it (RF-09)
//	administrator or no more sessions, because an administrator's end earlier
//	e-mail changed           nothing but the one-time links, which end with each of the above too
//	client disabled          grants and token families of everybody
//	grant type taken away    token families of everybody
//
// A code is worth nothing once its grant or its session has ended; access tokens end with their family.
type ending struct {
	reason   string
	links    identity.UserID // whose one-time links die; empty: nobody's
	sessions []identity.Session
	grants   []oauth.Grant
	families []oauth.TokenFamily
}

func endingOfUser(r ports.Reader, id identity.UserID, reason string, grants, families bool) (ending, error) {
	e := ending{reason: reason, links: id}
	sessions, err := r.SessionsOfUser(id)
	if err != nil {
		return e, err
	}
	e.sessions = sessions
	if !families {
		return e, nil
	}
	all, err := r.GrantsOfUser(id)
	if err != nil {
		return e, err
	}
	return e, e.addGrants(r, all, grants)
}

func endingOfClient(r ports.Reader, id oauth.ClientID, reason string, grants bool) (ending, error) {
	e := ending{reason: reason}
	all, err := r.GrantsOfClient(id)
	if err != nil {
		return e, err
	}
	return e, e.addGrants(r, all, grants)
}

func (e *ending) addGrants(r ports.Reader, grants []oauth.Grant, too bool) error {
	for _, g := range grants {
		families, err := r.FamiliesOfGrant(g.ID)
		if err != nil {
			return err
		}
		e.families = append(e.families, families...)
	}
	if too {
		e.grants = grants
	}
	return nil
}

// effects says what ends, in words.
func (e ending) effects() []string {
	var all []string
	count := func(n int, one, many string) {
		if n == 1 {
			all = append(all, "1 "+one)
		} else if n > 1 {
			all = append(all, fmt.Sprintf("%d %s", n, many))
		}
	}
	count(len(e.sessions), "session ends", "sessions end")
	count(len(e.grants), "grant is revoked", "grants are revoked")
	count(len(e.families), "line of tokens is revoked", "lines of tokens are revoked")
	return all
}

func (e ending) save(tx ports.Tx, caller audit.Caller, now time.Time) error {
	if e.links != "" {
		if err := session.SpendTickets(tx, e.links, now); err != nil {
			return err
		}
	}
	facts := map[string]string{"reason": e.reason}
	record := func(event audit.Event) error {
		event.At, event.Caller, event.Facts = now, caller, facts
		return tx.Record(event)
	}
	for _, s := range e.sessions {
		s.End(now)
		if err := errors.Join(tx.SaveSession(s), session.Tell(tx, s, now)); err != nil {
			return err
		}
		if err := record(audit.Event{Kind: audit.SessionEnded, User: string(s.User), Session: string(s.ID)}); err != nil {
			return err
		}
	}
	for _, f := range e.families {
		f.Revoke(e.reason, now)
		if err := tx.SaveTokenFamily(f); err != nil {
			return err
		}
		if err := record(audit.Event{Kind: audit.GrantRevoked, User: string(f.User), Client: string(f.Client),
			Grant: string(f.Grant), Family: string(f.ID)}); err != nil {
			return err
		}
	}
	for _, g := range e.grants {
		g.Revoke(now)
		if err := tx.SaveGrant(g); err != nil {
			return err
		}
		if err := record(audit.Event{Kind: audit.GrantRevoked, User: string(g.User), Client: string(g.Client), Grant: string(g.ID)}); err != nil {
			return err
		}
	}
	return nil
}
