package app

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"latchkey/ports"
)

// maxOperators is how many connections the listener of the operators may have, apart from those of everybody else: whoever
// uses those up cannot keep an operator from looking.
const maxOperators = 64

// listenForOperators binds the address, if there is one.
func listenForOperators(address string) ([]net.Listener, error) {
	if address == "" {
		return nil, nil
	}
	return listen(address, "--metrics")
}

// serveOperations serves metrics and health on listeners of their own until stop is called, which comes last: until the
// very end they tell that the end has come.
func (a *App) serveOperations(listeners []net.Listener) (stop func()) {
	server := newServer(a.Operations, nil, a.cfg.Log)
	var running sync.WaitGroup
	for _, l := range bound(listeners, make(chan struct{}, maxOperators), &a.floods) {
		a.cfg.Log.Info("metrics", "url", "http://"+l.Addr().String()+"/metrics")
		running.Go(func() {
			if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				a.cfg.Log.Error("metrics are no longer served", "error", err)
			}
		})
	}
	return func() {
		server.Close()
		running.Wait()
	}
}

// How long what was learnt of the disk is believed, and how long it may take to answer.
const (
	probeEvery   = time.Second
	probeTimeout = 2 * time.Second
)

// health knows what keeps the provider from its work.
type health struct {
	keys     func() error // nil when signing keys are loaded
	probe    func(context.Context) error
	log      *slog.Logger
	stopping atomic.Bool

	mu      sync.Mutex
	running chan struct{} // closed when the probe that runs has ended; nil: none runs
	checked time.Time
	problem error // of the last probe
}

var _ ports.Health = (*health)(nil)

func (h *health) Unready(ctx context.Context) (ailing []ports.Ailment) {
	if h.stopping.Load() {
		ailing = append(ailing, ports.AilingEnd)
	}
	if h.keys() != nil {
		ailing = append(ailing, ports.AilingKeys)
	}
	if !h.saves(ctx) {
		ailing = append(ailing, ports.AilingStorage)
	}
	return ailing
}

// saves reports whether the store can save. However many ask, it is tried once a second at most; a disk that does not
// answer keeps nobody waiting longer than two, and one probe.
func (h *health) saves(ctx context.Context) bool {
	h.mu.Lock()
	if h.running == nil && time.Since(h.checked) >= probeEvery {
		h.running = make(chan struct{})
		go h.try(h.running)
	}
	running := h.running
	h.mu.Unlock()
	if running != nil {
		select {
		case <-running:
		case <-time.After(probeTimeout):
			return false
		case <-ctx.Done():
			return false
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.problem == nil
}

func (h *health) try(done chan struct{}) {
	err := h.probe(context.Background())
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case err != nil && h.problem == nil:
		h.log.Error("the database cannot save", "error", err)
	case err == nil && h.problem != nil:
		h.log.Info("the database saves again")
	}
	h.problem, h.checked, h.running = err, time.Now(), nil
	close(done)
}
