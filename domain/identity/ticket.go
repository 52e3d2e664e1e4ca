package identity

import (
	"crypto/sha256"
	"time"
)

// TicketPurpose is what a one-time link is for. A link for one purpose opens no other.
type TicketPurpose string

// SetupTicket makes the first administrator.
const SetupTicket TicketPurpose = "setup"

// SetupLifetime bounds how long a set-up link works.
const SetupLifetime = 30 * time.Minute

// Ticket is a one-time link, known by the digest of its secret.
type Ticket struct {
	Key       [sha256.Size]byte
	Purpose   TicketPurpose
	CreatedAt time.Time
	ExpiresAt time.Time
	UsedAt    time.Time
}

// Open reports whether the link still works for the purpose.
func (t Ticket) Open(purpose TicketPurpose, now time.Time) bool {
	return t.Purpose == purpose && t.UsedAt.IsZero() && now.Before(t.ExpiresAt)
}
