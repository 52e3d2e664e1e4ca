package sqlite_test

import (
	"strings"
	"testing"

	"latchkey/domain/audit"
	"latchkey/ports"
	"latchkey/ports/storetest"
)

// trail follows the chain of a whole trail.
func trail(t *testing.T, s ports.Store) error {
	t.Helper()
	var events []audit.Event
	if err := s.View(t.Context(), func(r ports.Reader) (err error) {
		events, err = r.Events(audit.Query{Limit: 100})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	_, err := audit.Verify(audit.Anchor{}, events, storetest.Tag)
	return err
}

// AD-10: what was recorded is what is read again, whatever bytes a stranger put into it. The facts of the caller stay as they are.
func TestChainOfAnyBytes(t *testing.T) {
	s, _ := create(t)
	facts := map[string]string{"received": "a\xffb\xfe\xfd", "expected": "\u2028<&>", "cut": strings.Repeat("é", 3)[:5]}
	err := s.Update(t.Context(), func(tx ports.Tx) error {
		for range 2 {
			if err := tx.Record(audit.Event{Kind: "x", Client: "c\xff", Caller: audit.Caller{UserAgent: "\xff", IP: "\xff"}, Facts: facts}); err != nil {
				return err
			}
		}
		return tx.Record(audit.Event{Kind: "y"})
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := trail(t, s); err != nil {
		t.Error(err)
	}
	if facts["received"] != "a\xffb\xfe\xfd" {
		t.Errorf("the facts of the caller became %q", facts)
	}
}

// AD-10: facts that Go reads as they were recorded and SQLite otherwise would take a refusal out of every search unseen.
func TestChainOfFactsSpeltOtherwise(t *testing.T) {
	for name, change := range map[string]string{
		"untouched":    `facts`,
		"a name twice": `'{"error":"",' || substr(facts, 2)`,
		"escaped":      `replace(facts, 'error', '\u0065rror')`,
		"white space":  `facts || ' '`,
	} {
		t.Run(name, func(t *testing.T) {
			s, path := create(t)
			if err := s.Update(t.Context(), func(tx ports.Tx) error {
				return tx.Record(audit.Event{Kind: "x", Facts: map[string]string{"error": "invalid_grant", "reason": "replayed"}})
			}); err != nil {
				t.Fatal(err)
			}
			raw(t, path, "UPDATE event SET facts = "+change)
			if err := trail(t, s); (err == nil) != (name == "untouched") {
				t.Errorf("got %v", err)
			}
		})
	}
}
