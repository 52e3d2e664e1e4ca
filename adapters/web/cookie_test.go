package web

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"latchkey/domain/identity"
	"latchkey/ports"
)

// SS-01: every cookie this server sets, however it comes to be set.
func TestCookieAttributes(t *testing.T) {
	for _, tt := range []struct {
		issuer, prefix string
		secure         bool
	}{
		{"https://op.test", "__Host-", true},
		{"https://op.test/base", "__Host-", true},
		{"http://localhost:8080", "", false},
	} {
		b := newBench(t, issuer(tt.issuer))
		base := b.server.base
		key := fmt.Sprintf("Cookie: %slatchkey-browser=key-1", tt.prefix)
		answers := []*httptest.ResponseRecorder{
			b.get(base+"/authorize?client_id=web", asBrowser),
			b.get(base+"/login?ui_locales=id", asBrowser),
			b.get(base+"/setup?token=link", asBrowser),
		}
		login := b.get(base+"/login", asBrowser, key)
		origin := "Origin: " + b.server.origin
		answers = append(answers, b.post(base+"/login", "username=alice&password=x&csrf="+b.token(login), asBrowser, key, origin))
		b.onCurrent = func(ports.Browser) (identity.Session, identity.User, error) { return identity.Session{}, alice, nil }
		home := b.get(base+"/", asBrowser, key)
		answers = append(answers, b.post(base+"/logout", "csrf="+b.token(home), asBrowser, key, origin))

		seen := map[string]bool{}
		for _, w := range answers {
			for name, c := range cookiesSet(w) {
				seen[strings.TrimPrefix(name, tt.prefix)] = true
				if name == tt.prefix+cookieState { // for a script in a frame, and of no use to anybody else
					want := map[bool]http.SameSite{true: http.SameSiteNoneMode, false: http.SameSiteLaxMode}[tt.secure]
					if c.Secure != tt.secure || c.HttpOnly || c.SameSite != want || c.Path != "/" || c.Domain != "" || strings.Contains(c.Value, "new-session") {
						t.Errorf("%s: cookie %v", tt.issuer, c)
					}
					continue
				}
				if !strings.HasPrefix(name, tt.prefix+"latchkey-") || c.Secure != tt.secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode ||
					c.Path != "/" || c.Domain != "" || c.MaxAge == 0 {
					t.Errorf("%s: cookie %v", tt.issuer, c)
				}
			}
		}
		for _, name := range []string{cookieSession, cookieBrowser, cookieLocale, cookieState} {
			if !seen[name] {
				t.Errorf("%s: no answer set %s", tt.issuer, name)
			}
		}
	}
}

func TestSessionCookie(t *testing.T) {
	b := newBench(t)
	key := "Cookie: __Host-latchkey-browser=key-1"
	page := b.get("/login", asBrowser, key)
	in := b.post("/login", "username=alice&password=x&csrf="+b.token(page), asBrowser, key)
	if c := cookiesSet(in)["__Host-latchkey-session"]; c == nil || c.Value != "new-session" || time.Duration(c.MaxAge)*time.Second != identity.SessionAbsolute {
		t.Errorf("after signing in: %v", c)
	}
	b.onCurrent = func(ports.Browser) (identity.Session, identity.User, error) { return identity.Session{}, alice, nil }
	home := b.get("/", asBrowser, key)
	out := b.post("/logout", "csrf="+b.token(home), asBrowser, key, "Cookie: __Host-latchkey-session=new-session")
	wantStatus(t, out, http.StatusOK)
	if c := cookiesSet(out)["__Host-latchkey-session"]; c == nil || c.Value != "" || c.MaxAge >= 0 {
		t.Errorf("after signing out: %v", c)
	}
}

func TestCookie(t *testing.T) {
	const name = "__Host-latchkey-session"
	long := strings.Repeat("x", 129)
	for _, tt := range []struct {
		headers []string
		want    string
	}{
		{nil, ""},
		{[]string{name + "=a"}, "a"},
		{[]string{name + `="a"`}, "a"},
		{[]string{name + "=a; " + name + "=a"}, "a"},
		{[]string{name + "=a; " + name + "=b"}, ""},
		{[]string{name + "=a", name + "=b"}, ""},
		{[]string{name + "=a; " + name + "="}, ""},
		{[]string{name + "=; " + name + "=a"}, ""},
		{[]string{name + "=" + long}, ""},
		{[]string{name + "=a; " + name + "=" + long}, ""},
		{[]string{"latchkey-session=a"}, ""}, // without the prefix any host of the domain could have set it
		{[]string{"x=1; " + name + "=a; y=2"}, "a"},
	} {
		s := &server{secure: true}
		r := httptest.NewRequest("GET", "/", nil)
		r.Header["Cookie"] = tt.headers
		if got := s.cookie(r, cookieSession); got != tt.want {
			t.Errorf("%.80q: %q, want %q", tt.headers, got, tt.want)
		}
	}
}

// RL-08: thousands of cookies are nobody's, and no fault.
func TestManyCookies(t *testing.T) {
	b := newBench(t)
	var many strings.Builder
	many.WriteString("Cookie: __Host-latchkey-session=session-1")
	for i := range 5000 {
		fmt.Fprintf(&many, "; c%d=1", i)
	}
	wantStatus(t, b.get("/", asBrowser, many.String()), http.StatusOK)
	b.wantCalls("Current")
}

// OIDC Core §3.1.2.1: the pages that follow are in the language the application asked for, from every path of the endpoint.
func TestLanguageCookie(t *testing.T) {
	for _, path := range authorizePaths {
		b := newBench(t)
		w := b.get(path+"?client_id=web&ui_locales=fr+id-ID+en", asBrowser)
		c := cookiesSet(w)["__Host-latchkey-locale"]
		if c == nil || c.Value != "id" {
			t.Fatalf("%s: cookie %v", path, c)
		}
		page := b.get(w.Header().Get("Location"), asBrowser, "Cookie: __Host-latchkey-locale=id; __Host-latchkey-browser=made-1", "Accept-Language: en")
		if !strings.Contains(page.Body.String(), `<html lang="id">`) {
			t.Errorf("%s: the login page is in another language: %.200s", path, page.Body)
		}
	}
	b := newBench(t)
	if c := cookiesSet(b.get("/login?ui_locales=id", asBrowser, "Cookie: __Host-latchkey-locale=id"))["__Host-latchkey-locale"]; c != nil {
		t.Errorf("a choice that is known was set again: %v", c)
	}
	if c := cookiesSet(b.get("/login", asBrowser, "Accept-Language: id"))["__Host-latchkey-locale"]; c != nil {
		t.Errorf("a language nobody chose was remembered: %v", c)
	}
	w := b.get("/nothing", asBrowser, "Accept-Language: id")
	if !strings.Contains(w.Body.String(), `<html lang="id">`) {
		t.Errorf("not found, in another language: %.100s", w.Body)
	}
}

// A cookie is one unambiguous short value of the request, or none.
func FuzzCookie(f *testing.F) {
	for _, seed := range []string{"latchkey-session=a", "latchkey-session=a; latchkey-session=b", "latchkey-session=", `latchkey-session="a"`, ";;=;", "x"} {
		f.Add(seed)
	}
	s := &server{}
	f.Fuzz(func(t *testing.T, header string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header["Cookie"] = []string{header}
		value := s.cookie(r, cookieSession)
		if value == "" {
			return
		}
		if len(value) > 128 || !strings.Contains(header, value) {
			t.Fatalf("%q was read from %q", value, header)
		}
		r.Header["Cookie"] = []string{header, cookieSession + "=other-" + value[:min(len(value), 64)]}
		if again := s.cookie(r, cookieSession); again != "" {
			t.Fatalf("with a second value, still %q", again)
		}
	})
}
