package sqlite

import (
	"latchkey/domain/audit"
)

const eventColumns = `at, kind, request_id, ip, user_agent, client, user, session, grant_id, family, facts`

func scanEvent(r *row) (e audit.Event) {
	e.Seq, e.At, e.Kind = r.int(), r.time(), audit.Kind(r.text())
	e.Caller = audit.Caller{RequestID: r.text(), IP: r.text(), UserAgent: r.text()}
	e.Client, e.User, e.Session, e.Grant, e.Family = r.text(), r.text(), r.text(), r.text(), r.text()
	r.json(&e.Facts)
	return e
}

func (r *reader) Events(after int64, limit int) ([]audit.Event, error) {
	return many(r, scanEvent, "SELECT seq, "+eventColumns+" FROM event WHERE seq > ? ORDER BY seq LIMIT ?", after, int64(max(limit, 0)))
}

func (t *tx) Record(e audit.Event) error {
	return t.save("INSERT INTO event ("+eventColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", ms(e.At), string(e.Kind),
		e.Caller.RequestID, e.Caller.IP, e.Caller.UserAgent, e.Client, e.User, e.Session, e.Grant, e.Family, dictionary(e.Facts))
}
