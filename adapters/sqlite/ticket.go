package sqlite

import (
	"crypto/sha256"

	"latchkey/domain/identity"
)

const ticketColumns = `key, purpose, created_at, expires_at, used_at, user`

func scanTicket(r *row) (k identity.Ticket) {
	r.blob(k.Key[:])
	k.Purpose = identity.TicketPurpose(r.text())
	k.CreatedAt, k.ExpiresAt, k.UsedAt = r.time(), r.time(), r.time()
	k.User = identity.UserID(r.text())
	return k
}

func (r *reader) Ticket(key [sha256.Size]byte) (identity.Ticket, error) {
	return one(r, scanTicket, "SELECT "+ticketColumns+" FROM ticket WHERE key = ?", key[:])
}

func (r *reader) TicketsOfUser(id identity.UserID) ([]identity.Ticket, error) {
	return many(r, scanTicket, "SELECT "+ticketColumns+" FROM ticket WHERE user = ? AND user <> '' AND used_at = 0 ORDER BY created_at, key", string(id))
}

var saveTicket = upsert("ticket", "key", ticketColumns)

func (t *tx) SaveTicket(k identity.Ticket) error {
	return t.save(saveTicket, k.Key[:], string(k.Purpose), ms(k.CreatedAt), ms(k.ExpiresAt), ms(k.UsedAt), string(k.User))
}
