package identity_test

import (
	"testing"
	"time"

	"latchkey/domain/identity"
)

// OP-05: what was made while the clock was ahead opens nothing once it is right. The sign-in counts, not the session: the
// same user signing in again keeps the session.
func TestFromFuture(t *testing.T) {
	now := start
	for name, c := range map[string]struct {
		made time.Time
		want bool
	}{
		"before":            {now.Add(-time.Hour), false},
		"now":               {now, false},
		"a minute later":    {now.Add(time.Minute), false},
		"more than that":    {now.Add(time.Minute + time.Millisecond), true},
		"ten years later":   {now.AddDate(10, 0, 0), true},
		"nobody knows when": {time.Time{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := identity.FromFuture(c.made, now); got != c.want {
				t.Errorf("%v, want %v", got, c.want)
			}
			begun := identity.NewSession("sid", [32]byte{}, identity.User{ID: "u"}, nil, "", now)
			begun.AuthTime, begun.ExpiresAt = c.made, now.AddDate(20, 0, 0)
			if got := begun.Live(now); got == c.want {
				t.Errorf("a session of that sign-in lives: %v", got)
			}
			link := identity.Ticket{Purpose: identity.SetupTicket, CreatedAt: c.made, ExpiresAt: now.AddDate(20, 0, 0)}
			if got := link.Open(identity.SetupTicket, now); got == c.want {
				t.Errorf("a link of then opens: %v", got)
			}
		})
	}
}
