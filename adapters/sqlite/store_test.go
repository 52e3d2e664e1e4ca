package sqlite_test

import (
	"path/filepath"
	"testing"

	"latchkey/adapters/sqlite"
	"latchkey/ports"
	"latchkey/ports/storetest"
)

func create(t testing.TB) (*sqlite.Store, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "latchkey.db")
	s, err := sqlite.Create(path, storetest.Tag, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, path
}

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) ports.Store { s, _ := create(t); return s })
}
