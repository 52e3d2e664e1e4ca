package app

import (
	"context"
	"log/slog"
	"time"

	"latchkey/ports"
)

// A step of the sweep is one unit of work, for which everybody else waits. How long it takes depends on the disk and on how far
// apart the rows lie, so a step takes as many as the one before shows to be few enough.
const (
	sweepHold  = 20 * time.Millisecond // how long a step should have the writer, its commit included but not the wait for it
	sweepPause = 150                   // times as long as a step took: fewer than one request of a hundred waits for a step, and a day has room for millions of rows
	sweepHaste = 4                     // the same once a sweep has lasted sweepLong: so much has expired that the file would grow instead
	sweepLong  = 10 * time.Minute
	sweepLeast = 10 // rows of each kind, however slow
	sweepMost  = 50 // which is fewer pages than SQLite folds back at once, see adapters/sqlite
)

// sweep deletes what expired, in small steps with room for others between them.
func sweep(ctx context.Context, store ports.Store, now time.Time, log *slog.Logger) error {
	total, longest, step, started := 0, time.Duration(0), sweepLeast, time.Now()
	defer func() {
		if total > 0 {
			log.Info("expired rows deleted", "rows", total, "longest_step", longest.Round(time.Millisecond))
		}
	}()
	for {
		deleted, begun := 0, time.Time{}
		err := store.Update(ctx, func(tx ports.Tx) (err error) {
			begun = time.Now()
			deleted, err = tx.Sweep(now, step)
			return err
		})
		if err != nil {
			return err
		}
		took := time.Since(begun)
		total, longest = total+deleted, max(longest, took)
		if deleted == 0 {
			return nil
		}
		switch {
		case took > sweepHold:
			step = max(step/2, sweepLeast)
		case took < sweepHold/2:
			step = min(step*2, sweepMost)
		}
		pause := sweepPause * took
		if time.Since(started) > sweepLong {
			pause = sweepHaste * took
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}
