package web

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/adapters/web/page"
)

// endpoint is one endpoint with its aliases: what each method answers.
type endpoint struct {
	paths []string
	want  map[string]int
	allow string
}

func endpoints(style string) []endpoint {
	document := map[string]int{"GET": 200, "HEAD": 200, "OPTIONS": 204}
	own := map[string]int{"GET": 303, "POST": 403} // nothing is sent with these requests: the page moves on, the form is foreign
	return []endpoint{
		{[]string{"/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"}, document, "GET, HEAD"},
		{[]string{"/.well-known/jwks.json", "/jwks", "/jwk.json"}, document, "GET, HEAD"},
		{[]string{"/token", "/oauth2/token", "/connect/token", "/access_tokens"}, map[string]int{"POST": 200, "OPTIONS": 204}, "POST"},
		{[]string{"/userinfo", "/connect/userinfo", "/user_info"}, map[string]int{"GET": 401, "POST": 401, "OPTIONS": 204}, "GET, POST"},
		{[]string{"/revocation", "/oauth/revoke", "/oauth2/revocation"}, map[string]int{"POST": 200, "OPTIONS": 204}, "POST"},
		{[]string{"/revoke", "/connect/revocation"}, map[string]int{"POST": 200, "OPTIONS": 204}, "POST"},
		{[]string{"/introspect", "/oauth2/introspect", "/connect/introspect"}, map[string]int{"POST": 200, "OPTIONS": 204}, "POST"},
		{logoutPaths, map[string]int{"GET": 200, "POST": 303, "OPTIONS": 204}, "GET, POST"},
		{[]string{"/connect/logout/frontchannel"}, map[string]int{"GET": 200, "OPTIONS": 204}, "GET"},
		{[]string{"/connect/register-session"}, map[string]int{"POST": 200, "OPTIONS": 204}, "POST"},
		{[]string{"/connect/checksession"}, document, "GET, HEAD"},
		{authorizePaths, map[string]int{"GET": 303, "POST": 303}, "GET, POST"},
		{[]string{"/login"}, map[string]int{"GET": 200, "POST": 403}, "GET, POST"},
		{[]string{"/select-account"}, own, "GET, POST"},
		{[]string{"/consent"}, own, "GET, POST"},
		{[]string{"/authorizations"}, map[string]int{"POST": 403}, "POST"},
		{[]string{"/logout"}, map[string]int{"POST": 403}, "POST"},
		{[]string{"/connect/logout/confirm"}, map[string]int{"POST": 403}, "POST"},
		{[]string{"/reset"}, map[string]int{"GET": 200, "POST": 403}, "GET, POST"},
		{[]string{"/setup"}, map[string]int{"GET": 200, "POST": 403}, "GET, POST"},
		{[]string{"/"}, map[string]int{"GET": 200}, "GET"},
		{[]string{style}, map[string]int{"GET": 200, "HEAD": 200}, "GET, HEAD"},
		{[]string{"/account"}, map[string]int{"GET": 200}, "GET"},
		{[]string{"/account/password"}, own, "GET, POST"},
		{[]string{"/account/email"}, own, "GET, POST"},
		{[]string{"/account/sessions"}, own, "GET, POST"},
		{[]string{"/account/activity"}, map[string]int{"GET": http.StatusOK}, "GET"},
		{[]string{"/account/applications"}, own, "GET, POST"},
		{[]string{"/account/passkeys"}, map[string]int{"GET": 200, "POST": 403}, "GET, POST"},
		{[]string{"/login/passkey", "/second-factor/passkey", "/account/passkeys/challenge", "/account/factors/remove/passkey"}, map[string]int{"POST": 403}, "POST"},
		{[]string{page.PasskeyScript.Path}, map[string]int{"GET": 200, "HEAD": 200}, "GET, HEAD"},
		{[]string{"/.well-known/passkey-endpoints"}, map[string]int{"GET": 200}, "GET"},
		{[]string{"/second-factor"}, own, "GET, POST"},
		{[]string{"/account/totp", "/account/totp/new", "/account/factors", "/account/factors/remove", "/account/recovery-codes", shownOnce}, own, "GET, POST"},
		{[]string{"/.well-known/change-password"}, map[string]int{"GET": 303}, "GET"},
		{[]string{"/errors"}, map[string]int{"GET": 200}, "GET"},
		{[]string{"/admin"}, map[string]int{"GET": 200}, "GET"},
		{[]string{"/admin/explain", "/admin/logout"}, map[string]int{"GET": 200}, "GET"},
		{[]string{"/healthz", "/readyz"}, document, "GET, HEAD"},
	}
}

// Every path and method there is; whatever is not listed is 405 with Allow, and calls nothing but the record (TK-07, AZ-15).
func TestRoutes(t *testing.T) {
	b := newBench(t)
	style := page.StyleSheet.Path
	var listed []string
	for _, e := range endpoints(style) {
		listed = append(listed, e.paths...)
		for _, path := range e.paths {
			for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "get", "PROPFIND"} {
				b := newBench(t)
				var body io.Reader
				if method != "GET" && method != "HEAD" {
					body = strings.NewReader("grant_type=x&client_id=web")
				}
				w := b.send(method, path, body, "Content-Type: application/x-www-form-urlencoded", asBrowser, browserOne)
				want := e.want[method]
				if want == 0 {
					want = http.StatusMethodNotAllowed
					if route := b.server.routes[path]; route.machine && !route.public {
						b.wantCalls("Deny auth.request.denied") // so that it can be explained
					} else {
						b.wantCalls()
					}
					wantHeader(t, w, "Allow", e.allow)
					wantHeader(t, w, "Cache-Control", "no-store")
				}
				if w.Code != want {
					t.Errorf("%s %s: %d, want %d", method, path, w.Code, want)
				}
				if method == "HEAD" && w.Body.Len() > 0 {
					t.Errorf("HEAD %s has a body", path)
				}
			}
		}
	}
	if routes := slices.Sorted(maps.Keys(b.server.routes)); !slices.Equal(routes, slices.Sorted(slices.Values(listed))) {
		t.Errorf("routes %q, tested %q", routes, slices.Sorted(slices.Values(listed)))
	}
}

// An alias differs from its endpoint in nothing but the documented subject of /user_info.
func TestAliases(t *testing.T) {
	requests := []struct {
		method, target, body string
		headers              []string
	}{
		{"GET", "", "", nil},
		{"GET", "?client_id=web&ui_locales=id", "", []string{asBrowser}},
		{"GET", "?a=%zz", "", []string{asBrowser}},
		{"GET", "", "", []string{"Authorization: Bearer tok"}},
		{"GET", "?access_token=tok", "", []string{"Origin: " + spaOrigin}},
		{"GET", "", "", []string{`If-None-Match: "keys-1"`}},
		{"HEAD", "", "", []string{asBrowser}},
		{"OPTIONS", "", "", []string{"Origin: " + spaOrigin, "Access-Control-Request-Method: POST"}},
		{"POST", "", "grant_type=refresh_token&client_id=web", nil},
		{"POST", "", "client_id=web", []string{browserOne, "Cookie: __Host-latchkey-session=s"}},
		{"POST", "?code=x", "client_id=web", nil},
		{"POST", "", "client_id=web&client_id=web", []string{"Origin: https://evil.test"}},
		{"DELETE", "", "", nil},
	}
	for _, e := range endpoints("/none")[:9] {
		for _, alias := range e.paths[1:] {
			if alias == "/user_info" || alias == "/connect/endsession" { // these differ, each in one thing
				continue
			}
			for _, r := range requests {
				var answers [2]*httptest.ResponseRecorder
				for i, path := range []string{e.paths[0], alias} {
					b := newBench(t)
					answers[i] = b.send(r.method, path+r.target, strings.NewReader(r.body), append(r.headers, "Content-Type: application/x-www-form-urlencoded")...)
				}
				one, two := answers[0], answers[1]
				body := func(w *httptest.ResponseRecorder, path string) string {
					return strings.ReplaceAll(w.Body.String(), path, "PATH")
				}
				if one.Code != two.Code || !reflect.DeepEqual(one.Header(), two.Header()) || body(one, e.paths[0]) != body(two, alias) {
					t.Errorf("%s %s%s: %d %v %s\nbut %s: %d %v %s", r.method, e.paths[0], r.target, one.Code, one.Header(), one.Body,
						alias, two.Code, two.Header(), two.Body)
				}
			}
		}
	}
}

// AZ-15: HEAD neither issues a code nor spends an interaction.
func TestHeadDoesNothing(t *testing.T) {
	b := newBench(t)
	for _, target := range []string{"/authorize?client_id=web", "/login?interaction=int-1", "/consent?interaction=int-1", "/select-account?interaction=int-1", "/setup?token=x", "/"} {
		w := b.send("HEAD", target, nil, asBrowser, browserOne)
		wantStatus(t, w, http.StatusMethodNotAllowed)
		if len(w.Result().Cookies()) > 0 || w.Body.Len() > 0 {
			t.Errorf("HEAD %s: %v %s", target, w.Header(), w.Body)
		}
	}
	b.wantCalls()
}

// AZ-23: a path that is not exactly one of ours is not found, whatever it could be cleaned to: a redirect would send the
// form, and the password in it, along.
func TestPathsAreExact(t *testing.T) {
	b := newBench(t)
	server := httptest.NewServer(b.server)
	defer server.Close()
	for _, path := range []string{"//login", "///login", "/login/", "/login//", "/./login", "/./consent", "/x/../authorize", "/../login", "/login/..", "/login/.",
		"/%6Cogin", "/login%2F", "/%2Flogin", "/oauth2%2Ftoken", "/oauth2%2ftoken", "/..%2flogin", "/LOGIN", "/Token", "/login;x=1", "/login%00", "/login%20",
		"/token/", "//token", "/x/../token", "/oauth2//token", "/.well-known//jwks.json", "/./connect/logout", "/static/", "/static/style.css", "/nothing", "/errors/", "/account/",
		"//evil.test/login", "/login%3Finteraction=x"} {
		for _, method := range []string{"GET", "POST", "OPTIONS"} {
			answer := raw(t, server, method+" "+path+" HTTP/1.1\r\nHost: op.test\r\nAccept: text/html\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 22\r\n\r\nusername=a&password=b1")
			if answer.StatusCode != http.StatusNotFound || answer.Header.Get("Location") != "" {
				t.Errorf("%s %s: %d %v", method, path, answer.StatusCode, answer.Header)
			}
		}
	}
	b.wantCalls()
	wantPage(t, b.get("/nothing", asBrowser), http.StatusNotFound, page.MsgNotFound)
	wantError(t, b.get("/nothing"), http.StatusNotFound, "invalid_request")
	wantHeader(t, b.get("/nothing", asBrowser), "Cross-Origin-Opener-Policy", "same-origin")
}

// raw sends bytes as they are and reads the answer.
func raw(t *testing.T, server *httptest.Server, request string) *http.Response {
	t.Helper()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(30 * time.Second))
	io.WriteString(conn, request)
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	answer.Body = io.NopCloser(strings.NewReader(string(text)))
	return answer
}

// WB-11: who the caller says we are changes nothing.
func TestHostHeaderHasNoEffect(t *testing.T) {
	hostile := []string{"Host: evil.test", "X-Forwarded-Host: evil.test", "X-Forwarded-Proto: http", "Forwarded: host=evil.test", "X-Original-URL: /setup", "X-Rewrite-URL: /setup"}
	for _, target := range []string{"/.well-known/openid-configuration", "/", "/login", "/authorize?client_id=web", "/consent?interaction=x", "/nothing", "/userinfo", "/setup?token=x"} {
		plain, spoofed := newBench(t).get(target, asBrowser, browserOne), newBench(t).get(target, append(hostile, asBrowser, browserOne)...)
		if strings.Contains(fmt.Sprint(spoofed.Header()), "evil") || spoofed.Body.String() != plain.Body.String() || spoofed.Code != plain.Code {
			t.Errorf("%s: %d %v %s", target, spoofed.Code, spoofed.Header(), spoofed.Body)
		}
	}
	server := httptest.NewServer(newBench(t).server)
	defer server.Close()
	answer := raw(t, server, "GET http://evil.test/login HTTP/1.1\r\nHost: evil.test\r\nAccept: text/html\r\n\r\n")
	if text, _ := io.ReadAll(answer.Body); answer.StatusCode != http.StatusOK || strings.Contains(string(text), "evil") {
		t.Errorf("absolute form: %d %s", answer.StatusCode, text)
	}
}

// A base path in the issuer is before every path, and RFC 8414 §3.1 puts the well-known part before it as well.
func TestIssuerWithPath(t *testing.T) {
	b := newBench(t, issuer("https://op.test/tenant"))
	for _, target := range []string{"/tenant/.well-known/openid-configuration", "/.well-known/openid-configuration/tenant", "/.well-known/oauth-authorization-server/tenant", "/tenant/jwks"} {
		wantStatus(t, b.get(target), http.StatusOK)
	}
	for _, target := range []string{"/.well-known/openid-configuration", "/login", "/tenant", "/tenant/tenant/login", "/.well-known/jwks.json/tenant"} {
		wantStatus(t, b.get(target), http.StatusNotFound)
	}
	wantHeader(t, b.get("/tenant/authorize?client_id=web"), "Location", "/tenant/login?interaction=int-1")
	wantHeader(t, b.post("/tenant/authorize", "client_id=web"), "Location", "/tenant/authorize?client_id=web")
	shown := b.get("/tenant/login", asBrowser)
	style := page.StyleSheet.Path
	for _, want := range []string{`href="/tenant` + style + `"`, `action="/tenant/login"`} {
		if !strings.Contains(shown.Body.String(), want) {
			t.Errorf("the page lacks %s: %.600s", want, shown.Body)
		}
	}
	wantStatus(t, b.get("/tenant"+style), http.StatusOK)
}

func TestNewRefuses(t *testing.T) {
	if _, err := New(Config{Issuer: "https://op.test/%zz"}); err == nil {
		t.Error("an issuer that is no URL was accepted")
	}
}
