package sqlite

import (
	"sync"
	"sync/atomic"

	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
)

// memo remembers what nearly every request reads and an administrator seldom changes. It belongs to one revision of the
// file and is dropped whole when that passes; a unit of work that finds its file at another revision, or that changed one
// of these things itself, does not use it.
//
// What is remembered is never handed out itself: a caller could change its slices.
type memo struct {
	config   uint64
	settings atomic.Pointer[oidc.Settings]
	keys     atomic.Pointer[oidc.KeyRing]
	clients  sync.Map // oauth.ClientID → oauth.Client
	users    sync.Map // identity.UserID → identity.User
	crowd    atomic.Int64
}

// maxUsers bounds the users of a memo: about 10 MB.
const maxUsers = 10_000

func (m *memo) client(id oauth.ClientID) (oauth.Client, bool) {
	if m == nil {
		return oauth.Client{}, false
	}
	v, ok := m.clients.Load(id)
	if !ok {
		return oauth.Client{}, false
	}
	return cloneClient(v.(oauth.Client)), true
}

func (m *memo) keepClient(c oauth.Client) {
	if m != nil {
		m.clients.Store(c.ID, cloneClient(c))
	}
}

func (m *memo) user(id identity.UserID) (identity.User, bool) {
	if m == nil {
		return identity.User{}, false
	}
	v, ok := m.users.Load(id)
	if !ok {
		return identity.User{}, false
	}
	return cloneUser(v.(identity.User)), true
}

func (m *memo) keepUser(u identity.User) {
	if m != nil && m.crowd.Add(1) <= maxUsers {
		m.users.Store(u.ID, cloneUser(u))
	}
}
