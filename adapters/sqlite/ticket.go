package sqlite

import (
	"crypto/sha256"

	"latchkey/domain/identity"
)

const ticketColumns = `key, purpose, created_at, expires_at, used_at`

func scanTicket(r *row) (k identity.Ticket) {
	r.blob(k.Key[:])
	k.Purpose = identity.TicketPurpose(r.text())
	k.CreatedAt, k.ExpiresAt, k.UsedAt = r.time(), r.time(), r.time()
	return k
}

func (r *reader) Ticket(key [sha256.Size]byte) (identity.Ticket, error) {
	return one(r, scanTicket, "SELECT "+ticketColumns+" FROM ticket WHERE key = ?", key[:])
}

var saveTicket = upsert("ticket", "key", ticketColumns)

func (t *tx) SaveTicket(k identity.Ticket) error {
	return t.save(saveTicket, k.Key[:], string(k.Purpose), ms(k.CreatedAt), ms(k.ExpiresAt), ms(k.UsedAt))
}
