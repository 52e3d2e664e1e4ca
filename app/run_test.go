package app

import (
	"bufio"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"latchkey/domain/identity"
	"latchkey/ports"
)

func newConfig(t *testing.T) Config {
	return Config{Database: filepath.Join(t.TempDir(), "latchkey.db"), Issuer: "http://127.0.0.1:1", Listen: "127.0.0.1:0",
		RateLimitScale: 1, PasswordIterations: 1000}
}

// start runs the provider and returns its URL, and how to end it.
func start(t *testing.T, a *App) (url string, stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ready, ended := make(chan string, 1), make(chan error, 1)
	go func() {
		ended <- a.Run(ctx, func(urls []string) error {
			ready <- urls[0]
			return nil
		})
	}()
	select {
	case url = <-ready:
	case err := <-ended:
		t.Fatal(err)
	}
	return url, func() error {
		cancel()
		return <-ended
	}
}

func TestRun(t *testing.T) {
	cfg := newConfig(t)
	a, err := Create(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	url, stop := start(t, a)
	if resp, err := http.Get(url + "/.well-known/jwks.json"); err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("keys: %v, %v", resp, err)
	}

	// ST-07: a second server on the same file ends at once, and the first goes on.
	second, err := New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Run(t.Context(), nil); !errors.Is(err, ErrLocked) {
		t.Errorf("a second server: %v", err)
	}
	if resp, err := http.Get(url + "/.well-known/openid-configuration"); err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("the first server: %v, %v", resp, err)
	}

	// RL-11: it ends without an error, leaves no log behind and frees the file.
	if err := stop(); err != nil {
		t.Errorf("stopped: %v", err)
	}
	if _, err := net.Dial("tcp", strings.TrimPrefix(url, "http://")); err == nil {
		t.Error("it still accepts connections")
	}
	if wal, err := os.Stat(cfg.Database + "-wal"); err == nil && wal.Size() > 0 {
		t.Errorf("%d bytes are left in the log", wal.Size())
	}
	if a, err = New(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	_, stop = start(t, a)
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestRunStopsWhenTheCallerIsNotReady(t *testing.T) {
	a, err := Create(t.Context(), newConfig(t))
	if err != nil {
		t.Fatal(err)
	}
	want := errors.New("not ready")
	if err := a.Run(t.Context(), func([]string) error { return want }); !errors.Is(err, want) {
		t.Errorf("got %v", err)
	}
}

func TestRunOnATakenPort(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, port, _ := net.SplitHostPort(taken.Addr().String())
	for _, host := range []string{"127.0.0.1", "localhost"} {
		_, err := listen(net.JoinHostPort(host, port), "--listen")
		if !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), "--listen") {
			t.Errorf("%s: %v", host, err)
		}
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: one problem in more than one line: %v", host, err)
		}
	}
}

// Only of a port that is taken somebody can be told to stop what uses it.
func TestRunOnAnAddressOfAnotherMachine(t *testing.T) {
	_, err := listen("192.0.2.1:0", "--listen")
	if err == nil || strings.Contains(err.Error(), "stop what uses it") || !strings.Contains(err.Error(), "--listen") {
		t.Errorf("got %v", err)
	}
}

// What is on a listener of its own, without a provider behind it.
func startServer(t *testing.T, server *http.Server) (address string, stop func() error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	up := make(chan struct{})
	go func() {
		ended <- serve(ctx, server, []net.Listener{l}, slog.New(slog.DiscardHandler), func() error { close(up); return nil }, func() {})
	}()
	<-up
	t.Cleanup(cancel)
	return l.Addr().String(), func() error {
		cancel()
		return <-ended
	}
}

var quiet = slog.New(slog.DiscardHandler)

// RL-11: a request in flight is answered whole after the end was asked for.
func TestShutdownFinishesRequests(t *testing.T) {
	arrived, release := make(chan struct{}), make(chan struct{})
	address, stop := startServer(t, newServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-release
		if r.Context().Err() == nil {
			io.WriteString(w, "whole")
		}
	}), nil, quiet))
	answer := make(chan string)
	go func() {
		resp, err := http.Get("http://" + address)
		if err != nil {
			answer <- err.Error()
			return
		}
		body, err := io.ReadAll(resp.Body)
		answer <- fmt.Sprint(string(body), err)
	}()
	<-arrived
	stopped := make(chan error)
	go func() { stopped <- stop() }()
	for { // until new connections are refused
		c, err := net.Dial("tcp", address)
		if err != nil {
			break
		}
		c.Close()
	}
	close(release)
	if got := <-answer; got != "whole<nil>" {
		t.Errorf("answer %q", got)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

// RL-08, RL-09: headers are bounded in size and time.
func TestHeaderBounds(t *testing.T) {
	server := newServer(http.NotFoundHandler(), nil, quiet)
	if server.ReadHeaderTimeout != 5*time.Second || server.ReadTimeout != 15*time.Second || server.WriteTimeout != 30*time.Second || server.IdleTimeout != time.Minute {
		t.Error("the server has other timeouts than documented")
	}
	if server.MaxHeaderBytes != 32<<10 || server.HTTP2.MaxConcurrentStreams != 100 || server.Protocols.UnencryptedHTTP2() || maxConnections != 4096 {
		t.Error("the server has other bounds than documented")
	}
	server.ReadHeaderTimeout = 50 * time.Millisecond
	address, _ := startServer(t, server)
	request, _ := http.NewRequest("GET", "http://"+address, nil)
	request.Header.Set("X", strings.Repeat("x", 64<<10))
	if resp, err := http.DefaultClient.Do(request); err != nil || resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("64 KB of headers: %v, %v", resp, err)
	}
	slow, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	io.WriteString(slow, "GET / HTTP/1.1\r\nHost: x\r\n")
	if _, err := io.ReadAll(slow); err != nil { // returns when the server has hung up
		t.Error(err)
	}
}

// RL-09: beyond its places the server leaves connections to the kernel's queue; a place is free again after each.
func TestConnectionsAreBounded(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &bounded{Listener: inner, places: make(chan struct{}, 1), floods: &floods{}, closed: make(chan struct{})}
	accepted := make(chan net.Conn)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				close(accepted)
				return
			}
			accepted <- c
		}
	}()
	for range 2 {
		if _, err := net.Dial("tcp", inner.Addr().String()); err != nil {
			t.Fatal(err)
		}
	}
	first := <-accepted
	if len(l.places) != 1 {
		t.Fatal("the first connection holds no place")
	}
	select {
	case <-accepted:
		t.Fatal("accepted more than there are places")
	default:
	}
	first.Close()
	first.Close() // gives one place back, not two
	<-accepted
	l.Close()
	if _, open := <-accepted; open {
		t.Error("accepted after the end")
	}
}

func TestTLS(t *testing.T) {
	dir := t.TempDir()
	files := func(name string) Config {
		return Config{TLSCert: filepath.Join(dir, name+".crt"), TLSKey: filepath.Join(dir, name+".pem")}
	}
	writePair(t, files("live"))
	writePair(t, files("next"))
	certificate, err := loadCertificate(files("live"))
	if err != nil {
		t.Fatal(err)
	}
	address, _ := startServer(t, newServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Proto) }), certificate, quiet))

	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}}
	get := func() string {
		resp, err := client.Get("https://" + address)
		if err != nil {
			return err.Error()
		}
		defer resp.Body.Close()
		b, _ := io.ReadAll(resp.Body)
		return string(b)
	}
	if got := get(); got != "HTTP/2.0" {
		t.Errorf("over TLS: %s", got)
	}
	serial := func(change func(*tls.Config)) (string, error) {
		cfg := &tls.Config{InsecureSkipVerify: true}
		change(cfg)
		c, err := tls.Dial("tcp", address, cfg)
		if err != nil {
			return "", err
		}
		defer c.Close()
		return c.ConnectionState().PeerCertificates[0].SerialNumber.String(), nil
	}
	if _, err := serial(func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 }); err == nil {
		t.Error("TLS 1.1 is accepted")
	}
	for _, suite := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		if suite.SupportedVersions[0] == tls.VersionTLS13 {
			continue
		}
		_, err := serial(func(c *tls.Config) { c.MaxVersion, c.CipherSuites = tls.VersionTLS12, []uint16{suite.ID} })
		wanted := strings.HasPrefix(suite.Name, "TLS_ECDHE_ECDSA_WITH_AES_") && strings.Contains(suite.Name, "_GCM_") // the key is ECDSA
		if (err == nil) != wanted {
			t.Errorf("%s: %v", suite.Name, err)
		}
	}

	// A renewed certificate is used for new connections; the connection of client lives on.
	before, _ := serial(func(*tls.Config) {})
	copyFile(t, files("next").TLSCert, files("live").TLSCert)
	if changed, err := certificate.reload(); changed || err == nil {
		t.Errorf("half of a renewal: changed %v, %v", changed, err)
	}
	if now, _ := serial(func(*tls.Config) {}); now != before {
		t.Error("half of a renewal is in use")
	}
	copyFile(t, files("next").TLSKey, files("live").TLSKey)
	if changed, err := certificate.reload(); !changed || err != nil {
		t.Errorf("a renewal: changed %v, %v", changed, err)
	}
	if now, _ := serial(func(*tls.Config) {}); now == before {
		t.Error("the old certificate is still in use")
	}
	if changed, err := certificate.reload(); changed || err != nil {
		t.Errorf("nothing new: changed %v, %v", changed, err)
	}
	if got := get(); got != "HTTP/2.0" {
		t.Errorf("the old connection: %s", got)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// RL-10: HTTP/2 without TLS is not spoken, not even when a client begins with it.
func TestNoUnencryptedHTTP2(t *testing.T) {
	address, _ := startServer(t, newServer(http.NotFoundHandler(), nil, quiet))
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	io.WriteString(c, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00")
	line, _ := bufio.NewReader(c).ReadString('\n')
	if !strings.HasPrefix(line, "HTTP/1.1 ") {
		t.Errorf("answered %q", line)
	}
}

// RL-12: everything that expired goes, in steps.
func TestSweep(t *testing.T) {
	a, err := Create(t.Context(), newConfig(t))
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	now := a.Admin.Now()
	key := func(i int) [32]byte { return sha256.Sum256(fmt.Append(nil, i)) }
	err = a.Store.Update(t.Context(), func(tx ports.Tx) error {
		for i := range 2*sweepMost + 1 {
			at := now.Add(-48 * time.Hour)
			if err := tx.SaveTicket(identity.Ticket{Key: key(i), Purpose: identity.SetupTicket, CreatedAt: at, ExpiresAt: at}); err != nil {
				return err
			}
		}
		return tx.SaveTicket(identity.Ticket{Key: key(-1), Purpose: identity.SetupTicket, CreatedAt: now, ExpiresAt: now.Add(time.Hour)})
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := sweep(t.Context(), a.Store, now, quiet); err != nil {
		t.Fatal(err)
	}
	left := 0
	err = a.Store.View(t.Context(), func(r ports.Reader) error {
		for i := -1; i < 2*sweepMost+1; i++ {
			if _, err := r.Ticket(key(i)); err == nil {
				left++
			} else if !errors.Is(err, ports.ErrNotFound) {
				return err
			}
		}
		return nil
	})
	if err != nil || left != 1 {
		t.Errorf("%d tickets are left, %v", left, err)
	}
}
