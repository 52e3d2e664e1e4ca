package sqlite

import (
	"database/sql/driver"
	"encoding/json"
	"errors"
	"maps"
	"math"
	"slices"
	"strings"

	"latchkey/domain/audit"
	"latchkey/ports"
)

const eventColumns = `seq, at, kind, request_id, ip, user_agent, client, user, session, grant_id, family, facts, mac`

func scanEvent(r *row) (e audit.Event) {
	e.Seq, e.At, e.Kind = r.int(), r.time(), audit.Kind(r.text())
	e.Caller = audit.Caller{RequestID: r.text(), IP: r.text(), UserAgent: r.text()}
	e.Client, e.User, e.Session, e.Grant, e.Family = r.text(), r.text(), r.text(), r.text(), r.text()
	facts := r.text()
	if facts != "" {
		r.fail(json.Unmarshal([]byte(facts), &e.Facts))
	}
	// A MAC of any other length is none, which the chain shows. So is that of facts we did not write like this: with a name
	// in them twice they would say one thing here and another to SQLite, whose column of refusals is taken from them.
	if mac := r.bytes(); len(mac) == len(e.MAC) && facts == dictionary(e.Facts) {
		copy(e.MAC[:], mac)
	}
	return e
}

// personal is the condition of the index on user, word for word.
const personal = "user <> '' AND kind <> 'auth.interaction.start' AND kind <> 'code.issued' AND kind <> 'code.redeemed' AND kind <> 'token.issued' AND kind <> 'token.refresh'"

// routine reports whether a query for the kinds selects events that the index on user leaves out.
func routine(kinds []audit.Kind) bool {
	return len(kinds) == 0 || slices.ContainsFunc(kinds, func(k audit.Kind) bool { return strings.Contains(personal, "'"+string(k)+"'") })
}

// Events asks for what the query names and for nothing else, so that the indexes are used.
func (r *reader) Events(q audit.Query) ([]audit.Event, error) {
	where, args := []string{"seq > ?"}, []driver.Value{q.After}
	if q.After == math.MinInt64 {
		where[0] = "seq >= ?"
	}
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
	and(q.User != "" && !routine(q.Kinds), personal) // true of all it selects: it lets SQLite use the index of the same words
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
	e.Facts = texts(e.Facts)
	t.batch.body = e.Body(t.batch.body[:0], head)
	e.MAC = t.store.chain(t.batch.body)
	t.head = &audit.Anchor{Seq: e.Seq, MAC: e.MAC}
	return t.save("INSERT INTO event ("+eventColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", e.Seq, ms(e.At), string(e.Kind),
		e.Caller.RequestID, e.Caller.IP, e.Caller.UserAgent, e.Client, e.User, e.Session, e.Grant, e.Family, dictionary(e.Facts), e.MAC[:])
}

// texts returns the facts as they will be read again: JSON has no bytes that are not UTF-8, which a header may bring, and the
// MAC has to cover what is read.
func texts(facts map[string]string) map[string]string {
	facts = maps.Clone(facts) // the caller's may be shared
	for name, value := range facts {
		facts[name] = strings.ToValidUTF8(value, "\ufffd")
	}
	return facts
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
			if _, err := c.exec("UPDATE event SET facts = ?, mac = ? WHERE seq = ?", dictionary(e.Facts), head.MAC[:], head.Seq); err != nil {
				return err
			}
		}
	}
}
