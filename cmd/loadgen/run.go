package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// setupParallel bounds the workers that are set up at the same time: a login
// costs the server a password hash, and nothing is measured yet.
const setupParallel = 4

// patience is how many errors in a row end a worker: a server that refuses
// everything would otherwise be asked as fast as it can refuse.
const patience = 20

// run measures one scenario with conns workers: set-up, warm-up, a window of
// length dur. pids are the server processes whose CPU and memory are reported.
func run(ctx context.Context, f *Flow, s *Scenario, conns int, warm, dur time.Duration, pids []int) *Result {
	res := &Result{Peer: f.cfg.Name, Scenario: s.Name, Conns: conns, Durable: f.cfg.Durability.Durable,
		Storage: f.cfg.Durability.Storage, At: time.Now().UTC().Format(time.RFC3339),
		ErrorReasons: map[string]uint64{}, ErrorDetail: map[string]string{}}
	if why := s.Missing(f); why != "" {
		res.Skipped = why
		return res
	}
	pool := &tokenPool{}
	ws := make([]*worker, conns)
	for i := range ws {
		ws[i] = newWorker(f, i, pool)
		defer ws[i].h.Close()
	}
	if err := setUp(ctx, s, ws); err != nil {
		res.Skipped = fmt.Sprintf("set-up failed: %v", err)
		return res
	}
	if s.PreMint {
		warm = 0
	}

	start := time.Now()
	from, to := start.Add(warm), start.Add(warm+dur)
	done := make(chan struct{})
	go func() {
		defer close(done)
		var wg sync.WaitGroup
		for _, w := range ws {
			wg.Go(func() { w.loop(ctx, s, from, to) })
		}
		wg.Wait()
	}()
	wait(done, from)
	a := takeMark(pids)
	wait(done, to) // earlier when every worker ended: tokens spent, errors
	b := takeMark(pids)
	<-done

	var lat, authorize, token Hist
	for _, w := range ws {
		lat.Merge(&w.lat)
		authorize.Merge(&w.steps.authorize)
		token.Merge(&w.steps.token)
		res.add(w)
	}
	window := min(b.at.Sub(from), dur)
	res.Requests = lat.n
	res.Duration = window.Seconds()
	if window > 0 {
		res.RPS = float64(lat.n) / window.Seconds()
	}
	res.Latency = lat.Summary()
	if token.n > 0 {
		res.Steps = map[string]Latency{"authorize": authorize.Summary(), "token": token.Summary()}
	}
	res.use(a, b, pids)
	return res
}

// wait returns at an instant, or when done is closed.
func wait(done <-chan struct{}, at time.Time) {
	select {
	case <-done:
	case <-time.After(time.Until(at)):
	}
}

// setUp prepares the workers, a few at a time. A worker that keeps failing
// fails the scenario.
func setUp(ctx context.Context, s *Scenario, ws []*worker) error {
	var (
		wg    sync.WaitGroup
		slots = make(chan struct{}, setupParallel)
		errs  = make([]error, len(ws))
	)
	for i, w := range ws {
		wg.Go(func() {
			if s.PreMint {
				errs[i] = w.mint(ctx)
			}
			if s.Setup == nil {
				return
			}
			slots <- struct{}{}
			defer func() { <-slots }()
			for range 3 {
				if errs[i] = s.Setup(w); errs[i] == nil || ctx.Err() != nil {
					return
				}
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// mint fills the pool for the configured time.
func (w *worker) mint(ctx context.Context) error {
	end := time.Now().Add(w.f.cfg.mint)
	for n := 0; time.Now().Before(end) && n < 200_000; n++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		t, _, err := w.accessToken()
		if err != nil {
			return err
		}
		w.pool.add(t)
	}
	w.h.Jar = nil
	return nil
}

// loop runs operations until the window closes and counts those that end in it.
func (w *worker) loop(ctx context.Context, s *Scenario, from, to time.Time) {
	for bad := 0; ctx.Err() == nil; {
		t0, sent := time.Now(), w.h.Requests
		if !t0.Before(to) {
			return
		}
		err := s.Op(w)
		t1 := time.Now()
		if errors.Is(err, errDrained) {
			return
		}
		if err == nil {
			bad = 0
			if !t1.Before(from) && !t1.After(to) {
				w.lat.Add(t1.Sub(t0))
				w.requests += w.h.Requests - sent
			}
			continue
		}
		w.fail(err)
		if bad++; bad == patience {
			w.fail(&statusError{fmt.Sprintf("worker gave up after %d errors in a row", patience), ""})
			return
		}
		if s.Resetup {
			if err := s.Setup(w); err != nil {
				w.fail(err)
			}
		}
	}
}
