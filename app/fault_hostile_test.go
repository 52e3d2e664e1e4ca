package app_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/app"
	"latchkey/app/apptest"
)

// hostilePaths are all the routes there are. The generator makes up others besides.
func hostilePaths(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("../adapters/web/testdata/routes.txt")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(text))
}

// generator makes requests none of which may achieve anything: whatever they name is almost right, and then they are
// mutated, given twice, too large, of another type or wrongly encoded.
type generator struct {
	r      *rand.Rand
	host   string
	paths  []string
	almost map[string][]string // values for parameters and headers
	cookie string              // of somebody who is signed in and agreed to nothing
}

var nasty = []string{"", " ", "\x00", "\xff\xfe", "%", "%zz", "%00", "%c0%af", "null", "undefined", "true", "-1", "0", "9223372036854775808", "1e309", "NaN", "[]", "{}", `{"a":`, `"`, "'",
	"' OR '1'='1", "\r\nSet-Cookie: a=b", "<script>alert(1)</script>", "{{.}}", "../../etc/passwd", "..%2f", "\u202e", "é", "e\u0301", "𝕒", "http://[::1", "javascript:alert(1)", "https://app.test/cb#x",
	"https://app.test/cb/../evil", "openid  profile", "openid,profile", "code token", "none login", "S256 plain", "Basic", "Bearer", "Bearer  x", "Basic %%%", "eyJhbGciOiJub25lIn0..",
	"eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.", "a.b.c", "a.b.c.d.e"}

func (g *generator) pick(of []string) string { return of[g.r.IntN(len(of))] }

// value returns something for a parameter: almost right, or nothing like it.
func (g *generator) value(name string) string {
	switch n := g.r.IntN(20); {
	case n < 12 && len(g.almost[name]) > 0:
		return g.pick(g.almost[name])
	case n < 16:
		return g.pick(nasty)
	case n == 16:
		return strings.Repeat(g.pick([]string{"a", "é", "%", "\x00", "openid ", "[", "{\"a\":"}), 1<<g.r.IntN(14))
	case n == 17:
		b := make([]byte, g.r.IntN(40))
		for i := range b {
			b[i] = byte(g.r.Uint32())
		}
		return string(b)
	default:
		all := g.almost["code"]
		return g.pick(all) + g.pick(nasty)
	}
}

// form returns an encoded form with its mistakes.
func (g *generator) form() string {
	names := []string{"client_id", "client_secret", "redirect_uri", "response_type", "scope", "state", "nonce", "code", "code_verifier", "code_challenge", "code_challenge_method",
		"grant_type", "refresh_token", "token", "token_type_hint", "prompt", "max_age", "id_token_hint", "post_logout_redirect_uri", "username", "password", "csrf", "approved", "interaction",
		"request", "request_uri", "response_mode", "login_hint", "ui_locales", "acr_values", "access_token", "session", "ref", "email", "current",
		"credential", "challenge", "client_data", "attestation", "authenticator_data", "signature", "user_handle", "transports", "factor", "name", "recovery", "others",
		"account", "grant", "next", "switch", "password_again", "before", "client_assertion", "client_assertion_type", "post_logout_url", "id_token_hing"}
	var parts []string
	for range g.r.IntN(14) {
		name := g.pick(names)
		if g.r.IntN(30) == 0 {
			name = g.pick(nasty)
		}
		value := g.value(name)
		switch g.r.IntN(12) {
		case 0: // as it is
		case 1:
			value = url.PathEscape(value)
		default:
			value = url.QueryEscape(value)
		}
		part := name + g.pick([]string{"=", "=", "=", "=", "=", "=", "", "[]=", "==", "%3D"}) + value
		parts = append(parts, part)
		if g.r.IntN(10) == 0 {
			parts = append(parts, part)
		}
	}
	if g.r.IntN(200) == 0 {
		parts = slices.Repeat(append(parts, "a=b"), 120/(len(parts)+1)+1)
	}
	return strings.Join(parts, g.pick([]string{"&", "&", "&", "&", "&", "&", "&", ";", "&&"}))
}

// request returns the parts of the next request.
func (g *generator) request() (method, path, query, body string, header http.Header) {
	if method = g.pick([]string{"GET", "POST", "POST"}); g.r.IntN(15) == 0 {
		method = g.pick([]string{"HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "get", "X"})
	}
	path = g.pick(g.paths)
	switch g.r.IntN(25) {
	case 0:
		path += g.pick([]string{"/", "//", "/..", "/../admin", "%2f", ";a=b", ".json", "%00", "?"})
	case 1:
		path = g.pick([]string{"/", "//", "/./", "/%2e%2e/"}) + strings.TrimPrefix(path, "/")
	}
	if g.r.IntN(2) == 0 {
		query = g.form()
	}
	header = http.Header{}
	if method != "GET" && method != "HEAD" {
		body = g.form()
		kind := "application/x-www-form-urlencoded"
		switch g.r.IntN(12) {
		case 0:
			kind = g.pick([]string{"application/json", "text/plain", "multipart/form-data", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded; charset=utf-16", "", "a/b/c", ";", "application/x-www-form-urlencoded, application/json"})
		case 1:
			kind, body = "application/json", g.pick([]string{"{", "[]", "null", strings.Repeat("[", 10000), `{"grant_type":"authorization_code","grant_type":"x"}`, "\xef\xbb\xbf{}"})
		}
		header["Content-Type"] = []string{kind}
		if g.r.IntN(300) == 0 {
			body = strings.Repeat("a=b&", 20_000)
		}
	}
	for _, name := range []string{"Authorization", "Origin", "Sec-Fetch-Site", "Accept", "Accept-Language", "Content-Encoding", "X-Forwarded-For", "Forwarded", "Referer", "DPoP", "X-HTTP-Method-Override", "User-Agent", "Range"} {
		switch g.r.IntN(8) {
		case 0:
			header[name] = []string{strings.Map(visible, g.value(name))}
		case 1:
			if name == "Authorization" || g.r.IntN(10) == 0 {
				header[name] = []string{strings.Map(visible, g.value(name)), strings.Map(visible, g.value(name))}
			}
		}
	}
	switch g.r.IntN(4) {
	case 0:
		header["Cookie"] = []string{g.cookie}
	case 1:
		header["Cookie"] = []string{strings.Map(visible, "latchkey-session="+g.value("session")+"; a="+g.value("x"))}
	}
	return method, path, query, body, header
}

// visible keeps what net/http lets into a header.
func visible(r rune) rune {
	if r < 0x20 || r == 0x7f {
		return -1
	}
	return r
}

// Numbers of section "bad input": any number of hostile requests to every route achieve nothing. No panic, no 500, no token,
// no code, no change of state.
func TestFaultHostile(t *testing.T) {
	t.Parallel()
	requests := size(t, "HOSTILE", 6000)
	p := apptest.New(t)
	p.Restart(func(c *app.Config) { // a million lines of log would look like a leak
		c.Log = slog.New(slog.NewTextHandler(p.Log, &slog.HandlerOptions{Level: slog.LevelError}))
	})
	g := hostile(t, p)
	for _, path := range g.paths {
		if r := p.Client("web").Send("OPTIONS", path, "", nil); r.Status == http.StatusNotFound {
			t.Errorf("there is no %s any more", path)
		}
	}
	before := digest(t, p)
	delete(before, "interaction")
	var memory [2]runtime.MemStats
	runtime.ReadMemStats(&memory[0])
	seed := rand.Uint64()
	const workers = 4
	var running sync.WaitGroup
	var mu sync.Mutex
	statuses := map[int]int{}
	var times []time.Duration
	for w := range workers {
		running.Go(func() {
			g := g
			g.r = rand.New(rand.NewPCG(seed, uint64(w)))
			mine, took := map[int]int{}, make([]time.Duration, 0, requests/workers)
			for n := range requests / workers {
				begun := time.Now()
				var status int
				if n%20 == 19 {
					status = g.raw(t)
				} else {
					status = g.direct(t, p.Handler)
				}
				took = append(took, time.Since(begun))
				mine[status]++
			}
			mu.Lock()
			defer mu.Unlock()
			times = append(times, took...)
			for status, n := range mine {
				statuses[status] += n
			}
		})
	}
	running.Wait()
	runtime.GC()
	runtime.ReadMemStats(&memory[1])
	after := digest(t, p)
	delete(after, "interaction")
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("the state changed (-before +after), seed %d:\n%s", seed, diff)
	}
	if log := p.Log.String(); strings.Contains(log, "panic") || strings.Contains(log, "level=ERROR") {
		i := max(strings.Index(log, "panic"), strings.Index(log, "level=ERROR"))
		t.Errorf("the log, seed %d: %.2000s", seed, log[i:])
	}
	slices.Sort(times)
	t.Logf("%d hostile requests: answers by status %v (0: the connection was closed); 99%% of them within %v; heap %d KiB before, %d after; the state is the same",
		len(times), statuses, times[len(times)*99/100].Round(10*time.Microsecond), memory[0].HeapAlloc>>10, memory[1].HeapAlloc>>10)
}

// hostile prepares what is almost right.
func hostile(t *testing.T, p *apptest.Provider) generator {
	t.Helper()
	web, b := p.Client("web"), p.Browser()
	used := web.Code(b, "alice")
	tokens := wantTokens(t, web.Exchange(used))
	off := func(s string) string { return s[:len(s)/2] + "A" + s[len(s)/2+1:] }
	if c := tokens.Get("refresh_token"); off(c) == c {
		t.Fatal("the token is right")
	}
	bob := p.Browser()
	signedIn(t, bob, "bob", apptest.Password)
	basic := func(id, secret string) string {
		r := &http.Request{Header: http.Header{}}
		r.SetBasicAuth(id, secret)
		return r.Header.Get("Authorization")
	}
	request := web.Request()
	almost := map[string][]string{
		"client_id": {"web", "evil", "spa", "native", "loose", "Web", "nobody"}, "client_secret": {apptest.Secret, off(apptest.Secret)}, "redirect_uri": {web.RedirectURI, web.RedirectURI + "/", "https://evil.test/cb"},
		"response_type": {"code", "token", "id_token", "code id_token"}, "scope": {web.Scope, "openid", "admin"}, "state": request["state"], "nonce": request["nonce"], "code": {off(web.Code(b, "alice"))},
		"code_verifier": {apptest.Verifier, off(apptest.Verifier)}, "code_challenge": request["code_challenge"], "code_challenge_method": {"S256", "plain", "s256"},
		"grant_type":    {"authorization_code", "refresh_token", "client_credentials", "password", "implicit"},
		"refresh_token": {off(tokens.Get("refresh_token"))}, "token": {off(tokens.Get("refresh_token")), off(tokens.Get("access_token"))}, "access_token": {off(tokens.Get("access_token"))},
		"id_token_hint": {off(tokens.Get("id_token"))}, "prompt": {"none", "login", "consent", "select_account", "none login"}, "max_age": {"0", "60", "-1"}, "username": {"alice", "bob", "carol", "dave"},
		"password": {apptest.Password[1:]}, "approved": {"true", "false"}, "response_mode": {"query", "fragment", "form_post"}, "post_logout_redirect_uri": {"https://app.test/", "https://evil.test/"},
		"Authorization": {"Bearer " + off(tokens.Get("access_token")), basic("web", apptest.Secret), basic("web", off(apptest.Secret)), basic("evil", apptest.Secret)},
		"client_data":   {clientData("webauthn.get", p.Issuer), clientData("webauthn.create", p.Issuer), clientData("webauthn.get", "https://evil.test")}, "credential": {"AAAA", strings.Repeat("A", 86)},
		"attestation": {"o2NmbXRkbm9uZWdhdHRTdG10oGhhdXRoRGF0YVgA", "oA", "//8"}, "authenticator_data": {strings.Repeat("A", 50), "AA"}, "signature": {"MEUCIQ", "MAYCAQECAQE"},
		"user_handle": {"YWxpY2U"}, "transports": {"internal", "usb nfc"}, "factor": {"fac_aaaaaaaaaaaaaaaa"}, "recovery": {"ABCDE-FGHJK-MNPQR-TUVWX"}, "next": {"/admin", "//evil.test", "account"},
		"Origin": {p.Issuer, "null", "https://app.test", "https://evil.test"}, "Sec-Fetch-Site": {"same-origin", "cross-site"}, "Content-Encoding": {"gzip"}, "Accept": {"text/html", "application/json"},
	}
	return generator{paths: hostilePaths(t), host: strings.TrimPrefix(p.Issuer, "http://"), almost: almost, cookie: cookies(bob)}
}

// clientData is what a browser says of a ceremony that nobody began.
func clientData(ceremony, origin string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(`{"type":"` + ceremony + `","challenge":"` + strings.Repeat("A", 43) + `","origin":"` + origin + `"}`))
}

// direct gives the next request to the handler and checks the answer.
func (g *generator) direct(t *testing.T, handler http.Handler) int {
	method, path, query, body, header := g.request()
	at, err := url.ParseRequestURI(path)
	if err != nil {
		at = &url.URL{Path: path}
	}
	at.RawQuery = query
	r := &http.Request{Method: method, URL: at, RequestURI: at.RequestURI(), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: header, Host: g.host,
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), RemoteAddr: "192.0.2.1:1234"}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r.WithContext(t.Context()))
	told := func() string {
		return fmt.Sprintf("%s %.300q?%.300q %v %.500q: %d %v %.500s", method, path, query, header, body, w.Code, w.Header(), w.Body)
	}
	location := w.Header().Get("Location")
	answer, _ := url.Parse(location) // a redirect within the provider carries what it was asked
	switch {
	case w.Code >= 500:
		t.Errorf("a fault: %s", told())
	case strings.Contains(w.Body.String(), `"access_token"`), strings.Contains(w.Body.String(), `"active":true`), answer != nil && answer.Host == "app.test" && answer.Query().Has("code"),
		strings.Contains(strings.Join(w.Header().Values("Set-Cookie"), " "), "session=") && !strings.Contains(strings.Join(w.Header().Values("Set-Cookie"), " "), "session=;"):
		t.Errorf("it was accepted: %s", told())
	case strings.Contains(w.Body.String(), "goroutine "), strings.Contains(w.Body.String(), "<script>alert"), w.Header().Get("A") != "":
		t.Errorf("it speaks too much: %s", told())
	}
	return w.Code
}

// raw sends the next request as bytes, some of them wrong, and returns the status of the answer.
func (g *generator) raw(t *testing.T) int {
	method, path, query, body, header := g.request()
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s?%s HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\nConnection: close\r\n", method, path, query, g.host, len(body))
	header.Write(&b)
	b.WriteString("\r\n" + body)
	raw := b.Bytes()
	for range g.r.IntN(4) {
		raw[g.r.IntN(len(raw))] = byte(g.r.Uint32())
	}
	c, err := net.Dial("tcp", g.host)
	if err != nil {
		t.Error(err)
		return 0
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(10 * time.Second))
	c.Write(raw)
	c.(*net.TCPConn).CloseWrite()
	answer, _ := io.ReadAll(io.LimitReader(c, 64<<10))
	status := 0
	fmt.Sscanf(string(answer), "HTTP/1.1 %d", &status)
	// Whoever closes half of a connection may be taken for gone.
	expected := status < 500 || status == http.StatusServiceUnavailable || status == http.StatusNotImplemented || status == http.StatusHTTPVersionNotSupported
	if !expected || bytes.Contains(answer, []byte(`"access_token"`)) {
		t.Errorf("%.2000q: %.1000s", raw, answer)
	}
	return status
}
