package sqlite

import (
	"database/sql/driver"
	"errors"
	"strings"

	"latchkey/domain/audit"
	"latchkey/ports"
)

const eventColumns = `seq, at, kind, request_id, ip, user_agent, client, user, session, grant_id, family, facts, mac`

func scanEvent(r *row) (e audit.Event) {
	e.Seq, e.At, e.Kind = r.int(), r.time(), audit.Kind(r.text())
	e.Caller = audit.Caller{RequestID: r.text(), IP: r.text(), UserAgent: r.text()}
	e.Client, e.User, e.Session, e.Grant, e.Family = r.text(), r.text(), r.text(), r.text(), r.text()
	r.json(&e.Facts)
	copy(e.MAC[:], r.bytes()) // of any other length it is none, which the chain shows
	return e
}

// Events asks for what the query names and for nothing else, so that the indexes of refusals are used.
func (r *reader) Events(q audit.Query) ([]audit.Event, error) {
	where, args := []string{"seq > ?"}, []driver.Value{q.After}
	and := func(is bool, condition string, values ...driver.Value) {
		if is {
			where, args = append(where, condition), append(args, values...)
		}
	}
	if len(q.Kinds) > 0 {
		kinds := make([]driver.Value, len(q.Kinds))
		for i, k := range q.Kinds {
			kinds[i] = string(k)
		}
		and(true, "kind IN (?"+strings.Repeat(", ?", len(kinds)-1)+")", kinds...)
	}
	and(q.Client != "", "client = ?", q.Client)
	and(q.User != "", "user = ?", q.User)
	and(q.Session != "", "session = ?", q.Session)
	and(q.Family != "", "family = ?", q.Family)
	and(q.RequestID != "", "request_id = ?", q.RequestID)
	and(q.IP != "", "ip = ?", q.IP)
	and(q.Refused, "error <> ''")
	and(!q.Since.IsZero(), "at >= ?", ms(q.Since))
	and(!q.Until.IsZero(), "at < ?", ms(q.Until))
	and(q.Before != 0, "seq < ?", q.Before)
	order := "seq"
	if q.Newest {
		order = "seq DESC"
	}
	args = append(args, int64(max(q.Limit, 0)))
	return many(r, scanEvent, "SELECT "+eventColumns+" FROM event WHERE "+strings.Join(where, " AND ")+" ORDER BY "+order+" LIMIT ?", args...)
}

func (r *reader) TrailHead() (audit.Anchor, error) {
	c, err := r.open()
	if err != nil {
		return audit.Anchor{}, err
	}
	head, err := trailHead(c)
	if err != nil {
		r.failed = err
	}
	return head, err
}

func trailHead(c *conn) (audit.Anchor, error) {
	head, err := first(c, func(r *row) (a audit.Anchor) {
		a.Seq = r.int()
		copy(a.MAC[:], r.bytes())
		return a
	}, "SELECT seq, mac FROM event ORDER BY seq DESC LIMIT 1")
	if errors.Is(err, ports.ErrNotFound) {
		return audit.Anchor{}, nil
	}
	return head, err
}

// TrailHead of a unit of work counts what the unit and those before it in the transaction have recorded.
func (t *tx) TrailHead() (audit.Anchor, error) {
	if t.head == nil {
		if t.batch.head == nil {
			head, err := t.reader.TrailHead() // another process may have recorded since the last transaction
			if err != nil {
				return head, err
			}
			t.batch.head = &head
		}
		t.head = t.batch.head
	}
	return *t.head, nil
}

func (t *tx) Record(e audit.Event) error {
	head, err := t.TrailHead()
	if err != nil {
		return err
	}
	e.Seq = head.Seq + 1
	if !e.At.IsZero() {
		e.At = e.At.UTC()
	}
	t.batch.body = e.Body(t.batch.body[:0], head)
	e.MAC = t.store.chain(t.batch.body)
	t.head = &audit.Anchor{Seq: e.Seq, MAC: e.MAC}
	return t.save("INSERT INTO event ("+eventColumns+", error) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", e.Seq, ms(e.At), string(e.Kind),
		e.Caller.RequestID, e.Caller.IP, e.Caller.UserAgent, e.Client, e.User, e.Session, e.Grant, e.Family, dictionary(e.Facts), e.MAC[:], e.Facts["error"])
}

// chainEvents gives every event its place in the chain. It runs once, in the migration that brought the chain.
func (c *conn) chainEvents(chain audit.Tagger) error {
	const page = 1000
	var head audit.Anchor
	var body []byte
	for {
		var events []audit.Event
		err := c.rows("SELECT "+eventColumns+" FROM event WHERE seq > ? ORDER BY seq LIMIT ?", []driver.Value{head.Seq, int64(page)},
			func(r *row) bool { events = append(events, scanEvent(r)); return true })
		if err != nil || len(events) == 0 {
			return err
		}
		for _, e := range events {
			body = e.Body(body[:0], head)
			head = audit.Anchor{Seq: e.Seq, MAC: chain(body)}
			if _, err := c.exec("UPDATE event SET mac = ? WHERE seq = ?", head.MAC[:], head.Seq); err != nil {
				return err
			}
		}
	}
}
