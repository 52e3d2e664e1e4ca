package account_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"latchkey/domain/audit"
	"latchkey/domain/oauth"
	"latchkey/ports"
)

// Every page goes on where the one before it ended, without a gap and without what is not for the user: events of others,
// and what applications do all day.
func TestActivityPages(t *testing.T) {
	b := newBench(t)
	b.update(func(tx ports.Tx) (err error) {
		for i := range 120 {
			fact := map[string]string{"n": fmt.Sprint(i)}
			err = errors.Join(err, tx.Record(audit.Event{At: b.now, Kind: audit.LoginFailed, User: "alice", Facts: fact}))
			if i%7 > 0 {
				continue
			}
			err = errors.Join(err, tx.Record(audit.Event{At: b.now, Kind: audit.LoginFailed, User: "bob"}), tx.Record(audit.Event{At: b.now, Kind: audit.LoginFailed}),
				tx.Record(audit.Event{At: b.now, Kind: audit.TokenRefreshed, User: "alice"}))
		}
		return err
	})
	next, before := 119, int64(0)
	for page, want := range []int{50, 50, 20} {
		a, err := b.Activity(t.Context(), laptop, before)
		if err != nil || len(a.Events) != want || (a.Older == 0) != (page == 2) || (len(a.SignIns) > 0) != (page == 0) {
			t.Fatalf("page %d: %d events, older %d, %d days, %v", page, len(a.Events), a.Older, len(a.SignIns), err)
		}
		for _, e := range a.Events {
			if e.Facts["n"] != fmt.Sprint(next) {
				t.Fatalf("page %d has %+v, want number %d", page, e, next)
			}
			next--
		}
		before = a.Older
	}
	if a, err := b.Activity(t.Context(), laptop, 1); err != nil || len(a.Events) != 0 || a.Older != 0 {
		t.Errorf("before the beginning: %+v, %v", a, err)
	}
	if _, err := b.Activity(t.Context(), ports.Browser{Key: "browser"}, 0); !errors.Is(err, ports.ErrSignedOut) {
		t.Errorf("signed out: %v", err)
	}
}

// A day is one of the user's, from midnight to midnight where they are, also when it has 23 or 25 hours.
func TestSignInDays(t *testing.T) {
	b := newBench(t)
	b.now = time.Date(2026, 11, 5, 3, 30, 0, 0, time.UTC) // 4 November, 22:30 in New York, whose clocks went back on 1 November
	b.update(func(tx ports.Tx) error {
		alice, err := tx.User("alice")
		alice.Claims.Zoneinfo = "America/New_York"
		laptop, err2 := tx.Session("laptop")
		laptop.AuthTime, laptop.LastSeenAt, laptop.ExpiresAt = b.now, b.now, b.now.Add(time.Hour)
		err = errors.Join(err, err2, tx.SaveUser(alice), tx.SaveSession(laptop))
		for at, kind := range map[string]audit.Kind{
			"2026-11-05T03:00:00Z": audit.LoginSucceeded, // still the 4th
			"2026-11-01T03:59:59Z": audit.LoginFailed,    // 31 October
			"2026-11-01T04:00:00Z": audit.LoginLocked,    // the 1st, at midnight
			"2026-11-02T04:59:59Z": audit.FactorFailed,   // the 1st still, which has 25 hours
			"2026-11-02T05:00:00Z": audit.LoginDisabled,  // the 2nd
			"2026-10-06T04:00:00Z": audit.LoginSucceeded, // the first day that is shown
			"2026-10-06T03:59:59Z": audit.LoginSucceeded, // the day before
			"2026-11-04T12:00:00Z": audit.SessionEnded,   // no sign-in
		} {
			when, err3 := time.Parse(time.RFC3339, at)
			err = errors.Join(err, err3, tx.Record(audit.Event{At: when, Kind: kind, User: "alice"}))
		}
		return err
	})
	a, err := b.Activity(t.Context(), laptop, 0)
	if err != nil || len(a.SignIns) != 30 {
		t.Fatalf("%d days, %v", len(a.SignIns), err)
	}
	got := ""
	for _, d := range a.SignIns {
		if d.Start.Hour() != 0 {
			t.Errorf("a day begins at %s", d.Start)
		}
		if d.OK+d.Failed > 0 {
			got += fmt.Sprintf("%s %d+%d ", d.Start.Format("0102"), d.OK, d.Failed)
		}
	}
	if want := "1006 1+0 1031 0+1 1101 0+2 1102 0+1 1104 1+0 "; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// What an application was last given counts as its use, also after that was revoked; the lines that are shown are the last used.
func TestApplicationLines(t *testing.T) {
	b := newBench(t)
	b.update(func(tx ports.Tx) error {
		err := errors.Join(tx.SaveClient(oauth.Client{ID: "web"}), tx.SaveGrant(oauth.Grant{ID: "g", Client: "web", User: "alice", CreatedAt: b.now}))
		for i := range 12 {
			f := oauth.TokenFamily{ID: oauth.FamilyID(fmt.Sprintf("g.%02d", i)), Grant: "g", Client: "web", User: "alice", Session: "laptop", Refresh: true, Generation: 1,
				CreatedAt: b.now, RotatedAt: b.now.Add(time.Duration(i-1000) * time.Hour), ExpiresAt: b.now.Add(time.Hour)}
			if i == 11 {
				f.Revoke("refresh token replayed", b.now)
			}
			err = errors.Join(err, tx.SaveTokenFamily(f))
		}
		return errors.Join(err, tx.Record(audit.Event{At: b.now, Kind: audit.TokenReplayed, User: "alice", Family: "g.11"}),
			tx.Record(audit.Event{At: b.now, Kind: audit.TokenReplayed, User: "alice", Family: "g.10"}))
	})
	h, err := b.Application(t.Context(), caller, laptop, "g")
	if err != nil || !h.More || len(h.Lines) != 10 || h.Lines[0].Family.ID != "g.11" || h.Lines[9].Family.ID != "g.02" || len(h.Lines[0].Events) != 1 ||
		!h.Lines[0].Ended.Equal(b.now) || h.Lines[0].Session.ID != "laptop" {
		t.Errorf("%v: %+v", err, h)
	}
	// Nobody used the others for 30 days: they ended then, though nobody revoked them.
	if end := h.Lines[1].Family.RotatedAt.Add(oauth.RefreshIdle); !h.Lines[1].Ended.Equal(end) {
		t.Errorf("ended %s, want %s", h.Lines[1].Ended, end)
	}
	a, err := b.Account(t.Context(), laptop)
	if err != nil || len(a.Applications) != 1 || !a.Applications[0].LastUsed.Equal(h.Lines[0].Family.RotatedAt) {
		t.Errorf("%v: %+v", err, a.Applications)
	}
}
