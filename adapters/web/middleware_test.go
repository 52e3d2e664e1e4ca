package web

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"latchkey/adapters/web/page"
	"latchkey/adapters/web/read"
	"latchkey/domain/oauth"
	"latchkey/ports"
)

// UI-07, WB-09: registered origins reach the machine endpoints, everybody the public documents, nobody a page.
func TestCORS(t *testing.T) {
	style := page.StyleSheet.Path
	// Called with a token as well; without cookies they tell a script nothing.
	shared := []string{"/connect/logout", "/connect/endsession", "/connect/logout/frontchannel", "/connect/register-session"}
	for i, e := range endpoints(style) {
		for _, path := range e.paths {
			for origin, registered := range map[string]bool{spaOrigin: true, "https://evil.test": false, "null": false, "https://spa.test.evil.test": false, "http://spa.test": false, "https://SPA.test": false} {
				want := ""
				switch {
				case i < 2, slices.Contains([]string{"/healthz", "/readyz", "/connect/checksession"}, path):
					want = "*"
				case i < 7 && registered, slices.Contains(shared, path) && registered:
					want = origin
				}
				preflight := newBench(t).send("OPTIONS", path, nil, "Origin: "+origin, "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: authorization")
				answer := newBench(t).get(path, "Origin: "+origin)
				if posted := i >= 2 && i < 7 && i != 3; posted {
					answer = newBench(t).post(path, "client_id=spa", "Origin: "+origin)
				}
				for _, w := range []*httptest.ResponseRecorder{preflight, answer} {
					wantHeader(t, w, "Access-Control-Allow-Origin", want)
					wantHeader(t, w, "Access-Control-Allow-Credentials", "")
					if i >= 2 && i < 7 {
						wantHeader(t, w, "Vary", "Origin")
					}
				}
				wantMethods, wantHeaders := "", ""
				if want != "" {
					wantMethods, wantHeaders = e.allow, "Authorization, Content-Type"
				}
				wantHeader(t, preflight, "Access-Control-Allow-Methods", wantMethods)
				wantHeader(t, preflight, "Access-Control-Allow-Headers", wantHeaders)
				wantHeader(t, answer, "Access-Control-Allow-Methods", "")
				if t.Failed() {
					t.Fatalf("%s from %s", path, origin)
				}
			}
		}
	}
	// A browser application can read why it was refused.
	w := newBench(t).get("/userinfo", "Origin: "+spaOrigin)
	wantStatus(t, w, http.StatusUnauthorized)
	wantHeader(t, w, "Access-Control-Allow-Origin", spaOrigin)
	if !strings.Contains(w.Header().Get("Access-Control-Expose-Headers"), "WWW-Authenticate") {
		t.Errorf("exposed: %v", w.Header())
	}
}

// RL-03: forwarded addresses count from configured proxies only, and then the right-most that is not one.
func TestClientIP(t *testing.T) {
	for _, tt := range []struct {
		name, peer string
		forwarded  []string
		want       string
	}{
		{"untrusted peer", "198.51.100.7:1", []string{"203.0.113.9"}, "198.51.100.7"},
		{"untrusted IPv6 peer", "[2001:db8::7]:1", []string{"203.0.113.9"}, "2001:db8::7"},
		{"proxy without the header", "10.0.0.1:1", nil, "10.0.0.1"},
		{"one hop", "10.0.0.1:1", []string{"203.0.113.9"}, "203.0.113.9"},
		{"what the caller wrote is left of it", "10.0.0.1:1", []string{"1.2.3.4, 203.0.113.9"}, "203.0.113.9"},
		{"the caller pretends to be a proxy", "10.0.0.1:1", []string{"10.0.0.9, 203.0.113.9"}, "203.0.113.9"},
		{"two proxies", "10.0.0.1:1", []string{"1.2.3.4, 203.0.113.9, 10.0.0.2"}, "203.0.113.9"},
		{"two headers", "10.0.0.1:1", []string{"1.2.3.4", "203.0.113.9"}, "203.0.113.9"},
		{"only proxies", "10.0.0.1:1", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		{"mapped IPv4", "10.0.0.1:1", []string{"::ffff:203.0.113.9"}, "203.0.113.9"},
		{"mapped proxy", "[::ffff:10.0.0.1]:1", []string{"203.0.113.9"}, "203.0.113.9"},
		{"garbage", "10.0.0.1:1", []string{"unknown"}, "10.0.0.1"},
		{"garbage on the right", "10.0.0.1:1", []string{"203.0.113.9, <script>"}, "10.0.0.1"},
		{"empty", "10.0.0.1:1", []string{""}, "10.0.0.1"},
		{"empty on the right", "10.0.0.1:1", []string{"203.0.113.9,"}, "10.0.0.1"},
		{"with a port", "10.0.0.1:1", []string{"203.0.113.9:4711"}, "10.0.0.1"},
	} {
		b := newBench(t, func(c *Config) { c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")} })
		r := httptest.NewRequest("POST", "/token", strings.NewReader("client_id=web"))
		r.RemoteAddr = tt.peer
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header["X-Forwarded-For"] = tt.forwarded
		r.Header.Set("X-Real-Ip", "192.0.2.200")
		r.Header.Set("Forwarded", "for=192.0.2.201")
		b.server.ServeHTTP(httptest.NewRecorder(), r)
		if b.caller.IP != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, b.caller.IP, tt.want)
		}
	}
}

func FuzzClientIP(f *testing.F) {
	f.Add("10.0.0.1:1", "1.2.3.4, 203.0.113.9")
	f.Add("198.51.100.7:1", "x")
	f.Add("[::1]:1", ",,")
	f.Add("@", "fe80::1%eth0")
	s := &server{Config: Config{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}}
	f.Fuzz(func(t *testing.T, peer, forwarded string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = peer
		alone := s.clientIP(r)
		r.Header["X-Forwarded-For"] = []string{forwarded}
		got := s.clientIP(r)
		addr, err := netip.ParseAddr(alone)
		if (err != nil || !s.trusted(addr)) && got != alone {
			t.Fatalf("the untrusted peer %q became %q by %q", alone, got, forwarded)
		}
		r.Header["X-Forwarded-For"] = []string{"192.0.2.1, 10.9.9.9, 10.8.8.8, " + forwarded, "203.0.113.9"}
		if err == nil && s.trusted(addr) && s.clientIP(r) != "203.0.113.9" {
			t.Fatalf("what the caller wrote, %q, changed the address to %q", forwarded, s.clientIP(r))
		}
	})
}

// The caller is recorded with every refusal, so what it calls itself is bounded.
func TestCaller(t *testing.T) {
	b := newBench(t)
	w := b.get("/authorize?client_id=web", "User-Agent: "+strings.Repeat("é", 5000))
	if b.caller.RequestID != w.Header().Get("X-Request-Id") || b.caller.IP != "192.0.2.1" || len(b.caller.UserAgent) > 256 || !utf8.ValidString(b.caller.UserAgent) {
		t.Errorf("caller %+v", b.caller)
	}
	again := b.get("/authorize?client_id=web", "X-Request-Id: mine")
	if id := again.Header().Get("X-Request-Id"); id == w.Header().Get("X-Request-Id") || id == "mine" {
		t.Errorf("request id %q", id)
	}
}

// TK-08: one line for each request, without the query; none for documents that everybody polls.
func TestRequestLog(t *testing.T) {
	b := newBench(t)
	w := b.post("/token?client_secret=hunter2", "client_id=web&code=c0de", asClient("web:hunter2"), "Cookie: x=hunter2")
	line := b.logged(w.Header().Get("X-Request-Id"))["request"]
	if line == nil || line["status"] != 400.0 || line["method"] != "POST" || line["path"] != "/token" || line["ip"] != "192.0.2.1" {
		t.Errorf("log line %v", line)
	}
	if text := b.log.String(); strings.Contains(text, "hunter2") || strings.Contains(text, "c0de") {
		t.Errorf("a secret was logged: %s", text)
	}
	b = newBench(t)
	b.get("/jwks")
	b.get("/.well-known/openid-configuration")
	if text := b.log.String(); text != "" {
		t.Errorf("polling was logged: %s", text)
	}
	b.onMetadata = func() (ports.Document, error) { return ports.Document{}, ports.ErrKeysNotReady }
	b.get("/.well-known/openid-configuration")
	if text := b.log.String(); !strings.Contains(text, `"request"`) {
		t.Errorf("a failure was not logged: %s", text)
	}
}

// RL-05, LG-09: a body over 64 KiB is refused before anybody looks at it, and its connection closed.
func TestLargeBodies(t *testing.T) {
	b := newBench(t)
	server := httptest.NewServer(b.server)
	defer server.Close()
	for _, path := range []string{"/token", "/authorize", "/login", "/userinfo", "/consent", "/setup"} {
		head := "POST " + path + " HTTP/1.1\r\nHost: op.test\r\nContent-Type: application/x-www-form-urlencoded\r\n"
		body := "password=" + strings.Repeat("x", 1<<20)
		for name, request := range map[string]string{
			"1 MB":    fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", head, len(body), body),
			"chunked": head + "Transfer-Encoding: chunked\r\n\r\n" + strings.Repeat("2000\r\n"+strings.Repeat("y", 0x2000)+"\r\n", 20), // and no end
		} {
			if answer := raw(t, server, request); answer.StatusCode != http.StatusRequestEntityTooLarge || !answer.Close {
				t.Errorf("%s, %s: %d %v", path, name, answer.StatusCode, answer.Header)
			}
		}
		fits := newBench(t).post(path, "a="+strings.Repeat("&", read.MaxBody-2))
		if fits.Code == http.StatusRequestEntityTooLarge {
			t.Errorf("%s: 64 KiB are too many", path)
		}
	}
	for _, call := range b.calls {
		if !strings.HasPrefix(call, "Deny ") {
			t.Errorf("%s was called", call)
		}
	}
}

// RL-06: too many or too long parameters end at the door, of every endpoint and page.
func TestParameterBounds(t *testing.T) {
	for name, form := range map[string]string{"101 parameters": strings.Repeat("a=1&", 101), "a long value": "username=" + strings.Repeat("x", 4<<10+1)} {
		for _, path := range []string{"/token", "/authorize", "/login", "/consent", "/select-account", "/setup", "/userinfo", "/logout"} {
			b := newBench(t)
			wantError(t, b.post(path, form, browserOne), http.StatusBadRequest, "invalid_request")
			for _, call := range b.calls {
				if !strings.HasPrefix(call, "Deny ") {
					t.Errorf("%s, %s: %s was called", path, name, call)
				}
			}
		}
		for _, path := range []string{"/authorize", "/setup", "/consent"} {
			b := newBench(t)
			wantPage(t, b.get(path+"?"+form, asBrowser, browserOne), http.StatusBadRequest, page.MsgInvalidRequest)
		}
	}
}

// A panic is one answer and one record; the server lives on.
func TestPanic(t *testing.T) {
	b := newBench(t)
	b.onToken = func(oauth.TokenRequest) (oauth.TokenResponse, error) { panic("secret of the deep") }
	server := httptest.NewServer(b.server)
	defer server.Close()
	for range 2 {
		answer, err := server.Client().PostForm(server.URL+"/token", url.Values{"client_id": {"web"}})
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		if answer.StatusCode != http.StatusInternalServerError || !strings.Contains(string(text), `"server_error"`) || strings.Contains(string(text), "deep") {
			t.Errorf("%d %s", answer.StatusCode, text)
		}
	}
	b = newBench(t)
	b.onToken = func(oauth.TokenRequest) (oauth.TokenResponse, error) { panic("secret of the deep") }
	w := b.post("/token", "client_id=web")
	wantError(t, w, http.StatusInternalServerError, "server_error")
	lines := b.logged(w.Header().Get("X-Request-Id"))
	if len(lines) != 2 || lines["panic"] == nil || lines["request"] == nil || lines["request"]["status"] != 500.0 {
		t.Errorf("logged %v", lines)
	}
	b.onToken = func(oauth.TokenRequest) (oauth.TokenResponse, error) { panic(http.ErrAbortHandler) }
	defer func() {
		if p := recover(); p != http.ErrAbortHandler {
			t.Errorf("recovered %v", p)
		}
	}()
	b.post("/token", "client_id=web")
}

// Whoever types 127.0.0.1 where the issuer says localhost is led there, because cookies belong to a name; any other Host,
// such as a proxy's, is served as it comes (WB-11).
func TestLeadHome(t *testing.T) {
	for _, c := range []struct{ issuer, host, want string }{
		{"http://localhost:8080", "127.0.0.1:8080", "http://localhost:8080/login?ui_locales=id"},
		{"http://localhost:8080", "[::1]:8080", "http://localhost:8080/login?ui_locales=id"},
		{"http://localhost:8080", "localhost:8080", ""},
		{"http://localhost:8080", "evil.test", ""},
		{"https://op.test", "127.0.0.1:8080", ""},
	} {
		w := newBench(t, issuer(c.issuer)).get("/login?ui_locales=id", "Host: "+c.host)
		if got := w.Header().Get("Location"); got != c.want {
			t.Errorf("%s opened as %s: sent to %q, want %q", c.issuer, c.host, got, c.want)
		}
	}
	wantStatus(t, newBench(t, issuer("http://localhost:8080")).get("/jwks", "Host: 127.0.0.1:8080"), 200)
}

// RL-08: what a stranger asks for without limit, a path that does not exist, is worth few bytes of log.
func TestLogLinesAreBounded(t *testing.T) {
	b := newBench(t)
	b.send(strings.Repeat("M", 4000), "/"+strings.Repeat("p", 30_000), nil)
	b.send("OPTIONS", "/"+strings.Repeat("é", 10_000), nil)
	if text := b.log.String(); len(text) > 2000 || strings.Count(text, "\n") != 2 || strings.Contains(text, "\ufffd") {
		t.Errorf("%d bytes of log: %.300s", len(text), text)
	}
}
