package app

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Bounds of the HTTP server. A client that is slow on purpose loses its connection after seconds, and however many there
// are, files and memory stay bounded.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 15 * time.Second
	writeTimeout      = 30 * time.Second
	idleTimeout       = 60 * time.Second
	maxHeaderBytes    = 32 << 10
	maxStreams        = 100      // per HTTP/2 connection
	receiveWindow     = 64 << 10 // of bodies that wait, per HTTP/2 connection; no body may be longer
	shutdownTimeout   = 10 * time.Second
)

// How often the jobs look. None of them does anything until something is due.
const (
	changesEvery     = 250 * time.Millisecond
	keysEvery        = time.Minute
	clockEvery       = time.Second
	noticesEvery     = time.Second // unless something changed, see changesEvery
	clockSavedEvery  = time.Minute
	sweepEvery       = time.Minute
	certificateEvery = 5 * time.Second
	floodsEvery      = time.Minute
)

// ErrLocked is returned when another server has the database.
var ErrLocked = errors.New("the database is taken")

// Run serves until ctx is done, then lets requests in flight finish for at most ten seconds. It calls ready once it
// answers, with the URLs it listens on; an error from ready ends it. However it ends, the provider is closed.
//
// The lock and the listeners come first, so that a second server and a taken port stop the start before anything changes.
func (a *App) Run(ctx context.Context, ready func(urls []string) error) (err error) {
	defer func() { err = errors.Join(err, a.Close()) }()
	if a.release == nil { // a provider that was just made, or opened by New
		if a.release, err = lock(a.cfg.Database); err != nil {
			return err
		}
	}
	listeners, err := listen(a.cfg.Listen, "--listen")
	if err != nil {
		return err
	}
	defer closeAll(listeners)
	operators, err := listenForOperators(a.cfg.Metrics)
	if err != nil {
		return err
	}
	defer closeAll(operators)
	certificate, err := loadCertificate(a.cfg)
	if err != nil {
		return err
	}
	if err := rotateKeys(ctx, a, a.cfg.Log); err != nil {
		return err
	}
	if err := a.SettleDemo(ctx); err != nil && a.cfg.Demo {
		return err
	} else if err != nil {
		// A full disk must not keep people from signing in: what is left behind waits for the next start.
		a.cfg.Log.Error("the client of the demo application is still enabled", "error", err)
	}
	systemd := supervisorOf(os.Getenv)
	stopJobs := a.startJobs(ctx, certificate, systemd)
	defer stopJobs()
	defer a.serveOperations(operators)()
	server := newServer(a.Handler, certificate, a.cfg.Log)
	return serve(ctx, server, bound(listeners, a.places, &a.floods), a.cfg.Log, func() error {
		a.tell(systemd, "READY=1\nSTATUS=serving "+a.cfg.Issuer)
		return ready(urls(listeners, certificate != nil))
	}, func() {
		a.health.stopping.Store(true)
		a.tell(systemd, "STOPPING=1")
	})
}

// listen binds the address. localhost is both loopback addresses, of which the machine may lack one; browsers try either.
func listen(address, flag string) ([]net.Listener, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if host != "localhost" {
		l, err := net.Listen("tcp", address)
		if err != nil {
			return nil, cannotListen(address, flag, err)
		}
		return []net.Listener{l}, nil
	}
	four, err4 := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", port))
	if err4 == nil {
		_, port, _ = net.SplitHostPort(four.Addr().String()) // the same one when any was asked for
	}
	six, err6 := net.Listen("tcp6", net.JoinHostPort("::1", port))
	var all []net.Listener
	if err4 == nil {
		all = append(all, four)
	}
	if err6 == nil {
		all = append(all, six)
	}
	// A port that is taken on one of the two would send half of the visitors to somebody else.
	if len(all) == 0 || errors.Is(err4, syscall.EADDRINUSE) || errors.Is(err6, syscall.EADDRINUSE) {
		closeAll(all)
		switch {
		case errors.Is(err4, syscall.EADDRINUSE):
			return nil, cannotListen(address, flag, err4)
		case errors.Is(err6, syscall.EADDRINUSE):
			return nil, cannotListen(address, flag, err6)
		}
		return nil, cannotListen(address, flag, fmt.Errorf("%w; %w", err4, err6))
	}
	return all, nil
}

func cannotListen(address, flag string, err error) error {
	advice := "choose another address with " + flag
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		advice = "stop what uses it, or " + advice
	case errors.Is(err, syscall.EACCES):
		advice = "let latchkey bind ports below 1024, or choose a higher one with " + flag
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		advice = "name an address of this machine with " + flag
	}
	return fmt.Errorf("cannot listen on %s: %w: %s", address, err, advice)
}

func closeAll(listeners []net.Listener) {
	for _, l := range listeners {
		l.Close() // closed already after a graceful end
	}
}

func urls(listeners []net.Listener, secure bool) []string {
	scheme := "http://"
	if secure {
		scheme = "https://"
	}
	var all []string
	for _, l := range listeners {
		all = append(all, scheme+l.Addr().String())
	}
	return all
}

func newServer(handler http.Handler, certificate *certificate, log *slog.Logger) *http.Server {
	s := &http.Server{
		Handler:           explaining(handler),
		ConnContext:       connContext,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		Protocols:         new(http.Protocols),
		HTTP2: &http.HTTP2Config{MaxConcurrentStreams: maxStreams, MaxReceiveBufferPerConnection: receiveWindow,
			MaxReceiveBufferPerStream: receiveWindow},
	}
	s.Protocols.SetHTTP1(true)
	if certificate != nil {
		// HTTP/2 only where TLS agreed on it: unencrypted HTTP/2 has no use here and opened holes elsewhere.
		s.Protocols.SetHTTP2(true)
		s.TLSConfig = tlsConfig(certificate)
	}
	return s
}

func tlsConfig(certificate *certificate) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		CipherSuites: []uint16{ // of TLS 1.2: forward secrecy and authenticated encryption; those of 1.3 are fixed
			tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
			tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
		},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return certificate.current.Load(), nil },
	}
}

// serve answers on every listener until ctx is done or one fails, then waits for what is in flight.
func serve(ctx context.Context, server *http.Server, listeners []net.Listener, log *slog.Logger, ready func() error, stopping func()) error {
	failed := make(chan error, len(listeners))
	for _, l := range listeners {
		go func() {
			if server.TLSConfig != nil {
				failed <- server.ServeTLS(l, "", "")
			} else {
				failed <- server.Serve(l)
			}
		}()
	}
	err := ready()
	if err == nil {
		select {
		case <-ctx.Done():
		case err = <-failed:
		}
	}
	stopping()
	// The caller's context is done; the requests in flight are not.
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	if late := server.Shutdown(grace); late != nil {
		log.Warn("requests were cut off", "after", shutdownTimeout.String())
		server.Close()
	}
	return err
}

// certificate is the TLS certificate, read again when its files change, so that a renewed one needs no restart.
type certificate struct {
	certPath, keyPath string
	cert, key         []byte
	current           atomic.Pointer[tls.Certificate]
}

// loadCertificate returns nil when the configuration has none.
func loadCertificate(cfg Config) (*certificate, error) {
	if cfg.TLSCert == "" {
		return nil, nil
	}
	c := &certificate{certPath: cfg.TLSCert, keyPath: cfg.TLSKey}
	_, err := c.reload()
	return c, err
}

// reload reports whether the certificate changed. While the two files do not fit, as between two writes, the old
// certificate stays.
func (c *certificate) reload() (changed bool, err error) {
	cert, err1 := os.ReadFile(c.certPath)
	key, err2 := os.ReadFile(c.keyPath)
	if err := errors.Join(err1, err2); err != nil {
		return false, err
	}
	if bytes.Equal(cert, c.cert) && bytes.Equal(key, c.key) {
		return false, nil
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return false, err
	}
	c.cert, c.key = cert, key
	c.current.Store(&pair)
	return true, nil
}

// startJobs runs what happens by itself and returns how to end it.
func (a *App) startJobs(ctx context.Context, certificate *certificate, systemd supervisor) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	log := a.cfg.Log
	var running sync.WaitGroup
	running.Go(func() {
		seen, next := a.Store.Changes(), time.Now().Add(keysEvery)
		every(ctx, changesEvery, log, "keys", func() error {
			now := a.Store.Changes()
			if now == seen && time.Now().Before(next) {
				return nil
			}
			if err := rotateKeys(ctx, a, log); err != nil {
				return err
			}
			seen, next = now, time.Now().Add(keysEvery)
			return nil
		})
	})
	running.Go(func() { a.deliver(ctx, log) })
	running.Go(func() {
		every(ctx, clockEvery, log, "clock", func() error { return a.SettleClock(ctx) })
	})
	running.Go(func() {
		every(ctx, clockSavedEvery, log, "time", func() error { return a.clock.save(ctx, a.Store) })
	})
	running.Go(func() {
		every(ctx, sweepEvery, log, "sweep", func() error { return sweep(ctx, a.Store, a.Admin.Now(), log) })
	})
	running.Go(func() {
		every(ctx, floodsEvery, log, "floods", func() error { a.floods.report(log); return nil })
	})
	trail := &anchors{admin: a.Admin, log: log}
	running.Go(func() { trail.run(ctx) })
	if systemd.watchdog > 0 {
		running.Go(func() {
			every(ctx, systemd.watchdog/3, log, "watchdog", func() error { return systemd.alive(ctx, a.Store) })
		})
	}
	if certificate != nil {
		running.Go(func() {
			every(ctx, certificateEvery, log, "certificate", func() error {
				changed, err := certificate.reload()
				if changed {
					log.Info("certificate reloaded", "file", certificate.certPath)
				}
				return err
			})
		})
	}
	return func() {
		cancel()
		running.Wait()
		a.floods.report(log)
		if err := trail.look(context.WithoutCancel(ctx), time.Now(), true); err != nil {
			log.Error("no audit anchor of the end", "error", err)
		}
	}
}

// deliver looks for logout notices that are due: soon after anything ended, in this process or another, and else when one
// may have to be sent again.
func (a *App) deliver(ctx context.Context, log *slog.Logger) {
	var seen uint64
	var next time.Time
	every(ctx, changesEvery, log, "logout notices", func() error {
		changes := a.Store.Changes()
		if changes == seen && time.Now().Before(next) {
			return nil
		}
		seen, next = changes, time.Now().Add(noticesEvery)
		return a.Deliveries.Due(ctx)
	})
}

// every runs job until ctx is done. The same failure again and again is logged once.
func every(ctx context.Context, interval time.Duration, log *slog.Logger, name string, job func() error) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	last := ""
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		err := job()
		switch {
		case ctx.Err() != nil:
			return
		case err == nil && last != "":
			log.Info("job works again", "job", name)
			last = ""
		case err != nil && err.Error() != last:
			log.Error("job failed and is tried again", "job", name, "error", err)
			last = err.Error()
		}
	}
}

func rotateKeys(ctx context.Context, a *App, log *slog.Logger) error {
	done, err := a.Admin.RotateKeys(ctx)
	for _, id := range done.Created {
		log.Info("signing key created", "kid", id)
	}
	for _, id := range done.Erased {
		log.Info("signing key erased", "kid", id)
	}
	if err != nil {
		return fmt.Errorf("signing keys: %w", err)
	}
	return nil
}
