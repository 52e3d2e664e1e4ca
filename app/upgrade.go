package app

import (
	"context"
	"errors"
	"fmt"

	"latchkey/domain/audit"
	"latchkey/ports"
)

// NewServer opens an existing provider for a server. It takes the file first: only who holds it may bring it to the schema
// of this release, which happens here when it is due.
func NewServer(ctx context.Context, cfg Config, progress ports.Progress) (*App, error) {
	cfg = cfg.WithDefaults()
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	release, err := lock(cfg.Database)
	if err != nil {
		return nil, err
	}
	a, err := New(ctx, cfg)
	if errors.Is(err, ports.ErrUpgradePending) {
		if err = upgrade(ctx, cfg, progress); err == nil {
			a, err = New(ctx, cfg)
		}
	}
	if err != nil {
		release()
		return nil, err
	}
	a.release = release
	return a, nil
}

func upgrade(ctx context.Context, cfg Config, progress ports.Progress) error {
	k, err := newKeeper(cfg)
	if err != nil {
		return err
	}
	up, err := k.upgrade(ctx, progress)
	if err == nil {
		cfg.Log.Info("database upgraded", "from", up.From, "to", up.To, "snapshot", up.Snapshot)
	}
	return err
}

// Upgrade brings the database to the schema of this release, after rehearsing it on a copy. The server must not run.
// Whoever has the newest schema gets nothing done.
func Upgrade(ctx context.Context, cfg Config, progress ports.Progress) (ports.Upgraded, error) {
	k, err := newKeeper(cfg)
	if err != nil {
		return ports.Upgraded{}, err
	}
	release, err := lock(k.cfg.Database)
	if err != nil {
		return ports.Upgraded{}, err
	}
	defer release()
	return k.upgrade(ctx, progress)
}

func (k *keeper) upgrade(ctx context.Context, progress ports.Progress) (ports.Upgraded, error) {
	prove := func(s ports.Store) error {
		_, err := k.prove(ctx, s, progress)
		return err
	}
	return k.archive.Upgrade(ctx, audit.Event{At: k.now(), Kind: audit.Upgraded}, prove, progress)
}

// LostByRollback tells what Rollback would undo, and the snapshot it would return to. Nothing is changed.
func LostByRollback(cfg Config) (lost ports.Lost, snapshot string, err error) {
	k, err := newKeeper(cfg)
	if err != nil {
		return ports.Lost{}, "", err
	}
	if snapshot, _, err = k.archive.Snapshot(); err != nil {
		return ports.Lost{}, "", err
	}
	lost, err = k.archive.Lost(snapshot)
	return lost, snapshot, err
}

// Rollback returns to the snapshot that the last upgrade kept, so that the release before it can be started again. What
// Restore says of codes, sessions and tokens holds here too. The server must not run.
func Rollback(ctx context.Context, cfg Config, progress ports.Progress) (Restored, error) {
	k, err := newKeeper(cfg)
	if err != nil {
		return Restored{}, err
	}
	release, err := k.lock(k.cfg.Database)
	if err != nil {
		return Restored{}, err
	}
	defer release()
	snapshot, _, err := k.archive.Snapshot()
	if err != nil {
		return Restored{}, err
	}
	done, err := k.returnTo(ctx, snapshot, audit.RolledBack, "before-rollback", nil, progress)
	if err != nil {
		return Restored{}, fmt.Errorf("cannot go back: %w", err)
	}
	return done, nil
}
