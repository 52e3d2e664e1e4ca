package sqlite_test

import (
	"sync"
	"testing"

	"latchkey/domain/audit"
	"latchkey/ports"
)

// Every unit is in one group, and every group is one commit.
func TestFigures(t *testing.T) {
	s, _ := create(t)
	record := func() error {
		return s.Update(t.Context(), func(tx ports.Tx) error { return tx.Record(audit.Event{At: start, Kind: audit.LoginFailed}) })
	}
	before := s.Figures()
	var wg sync.WaitGroup
	for range 40 {
		wg.Go(func() {
			if err := record(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for range 5 { // what only reads is no commit
		if err := s.Update(t.Context(), func(tx ports.Tx) error { _, err := tx.HasAdmin(); return err }); err != nil {
			t.Fatal(err)
		}
	}
	after := s.Figures()
	units, commits, groups := after.Units-before.Units, after.Commits-before.Commits, uint64(0)
	for i := range after.Groups {
		groups += after.Groups[i] - before.Groups[i]
	}
	if units != 40 || commits < 1 || commits > 40 || groups != commits {
		t.Errorf("%d units in %d commits and %d groups", units, commits, groups)
	}
	if after.FileBytes == 0 || after.LogBytes == 0 {
		t.Errorf("%d bytes, and %d in the log", after.FileBytes, after.LogBytes)
	}
}

// A probe is written to disk like anything else, and says so when that is not possible.
func TestProbe(t *testing.T) {
	s, _ := create(t)
	before, changes := s.Figures(), s.Changes()
	if err := s.Probe(t.Context()); err != nil {
		t.Fatal(err)
	}
	if after := s.Figures(); after.Commits != before.Commits+1 || after.LogBytes <= before.LogBytes {
		t.Errorf("%+v became %+v", before, after)
	}
	if s.Changes() != changes {
		t.Error("a probe is a change")
	}
	s.Close()
	if s.Probe(t.Context()) == nil {
		t.Error("a closed store saves")
	}
}
