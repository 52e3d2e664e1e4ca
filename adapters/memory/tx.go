package memory

import (
	"crypto/sha256"
	"fmt"
	"time"

	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

// tx is one unit of work on a copy of the state.
type tx struct {
	reader
	changed bool  // what Store.Changes counts
	failed  error // the first save that broke a rule: the unit cannot be kept, even if its caller goes on
}

var _ ports.Tx = (*tx)(nil)

// check notes a save that a file would refuse: a reference to nothing, a second value of something unique.
func (t *tx) check(ok bool, format string, args ...any) error {
	if t.failed == nil && !ok {
		t.failed = fmt.Errorf(format, args...)
	}
	return t.failed
}

func has[K comparable, V any](t table[K, V], k K) bool {
	_, ok := t.rows[k]
	return ok
}

func (t *tx) SaveClient(c oauth.Client) error {
	t.clients.save(t.state, c.ID, c)
	t.changed = true
	return t.failed
}

func (t *tx) DeleteClient(id oauth.ClientID) error {
	t.clients.remove(-1, func(c oauth.Client) bool { return c.ID == id })
	t.codes.remove(-1, func(c oauth.AuthorizationCode) bool { return c.Client == id })
	t.notices.remove(-1, func(n oidc.LogoutNotice) bool { return n.Client == id })
	t.leave(func(m member) bool { return m.client == id })
	t.deleteGrants(func(g oauth.Grant) bool { return g.Client == id })
	t.changed = true
	return t.failed
}

func (t *tx) deleteGrants(match func(oauth.Grant) bool) {
	t.grants.remove(-1, match)
	t.families.remove(-1, func(f oauth.TokenFamily) bool { return !has(t.grants, f.Grant) })
}

func (t *tx) SaveSettings(s oidc.Settings) error {
	t.settings = s
	t.changed = true
	return t.failed
}

func (t *tx) SaveSigningKey(k oidc.SigningKey) error {
	t.keys.save(t.state, k.ID, k)
	t.changed = true
	return t.failed
}

func (t *tx) DeleteSigningKey(id oidc.KeyID) error {
	t.keys.remove(-1, func(k oidc.SigningKey) bool { return k.ID == id })
	t.changed = true
	return t.failed
}

func (t *tx) SaveUser(u identity.User) error {
	for id, other := range t.users.rows {
		if err := t.check(id == u.ID || other.value.Username != u.Username, "user %s: the username belongs to user %s", u.ID, id); err != nil {
			return err
		}
	}
	t.users.save(t.state, u.ID, u)
	t.changed = true
	return t.failed
}

func (t *tx) DeleteUser(id identity.UserID) error {
	t.users.remove(-1, func(u identity.User) bool { return u.ID == id })
	t.sessions.remove(-1, func(s identity.Session) bool { return s.User == id })
	t.leave(func(m member) bool { return !has(t.sessions, m.session) })
	t.codes.remove(-1, func(c oauth.AuthorizationCode) bool { return c.User == id })
	t.tickets.remove(-1, func(k identity.Ticket) bool { return k.User == id && id != "" })
	t.factors.remove(-1, func(f identity.Factor) bool { return f.User == id })
	t.recovery.remove(-1, func(c identity.RecoveryCodes) bool { return c.User == id })
	t.challenges.remove(-1, func(c identity.Challenge) bool { return c.User == id })
	t.deleteGrants(func(g oauth.Grant) bool { return g.User == id })
	t.changed = true
	return t.failed
}

func (t *tx) SaveSession(s identity.Session) error {
	if err := t.check(has(t.users, s.User), "session %s: no user %s", s.ID, s.User); err != nil {
		return err
	}
	t.sessions.save(t.state, s.ID, s)
	t.changed = t.changed || !s.EndedAt.IsZero()
	return nil
}

func (t *tx) SaveTicket(k identity.Ticket) error {
	t.tickets.save(t.state, k.Key, k)
	return t.failed
}

func (t *tx) SaveAttempts(a identity.Attempts) error {
	t.attempts.save(t.state, a.Key, a)
	return t.failed
}

func (t *tx) SaveInteraction(i oidc.Interaction) error {
	t.interactions.save(t.state, i.ID, i)
	return t.failed
}

func (t *tx) SaveGrant(g oauth.Grant) error {
	live, err := t.LiveGrant(g.User, g.Client)
	if err := t.check(has(t.clients, g.Client) && has(t.users, g.User), "grant %s: no client %s or no user %s", g.ID, g.Client, g.User); err != nil {
		return err
	}
	if err := t.check(err != nil || live.ID == g.ID || !g.RevokedAt.IsZero(), "grant %s: grant %s is live", g.ID, live.ID); err != nil {
		return err
	}
	t.grants.save(t.state, g.ID, g)
	t.changed = t.changed || !g.RevokedAt.IsZero()
	return nil
}

func (t *tx) SaveCode(c oauth.AuthorizationCode) error {
	t.codes.save(t.state, c.Digest, c)
	return t.failed
}

func (t *tx) SaveTokenFamily(f oauth.TokenFamily) error {
	if err := t.check(has(t.grants, f.Grant), "token family %s: no grant %s", f.ID, f.Grant); err != nil {
		return err
	}
	t.families.save(t.state, f.ID, f)
	t.changed = t.changed || !f.RevokedAt.IsZero()
	return nil
}

func (t *tx) RevokeToken(id oauth.TokenID, expires time.Time) error {
	t.revoked.save(t.state, id, expires)
	t.changed = true
	return t.failed
}

func (t *tx) SaveMoment(m ports.Moment, at time.Time) error {
	t.moments.save(t.state, m, at)
	return t.failed
}

func (t *tx) Expire(at, since time.Time) error {
	past := func(end time.Time) bool { return !at.Before(end) }
	for _, s := range list(&t.sessions, func(s identity.Session) bool { return s.EndedAt.IsZero() && (!s.Live(at) || s.AuthTime.After(since)) }, created) {
		s.End(at)
		t.sessions.save(t.state, s.ID, s)
	}
	for _, f := range list(&t.families, func(f oauth.TokenFamily) bool {
		return f.RevokedAt.IsZero() && (past(f.ExpiresAt) || past(f.RotatedAt.Add(oauth.RefreshIdle)) || f.RotatedAt.After(since))
	}, started) {
		f.Revoke("expired", at)
		t.families.save(t.state, f.ID, f)
	}
	t.codes.remove(-1, func(c oauth.AuthorizationCode) bool {
		return (past(c.ExpiresAt) || c.CreatedAt.After(since)) && c.RedeemedAt.IsZero()
	})
	t.interactions.remove(-1, func(i oidc.Interaction) bool { return past(i.ExpiresAt) || i.CreatedAt.After(since) })
	t.tickets.remove(-1, func(k identity.Ticket) bool { return past(k.ExpiresAt) || k.CreatedAt.After(since) })
	t.challenges.remove(-1, func(c identity.Challenge) bool { return past(c.ExpiresAt) || c.CreatedAt.After(since) })
	t.changed = true
	return t.failed
}

func created(s identity.Session) time.Time  { return s.CreatedAt }
func started(f oauth.TokenFamily) time.Time { return f.CreatedAt }

func (t *tx) Record(e audit.Event) error {
	e = clone(e)
	head, err := t.TrailHead()
	if err != nil {
		return err
	}
	e.Seq = head.Seq + 1
	e.MAC = sha256.Sum256(e.Body(nil, head)) // without a key: what is in memory needs no proof
	t.events = append(t.events, e)
	return t.failed
}

// How long rows are kept after they stopped to matter: a code so that its replay is still recognised, the others so that
// their owners and an administrator can look back.
const (
	keepCode = 24 * time.Hour
	keepPast = 30 * 24 * time.Hour
)

func (t *tx) Sweep(now time.Time, limit int) (int, error) {
	past := func(at time.Time, keep time.Duration) bool { return !now.Before(at.Add(keep)) }
	done := func(at time.Time, keep time.Duration) bool { return !at.IsZero() && past(at, keep) }
	n := t.interactions.remove(limit, func(i oidc.Interaction) bool { return past(i.ExpiresAt, 0) })
	n += t.codes.remove(limit, func(c oauth.AuthorizationCode) bool { return past(c.ExpiresAt, keepCode) })
	n += t.sessions.remove(limit, func(s identity.Session) bool { return past(s.ExpiresAt, keepPast) || done(s.EndedAt, keepPast) })
	t.leave(func(m member) bool { return !has(t.sessions, m.session) })
	n += t.notices.remove(limit, func(x oidc.LogoutNotice) bool { return past(x.CreatedAt, keepPast) })
	n += t.families.remove(limit, func(f oauth.TokenFamily) bool { return past(f.ExpiresAt, keepPast) || done(f.RevokedAt, keepPast) })
	n += t.attempts.remove(limit, func(a identity.Attempts) bool { return past(a.Since, identity.AttemptWindow) })
	n += t.tickets.remove(limit, func(k identity.Ticket) bool { return past(k.ExpiresAt, 0) || !k.UsedAt.IsZero() })
	n += t.challenges.remove(limit, func(c identity.Challenge) bool { return past(c.ExpiresAt, 0) })
	n += t.factors.remove(limit, func(f identity.Factor) bool {
		return f.ConfirmedAt.IsZero() && past(f.CreatedAt, identity.EnrolLifetime)
	})
	n += t.revoked.remove(limit, func(expires time.Time) bool { return past(expires, 0) })
	inUse := map[oauth.GrantID]bool{}
	for _, f := range t.families.rows {
		inUse[f.value.Grant] = true
	}
	n += t.grants.remove(limit, func(g oauth.Grant) bool { return done(g.RevokedAt, keepPast) && !inUse[g.ID] })
	return n, t.failed
}
