package web

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"latchkey/adapters/web/page"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

// signIn sends the login form of a page with the CSRF token it was shown with.
func (b *bench) signIn(page, username, password string) *http.Response {
	b.t.Helper()
	action, fields := submittedTo(b, page)
	fields.Set("username", username)
	fields.Set("password", password)
	return b.post(action, fields.Encode(), asBrowser, browserOne).Result()
}

func submittedTo(b *bench, page string) (string, url.Values) {
	b.t.Helper()
	w := b.get(page, asBrowser, browserOne)
	m := formAction.FindStringSubmatch(w.Body.String())
	if m == nil {
		b.t.Fatalf("%s: no form: %d %.300s", page, w.Code, w.Body)
	}
	fields := url.Values{}
	for _, f := range inputField.FindAllStringSubmatch(w.Body.String(), -1) {
		fields.Add(html.UnescapeString(f[1]), html.UnescapeString(f[2]))
	}
	return html.UnescapeString(m[1]), fields
}

func TestLogin(t *testing.T) {
	b := newBench(t)
	var typed ports.LoginForm
	var where oidc.InteractionID
	b.onLogin = func(br ports.Browser, id oidc.InteractionID, f ports.LoginForm) (ports.Next, error) {
		typed, where = f, id
		next := waiting(oidc.Consent)
		next.Login.Cookie = "new-session"
		return next, nil
	}
	b.onSignIn = func(f ports.LoginForm) (ports.Login, error) {
		typed, where = f, "none"
		return ports.Login{Cookie: "new-session"}, nil
	}
	for page, want := range map[string]struct {
		id       oidc.InteractionID
		location string
	}{
		"/login?interaction=int-1": {"int-1", "/consent?interaction=int-1"},
		"/login":                   {"none", "/"},
	} {
		answer := b.signIn(page, "Alice ", " p w%+\u00e9 ")
		if answer.StatusCode != http.StatusSeeOther || answer.Header.Get("Location") != want.location || where != want.id {
			t.Errorf("%s: %d %v at %q", page, answer.StatusCode, answer.Header, where)
		}
		if typed.Username != "Alice " || typed.Password != " p w%+\u00e9 " {
			t.Errorf("%s: typed %+v", page, typed)
		}
		if set := answer.Cookies(); len(set) != 2 || set[0].Name != "__Host-latchkey-session" || set[0].Value != "new-session" ||
			set[1].Value != oidc.BrowserState("new-session") {
			t.Errorf("%s: cookies %v", page, set)
		}
	}
	// The last step may be over with the sign-in: consent is remembered.
	b.onLogin = func(ports.Browser, oidc.InteractionID, ports.LoginForm) (ports.Next, error) {
		next := answered(oauth.ModeQuery, "https://app.test/cb")
		next.Login.Cookie = "new-session"
		return next, nil
	}
	answer := b.signIn("/login?interaction=int-1", "alice", "p")
	if answer.Header.Get("Location") != "https://app.test/cb?code=code-1&iss=https%3A%2F%2Fop.test" || len(answer.Cookies()) != 2 {
		t.Errorf("%v", answer.Header)
	}
}

// LG-03, LG-14: what did not sign in is a page to go on from, with a status and a time to wait that say why.
func TestLoginProblems(t *testing.T) {
	for _, tt := range []struct {
		login   ports.Login
		status  int
		message page.Message
		retry   string
	}{
		{ports.Login{Problem: ports.LoginFailed}, http.StatusOK, page.MsgLoginFailed, ""},
		{ports.Login{Problem: ports.LoginLocked, RetryAfter: 61*time.Second + time.Millisecond}, http.StatusTooManyRequests, page.MsgTooManyAttempts, "62"},
		{ports.Login{Problem: ports.LoginBusy, RetryAfter: 5 * time.Second}, http.StatusServiceUnavailable, page.MsgServerBusy, "5"},
	} {
		for _, page := range []string{"/login", "/login?interaction=int-1"} {
			b := newBench(t)
			b.onSignIn = func(ports.LoginForm) (ports.Login, error) { return tt.login, nil }
			b.onLogin = func(ports.Browser, oidc.InteractionID, ports.LoginForm) (ports.Next, error) {
				next := waiting(oidc.Login)
				next.Login = tt.login
				return next, nil
			}
			action, fields := submittedTo(b, page)
			fields.Set("username", `al"ice`)
			fields.Set("password", "hunter2")
			w := b.post(action, fields.Encode(), asBrowser, browserOne)
			wantPage(t, w, tt.status, tt.message)
			wantHeader(t, w, "Retry-After", tt.retry)
			wantHeader(t, w, "Set-Cookie", "")
			if body := w.Body.String(); strings.Contains(body, "hunter2") || !strings.Contains(body, `value="al&#34;ice"`) {
				t.Errorf("%s: %s", page, body)
			}
			if tt.login.Problem == ports.LoginLocked && !strings.Contains(w.Body.String(), "2 minutes") {
				t.Errorf("how long to wait: %s", w.Body)
			}
			// The page that comes back works: its form is accepted.
			again := b.token(w)
			fields.Set("csrf", again)
			wantStatus(t, b.post(action, fields.Encode(), asBrowser, browserOne), tt.status)
		}
	}
}

// LG-01, LG-07: the same bytes for an unknown user, a wrong password and a disabled account, but for what was typed and
// the CSRF token. (That the ports answer all three alike, and as slowly, is their test.)
func TestLoginFailuresLookAlike(t *testing.T) {
	b := newBench(t)
	b.onLogin = func(_ ports.Browser, _ oidc.InteractionID, f ports.LoginForm) (ports.Next, error) {
		next := waiting(oidc.Login)
		next.Login.Problem = ports.LoginFailed
		return next, nil
	}
	shape := func(username string) string {
		action, fields := submittedTo(b, "/login?interaction=int-1")
		fields.Set("username", username)
		fields.Set("password", "wrong")
		w := b.post(action, fields.Encode(), asBrowser, browserOne)
		h := w.Header().Clone()
		h.Del("X-Request-Id")
		body := strings.ReplaceAll(csrfField.ReplaceAllString(w.Body.String(), "CSRF"), html.EscapeString(username), "NAME")
		return fmt.Sprintln(w.Code, h, body)
	}
	known := shape("alice")
	for _, other := range []string{"nobody", "dave-disabled", "root"} {
		if got := shape(other); got != known {
			t.Errorf("%s:\n%s\nalice:\n%s", other, got, known)
		}
	}
}

// A name too long to be one is not sent back, in a page or to the ports' limit.
func TestLoginHint(t *testing.T) {
	for hint, want := range map[string]string{"alice": "alice", strings.Repeat("x", identity.MaxEmail+1): "", `"><script>`: `&#34;&gt;&lt;script&gt;`} {
		b := newBench(t)
		b.onResume = func(ports.Browser, oidc.InteractionID) (ports.Next, error) {
			next := waiting(oidc.Login)
			next.Request.LoginHint = hint
			return next, nil
		}
		if page := b.get("/login?interaction=int-1", asBrowser, browserOne); !strings.Contains(page.Body.String(), `name="username" type="text" value="`+want+`"`) {
			t.Errorf("%.20s: %s", hint, page.Body)
		}
	}
}

func TestLoginToTheProvider(t *testing.T) {
	b := newBench(t)
	w := b.get("/login", asBrowser)
	wantStatus(t, w, http.StatusOK)
	if c := cookiesSet(w)["__Host-latchkey-browser"]; c == nil {
		t.Error("the browser got no key: the form cannot be sent")
	}
	b.onCurrent = func(br ports.Browser) (identity.Session, identity.User, error) {
		if br.Session != "session-1" {
			return identity.Session{}, identity.User{}, nil
		}
		return identity.Session{}, alice, nil
	}
	signedIn := "Cookie: __Host-latchkey-session=session-1"
	wantHeader(t, b.get("/login", asBrowser, signedIn), "Location", "/")

	home := b.get("/", asBrowser, signedIn)
	if !strings.Contains(home.Body.String(), "Alice Q") || cookiesSet(home)["__Host-latchkey-browser"] == nil {
		t.Errorf("%v %s", home.Header(), home.Body)
	}
	stranger := b.get("/", asBrowser)
	if strings.Contains(stranger.Body.String(), "Alice Q") || len(cookiesSet(stranger)) != 0 || csrfField.MatchString(stranger.Body.String()) {
		t.Errorf("%v %s", stranger.Header(), stranger.Body)
	}
}

// SS-03: signing out ends the session behind the cookie and takes the cookie away.
func TestSignOut(t *testing.T) {
	b := newBench(t)
	b.onCurrent = func(ports.Browser) (identity.Session, identity.User, error) { return identity.Session{}, alice, nil }
	token := b.token(b.get("/", asBrowser, browserOne))
	b.calls = nil
	w := b.post("/logout", "csrf="+url.QueryEscape(token), asBrowser, browserOne)
	wantPage(t, w, http.StatusOK, page.MsgSignedOut)
	b.wantCalls("SignOut")
	if c := cookiesSet(w)["__Host-latchkey-session"]; c == nil || c.MaxAge >= 0 {
		t.Errorf("cookie %v", c)
	}
}
