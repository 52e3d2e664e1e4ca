package password

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"

	"latchkey/ports"
)

func TestLimiterServesInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(1, 8)
		if err := l.enter(t.Context()); err != nil {
			t.Fatal(err)
		}
		var served []int
		for i := range 8 {
			go func() {
				if err := l.enter(t.Context()); err != nil {
					t.Error(err)
					return
				}
				served = append(served, i)
				l.leave()
			}()
			synctest.Wait()
		}
		if err := l.enter(t.Context()); !errors.Is(err, ports.ErrBusy) {
			t.Errorf("full queue: error %v, want ErrBusy", err)
		}
		l.leave()
		synctest.Wait()
		for i, n := range served {
			if i != n {
				t.Fatalf("served in the order %v", served)
			}
		}
		if len(served) != 8 || l.waiting.Load() != 0 || len(l.slots) != 0 {
			t.Errorf("served %d, waiting %d, slots held %d, want 8, 0, 0", len(served), l.waiting.Load(), len(l.slots))
		}
	})
}

func TestLimiterBoundsHowManyCompute(t *testing.T) {
	const slots = 3
	l := newLimiter(slots, 100)
	var mu sync.Mutex
	var now, most int
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if err := l.enter(t.Context()); err != nil {
				t.Error(err)
				return
			}
			defer l.leave()
			mu.Lock()
			now++
			most = max(most, now)
			mu.Unlock()
			mu.Lock()
			now--
			mu.Unlock()
		})
	}
	wg.Wait()
	if most > slots {
		t.Errorf("%d computed at once, want at most %d", most, slots)
	}
}

// RL-16: those who leave while they wait are not computed for and keep no slot.
func TestAbandonedJobsAreNotComputed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, computed := newHasher(3)
		h.limiter = newLimiter(1, 100)
		if err := h.limiter.enter(t.Context()); err != nil { // someone computes
			t.Fatal(err)
		}
		ctx, leave := context.WithCancel(t.Context())
		for range 100 {
			go func() {
				if _, _, err := h.Verify(ctx, "", "password"); !errors.Is(err, context.Canceled) {
					t.Errorf("error %v, want context.Canceled", err)
				}
			}()
		}
		synctest.Wait()
		if _, _, err := h.Verify(t.Context(), "", "password"); !errors.Is(err, ports.ErrBusy) {
			t.Errorf("full queue: error %v, want ErrBusy", err)
		}
		leave()
		synctest.Wait()
		h.limiter.leave()
		if n := computed.Load(); n != 0 {
			t.Errorf("%d passwords were hashed for nobody", n)
		}
		if match, _, err := h.Verify(t.Context(), hash(t, h, "password"), "password"); !match || err != nil {
			t.Errorf("afterwards: match %v, error %v", match, err)
		}
		if held := len(h.limiter.slots); held != 0 {
			t.Errorf("%d slots leaked", held)
		}
	})
}

// A caller who has left and whose turn has come in the same instant is not computed for either.
func TestTurnAndLeavingTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(1, 100)
		for range 200 {
			if err := l.enter(t.Context()); err != nil {
				t.Fatal(err)
			}
			ctx, leave := context.WithCancel(t.Context())
			entered := make(chan error, 1)
			go func() { entered <- l.enter(ctx) }()
			synctest.Wait()
			l.leave()
			leave()
			if err := <-entered; err == nil {
				l.leave()
			}
			if len(l.slots) != 0 || l.waiting.Load() != 0 {
				t.Fatalf("slots held %d, waiting %d", len(l.slots), l.waiting.Load())
			}
		}
	})
}

func TestLeavingWhileComputing(t *testing.T) {
	h, computed := newHasher(maxIterations)
	ctx, leave := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, err := h.Hash(ctx, "password")
		done <- err
	}()
	leave()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
	if computed.Load() != 0 || len(h.limiter.slots) != 0 {
		t.Errorf("hashed %d, slots held %d, want neither", computed.Load(), len(h.limiter.slots))
	}
}
