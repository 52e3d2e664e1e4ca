package password

import (
	"context"
	"slices"
	"sync"

	"latchkey/ports"
)

// limiter lets a bounded number compute at once. Others wait, up to a bound: those first beside whom the fewest come, and of
// these whoever came first. So a flood is in the way of itself, and not of somebody who comes from elsewhere.
type limiter struct {
	size, most int // how many may compute and wait

	mu    sync.Mutex
	free  int // 0 while anybody waits
	queue []*waiter
}

// waiter is one who waits. turn is closed when the waiting ends; then refused says how.
type waiter struct {
	beside  int
	turn    chan struct{}
	refused bool
}

func newLimiter(size, most int) *limiter { return &limiter{size: size, most: most, free: size} }

// enter waits for a slot. After nil, leave must be called; otherwise the slot is not held: the queue was full, if only of
// those with fewer beside them (ports.ErrBusy), or the caller has left (the context's error).
func (l *limiter) enter(ctx context.Context, beside int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	w := l.wait(beside)
	if w == nil {
		return ports.ErrBusy
	}
	select {
	case <-w.turn:
	case <-ctx.Done():
		if l.forget(w) {
			return ctx.Err()
		}
	}
	if w.refused {
		return ports.ErrBusy
	}
	if err := ctx.Err(); err != nil { // both had come
		l.leave()
		return err
	}
	return nil
}

// wait takes a slot, or a place in the queue. It returns nil when there is neither.
func (l *limiter) wait(beside int) *waiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	w := &waiter{beside: beside, turn: make(chan struct{})}
	if l.free > 0 {
		l.free--
		close(w.turn)
		return w
	}
	if len(l.queue) == l.most {
		last := l.queue[l.most-1]
		if last.beside <= beside {
			return nil
		}
		last.refused = true
		close(last.turn)
		l.queue = l.queue[:l.most-1]
	}
	behind := slices.IndexFunc(l.queue, func(other *waiter) bool { return other.beside > beside })
	if behind < 0 {
		behind = len(l.queue)
	}
	l.queue = slices.Insert(l.queue, behind, w)
	return w
}

// forget takes one who has left out of the queue. It reports false when the waiting had just ended.
func (l *limiter) forget(w *waiter) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.Index(l.queue, w)
	if i < 0 {
		return false
	}
	l.queue = slices.Delete(l.queue, i, i+1)
	return true
}

// leave gives the slot to the first who waits.
func (l *limiter) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.queue) == 0 {
		l.free++
		return
	}
	close(l.queue[0].turn)
	l.queue = slices.Delete(l.queue, 0, 1)
}

// figures returns how many compute and wait now.
func (l *limiter) figures() (running, waiting int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.size - l.free, len(l.queue)
}

// Figures tells how full the queues are now.
func (h *Hasher) Figures() ports.HashingFigures {
	running, waiting := h.limiter.figures()
	doubted, behind := h.doubted.figures()
	return ports.HashingFigures{Slots: h.limiter.size + h.doubted.size, Running: running + doubted, Waiting: waiting + behind}
}
