package web

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"log/slog"
	mathrand "math/rand/v2"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"latchkey/adapters/web/page"
	"latchkey/domain/audit"
	"latchkey/domain/oauth"
	"latchkey/ports"
)

// testKeychain derives as the real one does, from a key everybody knows.
type testKeychain struct{ ports.Keychain }

func (testKeychain) MAC(purpose string, message []byte) (sum [32]byte) {
	m := hmac.New(sha256.New, []byte("test "+purpose))
	m.Write(message)
	return [32]byte(m.Sum(nil))
}

// testSecrets counts, so that answers are the same in every run.
type testSecrets struct {
	ports.Secrets
	made int
}

func (s *testSecrets) Secret() oauth.Secret {
	s.made++
	return oauth.Secret(fmt.Sprintf("made-%d", s.made))
}

// log is a buffer that the handler and the test may use at once.
type log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// bench is the whole handler on stub ports.
type bench struct {
	*stub
	t      testing.TB
	server *server
	log    *log
}

func newBench(t testing.TB, change ...func(*Config)) *bench {
	t.Helper()
	b := &bench{stub: &stub{}, t: t, log: &log{}}
	cfg := Config{Issuer: testIssuer, Log: slog.New(slog.NewJSONHandler(b.log, nil)), Now: time.Now, Secrets: &testSecrets{}, Keychain: testKeychain{},
		Limits: noLimits{}, Metrics: noMetrics{}, Health: healthy{},
		Authorization: b, Token: b, UserInfo: b, Revocation: b, Introspection: b, Logout: b, SingleLogout: b, Publications: b, Sessions: b, Account: b, Setup: b, Reset: b, Denials: b, Challenges: b, Factors: b, Passkeys: b, Administrators: b, Explainer: b, Notices: b}
	for _, c := range change {
		c(&cfg)
	}
	b.server = newServer(t, cfg)
	b.server.request.rng = mathrand.NewChaCha8([32]byte{}) // the same request ids in every run
	return b
}

// newServer is what New returns, with the pages of an earlier one: they are the same for everybody and take long to parse.
func newServer(t testing.TB, cfg Config) *server {
	t.Helper()
	madeMu.Lock()
	defer madeMu.Unlock()
	first := made[cfg.Issuer]
	if first == nil {
		handler, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		first = handler.(*server)
		made[cfg.Issuer] = first
		return first
	}
	s := &server{Config: cfg, secure: first.secure, origin: first.origin, base: first.base, pages: first.pages}
	s.routes = s.table()
	return s
}

var (
	madeMu sync.Mutex
	made   = map[string]*server{} // by issuer
)

// issuer changes the issuer of a bench.
func issuer(s string) func(*Config) { return func(c *Config) { c.Issuer = s } }

// send sends one request with headers of the form "Name: value".
func (b *bench) send(method, target string, body io.Reader, headers ...string) *httptest.ResponseRecorder {
	b.t.Helper()
	r := httptest.NewRequest(method, target, body)
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if name == "Host" {
			r.Host = value
			continue
		}
		r.Header.Add(name, value)
	}
	w := httptest.NewRecorder()
	b.server.ServeHTTP(w, r)
	return w
}

func (b *bench) get(target string, headers ...string) *httptest.ResponseRecorder {
	b.t.Helper()
	return b.send("GET", target, nil, headers...)
}

// post sends a form.
func (b *bench) post(target, form string, headers ...string) *httptest.ResponseRecorder {
	b.t.Helper()
	return b.send("POST", target, strings.NewReader(form), append(headers, "Content-Type: application/x-www-form-urlencoded")...)
}

// wantCalls checks which ports were called since the last time.
func (b *bench) wantCalls(want ...string) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if !slices.Equal(b.calls, want) {
		b.t.Errorf("calls %q, want %q", b.calls, want)
	}
	b.calls = nil
}

func wantStatus(t testing.TB, w *httptest.ResponseRecorder, status int) {
	t.Helper()
	if w.Code != status {
		t.Errorf("status %d, want %d: %v %.300s", w.Code, status, w.Header(), w.Body)
	}
}

func wantHeader(t testing.TB, w *httptest.ResponseRecorder, name, want string) {
	t.Helper()
	if got := strings.Join(w.Header().Values(name), " | "); got != want {
		t.Errorf("%s: %q, want %q", name, got, want)
	}
}

// RFC 6749 §5.2: what error and error_description may hold.
var errorText = regexp.MustCompile(`^[\x20-\x21\x23-\x5B\x5D-\x7E]+$`)

// wantError checks an error answer of JSON: exactly these members, in the characters they may have.
func wantError(t testing.TB, w *httptest.ResponseRecorder, status int, code oauth.ErrorCode) {
	t.Helper()
	wantStatus(t, w, status)
	wantHeader(t, w, "Content-Type", "application/json")
	wantHeader(t, w, "Cache-Control", "no-store")
	var body map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		t.Fatalf("%v: %.300s", err, w.Body)
	}
	if len(body) != 5 {
		t.Errorf("members %v, want error, error_description, error_uri, error_ref, request_id", body)
	}
	id := w.Header().Get("X-Request-Id")
	text := func(name string) string { s, _ := body[name].(string); return s }
	if text("error") != string(code) {
		t.Errorf("error %q, want %q: %v", text("error"), code, body)
	}
	if !errorText.MatchString(text("error")) || !errorText.MatchString(text("error_description")) {
		t.Errorf("characters that RFC 6749 §5.2 does not allow: %q %q", text("error"), text("error_description"))
	}
	if want := testIssuer + "/errors?ref=" + text("error_ref") + "#" + string(code); text("error_uri") != want {
		t.Errorf("error_uri %q, want %q", text("error_uri"), want)
	}
	if id == "" || text("request_id") != id || text("error_ref") != errorRef(id) {
		t.Errorf("request_id %q and error_ref %q, want those of %q", text("request_id"), text("error_ref"), id)
	}
}

// wantPage checks an error answer for people.
func wantPage(t testing.TB, w *httptest.ResponseRecorder, status int, message page.Message) {
	t.Helper()
	wantStatus(t, w, status)
	wantHeader(t, w, "Content-Type", "text/html; charset=utf-8")
	wantHeader(t, w, "Location", "")
	text, err := page.English.Text(message)
	if err != nil {
		t.Fatal(err)
	}
	if text, _, _ = strings.Cut(text, "{"); !strings.Contains(html.UnescapeString(w.Body.String()), text) {
		t.Errorf("the page does not say %q: %.2000s", text, w.Body)
	}
}

// logged returns the log lines that name the request, by their message.
func (b *bench) logged(requestID string) map[string]map[string]any {
	b.t.Helper()
	lines := map[string]map[string]any{}
	for line := range strings.Lines(b.log.String()) {
		var entry map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			b.t.Fatal(err)
		}
		if entry["request_id"] != requestID {
			continue
		}
		message, _ := entry["msg"].(string)
		if lines[message] != nil {
			b.t.Errorf("two %q lines for one request:\n%s", message, b.log)
		}
		lines[message] = entry
	}
	return lines
}

var csrfField = regexp.MustCompile(`name="csrf" value="([^"]*)"`)

// token returns the CSRF token of the first form of a page.
func (b *bench) token(page *httptest.ResponseRecorder) string {
	b.t.Helper()
	m := csrfField.FindStringSubmatch(page.Body.String())
	if m == nil {
		b.t.Fatalf("no form on the page: %d %v %.300s", page.Code, page.Header(), page.Body)
	}
	return html.UnescapeString(m[1])
}

// cookiesSet returns the cookies of an answer by name.
func cookiesSet(w *httptest.ResponseRecorder) map[string]*http.Cookie {
	found := map[string]*http.Cookie{}
	for _, c := range w.Result().Cookies() {
		found[c.Name] = c
	}
	return found
}

// failDeny makes every refusal impossible to record.
func failDeny(err error) func(audit.Kind, *oauth.Error) error {
	return func(audit.Kind, *oauth.Error) error { return err }
}

// asClient is the header of a client that authenticates.
func asClient(pair string) string {
	return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(pair))
}
