package web

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"latchkey/adapters/web/page"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
	"latchkey/ports"

	"github.com/google/go-cmp/cmp"
)

var (
	formAction = regexp.MustCompile(`<form[^>]* action="([^"]*)"`)
	inputField = regexp.MustCompile(`<input[^>]* name="([^"]*)" value="([^"]*)"`)
)

// submitted returns where the form of a page goes and what its hidden fields send.
func submitted(t *testing.T, page string) (string, url.Values) {
	t.Helper()
	m := formAction.FindStringSubmatch(page)
	if m == nil {
		t.Fatalf("no form: %.300s", page)
	}
	fields := url.Values{}
	for _, f := range inputField.FindAllStringSubmatch(page, -1) {
		fields.Add(html.UnescapeString(f[1]), html.UnescapeString(f[2]))
	}
	return html.UnescapeString(m[1]), fields
}

func TestAuthorizeReadsTheRequest(t *testing.T) {
	const query = "client_id=web&scope=openid+email&state=a%2Bb&resource=x&resource=y&nonce="
	want := oauth.Parameters{Repeated: []string{"resource"}, Values: map[string]string{"client_id": "web", "scope": "openid email", "state": "a+b", "resource": "x", "nonce": ""}}
	var got oauth.Parameters
	var browser ports.Browser
	b := newBench(t)
	b.onAuthorize = func(br ports.Browser, p oauth.Parameters) (ports.Next, error) {
		got, browser = p, br
		return waiting(oidc.Login), nil
	}
	cookies := "Cookie: __Host-latchkey-browser=key-1; __Host-latchkey-session=session-1"
	for method, send := range map[string]func(){
		"GET":  func() { b.get("/authorize?"+query, cookies) },
		"POST": func() { b.post("/authorize?client_id=evil&state=evil", query, cookies) },
	} {
		got = oauth.Parameters{}
		send()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", method, diff)
		}
		if browser.Key != "key-1" || browser.Session != "session-1" {
			t.Errorf("%s: browser %q %q", method, browser.Key.Reveal(), browser.Session.Reveal())
		}
	}
}

// AZ-01: the browser gets the key its interaction belongs to, once.
func TestAuthorizeBeginsAnInteraction(t *testing.T) {
	b := newBench(t)
	var browser ports.Browser
	b.onAuthorize = func(br ports.Browser, _ oauth.Parameters) (ports.Next, error) {
		browser = br
		return waiting(oidc.Login), nil
	}
	w := b.get("/authorize?client_id=web", asBrowser)
	wantStatus(t, w, http.StatusSeeOther)
	wantHeader(t, w, "Location", "/login?interaction=int-1")
	c := cookiesSet(w)["__Host-latchkey-browser"]
	if c == nil || c.Value == "" || c.Value != browser.Key.Reveal() {
		t.Errorf("cookie %v for the browser %q", c, browser.Key.Reveal())
	}
	if w := b.get("/authorize?client_id=web", asBrowser, browserOne); len(cookiesSet(w)) != 0 || browser.Key != "key-1" {
		t.Errorf("a browser with a key got %v and came as %q", cookiesSet(w), browser.Key.Reveal())
	}
	for step, location := range map[oidc.Step]string{oidc.SelectAccount: "/select-account?interaction=int-1", oidc.Consent: "/consent?interaction=int-1"} {
		b.onAuthorize = func(ports.Browser, oauth.Parameters) (ports.Next, error) { return waiting(step), nil }
		wantHeader(t, b.get("/authorize?client_id=web", asBrowser, browserOne), "Location", location)
	}
}

// AZ-06: an answer at once leaves no cookie behind.
func TestAuthorizeAnsweredSetsNoCookie(t *testing.T) {
	b := newBench(t)
	b.onAuthorize = func(ports.Browser, oauth.Parameters) (ports.Next, error) {
		return answered(oauth.ModeQuery, "https://app.test/cb"), nil
	}
	w := b.get("/authorize?client_id=web&prompt=none", asBrowser)
	wantHeader(t, w, "Location", "https://app.test/cb?code=code-1&iss=https%3A%2F%2Fop.test")
	wantHeader(t, w, "Set-Cookie", "")
	if w.Body.Len() != 0 {
		t.Errorf("body %s", w.Body)
	}
}

// AZ-02, RD-10: what may not be redirected is a page for people and JSON for others, and goes nowhere.
func TestAuthorizeRefusals(t *testing.T) {
	for _, tt := range []struct {
		refusal *oauth.Error
		message page.Message
	}{
		{oauth.Refuse(oauth.InvalidClient, "client_id is not registered here").With("received", "<i>who</i>"), page.MsgUnknownClient},
		{oauth.Refuse(oauth.InvalidRequest, "redirect_uri is missing"), page.MsgRedirectMissing},
		{oauth.Refuse(oauth.InvalidRequest, "redirect_uri is not registered for this client"), page.MsgRedirectUnregistered},
		{oauth.Refuse(oauth.InvalidRequest, "client_id was sent more than once"), page.MsgInvalidRequest},
	} {
		b := newBench(t)
		b.onAuthorize = func(ports.Browser, oauth.Parameters) (ports.Next, error) { return ports.Next{}, tt.refusal }
		const target = "/authorize?client_id=%3Ci%3Ewho%3C%2Fi%3E&redirect_uri=https%3A%2F%2Fevil.test%2F"
		shown := b.get(target, asBrowser)
		wantPage(t, shown, http.StatusBadRequest, tt.message)
		wantHeader(t, shown, "Set-Cookie", "")
		if strings.Contains(shown.Body.String(), "<i>") {
			t.Errorf("not escaped: %s", shown.Body)
		}
		if tt.message == page.MsgUnknownClient && !strings.Contains(shown.Body.String(), "&lt;i&gt;who") {
			t.Errorf("the page does not say which client: %s", shown.Body)
		}
		other := b.get(target, "Accept: */*")
		wantError(t, other, http.StatusBadRequest, tt.refusal.Code)
		wantHeader(t, other, "Location", "")
		wantHeader(t, other, "WWW-Authenticate", "")
		wantPage(t, b.post("/authorize", "client_id=x", asBrowser, "Cookie: __Host-latchkey-session=s"), http.StatusBadRequest, tt.message)
	}
}

// A form that another site sends comes without our Lax cookies; sent on as GET it brings them.
func TestAuthorizePost(t *testing.T) {
	b := newBench(t)
	const form = "scope=openid+email&client_id=web&state=a%2Bb&client_id=web2"
	w := b.post("/authorize", form, asBrowser, "Origin: https://app.test", "Sec-Fetch-Site: cross-site")
	wantStatus(t, w, http.StatusSeeOther)
	wantHeader(t, w, "Set-Cookie", "")
	b.wantCalls()
	path, query, _ := strings.Cut(w.Header().Get("Location"), "?")
	got, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(url.Values{"scope": {"openid email"}, "client_id": {"web", "web2"}, "state": {"a+b"}}, got); path != "/authorize" || diff != "" {
		t.Errorf("%s: %s", path, diff)
	}

	w = b.post("/authorize", form, asBrowser, "Cookie: __Host-latchkey-session=s")
	wantHeader(t, w, "Location", "/login?interaction=int-1")
	b.wantCalls("Authorize")

	// What does not fit into a header line is answered as it is.
	long := "client_id=web&claims=" + strings.Repeat("x", 4000) + "&login_hint=" + strings.Repeat("x", 4000) + "&state=" + strings.Repeat("x", 400)
	wantHeader(t, b.post("/authorize", long, asBrowser), "Location", "/login?interaction=int-1")
	b.wantCalls("Authorize")

	for _, contentType := range []string{"application/json", "multipart/form-data; boundary=x", ""} {
		w := b.send("POST", "/authorize", strings.NewReader(form), asBrowser, "Content-Type: "+contentType)
		wantPage(t, w, http.StatusBadRequest, page.MsgInvalidRequest)
		b.wantCalls("Deny auth.request.denied")
	}
}

func TestInteractionPages(t *testing.T) {
	for _, tt := range []struct {
		target   string
		step     oidc.Step
		location string // empty: the page
	}{
		{"/login?interaction=int-1", oidc.Login, ""},
		{"/select-account?interaction=int-1", oidc.SelectAccount, ""},
		{"/consent?interaction=int-1", oidc.Consent, ""},
		{"/consent?interaction=int-1", oidc.Login, "/login?interaction=int-1"},
		{"/login?interaction=int-1", oidc.Consent, "/consent?interaction=int-1"},
		{"/login?interaction=int-1&switch=1", oidc.Consent, ""},
		{"/select-account?interaction=int-1&switch=1", oidc.Consent, "/consent?interaction=int-1"},
	} {
		b := newBench(t)
		var id oidc.InteractionID
		b.onResume = func(br ports.Browser, i oidc.InteractionID) (ports.Next, error) {
			id = i
			if br.Key != "key-1" {
				return ports.Next{}, ports.ErrInteractionOver
			}
			return waiting(tt.step), nil
		}
		w := b.get(tt.target, asBrowser, browserOne)
		wantHeader(t, w, "Location", tt.location)
		if id != "int-1" {
			t.Errorf("%s: resumed %q", tt.target, id)
		}
		if tt.location != "" {
			wantStatus(t, w, http.StatusSeeOther)
			continue
		}
		wantStatus(t, w, http.StatusOK)
		action, fields := submitted(t, w.Body.String())
		if path, _, _ := strings.Cut(tt.target, "?"); action != path || fields.Get("interaction") != "int-1" || fields.Get("csrf") == "" {
			t.Errorf("%s: a form to %s with %v", tt.target, action, fields)
		}
		if !strings.Contains(w.Body.String(), "Kopi Notes") || !strings.Contains(w.Body.String(), "app.test") {
			t.Errorf("%s: the page does not name the application", tt.target)
		}
		wantPage(t, b.get(tt.target, asBrowser, browserTwo), http.StatusBadRequest, page.MsgExpired)
	}
}

// A resumed interaction that needs nobody any more is answered.
func TestInteractionAnswered(t *testing.T) {
	b := newBench(t)
	b.onResume = func(ports.Browser, oidc.InteractionID) (ports.Next, error) {
		return answered(oauth.ModeQuery, "https://app.test/cb"), nil
	}
	for _, target := range []string{"/login?interaction=int-1&switch=1", "/consent?interaction=int-1"} {
		wantHeader(t, b.get(target, asBrowser, browserOne), "Location", "https://app.test/cb?code=code-1&iss=https%3A%2F%2Fop.test")
	}
}

// Whoever asks for another account is not told that the application wants to confirm who they are.
func TestSwitchIsNoReauthentication(t *testing.T) {
	reauth, err := page.English.Text("login.reauth")
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t)
	again := waiting(oidc.Login)
	again.User = alice
	b.onResume = func(ports.Browser, oidc.InteractionID) (ports.Next, error) { return again, nil }
	if page := b.get("/login?interaction=int-1", asBrowser, browserOne); !strings.Contains(page.Body.String(), reauth) {
		t.Errorf("the page does not say why: %s", page.Body)
	}
	for _, target := range []string{"/login?interaction=int-1&switch=1", "/login?interaction=int-1"} {
		if page := b.get(target, asBrowser, browserOne); strings.Contains(page.Body.String(), reauth) {
			t.Errorf("%s: %s", target, page.Body)
		}
		again.Interaction.Switch = true // chosen on the account page
	}
}

// The host on the pages is that of the redirect URI, the one thing an application cannot make up.
func TestCardHost(t *testing.T) {
	for uri, want := range map[string]string{"https://app.test/cb": "app.test", "http://127.0.0.1:4711/cb": "127.0.0.1:4711", "com.example.app:/cb": "com.example.app:"} {
		c := webClient
		c.RedirectURIs = []string{uri}
		reply, refusal := oauth.FindReplyAddress(oauth.Parameters{Values: map[string]string{"redirect_uri": uri}}, c, testIssuer)
		if refusal != nil {
			t.Fatal(refusal)
		}
		if got := card(ports.Next{Client: c, Request: oauth.AuthorizationRequest{ReplyAddress: reply}}); got.Host != want || got.Name != "Kopi Notes" {
			t.Errorf("%s: %+v", uri, got)
		}
	}
}
