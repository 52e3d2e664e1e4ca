package session

import (
	"errors"
	"slices"
	"time"

	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

// End ends a session and what was issued for it without offline_access: an application that may act while its user is
// away keeps its refresh tokens, every other loses them with the session.
func End(tx ports.Tx, s identity.Session, caller audit.Caller, now time.Time) error {
	return end(tx, s, func(f oauth.TokenFamily) bool { return f.Scope.Has(oauth.ScopeOfflineAccess) }, caller, now)
}

// EndWhole ends a session with everything that was issued for it.
func EndWhole(tx ports.Tx, s identity.Session, caller audit.Caller, now time.Time) error {
	return end(tx, s, func(oauth.TokenFamily) bool { return false }, caller, now)
}

func end(tx ports.Tx, s identity.Session, stays func(oauth.TokenFamily) bool, caller audit.Caller, now time.Time) error {
	s.End(now)
	families, err := tx.FamiliesOfSession(s.ID)
	if err != nil {
		return err
	}
	return errors.Join(RevokeFamilies(tx, slices.DeleteFunc(families, stays), "session ended", caller, now), tx.SaveSession(s), Tell(tx, s, now),
		tx.Record(audit.Event{At: now, Kind: audit.SessionEnded, Caller: caller, User: string(s.User), Session: string(s.ID)}))
}

// Tell saves what the applications of a session have to be told, in the unit of work that ends it: however that unit ends,
// and whatever happens to the process after it, none is told of an end that did not happen or left out of one that did.
func Tell(tx ports.Tx, s identity.Session, now time.Time) error {
	clients, err := tx.SessionClients(s.ID)
	if err != nil {
		return err
	}
	for _, id := range clients {
		c, err := tx.Client(id)
		if err != nil && !errors.Is(err, ports.ErrNotFound) {
			return err
		}
		if c.BackChannelLogoutURI == "" || !c.DisabledAt.IsZero() {
			continue
		}
		if err := tx.SaveLogoutNotice(oidc.NewLogoutNotice(s, id, now)); err != nil {
			return err
		}
	}
	return nil
}

// RevokeFamilies ends every token of the families, with one event for each.
func RevokeFamilies(tx ports.Tx, families []oauth.TokenFamily, reason string, caller audit.Caller, now time.Time) error {
	for _, f := range families {
		f.Revoke(reason, now)
		if err := tx.SaveTokenFamily(f); err != nil {
			return err
		}
		if err := tx.Record(audit.Event{At: now, Kind: audit.GrantRevoked, Caller: caller, Client: string(f.Client), User: string(f.User),
			Session: string(f.Session), Grant: string(f.Grant), Family: string(f.ID), Facts: map[string]string{"reason": reason}}); err != nil {
			return err
		}
	}
	return nil
}
