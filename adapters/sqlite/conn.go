package sqlite

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/mattn/go-sqlite3"

	"latchkey/ports"
)

// conn is one connection with its prepared statements. It uses the driver without database/sql, whose locks and
// conversions cost as much as SQLite itself on a lookup by key. One goroutine uses it at a time.
//
// Statements never see a caller's context: the driver would start a goroutine for each, and an interrupted write makes
// SQLite end the whole transaction, neighbours included.
type conn struct {
	*sqlite3.SQLiteConn
	statements map[string]*sqlite3.SQLiteStmt
	args       []driver.NamedValue
	row        row
}

// connect opens a connection. mode is "rw" or "ro", neither of which creates a file, and may carry more URI parameters.
//
// SQLite need not lock a connection at every call (SQLITE_OPEN_NOMUTEX): one goroutine uses it at a time, and what
// connections share has locks of its own.
func connect(path, mode string) (*conn, error) {
	c, err := (&sqlite3.SQLiteDriver{}).Open(location(path) + "?_mutex=no&mode=" + mode)
	if err != nil {
		return nil, err
	}
	return &conn{SQLiteConn: c.(*sqlite3.SQLiteConn), statements: map[string]*sqlite3.SQLiteStmt{}}, nil
}

func (c *conn) close() error {
	for s := range maps.Values(c.statements) {
		s.Close()
	}
	return c.Close()
}

func (c *conn) prepare(query string, args []driver.Value) (*sqlite3.SQLiteStmt, error) {
	s := c.statements[query]
	if s == nil {
		prepared, err := c.Prepare(query)
		if err != nil {
			return nil, fault(err)
		}
		s = prepared.(*sqlite3.SQLiteStmt)
		c.statements[query] = s
	}
	c.args = c.args[:0]
	for i, v := range args {
		c.args = append(c.args, driver.NamedValue{Ordinal: i + 1, Value: v})
	}
	return s, nil
}

// exec runs one statement and returns how many rows it changed.
func (c *conn) exec(query string, args ...driver.Value) (int64, error) {
	s, err := c.prepare(query, args)
	if err != nil {
		return 0, err
	}
	result, err := s.ExecContext(context.Background(), c.args)
	if err != nil {
		return 0, fault(err)
	}
	return result.RowsAffected()
}

// rows calls each with every row until it returns false. The row is valid during the call, and each asks nothing else of
// the connection.
func (c *conn) rows(query string, args []driver.Value, each func(*row) bool) error {
	s, err := c.prepare(query, args)
	if err != nil {
		return err
	}
	rows, err := s.QueryContext(context.Background(), c.args)
	if err != nil {
		return fault(err)
	}
	defer rows.Close()
	r := &c.row
	r.values = slices.Grow(r.values[:0], len(rows.Columns()))[:len(rows.Columns())]
	for more := true; more; {
		r.next, r.err = 0, nil
		if err := rows.Next(r.values); err == io.EOF {
			return nil
		} else if err != nil {
			return fault(err)
		}
		more = each(r)
		if r.err != nil {
			return r.err
		}
	}
	return nil
}

// fault names the faults that pass: nothing was kept, and the same unit may succeed later.
func fault(err error) error {
	var e sqlite3.Error
	if errors.As(err, &e) {
		switch e.Code {
		case sqlite3.ErrFull, sqlite3.ErrBusy, sqlite3.ErrReadonly, sqlite3.ErrIoErr, sqlite3.ErrCantOpen, sqlite3.ErrProtocol:
			return fmt.Errorf("%w: %w", ports.ErrUnavailable, err)
		}
	}
	return err
}

// row hands out the columns of one row from left to right.
type row struct {
	values []driver.Value
	next   int
	err    error // the first column that is not what the schema says
}

func column[T any](r *row) (v T) {
	if r.next < len(r.values) {
		var ok bool
		if v, ok = r.values[r.next].(T); ok {
			r.next++
			return v
		}
	}
	r.fail(fmt.Errorf("column %d is not a %T", r.next, v))
	r.next++
	return v
}

func (r *row) text() string { return column[string](r) }
func (r *row) int() int64   { return column[int64](r) }
func (r *row) bool() bool   { return column[int64](r) != 0 }

func (r *row) bytes() []byte {
	if b := column[[]byte](r); len(b) > 0 {
		return b
	}
	return nil
}

func (r *row) time() time.Time {
	if n := r.int(); n != 0 {
		return time.UnixMilli(n).UTC()
	}
	return time.Time{}
}

func (r *row) duration() time.Duration { return time.Duration(r.int()) * time.Millisecond }

// blob reads a BLOB of known length.
func (r *row) blob(to []byte) {
	if b := r.bytes(); len(b) == len(to) {
		copy(to, b)
	} else {
		r.fail(fmt.Errorf("column %d has %d bytes, want %d", r.next-1, len(b), len(to)))
	}
}

func (r *row) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// list reads what list wrote.
func (r *row) list() []string {
	s := r.text()
	if len(s) < 4 {
		return nil
	}
	// What json.Marshal wrote without an escape needs no parser.
	if !strings.Contains(s, `\`) {
		if items := strings.Split(s[2:len(s)-2], `","`); !slices.ContainsFunc(items, func(i string) bool { return strings.Contains(i, `"`) }) {
			return items
		}
	}
	var items []string
	r.fail(json.Unmarshal([]byte(s), &items))
	return items
}

func (r *row) json(v any) {
	if s := r.text(); s != "" {
		r.fail(json.Unmarshal([]byte(s), v))
	}
}

// How values are saved: times as milliseconds, 0 for none, lists and maps as JSON, "" when empty.

func ms(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func list(items []string) string {
	if len(items) == 0 {
		return ""
	}
	return jsonText(items)
}

func jsonText(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // none of our types can fail
	}
	return string(b)
}

func dictionary(m map[string]string) string {
	if len(m) == 0 {
		return ""
	}
	return jsonText(m)
}

// blob returns b so that none is empty, not NULL.
func blob(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// upsert returns the statement that inserts a row or changes every column but the key and those kept. A column that is
// set costs its indexes a deletion and an insertion, even to the same value.
func upsert(table, key, columns string, keep ...string) string {
	var set []string
	names := strings.Split(columns, ",")
	for i, c := range names {
		names[i] = strings.TrimSpace(c)
		if names[i] != key && !slices.Contains(keep, names[i]) {
			set = append(set, names[i]+" = excluded."+names[i])
		}
	}
	return "INSERT INTO " + table + " (" + strings.Join(names, ", ") + ") VALUES (?" + strings.Repeat(", ?", len(names)-1) +
		") ON CONFLICT (" + key + ") DO UPDATE SET " + strings.Join(set, ", ")
}
