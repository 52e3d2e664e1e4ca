package sqlite

import (
	"errors"
	"strings"
	"testing"
	"time"

	"latchkey/domain/audit"
	"latchkey/ports"
)

// A query for what happened to one user reads that user's events alone, in order, however long the trail: its condition is
// that of the index, word for word. One for what the index leaves out still finds it.
func TestActivityUsesItsIndex(t *testing.T) {
	s := create(t)
	err := s.Update(t.Context(), func(tx ports.Tx) error {
		err := errors.Join(tx.Record(audit.Event{Kind: audit.LoginSucceeded, User: "u"}), tx.Record(audit.Event{Kind: audit.TokenRefreshed, User: "u"}))
		for _, q := range []audit.Query{
			{User: "u", Kinds: []audit.Kind{audit.LoginSucceeded, audit.SessionEnded}, Newest: true, Limit: 1},
			{User: "u", Kinds: []audit.Kind{audit.LoginSucceeded}, Since: time.UnixMilli(1), Before: 9, Newest: true, Limit: 1},
			{User: "u", Family: "f", Kinds: []audit.Kind{audit.TokenReplayed}, Limit: 1},
		} {
			_, fault := tx.Events(q)
			err = errors.Join(err, fault)
		}
		events, fault := tx.Events(audit.Query{User: "u", Kinds: []audit.Kind{audit.TokenRefreshed}, Limit: 9})
		if len(events) != 1 {
			t.Errorf("%d events that are not in the index", len(events))
		}
		return errors.Join(err, fault)
	})
	if err != nil {
		t.Fatal(err)
	}
	c := <-s.pool
	defer func() { s.pool <- c }()
	seen := 0
	for q := range s.group.conn.statements {
		if !strings.Contains(q, personal) {
			continue
		}
		seen++
		err := c.rows("EXPLAIN QUERY PLAN "+q, nil, func(r *row) bool {
			if detail, _ := r.values[3].(string); !strings.HasPrefix(detail, "SEARCH event USING INDEX event_user (user=? AND rowid>?") {
				t.Errorf("%s: %s", q, detail)
			}
			return true
		})
		if err != nil {
			t.Errorf("%s: %v", q, err)
		}
	}
	if seen != 3 {
		t.Errorf("%d statements", seen)
	}
}
