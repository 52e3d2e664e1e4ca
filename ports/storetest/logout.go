package storetest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

func clientsAre(t *testing.T, s ports.Store, id identity.SessionID, want ...oauth.ClientID) {
	t.Helper()
	view(t, s, func(r ports.Reader) error {
		got, err := r.SessionClients(id)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("clients of session %s (-want +got):\n%s", id, diff)
		}
		return err
	})
}

// sessionClients take part as long as the session is kept, whatever became of their tokens.
func sessionClients(t *testing.T, s ports.Store) {
	populate(t, s)
	session := func(id string, user identity.UserID) identity.Session {
		return identity.Session{ID: identity.SessionID(id), Key: [32]byte{id[0], id[1]}, User: user, ExpiresAt: epoch.AddDate(1, 0, 0)}
	}
	update(t, s, func(tx ports.Tx) error {
		return each(tx.SaveSession, session("s1", "u1"), session("s2", "u1"), session("s3", "u2"))
	})
	for _, m := range []struct {
		session identity.SessionID
		client  oauth.ClientID
	}{{"s1", "c2"}, {"s1", "c1"}, {"s1", "c2"}, {"s2", "c2"}, {"s3", "c1"}} {
		update(t, s, func(tx ports.Tx) error { return tx.JoinSession(m.session, m.client) })
	}
	clientsAre(t, s, "s1", "c1", "c2")
	clientsAre(t, s, "s2", "c2")
	clientsAre(t, s, "nobody")

	ended := session("s1", "u1")
	ended.End(epoch)
	update(t, s, func(tx ports.Tx) error { return tx.SaveSession(ended) })
	clientsAre(t, s, "s1", "c1", "c2")
	update(t, s, func(tx ports.Tx) error { return tx.DeleteClient("c2") })
	clientsAre(t, s, "s1", "c1")
	clientsAre(t, s, "s2")
	update(t, s, func(tx ports.Tx) error { _, err := tx.Sweep(epoch.AddDate(0, 2, 0), 10); return err })
	clientsAre(t, s, "s1")
	clientsAre(t, s, "s3", "c1")
	update(t, s, func(tx ports.Tx) error { return tx.DeleteUser("u2") })
	clientsAre(t, s, "s3")

	if err := s.Update(t.Context(), func(tx ports.Tx) error { return tx.JoinSession("nobody", "c1") }); err == nil {
		t.Error("a client joined a session that does not exist")
	}
}

// logoutNotices are found by what has to be done next, and outlive the user, who is still signed in elsewhere.
func logoutNotices(t *testing.T, s ports.Store) {
	populate(t, s)
	notice := func(id string, client oauth.ClientID, session identity.SessionID, created, next time.Duration) oidc.LogoutNotice {
		n := oidc.LogoutNotice{ID: oidc.NoticeID(id), Client: client, Session: session, Sub: "u1", CreatedAt: epoch.Add(created)}
		if next > 0 {
			n.NextAt = epoch.Add(next)
		}
		return n
	}
	update(t, s, func(tx ports.Tx) error {
		return each(tx.SaveLogoutNotice, notice("n1", "c1", "s1", 1, 30), notice("n2", "c2", "s1", 2e6, 10e6), notice("n3", "c1", "s2", 3e6, 0),
			notice("n4", "c1", "s2", 4e6, 20e6))
	})
	ids := func(find func(ports.Reader) ([]oidc.LogoutNotice, error)) (ids []oidc.NoticeID) {
		t.Helper()
		view(t, s, func(r ports.Reader) error {
			all, err := find(r)
			for _, n := range all {
				ids = append(ids, n.ID)
			}
			return err
		})
		return ids
	}
	dueEach := func(after time.Duration, each, limit int) []oidc.NoticeID {
		t.Helper()
		return ids(func(r ports.Reader) ([]oidc.LogoutNotice, error) {
			return r.DueLogoutNotices(epoch.Add(after), each, limit)
		})
	}
	due := func(after time.Duration, limit int) []oidc.NoticeID { t.Helper(); return dueEach(after, 10, limit) }
	update(t, s, func(tx ports.Tx) error { return tx.SaveLogoutNotice(notice("n1", "c1", "s1", 1e6, 30e6)) })
	for name, c := range map[string]struct{ got, want []oidc.NoticeID }{
		"none is due":       {due(9*time.Millisecond, 10), nil},
		"at its instant":    {due(10*time.Millisecond, 10), []oidc.NoticeID{"n2"}},
		"longest due first": {due(time.Hour, 10), []oidc.NoticeID{"n2", "n4", "n1"}},
		"at most":           {due(time.Hour, 2), []oidc.NoticeID{"n2", "n4"}},
		"at most of each":   {dueEach(time.Hour, 1, 10), []oidc.NoticeID{"n2", "n4"}},
		"newest first":      {ids(func(r ports.Reader) ([]oidc.LogoutNotice, error) { return r.LogoutNotices(3) }), []oidc.NoticeID{"n4", "n3", "n2"}},
		"of a session": {ids(func(r ports.Reader) ([]oidc.LogoutNotice, error) { return r.NoticesOfSession("s1") }),
			[]oidc.NoticeID{"n1", "n2"}},
	} {
		if diff := cmp.Diff(c.want, c.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	update(t, s, func(tx ports.Tx) error { return tx.DeleteUser("u1") })
	if got := due(time.Hour, 10); len(got) != 3 {
		t.Errorf("after the user was deleted, %v are due", got)
	}
	update(t, s, func(tx ports.Tx) error { return tx.DeleteClient("c1") })
	if diff := cmp.Diff([]oidc.NoticeID{"n2"}, due(time.Hour, 10)); diff != "" {
		t.Errorf("after a client was deleted: %s", diff)
	}
}
