package memory

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
)

func (r reader) SessionClients(id identity.SessionID) ([]oauth.ClientID, error) {
	var clients []oauth.ClientID
	for m := range maps.Keys(r.members.rows) {
		if m.session == id {
			clients = append(clients, m.client)
		}
	}
	slices.Sort(clients)
	return clients, nil
}

func (r reader) LogoutNotice(id oidc.NoticeID) (oidc.LogoutNotice, error) { return r.notices.find(id) }

func (r reader) NoticesOfSession(id identity.SessionID) ([]oidc.LogoutNotice, error) {
	all := list(&r.notices, func(n oidc.LogoutNotice) bool { return n.Session == id }, func(oidc.LogoutNotice) (t time.Time) { return t })
	slices.SortFunc(all, func(a, b oidc.LogoutNotice) int { return cmp.Compare(a.ID, b.ID) })
	return all, nil
}

func (r reader) DueLogoutNotices(now time.Time, each, limit int) ([]oidc.LogoutNotice, error) {
	due := list(&r.notices, func(n oidc.LogoutNotice) bool { return n.Due(now) }, func(n oidc.LogoutNotice) time.Time { return n.NextAt })
	of := map[oauth.ClientID]int{}
	due = slices.DeleteFunc(due, func(n oidc.LogoutNotice) bool {
		of[n.Client]++
		return of[n.Client] > each
	})
	return due[:min(len(due), limit)], nil
}

func (r reader) LogoutNotices(limit int) ([]oidc.LogoutNotice, error) {
	all := list(&r.notices, func(oidc.LogoutNotice) bool { return true }, func(n oidc.LogoutNotice) time.Time { return n.CreatedAt })
	slices.Reverse(all)
	return all[:min(len(all), limit)], nil
}

func (t *tx) JoinSession(s identity.SessionID, c oauth.ClientID) error {
	if err := t.check(has(t.sessions, s), "session %s does not exist: client %s cannot join it", s, c); err != nil {
		return err
	}
	t.members.save(t.state, member{s, c}, true)
	return t.failed
}

// leave ends the part of every member that matches.
func (t *tx) leave(match func(member) bool) {
	for m := range t.members.rows {
		if match(m) {
			t.members.change()
			delete(t.members.rows, m)
		}
	}
}

func (t *tx) SaveLogoutNotice(n oidc.LogoutNotice) error {
	t.notices.save(t.state, n.ID, n)
	return t.failed
}
