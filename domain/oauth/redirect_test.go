package oauth_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"latchkey/domain/oauth"
	"latchkey/domain/oauth/oauthtest"
)

func TestMatchRedirectURI(t *testing.T) {
	const web = "https://app.test/cb"
	for _, c := range []struct {
		id, registered, given string
		want                  bool
	}{
		{"exact", web, web, true},
		{"RD-02", web, "https://app.test/cb/", false},
		{"RD-02", web, "https://app.test/cb/x", false},
		{"RD-02", web, "https://app.test/c", false},
		{"RD-02", web, "https://app.test/cb?x=1", false},
		{"RD-02", web, "https://app.test/cb#f", false},
		{"RD-02", web, "https://appXtest/cb", false},
		{"RD-02", web, "https://app.test.evil.test/cb", false},
		{"RD-03", web, "HTTPS://app.test/cb", false},
		{"RD-03", web, "https://APP.test/cb", false},
		{"RD-03", web, "https://app.test/CB", false},
		{"RD-04", web, "https://app.test@evil.test/cb", false},
		{"RD-04", web, "https://app.test:x@evil.test/cb", false},
		{"RD-04", web, `https://evil.test\@app.test/cb`, false},
		{"RD-05", web, "https://app.test/a/../cb", false},
		{"RD-05", web, "https://app.test/cb/..;/x", false},
		{"RD-05", web, "https://app.test/%2e%2e/cb", false},
		{"RD-05", web, "https://app.test//cb", false},
		{"RD-06", web, "https://app.test:443/cb", false},
		{"RD-06", web, "https://app.test:444/cb", false},
		{"RD-06", web, "http://app.test/cb", false},
		{"RD-06", web, "https://app.test./cb", false},
		{"RD-07", "http://127.0.0.1/cb", "http://127.0.0.1/cb", true},
		{"RD-07", "http://127.0.0.1/cb", "http://127.0.0.1:49152/cb", true},
		{"RD-07", "http://127.0.0.1/cb", "http://127.0.0.1:1/cb", true},
		{"RD-07", "http://127.0.0.1/cb", "http://127.0.0.1:65535/cb", true},
		{"RD-07", "http://127.0.0.1/cb", "http://127.0.0.1:65536/cb", false},
		{"RD-07", "http://127.0.0.1/cb", "http://127.0.0.1:0/cb", false},
		{"RD-07", "http://127.0.0.1/cb", "http://127.0.0.1:080/cb", false},
		{"RD-07", "http://127.0.0.1/cb", "http://127.0.0.1:/cb", false},
		{"RD-07", "http://127.0.0.1/cb", "http://127.0.0.1:80x/cb", false},
		{"RD-07", "http://127.0.0.1/cb", "http://127.0.0.1:80@evil.test/cb", false},
		{"RD-07", "http://127.0.0.1/cb", "http://127.0.0.1:80/other", false},
		{"RD-07", "http://127.0.0.1/cb", "http://127.0.0.1:80/cb?x=1", false},
		{"RD-07", "http://127.0.0.1/cb", "http://localhost:80/cb", false},
		{"RD-07", "http://127.0.0.1/cb", "http://[::1]:80/cb", false},
		{"RD-07", "http://127.0.0.1/cb", "https://127.0.0.1:80/cb", false},
		{"RD-07", "http://[::1]/cb", "http://[::1]:8080/cb", true},
		{"RD-07", "http://localhost/cb", "http://localhost:58135/cb", true},
		{"RD-07", "http://localhost", "http://localhost:58135", true},
		{"RD-07", "http://localhost?x=1", "http://localhost:58135?x=1", true},
		{"RD-07 a registered port is meant", "http://127.0.0.1:8080/cb", "http://127.0.0.1:8081/cb", false},
		{"RD-07 only a whole host is loopback", "http://localhost.evil.test/cb", "http://localhost:80.evil.test/cb", false},
		{"RD-07 https has a certificate, so its port is known", "https://localhost/cb", "https://localhost:8443/cb", false},
		{"RD-08", "https://app.test/cb?x=1", "https://app.test/cb?x=1", true},
		{"RD-08", "https://app.test/cb?x=1", "https://app.test/cb?x=1&y=2", false},
		{"RD-08", "https://app.test/cb?x=1", "https://app.test/cb", false},
		{"private-use", "com.example.app:/cb", "com.example.app:/cb", true},
		{"private-use", "com.example.app:/cb", "com.example.app:/cb2", false},
		{"empty", web, "", false},
	} {
		t.Run(c.id+" "+c.given, func(t *testing.T) {
			if got := oauth.MatchRedirectURI([]string{"https://other.test/", c.registered}, c.given); got != c.want {
				t.Errorf("registered %s, given %s: %v", c.registered, c.given, got)
			}
		})
	}
	if oauth.MatchRedirectURI(nil, "") {
		t.Error("nothing registered matches nothing given")
	}
}

func TestRedirectMatrix(t *testing.T) {
	for _, registered := range []string{"https://app.test/cb", "https://app.test/cb?x=1", "http://127.0.0.1/cb", "http://[::1]/cb",
		"http://localhost/cb", "com.example.app:/cb"} {
		t.Run("RD-02…06 "+registered, func(t *testing.T) {
			seen := map[string]bool{registered: true}
			for _, given := range oauthtest.Mutations(registered) {
				if seen[given] {
					continue
				}
				seen[given] = true
				if got := oauth.MatchRedirectURI([]string{registered}, given); got != oauthtest.Loopback(registered, given) {
					t.Errorf("%q: %v", given, got)
				}
			}
			if len(seen) < 400 {
				t.Errorf("only %d mutations", len(seen))
			}
			if !oauth.MatchRedirectURI([]string{registered}, registered) {
				t.Error("the URI itself is refused")
			}
		})
	}
}

func TestCheckRedirectURI(t *testing.T) {
	for _, good := range []string{"https://app.test/cb", "https://app.test", "https://app.test:8443/cb?x=1&y=%20", "http://localhost/cb",
		"http://localhost:3000/auth/callback", "http://127.0.0.1/", "http://[::1]:9/cb", "https://[2001:db8::1]/cb", "com.example.app:/cb",
		"com.example.app://callback", "app.immich:///oauth-callback", "https://xn--bcher-kva.test/cb", "https://app.test/" + strings.Repeat("a", 2031)} {
		if err := oauth.CheckRedirectURI(good); err != nil {
			t.Errorf("%.80s: %v", good, err)
		}
	}
	for _, c := range []struct{ id, uri string }{
		{"RD-09", "javascript:alert(1)"}, {"RD-09", "JaVaScRiPt:alert(1)"}, {"RD-09", "data:text/html,x"}, {"RD-09", "vbscript:x"},
		{"RD-09", "file:///etc/passwd"}, {"RD-09", "blob:https://app.test/x"}, {"RD-09", " javascript:alert(1)"}, {"RD-09", "*"},
		{"RD-09", "https://*.app.test/cb"}, {"RD-09", "https://app.test/*"}, {"RD-09", "\tjavascript:alert(1)"}, {"RD-09", "java\nscript:x"},
		{"RD-09", "javascript://app.test/%0aalert(1)"}, {"RD-09", "data://app.test/x"}, {"RD-09", "about:blank"}, {"RD-09", "ftp://app.test/"},
		{"RD-09", "ws://app.test/"}, {"RD-09", "view-source:https://app.test/"}, {"RD-09", "myapp:/cb"}, {"RD-09", "myapp://cb"},
		{"RD-09 upper case", "HTTPS://app.test/cb"}, {"RD-09 upper case", "Com.Example.App:/cb"},
		{"http off loopback", "http://app.test/cb"}, {"http off loopback", "http://localhost.evil.test/cb"},
		{"http off loopback", "http://127.0.0.1.evil.test/cb"}, {"http off loopback", "http://127.0.0.2/cb"},
		{"http off loopback", "http://0.0.0.0/cb"}, {"http off loopback", "http://localhost./cb"}, {"http off loopback", "http://LOCALHOST/cb"},
		{"AZ-11 a name of the answer", "https://app.test/cb?iss=x"}, {"AZ-11 a name of the answer", "com.example.app:/cb?code=1"},
		{"fragment", "https://app.test/cb#f"}, {"empty fragment", "https://app.test/cb#"},
		{"user information", "https://a@app.test/cb"}, {"user information", "https://a:b@app.test/cb"}, {"user information", "https://@app.test/cb"},
		{"backslash", `https://evil.test\@app.test/cb`}, {"backslash", `https:\\app.test\cb`},
		{"space", "https://app.test/c b"}, {"trailing space", "https://app.test/cb "}, {"line break", "https://app.test/cb\r\nX: y"},
		{"NUL", "https://app.test/cb\x00"}, {"not ASCII", "https://bücher.test/cb"}, {"quote", `https://app.test/"`}, {"angle", "https://app.test/<"},
		{"braces", "https://app.test/{id}"}, {"bad escape", "https://app.test/%zz"}, {"bad port", "https://app.test:x/cb"},
		{"no host", "https:///cb"}, {"no host", "https:/cb"}, {"no host", "https:app.test"}, {"no host", "https://:443/cb"}, {"no host", "http:///cb"},
		{"relative", "/cb"}, {"relative", "//app.test/cb"}, {"relative", "app.test/cb"}, {"empty", ""},
		{"too long", "https://app.test/" + strings.Repeat("a", 2032)},
	} {
		t.Run(c.id+" "+fmt.Sprintf("%.60q", c.uri), func(t *testing.T) {
			if err := oauth.CheckRedirectURI(c.uri); err == nil {
				t.Errorf("%.100q may be registered", c.uri)
			}
		})
	}
}

func TestCheckWebURIAndOrigin(t *testing.T) {
	for _, c := range []struct {
		uri         string
		web, origin bool
		want        string // what OriginOf says
	}{
		{"https://app.test", true, true, "https://app.test"},
		{"https://app.test:8443", true, true, "https://app.test:8443"},
		{"http://localhost:3000", true, true, "http://localhost:3000"},
		{"https://app.test/", true, false, "https://app.test"},
		{"https://app.test/terms?x=1", true, false, "https://app.test"},
		{"https://APP.test", true, false, "https://app.test"},
		{"https://app.test:443", true, false, "https://app.test"},
		{"http://localhost:80", true, false, "http://localhost"},
		{"https://app.test:", true, false, "https://app.test"},
		{"http://[::1]:8080", true, true, "http://[::1]:8080"},
		{"http://app.test", false, false, "http://app.test"},
		{"com.example.app:/terms", false, false, ""},
		{"javascript:alert(1)", false, false, ""},
		{"https://a@app.test", false, false, "https://app.test"},
		{"null", false, false, ""},
		{"*", false, false, ""},
		{"", false, false, ""},
	} {
		if err := oauth.CheckWebURI(c.uri); (err == nil) != c.web {
			t.Errorf("CheckWebURI(%q): %v", c.uri, err)
		}
		if err := oauth.CheckOrigin(c.uri); (err == nil) != c.origin {
			t.Errorf("CheckOrigin(%q): %v", c.uri, err)
		}
		if got, ok := oauth.OriginOf(c.uri); got != c.want || ok != (c.want != "") {
			t.Errorf("OriginOf(%q): %q, %v", c.uri, got, ok)
		}
	}
}

func FuzzMatchRedirectURI(f *testing.F) {
	for _, registered := range []string{"https://app.test/cb", "http://127.0.0.1/cb", "http://[::1]", "http://localhost?x=1", "com.example.app:/cb"} {
		f.Add(registered, registered)
		f.Add(registered, strings.Replace(registered, "1/", "1:8080/", 1))
		f.Add(registered, registered+"/")
	}
	f.Add("http://localhost", "http://localhost:65536")
	f.Fuzz(func(t *testing.T, registered, given string) {
		got := oauth.MatchRedirectURI([]string{registered}, given)
		if want := given == registered || oauthtest.Loopback(registered, given); got != want {
			t.Errorf("registered %q, given %q: %v", registered, given, got)
		}
	})
}

func FuzzCheckRedirectURI(f *testing.F) {
	for _, s := range []string{"https://app.test/cb", "http://localhost:3000/cb", "com.example.app:/cb", "javascript:x", "https://a@b/", "https://a/#",
		`https://a\b`, "HTTPS://a", "http://[::1]", "com.example.app://x@y"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if oauth.CheckRedirectURI(s) != nil {
			return
		}
		u, err := url.Parse(s)
		if err != nil {
			t.Fatalf("%q is accepted, but is no URL: %v", s, err)
		}
		host := u.Hostname()
		switch {
		case u.Scheme == "https" && host != "":
		case u.Scheme == "http" && (host == "localhost" || host == "127.0.0.1" || host == "::1"):
		case strings.Contains(u.Scheme, "."):
		default:
			t.Errorf("%q is accepted with scheme %q and host %q", s, u.Scheme, host)
		}
		if !strings.HasPrefix(s, u.Scheme+":") {
			t.Errorf("%q does not begin with its scheme %q", s, u.Scheme)
		}
		if u.User != nil || u.Fragment != "" || len(s) > 2048 || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7F || strings.ContainsRune(`\#*"<>`, r) }) {
			t.Errorf("%q is accepted with user information, a fragment or a character that browsers read differently", s)
		}
		if !oauth.MatchRedirectURI([]string{s}, s) {
			t.Errorf("%q is accepted, but matches nothing", s)
		}
	})
}
