package identity_test

import (
	"testing"
	"time"

	"latchkey/domain/identity"
)

// LG-12: a link sets the password of its user, for its purpose, once, in its time.
func TestTicketResets(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	good := identity.Ticket{Purpose: identity.ResetTicket, User: "u", CreatedAt: now.Add(-time.Minute), ExpiresAt: now.Add(time.Millisecond)}
	user := identity.User{ID: "u"}
	for name, tt := range map[string]struct {
		change func(*identity.Ticket, *identity.User)
		want   bool
	}{
		"good":            {func(*identity.Ticket, *identity.User) {}, true},
		"used":            {func(k *identity.Ticket, _ *identity.User) { k.UsedAt = now }, false},
		"over":            {func(k *identity.Ticket, _ *identity.User) { k.ExpiresAt = now }, false},
		"for a set-up":    {func(k *identity.Ticket, _ *identity.User) { k.Purpose = identity.SetupTicket }, false},
		"of another user": {func(k *identity.Ticket, _ *identity.User) { k.User = "v" }, false},
		"of nobody":       {func(k *identity.Ticket, u *identity.User) { k.User, u.ID = "", "" }, false},
		"disabled":        {func(_ *identity.Ticket, u *identity.User) { u.DisabledAt = now }, false},
	} {
		k, u := good, user
		tt.change(&k, &u)
		if got := k.Resets(u, now); got != tt.want {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}
