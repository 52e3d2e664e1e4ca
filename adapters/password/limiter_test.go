package password

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/ports"
)

func TestLimiterServesInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(1, 8)
		if err := l.enter(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		var served []int
		for i := range 8 {
			go func() {
				if err := l.enter(t.Context(), 0); err != nil {
					t.Error(err)
					return
				}
				served = append(served, i)
				l.leave()
			}()
			synctest.Wait()
		}
		if err := l.enter(t.Context(), 0); !errors.Is(err, ports.ErrBusy) {
			t.Errorf("full queue: error %v, want ErrBusy", err)
		}
		l.leave()
		synctest.Wait()
		for i, n := range served {
			if i != n {
				t.Fatalf("served in the order %v", served)
			}
		}
		if running, waiting := l.figures(); len(served) != 8 || running != 0 || waiting != 0 {
			t.Errorf("served %d, waiting %d, slots held %d, want 8, 0, 0", len(served), waiting, running)
		}
	})
}

// RL-04: whoever has fewer beside them is served first, and takes the place of whoever has most when there is none.
func TestLimiterServesTheUnsuspectedFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(1, 4)
		if err := l.enter(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		var served, refused []int
		for _, beside := range []int{3, 1, 3, 9, 1, 9, 0, 4} {
			go func() {
				if err := l.enter(t.Context(), beside); errors.Is(err, ports.ErrBusy) {
					refused = append(refused, beside)
					return
				} else if err != nil {
					t.Error(err)
				}
				served = append(served, beside)
				l.leave()
			}()
			synctest.Wait()
		}
		l.leave()
		synctest.Wait()
		if diff := cmp.Diff([][]int{{0, 1, 1, 3}, {9, 9, 3, 4}}, [][]int{served, refused}); diff != "" {
			t.Errorf("served, refused (-want +got):\n%s", diff)
		}
		if running, waiting := l.figures(); running != 0 || waiting != 0 {
			t.Errorf("slots held %d, waiting %d", running, waiting)
		}
	})
}

// RL-04: however many guesses come from addresses that guessed before, one is computed at a time, and nobody else waits.
func TestGuessesDoNotHoldUpOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, computed := newHasher(50 * slice)
		stored := hash(t, h, "password")
		computed.Store(0)
		var busy atomic.Int64
		for n := range 100 {
			go func() {
				if _, _, err := h.Verify(t.Context(), "", "guess", ports.Beside{Wrong: doubtfulFrom, Pending: n % 3}); errors.Is(err, ports.ErrBusy) {
					busy.Add(1)
				} else if err != nil {
					t.Error(err)
				}
			}()
		}
		synctest.Wait()
		if f := h.Figures(); f.Running != 1 || f.Waiting != maxDoubtedWaiting {
			t.Errorf("%+v", f)
		}
		begun := time.Now()
		if match, _, err := h.Verify(t.Context(), stored, "password", ports.Beside{Wrong: doubtfulFrom - 1, Pending: 1000}); !match || err != nil || computed.Load() != 1 {
			t.Errorf("an honest sign-in beside the guesses: match %v, error %v, after %d others", match, err, computed.Load()-1)
		}
		if waited := time.Since(begun); waited != 0 {
			t.Errorf("it waited %v", waited)
		}
		time.Sleep(time.Minute)
		if n := busy.Load(); n != 100-1-maxDoubtedWaiting || computed.Load() != 1+1+maxDoubtedWaiting {
			t.Errorf("%d were refused, %d computed", n, computed.Load())
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
			if err := l.enter(t.Context(), 0); err != nil {
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
		if err := h.limiter.enter(t.Context(), 0); err != nil { // someone computes
			t.Fatal(err)
		}
		ctx, leave := context.WithCancel(t.Context())
		for range 100 {
			go func() {
				if _, _, err := h.Verify(ctx, "", "password", ports.Beside{}); !errors.Is(err, context.Canceled) || errors.Is(err, ports.ErrInterrupted) {
					t.Errorf("error %v, want context.Canceled alone", err)
				}
			}()
		}
		synctest.Wait()
		if _, _, err := h.Verify(t.Context(), "", "password", ports.Beside{}); !errors.Is(err, ports.ErrBusy) {
			t.Errorf("full queue: error %v, want ErrBusy", err)
		}
		leave()
		synctest.Wait()
		h.limiter.leave()
		if n := computed.Load(); n != 0 {
			t.Errorf("%d passwords were hashed for nobody", n)
		}
		if match, _, err := h.Verify(t.Context(), hash(t, h, "password"), "password", ports.Beside{}); !match || err != nil {
			t.Errorf("afterwards: match %v, error %v", match, err)
		}
		if held, _ := h.limiter.figures(); held != 0 {
			t.Errorf("%d slots leaked", held)
		}
	})
}

// RL-16: whoever leaves the queue takes nobody's slot along, and gives none away.
func TestLeavingTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(1, 100)
		if err := l.enter(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		served := false
		go func() {
			if err := l.enter(t.Context(), 0); err != nil {
				t.Error(err)
			}
			served = true
		}()
		synctest.Wait()
		ctx, leave := context.WithCancel(t.Context())
		go l.enter(ctx, 0)
		synctest.Wait()
		leave()
		synctest.Wait()
		if _, waiting := l.figures(); served || waiting != 1 {
			t.Errorf("served %v, and %d wait", served, waiting)
		}
		l.leave()
		synctest.Wait()
		if running, waiting := l.figures(); !served || running != 1 || waiting != 0 {
			t.Errorf("served %v, %d compute and %d wait", served, running, waiting)
		}
	})
}

// A caller who has left and whose turn has come in the same instant is not computed for either.
func TestTurnAndLeavingTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(1, 100)
		for range 200 {
			if err := l.enter(t.Context(), 0); err != nil {
				t.Fatal(err)
			}
			ctx, leave := context.WithCancel(t.Context())
			entered := make(chan error, 1)
			go func() { entered <- l.enter(ctx, 0) }()
			synctest.Wait()
			l.leave()
			leave()
			if err := <-entered; err == nil {
				l.leave()
			}
			if running, waiting := l.figures(); running != 0 || waiting != 0 {
				t.Fatalf("slots held %d, waiting %d", running, waiting)
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
	for held := 0; held == 0; held, _ = h.limiter.figures() { // RL-16: who leaves before it is their turn holds nothing that could leak
		runtime.Gosched()
	}
	leave()
	if err := <-done; !errors.Is(err, context.Canceled) || !errors.Is(err, ports.ErrInterrupted) {
		t.Errorf("error %v, want context.Canceled, and that it was interrupted", err)
	}
	if held, _ := h.limiter.figures(); computed.Load() != 0 || held != 0 {
		t.Errorf("hashed %d, slots held %d, want neither", computed.Load(), held)
	}
}
