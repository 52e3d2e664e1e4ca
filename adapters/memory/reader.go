package memory

import (
	"cmp"
	"crypto/sha256"
	"maps"
	"slices"
	"strings"
	"time"

	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

// reader looks things up in one state.
type reader struct{ *state }

func (r reader) Client(id oauth.ClientID) (oauth.Client, error) { return r.clients.find(id) }
func (r reader) Settings() (oidc.Settings, error)               { return r.settings, nil }
func (r reader) User(id identity.UserID) (identity.User, error) { return r.users.find(id) }
func (r reader) Grant(id oauth.GrantID) (oauth.Grant, error)    { return r.grants.find(id) }
func (r reader) Code(digest oauth.Digest) (oauth.AuthorizationCode, error) {
	return r.codes.find(digest)
}
func (r reader) TokenFamily(id oauth.FamilyID) (oauth.TokenFamily, error) { return r.families.find(id) }
func (r reader) Session(id identity.SessionID) (identity.Session, error)  { return r.sessions.find(id) }
func (r reader) Ticket(key [sha256.Size]byte) (identity.Ticket, error)    { return r.tickets.find(key) }
func (r reader) Interaction(id oidc.InteractionID) (oidc.Interaction, error) {
	return r.interactions.find(id)
}

func (r reader) Clients() ([]oauth.Client, error) {
	all := list(&r.clients, func(oauth.Client) bool { return true }, func(c oauth.Client) time.Time { return c.CreatedAt })
	slices.SortFunc(all, func(a, b oauth.Client) int { return cmp.Compare(a.ID, b.ID) })
	return all, nil
}

func (r reader) SigningKeys() (oidc.KeyRing, error) {
	all := list(&r.keys, func(oidc.SigningKey) bool { return true }, func(k oidc.SigningKey) time.Time { return k.CreatedAt })
	slices.SortFunc(all, func(a, b oidc.SigningKey) int { return cmp.Compare(a.ID, b.ID) })
	return all, nil
}

func (r reader) UserByLogin(canonical string) (identity.User, error) {
	var byEmail []identity.User
	for u := range maps.Values(r.users.rows) {
		switch {
		case u.value.Username == canonical:
			return clone(u.value), nil
		case u.value.EmailVerified && u.value.Email != "" && strings.ToLower(u.value.Email) == canonical:
			byEmail = append(byEmail, u.value)
		}
	}
	if len(byEmail) != 1 {
		return identity.User{}, ports.ErrNotFound
	}
	return clone(byEmail[0]), nil
}

func (r reader) HasAdmin() (bool, error) {
	for u := range maps.Values(r.users.rows) {
		if u.value.Admin {
			return true, nil
		}
	}
	return false, nil
}

func (r reader) SessionByKey(key [sha256.Size]byte) (identity.Session, error) {
	for s := range maps.Values(r.sessions.rows) {
		if s.value.Key == key {
			return clone(s.value), nil
		}
	}
	return identity.Session{}, ports.ErrNotFound
}

func (r reader) Attempts(key string) (identity.Attempts, error) {
	a, err := r.attempts.find(key)
	if err != nil {
		return identity.Attempts{Key: key}, nil
	}
	return a, nil
}

func (r reader) LiveGrant(user identity.UserID, client oauth.ClientID) (oauth.Grant, error) {
	for g := range maps.Values(r.grants.rows) {
		if g.value.User == user && g.value.Client == client && g.value.RevokedAt.IsZero() {
			return clone(g.value), nil
		}
	}
	return oauth.Grant{}, ports.ErrNotFound
}

func (r reader) GrantsOfUser(id identity.UserID) ([]oauth.Grant, error) {
	return r.liveGrants(func(g oauth.Grant) bool { return g.User == id }), nil
}

func (r reader) GrantsOfClient(id oauth.ClientID) ([]oauth.Grant, error) {
	return r.liveGrants(func(g oauth.Grant) bool { return g.Client == id }), nil
}

func (r reader) liveGrants(match func(oauth.Grant) bool) []oauth.Grant {
	live := func(g oauth.Grant) bool { return g.RevokedAt.IsZero() && match(g) }
	return list(&r.grants, live, func(g oauth.Grant) time.Time { return g.CreatedAt })
}

func (r reader) FamiliesOfGrant(id oauth.GrantID) ([]oauth.TokenFamily, error) {
	return r.liveFamilies(func(f oauth.TokenFamily) bool { return f.Grant == id }), nil
}

func (r reader) LatestFamilies(id oauth.GrantID, limit int) ([]oauth.TokenFamily, error) {
	all := list(&r.families, func(f oauth.TokenFamily) bool { return f.Grant == id }, func(f oauth.TokenFamily) time.Time { return f.RotatedAt })
	slices.Reverse(all)
	return all[:min(len(all), limit)], nil
}

func (r reader) FamiliesOfSession(id identity.SessionID) ([]oauth.TokenFamily, error) {
	return r.liveFamilies(func(f oauth.TokenFamily) bool { return f.Session == id }), nil
}

func (r reader) liveFamilies(match func(oauth.TokenFamily) bool) []oauth.TokenFamily {
	live := func(f oauth.TokenFamily) bool { return f.RevokedAt.IsZero() && match(f) }
	return list(&r.families, live, func(f oauth.TokenFamily) time.Time { return f.CreatedAt })
}

func (r reader) SessionsOfUser(id identity.UserID) ([]identity.Session, error) {
	live := func(s identity.Session) bool { return s.EndedAt.IsZero() && s.User == id }
	return list(&r.sessions, live, func(s identity.Session) time.Time { return s.CreatedAt }), nil
}

func (r reader) TicketsOfUser(id identity.UserID) ([]identity.Ticket, error) {
	open := func(k identity.Ticket) bool { return k.UsedAt.IsZero() && k.User == id && id != "" }
	return list(&r.tickets, open, func(k identity.Ticket) time.Time { return k.CreatedAt }), nil
}

func (r reader) Users(after string, limit int) ([]identity.User, error) {
	users := list(&r.users, func(u identity.User) bool { return u.Username > after }, func(identity.User) time.Time { return time.Time{} })
	slices.SortFunc(users, func(a, b identity.User) int { return strings.Compare(a.Username, b.Username) })
	return users[:min(len(users), limit)], nil
}

func (r reader) Sessions(now time.Time, limit int) ([]identity.Session, error) {
	sessions := list(&r.sessions, func(s identity.Session) bool { return s.Live(now) }, func(s identity.Session) time.Time { return s.CreatedAt })
	slices.Reverse(sessions)
	return sessions[:min(len(sessions), limit)], nil
}

func (r reader) TokenRevoked(id oauth.TokenID) (bool, error) {
	_, ok := r.revoked.rows[id]
	return ok, nil
}

func (r reader) Moment(m ports.Moment) (time.Time, error) {
	return r.moments.rows[m].value, nil
}

func (r reader) TrailHead() (audit.Anchor, error) {
	if len(r.events) == 0 {
		return audit.Anchor{}, nil
	}
	last := r.events[len(r.events)-1]
	return audit.Anchor{Seq: last.Seq, MAC: last.MAC}, nil
}

func (r reader) Events(q audit.Query) ([]audit.Event, error) {
	var events []audit.Event
	for i := range r.events {
		e := r.events[i]
		if q.Newest {
			e = r.events[len(r.events)-1-i]
		}
		if len(events) < q.Limit && q.Matches(e) {
			events = append(events, clone(e))
		}
	}
	return events, nil
}

// list returns the rows that match, oldest first, and of equally old ones the first saved first.
func list[K comparable, V any](t *table[K, V], match func(V) bool, created func(V) time.Time) []V {
	rows := slices.SortedFunc(maps.Values(t.rows), func(a, b row[V]) int {
		return cmp.Or(created(a.value).Compare(created(b.value)), cmp.Compare(a.seq, b.seq))
	})
	var values []V
	for _, r := range rows {
		if match(r.value) {
			values = append(values, clone(r.value))
		}
	}
	return values
}
