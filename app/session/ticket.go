package session

import (
	"time"

	"latchkey/domain/identity"
	"latchkey/ports"
)

// SpendTickets kills the one-time links of a user. Whatever changes who controls the account does it in the same unit: a
// link that was made for its former owner must not outlive the change.
func SpendTickets(tx ports.Tx, user identity.UserID, now time.Time) error {
	tickets, err := tx.TicketsOfUser(user)
	if err != nil {
		return err
	}
	for _, t := range tickets {
		t.UsedAt = now
		if err := tx.SaveTicket(t); err != nil {
			return err
		}
	}
	return nil
}
