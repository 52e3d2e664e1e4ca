package app

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"latchkey/ports"
)

// Evidence opens the database for whoever has to find out what was done to it. One that is not as it was left stays as it is:
// changed then says so, and what is opened is a copy, which goes when it is closed.
func Evidence(ctx context.Context, cfg Config) (a *App, changed, err error) {
	if a, err = New(ctx, cfg); !errors.Is(err, ports.ErrChanged) {
		return a, nil, err
	}
	changed = err
	k, err := newKeeper(cfg)
	if err != nil {
		return nil, nil, err
	}
	dir, err := os.MkdirTemp("", "latchkey-evidence-") // mode 0700: the copy holds what the database holds
	if err != nil {
		return nil, nil, errors.Join(changed, err)
	}
	cfg = k.cfg // with the defaults, so that the key is that of the database
	cfg.Database = filepath.Join(dir, "copy.db")
	err = k.archive.Take(ctx, k.cfg.Database, cfg.Database, func(string, int, int) {})
	if err == nil {
		a, err = New(ctx, cfg)
	}
	if err != nil {
		return nil, nil, errors.Join(changed, err, os.RemoveAll(dir))
	}
	closeCopy := a.close
	a.close = func() error { return errors.Join(closeCopy(), os.RemoveAll(dir)) }
	return a, changed, nil
}
