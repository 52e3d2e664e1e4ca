package memory

import (
	"crypto/sha256"
	"maps"
	"reflect"
	"time"

	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

// state is everything at one instant.
type state struct {
	settings     oidc.Settings
	root         *ports.MasterRoot // nil: never saved; replaced, never changed
	keys         table[oidc.KeyID, oidc.SigningKey]
	clients      table[oauth.ClientID, oauth.Client]
	users        table[identity.UserID, identity.User]
	sessions     table[identity.SessionID, identity.Session]
	tickets      table[[sha256.Size]byte, identity.Ticket]
	attempts     table[string, identity.Attempts]
	factors      table[identity.FactorID, identity.Factor]
	recovery     table[identity.UserID, identity.RecoveryCodes]
	challenges   table[[sha256.Size]byte, identity.Challenge]
	interactions table[oidc.InteractionID, oidc.Interaction]
	grants       table[oauth.GrantID, oauth.Grant]
	codes        table[oauth.Digest, oauth.AuthorizationCode]
	families     table[oauth.FamilyID, oauth.TokenFamily]
	members      table[member, bool]
	notices      table[oidc.NoticeID, oidc.LogoutNotice]
	moments      table[ports.Moment, time.Time]
	revoked      table[oauth.TokenID, time.Time]
	events       []audit.Event // a later state appends; no state looks past its own length
	seq          int64         // of the newest row of any table
}

// member is a client that takes part in a session.
type member struct {
	session identity.SessionID
	client  oauth.ClientID
}

// own makes a copied state ready for changes: its maps are still those of the state before.
func (s *state) own() {
	for _, shared := range []*bool{&s.keys.shared, &s.clients.shared, &s.users.shared, &s.sessions.shared, &s.tickets.shared,
		&s.attempts.shared, &s.factors.shared, &s.recovery.shared, &s.challenges.shared, &s.interactions.shared, &s.grants.shared, &s.codes.shared, &s.families.shared, &s.members.shared, &s.notices.shared, &s.moments.shared, &s.revoked.shared} {
		*shared = true
	}
}

// table is a map that is copied before the first change by a unit, so that the states before never change.
type table[K comparable, V any] struct {
	rows   map[K]row[V]
	shared bool
}

// row is a saved value and when it was first saved: what "oldest first" falls back to.
type row[V any] struct {
	value V
	seq   int64
}

func (t *table[K, V]) change() {
	if t.shared || t.rows == nil {
		t.rows, t.shared = maps.Clone(t.rows), false
	}
	if t.rows == nil {
		t.rows = map[K]row[V]{}
	}
}

func (t *table[K, V]) find(k K) (V, error) {
	r, ok := t.rows[k]
	if !ok {
		return r.value, ports.ErrNotFound
	}
	return clone(r.value), nil
}

func (t *table[K, V]) save(s *state, k K, v V) {
	t.change()
	r, old := t.rows[k]
	if !old {
		s.seq++
		r.seq = s.seq
	}
	r.value = clone(v)
	t.rows[k] = r
}

// remove deletes at most limit of the rows that match and returns how many it deleted; a negative limit is none.
func (t *table[K, V]) remove(limit int, match func(V) bool) (n int) {
	for k, r := range t.rows {
		if n == limit {
			break
		}
		if match(r.value) {
			t.change()
			delete(t.rows, k)
			n++
		}
	}
	return n
}

// clone copies v with everything it points to, whatever fields it has.
func clone[V any](v V) V {
	c := reflect.New(reflect.TypeFor[V]()).Elem()
	c.Set(reflect.ValueOf(v))
	deepen(c)
	return c.Interface().(V)
}

// deepen replaces what the settable v shares with its original by copies. An empty list or map becomes nil, as in a file.
func deepen(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range v.NumField() {
			deepen(v.Field(i))
		}
	case reflect.Slice:
		c := reflect.Zero(v.Type())
		if v.Len() > 0 {
			c = reflect.MakeSlice(v.Type(), v.Len(), v.Len())
			reflect.Copy(c, v)
			for i := range c.Len() {
				deepen(c.Index(i))
			}
		}
		v.Set(c)
	case reflect.Map: // of values that point to nothing
		c := reflect.Zero(v.Type())
		if v.Len() > 0 {
			c = reflect.MakeMapWithSize(v.Type(), v.Len())
			for _, k := range v.MapKeys() {
				c.SetMapIndex(k, v.MapIndex(k))
			}
		}
		v.Set(c)
	case reflect.Pointer:
		if !v.IsNil() {
			c := reflect.New(v.Type().Elem())
			c.Elem().Set(v.Elem())
			deepen(c.Elem())
			v.Set(c)
		}
	}
}
