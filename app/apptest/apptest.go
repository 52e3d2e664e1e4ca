// Package apptest owns a running provider, a browser and a relying party for any test, each in one line:
//
//	p := apptest.New(t)
//	b := p.Browser()
//	tokens := p.Client("web").SignIn(b, "alice")
//
// The provider is the real composition on a real file; only the clock is the test's, passwords are hashed with few rounds,
// and requests are not limited: see Limited. What a test proves is left to the test.
package apptest

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"latchkey/app"
	"latchkey/app/admin"
	"latchkey/domain/audit"
	"latchkey/domain/oauth"
	"latchkey/ports"
)

// Password is the password of every user that New declares.
const Password = "a password of alice and bob"

// Secret is the secret of every confidential client that New declares.
const Secret = "vN2nR7c1xQ0bTz5mKp8sWd4yUj6hGf3a"

// declared are the users and clients of security tests: alice and bob, dave who is disabled, carol who administers;
// web is confidential, evil is an attacker's, spa and native are public, loose is of profile standard.
const declared = `{
 "users": [
  {"username": "alice", "password": "` + Password + `", "email": "alice@example.com", "email_verified": true,
   "claims": {"name": "Alice Adams", "given_name": "Alice", "family_name": "Adams", "phone_number": "+62 21 1", "address": {"country": "Indonesia"}},
   "groups": ["staff"]},
  {"username": "bob", "password": "` + Password + `", "email": "bob@example.com"},
  {"username": "carol", "password": "` + Password + `", "admin": true},
  {"username": "dave", "password": "` + Password + `", "disabled": true}
 ],
 "clients": [
  {"client_id": "web", "client_secret": "` + Secret + `", "client_name": "Web application", "redirect_uris": ["https://app.test/cb"]},
  {"client_id": "evil", "client_secret": "` + Secret + `", "redirect_uris": ["https://evil.test/cb"]},
  {"client_id": "spa", "token_endpoint_auth_method": "none", "redirect_uris": ["https://spa.test/cb"]},
  {"client_id": "native", "token_endpoint_auth_method": "none", "redirect_uris": ["http://127.0.0.1/cb", "com.example.app:/cb"]},
  {"client_id": "loose", "client_secret": "` + Secret + `", "profile": "standard", "redirect_uris": ["https://loose.test/cb?x=1"]}
 ]
}`

// Provider is a running provider.
type Provider struct {
	*app.App
	Site
	Log *Log

	server *httptest.Server
	config app.Config
	clock  *clock
}

// New runs a provider until the test ends. Further documents are applied on top of the declared users and clients.
func New(t testing.TB, documents ...string) *Provider {
	t.Helper()
	files, err := sharedFiles()
	if err != nil {
		t.Fatal(err)
	}
	return run(t, files, documents)
}

// Elsewhere runs a provider with keys of its own. Providers of New all have the same.
func Elsewhere(t testing.TB) *Provider {
	t.Helper()
	files, err := declaredFiles()
	if err != nil {
		t.Fatal(err)
	}
	return run(t, files, nil)
}

// run serves files whose making is over: what is in them happened before the clock is read.
func run(t testing.TB, files [2][]byte, documents []string) *Provider {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Provider{Site: Site{Issuer: "http://" + listener.Addr().String(), t: t}, Log: &Log{}, clock: &clock{now: time.Now().UTC().Truncate(time.Millisecond)}}
	dir := t.TempDir()
	p.config = app.Config{
		Database:           filepath.Join(dir, "latchkey.db"),
		MasterKey:          filepath.Join(dir, "latchkey.db.key"),
		Issuer:             p.Issuer,
		Listen:             listener.Addr().String(),
		RateLimitScale:     1,
		EgressAllow:        app.Loopback,
		Log:                slog.New(slog.NewTextHandler(p.Log, nil)),
		Now:                p.clock.Now,
		PasswordIterations: 1000,
		Limits:             unlimited{},
	}
	if err := errors.Join(os.WriteFile(p.config.Database, files[0], 0o600), os.WriteFile(p.config.MasterKey, files[1], 0o600)); err != nil {
		t.Fatal(err)
	}
	if p.App, err = app.New(t.Context(), p.config); err != nil {
		t.Fatal(err)
	}
	p.server = &httptest.Server{Listener: listener, Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.Handler.ServeHTTP(w, r)
	})}}
	p.server.Start()
	t.Cleanup(func() {
		p.server.Close()
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, d := range documents {
		p.Apply(d)
	}
	return p
}

// sharedFiles are made once for all tests of a run, because an RSA key takes longer than most tests.
var sharedFiles = sync.OnceValues(declaredFiles)

// declaredFiles returns the database and the master key of a provider with the declared users and clients.
func declaredFiles() (files [2][]byte, err error) {
	dir, err := os.MkdirTemp("", "latchkey-test-")
	if err != nil {
		return files, err
	}
	defer os.RemoveAll(dir)
	p := &Provider{config: app.Config{Database: filepath.Join(dir, "latchkey.db"), MasterKey: filepath.Join(dir, "latchkey.db.key"),
		Issuer: "http://localhost", Log: slog.New(slog.DiscardHandler), PasswordIterations: 1000}}
	if p.App, err = app.Create(context.Background(), p.config); err != nil {
		return files, err
	}
	if err = errors.Join(p.TryApply(declared), p.Close()); err != nil {
		return files, err
	}
	for i, name := range []string{p.config.Database, p.config.MasterKey} {
		if files[i], err = os.ReadFile(name); err != nil {
			return files, err
		}
	}
	return files, nil
}

// Limited is a change for Restart: requests are limited as they are in a server.
func Limited(c *app.Config) { c.Limits = nil }

// unlimited hears everybody: the clock of a test stands still, so no budget would ever fill again.
type unlimited struct{}

func (unlimited) Address(ports.Endpoint, string, time.Time) (a ports.Admission)        { return a }
func (unlimited) Client(ports.Endpoint, oauth.ClientID, time.Time) (a ports.Admission) { return a }

// Restart closes the provider and opens its file again, as a new process would; change sets other flags for it.
func (p *Provider) Restart(change ...func(*app.Config)) {
	p.t.Helper()
	if err := p.Close(); err != nil {
		p.t.Fatal(err)
	}
	for _, c := range change {
		c(&p.config)
	}
	if err := p.TryStart(); err != nil {
		p.t.Fatal(err)
	}
}

// TryStart opens the file of a provider that was closed, which may be refused.
func (p *Provider) TryStart() error {
	p.t.Helper()
	started, err := app.New(context.Background(), p.config)
	if err == nil {
		p.App = started
	}
	return err
}

// Apply applies a document to the provider.
func (p *Provider) Apply(document string) {
	p.t.Helper()
	if err := p.TryApply(document); err != nil {
		p.t.Fatalf("apply: %v", err)
	}
}

// TryApply applies a document that may be refused.
func (p *Provider) TryApply(document string) error {
	d, err := admin.ParseDocument([]byte(document))
	if err == nil {
		_, err = p.Admin.Apply(context.Background(), audit.Caller{RequestID: "req_test"}, d, false)
	}
	return err
}

// Config is what the provider was made of, for a second process on the same file.
func (p *Provider) Config() app.Config { return p.config }

// File is the path of the database.
func (p *Provider) File() string { return p.config.Database }

// Advance moves the clock of the machine, from which the provider makes its own: back by more than a correction is settled
// as the server would do within a second.
func (p *Provider) Advance(d time.Duration) {
	p.t.Helper()
	if p.clock.advance(d); d < 0 {
		if err := p.SettleClock(context.Background()); err != nil {
			p.t.Fatal(err)
		}
	}
}

// Deliver sends the logout notices that are due, as the server does within a second, and waits for the answers.
func (p *Provider) Deliver() {
	p.t.Helper()
	for range 8 { // as much as there is room for each time; the last look says what went wrong
		if err := p.Deliveries.Due(context.Background()); err != nil {
			p.t.Fatal(err)
		}
		p.Deliveries.Wait()
	}
}

// Now tells the provider's time.
func (p *Provider) Now() time.Time { return p.clock.Now() }

// Events returns the audit events of the kinds, or of every kind.
func (p *Provider) Events(kinds ...audit.Kind) []audit.Event {
	p.t.Helper()
	var found []audit.Event
	err := p.Store.View(context.Background(), func(r ports.Reader) (err error) {
		found, err = r.Events(audit.Query{Kinds: kinds, Limit: 1 << 20})
		return err
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return found
}

// JSON decodes an object.
func (p *Provider) JSON(text string) map[string]any {
	p.t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		p.t.Fatalf("not JSON: %v: %.200s", err, text)
	}
	return m
}

// clock is a clock that stands still until it is moved.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Log keeps what the provider logged.
type Log struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *Log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
