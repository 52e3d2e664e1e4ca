package identity_test

import (
	"testing"
	"time"

	"latchkey/domain/identity"
)

var start = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

const tick = time.Millisecond

func TestSessionLive(t *testing.T) {
	alice, carol := identity.User{ID: "usr_1"}, identity.User{ID: "usr_2", Admin: true}
	for _, c := range []struct {
		name  string
		user  identity.User
		seen  time.Duration // last use, if any
		after time.Duration
		want  bool
	}{
		{"fresh", alice, 0, 0, true},
		{"SS-02 idle, last instant", alice, 0, 12*time.Hour - tick, true},
		{"SS-02 idle", alice, 0, 12 * time.Hour, false},
		{"SS-02 used meanwhile", alice, 11 * time.Hour, 22 * time.Hour, true},
		{"SS-02 absolute, last instant", alice, 7*24*time.Hour - time.Hour, 7*24*time.Hour - tick, true},
		{"SS-02 absolute, though used", alice, 7*24*time.Hour - time.Hour, 7 * 24 * time.Hour, false},
		{"SS-02 administrator idle, last instant", carol, 0, 30*time.Minute - tick, true},
		{"SS-02 administrator idle", carol, 0, 30 * time.Minute, false},
		{"SS-02 administrator absolute, though used", carol, 8*time.Hour - time.Minute, 8 * time.Hour, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := identity.NewSession("sid_1", [32]byte{1}, c.user, []string{"pwd"}, "acr", start)
			if c.seen > 0 && !s.Touch(start.Add(c.seen)) {
				t.Fatal("the use was not worth saving")
			}
			if got := s.Live(start.Add(c.after)); got != c.want {
				t.Errorf("live: %v", got)
			}
			s.End(start.Add(time.Second))
			if s.Live(start.Add(2 * time.Second)) {
				t.Error("SS-03 signed out, but live")
			}
			s.End(start.Add(time.Hour))
			if !s.EndedAt.Equal(start.Add(time.Second)) {
				t.Errorf("ended twice, at %v", s.EndedAt)
			}
		})
	}
	if (identity.Session{LastSeenAt: start, Idle: time.Hour, ExpiresAt: start.Add(time.Hour)}).Live(start) {
		t.Error("a session that is not on file is live")
	}
	s := identity.NewSession("sid_1", [32]byte{1}, alice, []string{"pwd"}, "acr", start)
	if s.User != "usr_1" || !s.AuthTime.Equal(start) || !s.CreatedAt.Equal(start) || s.ACR != "acr" || len(s.AMR) != 1 || s.Key != [32]byte{1} {
		t.Errorf("%+v", s)
	}
}

func TestSessionTouch(t *testing.T) {
	s := identity.NewSession("sid_1", [32]byte{1}, identity.User{ID: "usr_1"}, nil, "", start)
	for _, c := range []struct {
		after time.Duration
		want  bool
	}{{0, false}, {5*time.Minute - tick, false}, {5 * time.Minute, true}, {6 * time.Minute, false}, {10 * time.Minute, true}, {0, false}} {
		before := s.LastSeenAt
		if got := s.Touch(start.Add(c.after)); got != c.want {
			t.Errorf("after %v: %v", c.after, got)
		}
		if s.LastSeenAt.Before(before) {
			t.Errorf("after %v: last seen at %v, before %v", c.after, s.LastSeenAt, before)
		}
	}
}

func TestSessionRecent(t *testing.T) {
	s := identity.Session{AuthTime: start}
	for after, want := range map[time.Duration]bool{0: true, identity.RecentSignIn: true, identity.RecentSignIn + tick: false, -tick: true, -time.Hour: false} {
		if got := s.Recent(start.Add(after)); got != want {
			t.Errorf("after %v: %v", after, got)
		}
	}
}

// AD-03: a sign-in opens administration for an hour.
func TestSessionAdministers(t *testing.T) {
	for age, want := range map[time.Duration]bool{0: true, time.Hour: true, time.Hour + time.Millisecond: false, 24 * time.Hour: false, -2 * time.Hour: false} {
		now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
		if got := (identity.Session{AuthTime: now.Add(-age)}).Administers(now); got != want {
			t.Errorf("signed in %v ago: %v", age, got)
		}
	}
}

func TestTicketOpen(t *testing.T) {
	ticket := identity.Ticket{Purpose: identity.SetupTicket, CreatedAt: start, ExpiresAt: start.Add(identity.SetupLifetime)}
	used := ticket
	used.UsedAt = start
	for _, c := range []struct {
		name    string
		ticket  identity.Ticket
		purpose identity.TicketPurpose
		after   time.Duration
		want    bool
	}{
		{"fresh", ticket, identity.SetupTicket, 0, true},
		{"last instant", ticket, identity.SetupTicket, 30*time.Minute - tick, true},
		{"expired", ticket, identity.SetupTicket, 30 * time.Minute, false},
		{"used", used, identity.SetupTicket, time.Second, false},
		{"another purpose", ticket, "reset", 0, false},
		{"none on file", identity.Ticket{}, identity.SetupTicket, 0, false},
	} {
		if got := c.ticket.Open(c.purpose, start.Add(c.after)); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}
