package app_test

import (
	"strconv"
	"testing"
	"time"

	"latchkey/app/apptest"
	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

// An application that is deleted while its notice is under way leaves nothing behind that is tried for ever.
func TestNoticeOfADeletedClient(t *testing.T) {
	t.Parallel()
	h := newHearer(t)
	p := apptest.New(t, channels(h))
	web := p.Client("web")
	one := web.SignIn(p.Browser(), "alice")
	hold := make(chan struct{})
	h.answer(500, hold)
	central(web, one.Get("access_token"), "") // is answered while the application still thinks
	if _, err := p.Admin.DeleteClient(t.Context(), audit.Caller{RequestID: "req_test"}, "web", false); err != nil {
		t.Fatal(err)
	}
	close(hold)
	p.Deliver()
	if all := notices(t, p); len(all) > 0 {
		t.Errorf("the notice is there again: %+v", all)
	}
	p.Advance(time.Minute)
	p.Deliver()
	if err := p.Deliveries.Due(t.Context()); err != nil {
		t.Error(err)
	}
}

// LO-06: however many notices wait for an application that hangs, and however long they have, one that answers hears at once.
func TestLongQueueHidesNobody(t *testing.T) {
	t.Parallel()
	slow, quick := newHearer(t), newHearer(t)
	p := apptest.New(t, channels(slow), clients("quick", `"backchannel_logout_uri": "`+quick.URL+`/bc"`))
	hold := make(chan struct{})
	slow.answer(200, hold)
	err := p.Store.Update(t.Context(), func(tx ports.Tx) error {
		for i := range 300 {
			s := identity.Session{ID: identity.SessionID("sid_" + strconv.Itoa(i)), User: "usr_x"}
			if err := tx.SaveLogoutNotice(oidc.NewLogoutNotice(s, "web", p.Now().Add(-time.Second))); err != nil {
				return err
			}
		}
		return tx.SaveLogoutNotice(oidc.NewLogoutNotice(identity.Session{ID: "sid_q", User: "usr_x"}, "quick", p.Now()))
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Deliveries.Due(t.Context()); err != nil {
		t.Fatal(err)
	}
	close(hold)
	p.Deliveries.Wait()
	if n := len(quick.told()); n != 1 {
		t.Errorf("%d notices behind a long queue were sent, want 1", n)
	}
}
