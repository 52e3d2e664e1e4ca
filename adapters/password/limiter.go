package password

import (
	"context"
	"sync/atomic"

	"latchkey/ports"
)

// maxWaiting bounds the queue: about three seconds of work for two processors. A person would not wait longer.
const maxWaiting = 64

// limiter lets a bounded number compute at once. Others wait their turn, first come first served, up to a bound.
type limiter struct {
	slots   chan struct{} // holds one value for each who computes; those who wait to send are served in order
	waiting *atomic.Int64
	max     int64
}

func newLimiter(slots int, waiting int64) limiter {
	return limiter{slots: make(chan struct{}, max(1, slots)), waiting: new(atomic.Int64), max: waiting}
}

// enter waits for a slot. After nil, leave must be called; otherwise the slot is not held: the queue was full
// (ports.ErrBusy) or the caller has left (the context's error).
func (l limiter) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case l.slots <- struct{}{}:
		return nil
	default:
	}
	if l.waiting.Add(1) > l.max {
		l.waiting.Add(-1)
		return ports.ErrBusy
	}
	defer l.waiting.Add(-1)
	select {
	case l.slots <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := ctx.Err(); err != nil { // both had come, and select chooses by chance
		l.leave()
		return err
	}
	return nil
}

func (l limiter) leave() { <-l.slots }

// Figures tells how full the queue is now.
func (h *Hasher) Figures() ports.HashingFigures {
	l := h.limiter
	return ports.HashingFigures{Slots: cap(l.slots), Running: len(l.slots), Waiting: int(l.waiting.Load())}
}
