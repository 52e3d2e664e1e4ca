package storetest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

// eventsAreChained records in many units, some of which fail, and finds one unbroken chain.
func eventsAreChained(t *testing.T, s ports.Store) {
	for n := range 20 {
		err := s.Update(t.Context(), func(tx ports.Tx) error {
			before, err := tx.TrailHead()
			if err != nil {
				return err
			}
			for i := range n % 3 {
				if err := tx.Record(audit.Event{At: epoch, Kind: "x", Facts: map[string]string{"n": fmt.Sprint(n), "i": fmt.Sprint(i)}}); err != nil {
					return err
				}
			}
			if after, err := tx.TrailHead(); err != nil || after.Seq != before.Seq+int64(n%3) {
				t.Errorf("the trail of the unit ends at %d after %d: %v", after.Seq, before.Seq, err)
			}
			if n%4 == 0 {
				return errBoom
			}
			return nil
		})
		if err != nil && !errors.Is(err, errBoom) {
			t.Fatal(err)
		}
	}
	view(t, s, func(r ports.Reader) error {
		events, err1 := r.Events(audit.Query{Limit: 100})
		head, err2 := r.TrailHead()
		end, broken := audit.Verify(audit.Anchor{}, events, Tag)
		if len(events) != 15 || end != head || broken != nil {
			t.Errorf("%d events, the chain ends at %v, the trail at %v: %v", len(events), end, head, broken)
		}
		return errors.Join(err1, err2)
	})
}

func eventsByQuery(t *testing.T, s ports.Store) {
	at := func(n int) time.Time { return epoch.Add(time.Duration(n) * time.Second) }
	refused := map[string]string{"error": "invalid_grant"}
	update(t, s, func(tx ports.Tx) error {
		return each(tx.Record,
			audit.Event{At: at(1), Kind: "a", Client: "c1", User: "u1", Session: "s1", Family: "f1", Caller: audit.Caller{RequestID: "r1", IP: "10.0.0.1"}},
			audit.Event{At: at(2), Kind: "b", Client: "c1", User: "u2", Session: "s2", Family: "f2", Caller: audit.Caller{RequestID: "r2", IP: "10.0.0.2"}, Facts: refused},
			audit.Event{At: at(3), Kind: "c", Client: "c2", User: "u1", Session: "s1", Family: "f1", Caller: audit.Caller{RequestID: "r2", IP: "10.0.0.1"}, Facts: refused},
			audit.Event{At: at(4), Kind: "a", Client: "c2", User: "u2", Session: "s2", Family: "f2", Caller: audit.Caller{RequestID: "r1", IP: "10.0.0.2"}})
	})
	for name, q := range map[string]struct {
		query audit.Query
		want  []int64
	}{
		"all":           {audit.Query{}, []int64{1, 2, 3, 4}},
		"newest":        {audit.Query{Newest: true}, []int64{4, 3, 2, 1}},
		"newest two":    {audit.Query{Newest: true, Limit: 2}, []int64{4, 3}},
		"kinds":         {audit.Query{Kinds: []audit.Kind{"a", "c"}}, []int64{1, 3, 4}},
		"client":        {audit.Query{Client: "c1"}, []int64{1, 2}},
		"user":          {audit.Query{User: "u1"}, []int64{1, 3}},
		"user, kinds":   {audit.Query{User: "u1", Kinds: []audit.Kind{"a", "b"}}, []int64{1}},
		"session":       {audit.Query{Session: "s2"}, []int64{2, 4}},
		"family":        {audit.Query{Family: "f1"}, []int64{1, 3}},
		"request":       {audit.Query{RequestID: "r2"}, []int64{2, 3}},
		"address":       {audit.Query{IP: "10.0.0.1"}, []int64{1, 3}},
		"refused":       {audit.Query{Refused: true}, []int64{2, 3}},
		"of a client":   {audit.Query{Refused: true, Client: "c2"}, []int64{3}},
		"of a request":  {audit.Query{Refused: true, RequestID: "r2", Newest: true}, []int64{3, 2}},
		"since":         {audit.Query{Since: at(2)}, []int64{2, 3, 4}},
		"until":         {audit.Query{Until: at(2)}, []int64{1}},
		"after, before": {audit.Query{After: 1, Before: 4}, []int64{2, 3}},
		"nothing":       {audit.Query{Client: "c1", User: "u1", Refused: true}, nil},
	} {
		if q.query.Limit == 0 {
			q.query.Limit = 10
		}
		check := func(r ports.Reader) error {
			var got []int64
			events, err := r.Events(q.query)
			for _, e := range events {
				got = append(got, e.Seq)
			}
			if diff := cmp.Diff(q.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
			return err
		}
		view(t, s, check)
		update(t, s, func(tx ports.Tx) error { return check(tx) })
	}
	view(t, s, func(r ports.Reader) error {
		if none, err := r.Events(audit.Query{}); err != nil || len(none) > 0 {
			t.Errorf("no limit gives %d events: %v", len(none), err)
		}
		return nil
	})
}

func pages(t *testing.T, s ports.Store) {
	live := func(id identity.SessionID, made int, user identity.UserID) identity.Session {
		at := epoch.Add(time.Duration(made) * time.Second)
		return identity.Session{ID: id, Key: [32]byte{byte(made), id[0]}, User: user, CreatedAt: at, LastSeenAt: at, Idle: time.Hour, ExpiresAt: at.Add(2 * time.Hour)}
	}
	ended, idle, old := live("ended", 1, "u1"), live("idle", 2, "u1"), live("old", 3, "u1")
	ended.EndedAt, idle.Idle, old.ExpiresAt = epoch, time.Minute, epoch.Add(time.Minute)
	populate(t, s)
	update(t, s, func(tx ports.Tx) error {
		return errors.Join(tx.SaveUser(identity.User{ID: "u3", Username: "citra"}),
			each(tx.SaveSession, live("b", 5, "u2"), live("a", 4, "u1"), live("c", 5, "u1"), ended, idle, old),
			each(tx.SaveTicket, identity.Ticket{Key: [32]byte{1}, User: "u1", CreatedAt: epoch.Add(2 * time.Millisecond)}, identity.Ticket{Key: [32]byte{2}, User: "u1", CreatedAt: epoch},
				identity.Ticket{Key: [32]byte{3}, User: "u1", UsedAt: epoch}, identity.Ticket{Key: [32]byte{4}, User: "u2"}, identity.Ticket{Key: [32]byte{5}}))
	})
	view(t, s, func(r ports.Reader) error {
		first, err1 := r.Users("", 2)
		rest, err2 := r.Users("budi", 2)
		sessions, err3 := r.Sessions(epoch.Add(10*time.Minute), 10)
		newest, err4 := r.Sessions(epoch.Add(10*time.Minute), 2)
		tickets, err5 := r.TicketsOfUser("u1")
		nobodys, err6 := r.TicketsOfUser("")
		name := func(u identity.User) string { return u.Username }
		session := func(s identity.Session) string { return string(s.ID) }
		for what, list := range map[string]struct{ got, want []string }{
			"first users":     {ids(first, name), []string{"ana", "budi"}},
			"other users":     {ids(rest, name), []string{"citra"}},
			"live sessions":   {ids(sessions, session), []string{"c", "b", "a"}},
			"newest sessions": {ids(newest, session), []string{"c", "b"}},
			"tickets":         {ids(tickets, func(k identity.Ticket) string { return fmt.Sprint(k.Key[0]) }), []string{"2", "1"}},
			"nobody's":        {ids(nobodys, func(k identity.Ticket) string { return "some" }), nil},
		} {
			if diff := cmp.Diff(list.want, list.got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", what, diff)
			}
		}
		return errors.Join(err1, err2, err3, err4, err5, err6)
	})
}

func momentsAndRevokedTokens(t *testing.T, s ports.Store) {
	check := func(wantAt time.Time, want bool) {
		t.Helper()
		view(t, s, func(r ports.Reader) error {
			at, err1 := r.Moment(ports.BackupMade)
			revoked, err2 := r.TokenRevoked("t")
			other, err3 := r.TokenRevoked("T")
			if !at.Equal(wantAt) || revoked != want || other {
				t.Errorf("moment %v, revoked %v, %v", at, revoked, other)
			}
			return errors.Join(err1, err2, err3)
		})
	}
	check(time.Time{}, false)
	save := func(at time.Time) {
		update(t, s, func(tx ports.Tx) error {
			return errors.Join(tx.SaveMoment(ports.BackupMade, at), tx.RevokeToken("t", at.Add(time.Hour)))
		})
	}
	save(epoch)
	save(epoch.Add(time.Minute)) // again
	check(epoch.Add(time.Minute), true)
	update(t, s, func(tx ports.Tx) error { _, err := tx.Sweep(epoch.Add(time.Hour), 10); return err })
	check(epoch.Add(time.Minute), true)
	update(t, s, func(tx ports.Tx) error { _, err := tx.Sweep(epoch.Add(time.Hour+time.Minute), 10); return err })
	check(epoch.Add(time.Minute), false)
}

// expireIsFinal expires at an instant; whatever had not expired then stays as it is.
func expireIsFinal(t *testing.T, s ports.Store) {
	populate(t, s)
	past, ahead, future := epoch, epoch.Add(time.Hour), epoch.Add(time.Second+time.Millisecond)
	begun := func(s identity.Session, at time.Time) identity.Session { s.AuthTime = at; return s }
	session := func(id string, last, end time.Time) identity.Session {
		return identity.Session{ID: identity.SessionID(id), Key: [32]byte{id[0], id[1]}, User: "u1", CreatedAt: last, LastSeenAt: last, Idle: time.Hour, ExpiresAt: end}
	}
	family := func(id string, used, end time.Time) oauth.TokenFamily {
		return oauth.TokenFamily{ID: oauth.FamilyID(id), Grant: "g1", Generation: 1, RotatedAt: used, ExpiresAt: end}
	}
	update(t, s, func(tx ports.Tx) error {
		return errors.Join(
			each(tx.SaveSession, session("end", epoch, past), session("idle", epoch.Add(-time.Hour), ahead), session("stays", ahead.Add(time.Millisecond-time.Hour), ahead),
				begun(session("future", epoch, ahead), future)),
			each(tx.SaveTokenFamily, family("end", epoch, past), family("idle", epoch.Add(-oauth.RefreshIdle), ahead), family("stays", epoch, ahead), family("future", future, ahead)),
			each(tx.SaveCode, oauth.AuthorizationCode{Digest: oauth.Digest{1}, ExpiresAt: past}, oauth.AuthorizationCode{Digest: oauth.Digest{2}, ExpiresAt: ahead},
				oauth.AuthorizationCode{Digest: oauth.Digest{3}, ExpiresAt: past, RedeemedAt: past}, oauth.AuthorizationCode{Digest: oauth.Digest{4}, CreatedAt: future, ExpiresAt: ahead}),
			each(tx.SaveInteraction, oidc.Interaction{ID: "1", ExpiresAt: past}, oidc.Interaction{ID: "2", ExpiresAt: ahead}, oidc.Interaction{ID: "3", CreatedAt: future, ExpiresAt: ahead}),
			each(tx.SaveTicket, identity.Ticket{Key: [32]byte{1}, ExpiresAt: past}, identity.Ticket{Key: [32]byte{2}, ExpiresAt: ahead},
				identity.Ticket{Key: [32]byte{3}, CreatedAt: future, ExpiresAt: ahead}))
	})
	update(t, s, func(tx ports.Tx) error { return tx.Expire(epoch, epoch.Add(time.Second)) })
	view(t, s, func(r ports.Reader) error {
		sessions, err1 := r.SessionsOfUser("u1")
		families, err2 := r.FamiliesOfGrant("g1")
		idle, err3 := r.TokenFamily("idle")
		var found []string
		for i, err := range []error{
			second(r.Code(oauth.Digest{1})), second(r.Code(oauth.Digest{2})), second(r.Code(oauth.Digest{3})), // redeemed: a replay must still be seen
			second(r.Interaction("1")), second(r.Interaction("2")), second(r.Ticket([32]byte{1})), second(r.Ticket([32]byte{2})),
			second(r.Code(oauth.Digest{4})), second(r.Interaction("3")), second(r.Ticket([32]byte{3})),
		} {
			if err == nil {
				found = append(found, []string{"code 1", "code 2", "code 3", "interaction 1", "interaction 2", "ticket 1", "ticket 2",
					"code 4", "interaction 3", "ticket 3"}[i])
			}
		}
		live := slices.Concat(ids(sessions, func(s identity.Session) string { return string(s.ID) }), ids(families, func(f oauth.TokenFamily) string { return string(f.ID) }), found)
		if diff := cmp.Diff([]string{"stays", "stays", "code 2", "code 3", "interaction 2", "ticket 2"}, live); diff != "" {
			t.Errorf("what is left (-want +got):\n%s", diff)
		}
		if !idle.RevokedAt.Equal(epoch) || idle.RevokeReason != "expired" {
			t.Errorf("revoked at %v because of %q", idle.RevokedAt, idle.RevokeReason)
		}
		return errors.Join(err1, err2, err3)
	})
}

func second[T any](_ T, err error) error { return err }
