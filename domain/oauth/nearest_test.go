package oauth_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey/domain/oauth"
)

// Mistakes that people who connect applications really make, each with the registered URI they meant.
func TestNearestRedirectURI(t *testing.T) {
	const grafana = "https://grafana.example.org/login/generic_oauth"
	one := func(kind oauth.URIDifferenceKind, received, expected string) []oauth.URIDifference {
		return []oauth.URIDifference{{Kind: kind, Received: received, Expected: expected}}
	}
	character := func(at int, received, expected string) []oauth.URIDifference {
		return []oauth.URIDifference{{Kind: oauth.DiffCharacter, Received: received, Expected: expected, At: at}}
	}
	for _, c := range []struct {
		name       string
		registered string
		received   string
		want       []oauth.URIDifference
	}{
		{"registered", "https://app.test/cb", "https://app.test/cb", nil},
		{"a port of its own on loopback", "http://127.0.0.1/cb", "http://127.0.0.1:58135/cb", nil},
		{"slash at the end", "https://app.test/cb", "https://app.test/cb/", one(oauth.DiffSlashExtra, "/cb/", "/cb")},
		{"no slash at the end", "https://app.test/cb/", "https://app.test/cb", one(oauth.DiffSlashMissing, "/cb", "/cb/")},
		{"slash after the bare host", "https://app.test", "https://app.test/", one(oauth.DiffSlashExtra, "/", "")},
		{"two slashes", grafana, "https://grafana.example.org//login/generic_oauth", one(oauth.DiffSlashDouble, "//login/generic_oauth", "/login/generic_oauth")},
		{"http behind a proxy", grafana, "http://grafana.example.org/login/generic_oauth", one(oauth.DiffScheme, "http", "https")},
		{"https at home", "http://localhost:3000/cb", "https://localhost:3000/cb", one(oauth.DiffScheme, "https", "http")},
		{"scheme in capitals", "https://app.test/cb", "HTTPS://app.test/cb", one(oauth.DiffCase, "HTTPS", "https")},
		{"host in capitals", "https://app.test/cb", "https://App.Test/cb", one(oauth.DiffCase, "App.Test", "app.test")},
		{"path in capitals", "https://app.test/oauth/Callback", "https://app.test/oauth/callback", one(oauth.DiffCase, "/oauth/callback", "/oauth/Callback")},
		{"the port of the container", "https://app.test/cb", "https://app.test:8080/cb", one(oauth.DiffPort, "8080", "")},
		{"no port", "http://nas.test:5000/cb", "http://nas.test/cb", one(oauth.DiffPort, "", "5000")},
		{"another port", "http://localhost:3000/cb", "http://localhost:3001/cb", one(oauth.DiffPort, "3001", "3000")},
		{"the usual port written out", "https://app.test/cb", "https://app.test:443/cb", one(oauth.DiffUsualPort, "443", "")},
		{"www", "https://app.test/cb", "https://www.app.test/cb", one(oauth.DiffWWW, "www.app.test", "app.test")},
		{"no www", "https://www.app.test/cb", "https://app.test/cb", one(oauth.DiffWWW, "app.test", "www.app.test")},
		{"localhost and 127.0.0.1", "http://localhost:3000/cb", "http://127.0.0.1:3000/cb", one(oauth.DiffLoopback, "127.0.0.1", "localhost")},
		{"localhost and ::1", "http://localhost:3000/cb", "http://[::1]:3000/cb", one(oauth.DiffLoopback, "[::1]", "localhost")},
		{"loopback without a port, another name", "http://127.0.0.1/cb", "http://localhost:4000/cb", one(oauth.DiffLoopback, "localhost", "127.0.0.1")},
		{"only the host", grafana, "https://grafana.example.org", one(oauth.DiffPathMissing, "", "/login/generic_oauth")},
		{"only the host and a slash", grafana, "https://grafana.example.org/", one(oauth.DiffPathMissing, "/", "/login/generic_oauth")},
		{"another path", "https://proxy.test/oauth2/callback", "https://proxy.test/oauth2/sign_in", one(oauth.DiffPath, "/oauth2/sign_in", "/oauth2/callback")},
		{"a query", "https://app.test/cb", "https://app.test/cb?provider=latchkey", one(oauth.DiffQueryExtra, "provider=latchkey", "")},
		{"no query", "https://app.test/cb?x=1", "https://app.test/cb", one(oauth.DiffQueryMissing, "", "x=1")},
		{"another query", "https://app.test/cb?x=1&y=22", "https://app.test/cb?y=22&x=1", one(oauth.DiffQuery, "y=22&x=1", "x=1&y=22")},
		{"a fragment", "https://app.test/cb", "https://app.test/cb#/home", one(oauth.DiffFragment, "/home", "")},
		{"user information", "https://app.test/cb", "https://me@app.test/cb", one(oauth.DiffUserInfo, "me", "")},
		{"white space from a form", "https://app.test/cb", "https://app.test/cb ", one(oauth.DiffSpace, "", "")},
		{"a line break from a file", "https://app.test/cb", "https://app.test/cb\n", one(oauth.DiffSpace, "", "")},
		{"encoded once more", "https://app.test/cb", "https%3A%2F%2Fapp.test%2Fcb", one(oauth.DiffEncoded, "", "")},
		{"escapes in the path", "https://app.test/user/oauth2/my%20login/callback", "https://app.test/user/oauth2/my login/callback", one(oauth.DiffPath, "/user/oauth2/my login/callback", "/user/oauth2/my%20login/callback")},
		{"escape of an ordinary letter", "https://app.test/cb", "https://app.test/%63b", one(oauth.DiffEncoded, "", "")},
		{"one letter", "https://app.test/callback", "https://app.test/callbock", character(23, "o", "a")},
		{"one letter of the host", "https://wiki.example.org/cb", "https://wiki.exemple.org/cb", character(16, "e", "a")},
		{"a letter too many", "https://app.test/callback", "https://app.test/calllback", character(22, "l", "")},
		{"a letter missing", "https://app.test/callback", "https://app.test/calback", character(21, "", "l")},
		{"underscore for hyphen", "https://app.test/sign-in", "https://app.test/sign_in", character(22, "_", "-")},
		{"another host", "https://app.test/cb", "https://staging.test/cb", one(oauth.DiffHost, "staging.test", "app.test")},
		{"scheme and port", grafana, "http://grafana.example.org:3000/login/generic_oauth", []oauth.URIDifference{
			{Kind: oauth.DiffScheme, Received: "http", Expected: "https"}, {Kind: oauth.DiffPort, Received: "3000"}}},
		{"a private-use scheme", "com.example.app:/cb", "com.example.app:/callback", one(oauth.DiffPath, "/callback", "/cb")},
		{"two slashes after a private-use scheme", "app.immich:/", "app.immich:///oauth-callback", one(oauth.DiffPath, "/oauth-callback", "/")},
		{"a question mark with nothing after it", "https://app.test/cb", "https://app.test/cb?", one(oauth.DiffMark, "", "")},
	} {
		t.Run(c.name, func(t *testing.T) {
			far := "https://elsewhere.example.net/sso"
			nearest, got := oauth.NearestRedirectURI([]string{far, c.registered, far + "/2"}, c.received)
			if nearest != c.registered {
				t.Fatalf("nearest is %q", nearest)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if oauth.MatchRedirectURI([]string{c.registered}, c.received) != (len(got) == 0) {
				t.Errorf("matching and the differences disagree: %v", got)
			}
		})
	}
	if nearest, got := oauth.NearestRedirectURI(nil, "https://app.test/cb"); nearest != "" || got != nil {
		t.Errorf("nothing is registered: %q %v", nearest, got)
	}
}

// Of several registered URIs the one that a single slip leads from is named.
func TestNearestOfSeveral(t *testing.T) {
	registered := []string{"https://app.test/cb", "https://app.test/other", "https://staging.test/cb", "http://localhost:3000/cb"}
	for received, want := range map[string]string{"https://app.test/cb/": registered[0], "https://app.test/othr": registered[1], "http://staging.test/cb": registered[2],
		"http://127.0.0.1:3000/cb": registered[3], "https://localhost:3000/cb": registered[3], "http://localhost:8080/cb": registered[3]} {
		if nearest, _ := oauth.NearestRedirectURI(registered, received); nearest != want {
			t.Errorf("%s: nearest is %s, want %s", received, nearest, want)
		}
	}
}

// Whatever is received, a difference is found exactly when it does not match.
func FuzzNearestRedirectURI(f *testing.F) {
	for _, s := range []string{"https://app.test/cb", "https://app.test/cb/", "HTTP://app.test:80/cb?#", "://", "%", "http://127.0.0.1:1/cb", "é", "a:b@c:d@[::1]:9//#?"} {
		f.Add("https://app.test/cb", s)
		f.Add("http://127.0.0.1/cb", s)
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, registered, received string) {
		nearest, found := oauth.NearestRedirectURI([]string{registered}, received)
		if nearest != registered || oauth.MatchRedirectURI([]string{registered}, received) && len(found) > 0 {
			t.Fatalf("%q, %q: %v", registered, received, found)
		}
		if oauth.CheckRedirectURI(registered) == nil && !oauth.MatchRedirectURI([]string{registered}, received) && len(found) == 0 {
			t.Fatalf("%q, %q: no difference was found", registered, received)
		}
		if slices.ContainsFunc(found, func(d oauth.URIDifference) bool { return d.Kind == "" }) {
			t.Fatalf("%q, %q: %v", registered, received, found)
		}
	})
}

// What the operator is told of a refusal, beyond what the client is.
func TestFactsForTheOperator(t *testing.T) {
	secret := oauth.Secret("the-secret-of-the-client-0123456789")
	confidential := oauth.Client{ID: "web", Secret: secret.Digest()}
	basic := confidential
	basic.AuthMethod = oauth.AuthBasic
	code := func(challenge oauth.CodeChallenge, verifier string) *oauth.Error {
		c := oauth.AuthorizationCode{Client: "web", Challenge: challenge}
		return c.Redeem(oauth.Exchange{Client: confidential, Verifier: verifier}, start)
	}
	for name, c := range map[string]struct {
		refusal     *oauth.Error
		fact, value string
	}{
		"newline":             {confidential.Authenticate(oauth.Credentials{Secret: secret + "\n", Method: oauth.AuthPost}), "surplus", "white space or quotes"},
		"quotes":              {confidential.Authenticate(oauth.Credentials{Secret: `"` + secret + `"`, Method: oauth.AuthPost}), "surplus", "white space or quotes"},
		"another secret":      {confidential.Authenticate(oauth.Credentials{Secret: "x\n", Method: oauth.AuthPost}), "surplus", ""},
		"method used":         {basic.Authenticate(oauth.Credentials{Secret: secret, Method: oauth.AuthPost}), "received", "client_secret_post"},
		"method registered":   {basic.Authenticate(oauth.Credentials{Secret: secret, Method: oauth.AuthPost}), "expected", "client_secret_basic"},
		"no secret":           {confidential.Authenticate(oauth.Credentials{Method: oauth.AuthNone}), "expected", "client_secret_basic or client_secret_post"},
		"verifier missing":    {code("S256:"+challenge, ""), "verifier", "missing"},
		"verifier malformed":  {code("S256:"+challenge, "short"), "verifier", "malformed"},
		"verifier wrong":      {code("S256:"+challenge, challenge), "verifier", "wrong"},
		"verifier unexpected": {code("", verifier), "verifier", "unexpected"},
	} {
		if c.refusal == nil || c.refusal.Facts[c.fact] != c.value {
			t.Errorf("%s: %+v, want %s %q", name, c.refusal, c.fact, c.value)
			continue
		}
		for _, value := range c.refusal.Report() {
			if strings.Contains(value, string(secret)) || strings.Contains(value, verifier) {
				t.Errorf("%s: a secret is in the facts: %v", name, c.refusal.Facts)
			}
		}
	}
	// The challenge of a client that sends the verifier in its place is a secret too.
	_, refusal := oauth.ParseCodeChallenge(verifier+"x", "S256", false)
	if refusal == nil || strings.Contains(refusal.Facts["received"], verifier) {
		t.Errorf("%+v", refusal)
	}
}
