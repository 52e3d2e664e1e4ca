package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"latchkey/adapters/web/page"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

const sessionOne = "Cookie: __Host-latchkey-session=s-1"

func answerLogout(a ports.Logout) func(oidc.LogoutRequest, identity.UserID) (ports.Logout, error) {
	return func(oidc.LogoutRequest, identity.UserID) (ports.Logout, error) { return a, nil }
}

// Who is answered with a page and who with JSON: the two paths differ for callers that do not say.
func TestLogoutAnswers(t *testing.T) {
	for _, test := range []struct {
		accept           string
		logout, endPoint bool // a page
	}{
		{"text/html,application/xhtml+xml,*/*;q=0.8", true, true},
		{"", false, true},
		{"*/*", false, true},
		{"application/json", false, false},
		{"application/json, text/plain, */*", false, false},
		{"text/html, application/json", true, true},
	} {
		for path, page := range map[string]bool{"/connect/logout": test.logout, "/connect/endsession": test.endPoint} {
			b := newBench(t)
			w := b.get(path, "Accept: "+test.accept, sessionOne)
			wantStatus(t, w, http.StatusOK)
			wantHeader(t, w, "Cache-Control", "no-store")
			isPage := strings.Contains(w.Body.String(), "You are signed out")
			isJSON := w.Body.String() == `{"signed_out":true}`
			if isPage != page || isJSON == page {
				t.Errorf("%s with Accept %q: %s", path, test.accept, w.Body)
			}
			if c := w.Result().Cookies(); len(c) != 2 || c[0].Name != "__Host-latchkey-session" || c[0].MaxAge >= 0 || c[1].Name != "__Host-latchkey-state" || c[1].MaxAge >= 0 {
				t.Errorf("%s: the session cookie stays: %v", path, c)
			}
		}
	}
	wantGolden(t, "logout", newBench(t).get("/connect/logout?client_id=web", sessionOne))
	b := newBench(t)
	client := webClient
	client.ClientURI = "https://app.test/home"
	b.onLogout = answerLogout(ports.Logout{Client: client})
	if w := b.get("/connect/logout", asBrowser); !strings.Contains(w.Body.String(), `href="https://app.test/home"`) {
		t.Errorf("no way back to the application: %s", w.Body)
	}
	b.onLogout = answerLogout(ports.Logout{Client: client, Return: "https://app.test/bye?state=s"})
	for _, accept := range []string{asBrowser, "Accept: application/json"} {
		w := b.get("/connect/logout", accept, sessionOne)
		wantStatus(t, w, http.StatusSeeOther)
		wantHeader(t, w, "Location", "https://app.test/bye?state=s")
		wantHeader(t, w, "Cache-Control", "no-store")
	}
}

// An image on another site brings no session cookie. Its answer leaves the browser as it is: the state that applications
// watch would else say that somebody signed out who did not.
func TestLogoutOfAnotherSiteTakesNoCookie(t *testing.T) {
	for _, cookie := range []string{"Cookie: __Host-latchkey-state=s", "Cookie: __Host-latchkey-browser=key-1"} {
		for _, path := range []string{"/connect/logout", "/connect/endsession"} {
			w := newBench(t).get(path, "Accept: image/avif,*/*;q=0.8", cookie)
			wantStatus(t, w, http.StatusOK)
			if c := w.Result().Cookies(); len(c) > 0 {
				t.Errorf("%s with %s: %v", path, cookie, c)
			}
		}
	}
}

// LO-02: whom a page cannot ask is told what to do, and keeps the cookie; whom it can, is asked.
func TestLogoutAsks(t *testing.T) {
	b := newBench(t)
	b.onLogout = answerLogout(ports.Logout{Ask: true, User: alice, Client: webClient, Return: "https://app.test/bye?state=s"})
	w := b.get("/connect/logout?client_id=web", sessionOne)
	wantError(t, w, http.StatusBadRequest, "interaction_required")
	if len(w.Result().Cookies()) > 0 {
		t.Errorf("cookies: %v", w.Result().Cookies())
	}
	b.wantCalls("Logout", "Deny logout.denied")

	w = b.get("/connect/logout?client_id=web&post_logout_redirect_uri=https://app.test/bye&state=%22%3Ci%3E", asBrowser, sessionOne)
	wantStatus(t, w, http.StatusOK)
	for _, want := range []string{"Do you want to sign out?", "Kopi Notes", "Alice Q (alice)", `action="/connect/logout/confirm"`,
		`name="post_logout_redirect_uri" value="https://app.test/bye"`, `name="state" value="&#34;&lt;i&gt;"`, `name="client_id" value="web"`} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("the page lacks %s: %s", want, w.Body)
		}
	}
	if c := w.Result().Cookies(); len(c) != 1 || c[0].Name != "__Host-latchkey-browser" {
		t.Errorf("a browser without a key needs one, and keeps its session: %v", c)
	}
}

// A form of another site brings no cookie that is Lax, so it is sent on as a GET, which does.
func TestLogoutByForm(t *testing.T) {
	const form = "client_id=web&id_token_hint=h&post_logout_redirect_uri=https%3A%2F%2Fapp.test%2Fbye&state=s"
	for _, path := range logoutPaths {
		b := newBench(t)
		w := b.post(path, form, asBrowser, "Origin: https://app.test", "Sec-Fetch-Site: cross-site")
		wantStatus(t, w, http.StatusSeeOther)
		location, err := url.Parse(w.Header().Get("Location"))
		if err != nil || location.Path != path || location.Host != "" || location.Query().Encode() != form {
			t.Errorf("sent on to %q", w.Header().Get("Location"))
		}
		b.wantCalls()
		got := oidc.LogoutRequest{}
		b.onLogout = func(q oidc.LogoutRequest, _ identity.UserID) (ports.Logout, error) {
			got = q
			return ports.Logout{}, nil
		}
		want := oidc.LogoutRequest{Client: "web", Hint: "h", RedirectURI: "https://app.test/bye", State: "s"}
		if wantStatus(t, b.post(path, form, asBrowser, sessionOne), http.StatusOK); got != want {
			t.Errorf("a form with its cookie: %+v", got)
		}
		got = oidc.LogoutRequest{}
		if wantStatus(t, b.post(path, form, "Accept: application/json"), http.StatusOK); got != want {
			t.Errorf("a program's form: %+v", got)
		}
		if w := b.post(path, "ui_locales=id", asBrowser, sessionOne); !strings.Contains(w.Body.String(), `lang="id"`) {
			t.Errorf("ui_locales in a form: %.300s", w.Body)
		}
	}
}

// LO-02: a form of another site that is too long to be sent on as a GET must not take the cookie that it did not bring.
func TestLogoutByLongForm(t *testing.T) {
	for _, path := range logoutPaths {
		b := newBench(t)
		w := b.post(path, "state="+strings.Repeat("x", 4000)+"&a="+strings.Repeat("x", 4000)+"&b="+strings.Repeat("x", 4000), asBrowser,
			"Origin: https://evil.test", "Sec-Fetch-Site: cross-site")
		wantStatus(t, w, http.StatusBadRequest)
		if c := w.Result().Cookies(); len(c) > 0 {
			t.Errorf("%s: cookies: %v", path, c)
		}
		b.wantCalls("Deny logout.denied")
	}
}

// A request that nobody can answer calls nothing and is recorded.
func TestLogoutMalformed(t *testing.T) {
	for name, send := range map[string]func(b *bench) (code int, body string){
		"two values": func(b *bench) (int, string) {
			w := b.get("/connect/logout?state=a&state=b")
			return w.Code, w.Body.String()
		},
		"two spellings of the hint": func(b *bench) (int, string) {
			w := b.get("/connect/endsession?id_token_hint=a&id_token_hing=b", "Accept: application/json")
			return w.Code, w.Body.String()
		},
		"two spellings of the URI": func(b *bench) (int, string) {
			w := b.get("/connect/logout?post_logout_redirect_uri=https://a.test/&post_logout_url=https://b.test/")
			return w.Code, w.Body.String()
		},
		"not a form": func(b *bench) (int, string) {
			w := b.send("POST", "/connect/logout", strings.NewReader(`{}`), "Content-Type: application/json")
			return w.Code, w.Body.String()
		},
		"a client without a form": func(b *bench) (int, string) {
			w := b.send("POST", "/connect/logout", nil, "Authorization: Basic dDp0")
			return w.Code, w.Body.String()
		},
		"a client with a form": func(b *bench) (int, string) {
			w := b.post("/connect/logout", "client_id=web", "Authorization: Basic dDp0")
			return w.Code, w.Body.String()
		},
		"bad escapes": func(b *bench) (int, string) { w := b.get("/connect/logout?state=%zz"); return w.Code, w.Body.String() },
	} {
		b := newBench(t)
		if code, body := send(b); code != http.StatusBadRequest || !strings.Contains(body, `"invalid_request"`) {
			t.Errorf("%s: %d %s", name, code, body)
		}
		b.wantCalls("Deny logout.denied")
	}
	b := newBench(t)
	b.onLogout = func(oidc.LogoutRequest, identity.UserID) (ports.Logout, error) {
		return ports.Logout{}, oauth.Refuse(oauth.InvalidRequest, "post_logout_redirect_uri is not registered for this client")
	}
	wantPage(t, b.get("/connect/logout", asBrowser, sessionOne), http.StatusBadRequest, page.MsgLogoutReturn)
}
