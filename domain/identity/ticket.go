package identity

import (
	"crypto/sha256"
	"time"
)

// TicketPurpose is what a one-time link is for. A link for one purpose opens no other.
type TicketPurpose string

// What links are for.
const (
	SetupTicket   TicketPurpose = "setup"   // makes the first administrator
	RecoverTicket TicketPurpose = "recover" // makes an administrator beside those there are
	ResetTicket   TicketPurpose = "reset"   // sets the password of its user
)

// How long links work.
const (
	SetupLifetime = 30 * time.Minute
	ResetLifetime = 15 * time.Minute
)

// Ticket is a one-time link, known by the digest of its secret.
type Ticket struct {
	Key       [sha256.Size]byte
	Purpose   TicketPurpose
	User      UserID // whom it is for; empty: whoever has the link
	CreatedAt time.Time
	ExpiresAt time.Time
	UsedAt    time.Time
}

// Open reports whether the link still works for the purpose.
func (t Ticket) Open(purpose TicketPurpose, now time.Time) bool {
	return t.Purpose == purpose && t.UsedAt.IsZero() && now.Before(t.ExpiresAt) && !FromFuture(t.CreatedAt, now)
}

// Resets reports whether the link still sets the password of the user.
func (t Ticket) Resets(u User, now time.Time) bool {
	return t.Open(ResetTicket, now) && u.ID != "" && t.User == u.ID && !u.Disabled()
}
