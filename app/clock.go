package app

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"latchkey/domain/audit"
	"latchkey/ports"
)

// setbackLogged is how far behind itself the machine's clock is worth a line in the log. Its two readings, of the time and of
// what has elapsed, are never of one instant, so it is behind by a little every other time.
const setbackLogged = time.Second

// setbackTolerated is how far behind itself the machine's clock is taken to be corrected rather than to have been wrong.
const setbackTolerated = 10 * time.Minute

// clock is the time of the provider, made from the clock of the machine so that nothing which has ended begins again.
//
// Within the process time never runs backwards. After a small setback it goes on by the monotonic clock until the machine
// has caught up. A larger one means that the machine was wrong before and is right now: it is believed, but first
// everything that had ended by the latest time told is made final in the database (Tx.Expire), because its expiry lies in
// the future again, and what was made in the time that will come once more is void. Between the two, and where another
// process has made something since, the domain refuses what is from the future: identity.FromFuture.
type clock struct {
	wall    ports.Clock
	elapsed func() time.Duration // monotonic, since any instant
	log     *slog.Logger

	mu      sync.Mutex
	latest  time.Time     // told last; zero: never
	at      time.Duration // what elapsed said then
	behind  bool          // the machine is behind, and that was logged
	settled sync.Mutex    // one settle at a time
	frozen  bool          // while what had ended at latest is made final, no later time is told
}

func newClock(wall ports.Clock, elapsed func() time.Duration, log *slog.Logger) *clock {
	begun := time.Now()
	switch {
	case wall == nil:
		wall, elapsed = time.Now, func() time.Duration { return time.Since(begun) }
	case elapsed == nil: // the clock of a test moves when it is moved
		elapsed = func() time.Duration { return 0 }
	}
	return &clock{wall: wall, elapsed: elapsed, log: log}
}

// Now tells the time.
func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.advance(c.wall())
	return c.latest.UTC().Truncate(time.Millisecond)
}

// advance moves latest on to what the machine says, or by what has elapsed, and returns how far the machine is behind.
func (c *clock) advance(wall time.Time) (setback time.Duration) {
	wall = wall.Round(0) // without the monotonic reading, which would hide every jump from Sub
	if c.frozen {
		return 0
	}
	elapsed := c.elapsed()
	on := c.latest.Add(elapsed - c.at)
	setback = on.Sub(wall)
	if c.latest.IsZero() || setback <= 0 {
		on, setback = wall, 0
	}
	if behind := setback >= setbackLogged; behind != c.behind {
		c.behind = behind
		if behind {
			c.log.Warn("the clock of this machine was set back", "by", setback.Round(time.Millisecond).String(), "machine", wall.UTC(), "provider", on.UTC())
		}
	}
	c.latest, c.at = on, elapsed
	return setback
}

// resume goes on from the latest time at which the provider was seen running, whatever the machine says after a restart.
func (c *clock) resume(ctx context.Context, store ports.Store) error {
	err := store.View(ctx, func(r ports.Reader) error {
		seen, err := r.Moment(ports.ClockSeen)
		if err != nil {
			return err
		}
		newest, err := r.Events(audit.Query{Newest: true, Limit: 1})
		for _, e := range newest {
			if e.At.After(seen) {
				seen = e.At
			}
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if seen.After(c.latest) {
			c.latest, c.at = seen, c.elapsed()
		}
		return err
	})
	if err != nil {
		return err
	}
	// Where that cannot be saved, as on a full disk, the job goes on trying, and time goes on from the latest until then.
	if err := c.settle(ctx, store); err != nil && !errors.Is(err, ports.ErrUnavailable) {
		return err
	}
	return nil
}

// SettleClock takes over the time of the machine if that was set back by more than a correction. Run does so every second.
func (a *App) SettleClock(ctx context.Context) error { return a.clock.settle(ctx, a.Store) }

// settle takes over the time of a machine that was set back for more than a correction. It never runs within a unit of
// work, as Now may.
func (c *clock) settle(ctx context.Context, store ports.Store) error {
	c.settled.Lock()
	defer c.settled.Unlock()
	c.mu.Lock()
	wall := c.wall().Round(0)
	if c.advance(wall) <= setbackTolerated {
		c.mu.Unlock()
		return nil
	}
	c.frozen = true
	latest := c.latest
	c.mu.Unlock()

	at := wall.UTC().Truncate(time.Millisecond)
	err := store.Update(ctx, func(tx ports.Tx) error {
		clients, err := tx.Clients()
		if err != nil {
			return err
		}
		// The database does not know access tokens. One that had expired would be valid again if it was issued since then.
		since := at
		for _, c := range clients {
			if s := at.Add(-c.Rules.AccessTokenLifetime); s.Before(since) {
				since = s
			}
		}
		return errors.Join(tx.Expire(latest, since), tx.SaveMoment(ports.ClockSeen, at), tx.SaveMoment(ports.ClockSetBack, at), tx.Record(audit.Event{At: at, Kind: audit.ClockSetBack,
			Facts: map[string]string{"from": latest.UTC().Format(time.RFC3339), "to": at.Format(time.RFC3339)}}))
	})

	c.mu.Lock()
	defer c.mu.Unlock()
	c.frozen = false
	if err == nil {
		c.latest, c.at, c.behind = wall, c.elapsed(), false
		c.log.Warn("the time of this machine is taken over, and what had expired stays expired", "from", latest.UTC(), "to", at)
	}
	return err
}

// save remembers the time for the next start.
func (c *clock) save(ctx context.Context, store ports.Store) error {
	now := c.Now()
	return store.Update(ctx, func(tx ports.Tx) error { return tx.SaveMoment(ports.ClockSeen, now) })
}
