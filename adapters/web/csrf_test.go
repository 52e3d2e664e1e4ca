package web

import (
	"errors"
	"html"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"latchkey/adapters/web/page"
	"latchkey/domain/identity"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

// What other sites may send a browser to, with a form too.
var (
	authorizePaths = []string{"/authorize", "/oauth2/authorize", "/connect/authorize", "/authorizations/new"}
	logoutPaths    = []string{"/connect/logout", "/connect/endsession"}
)

// ownForm is one form of ours: the page that shows it and what a person sends with it.
type ownForm struct {
	action string
	page   string
	step   oidc.Step // the page's, of an interaction
	fields url.Values
	calls  []string // what a true submit calls
}

var ownForms = []ownForm{
	{"/login", "/login", oidc.Login, url.Values{"username": {"alice"}, "password": {"p"}}, []string{"SignIn"}},
	{"/login", "/login?interaction=int-1", oidc.Login, url.Values{"username": {"alice"}, "password": {"p"}, "interaction": {"int-1"}}, []string{"Login"}},
	{"/select-account", "/select-account?interaction=int-1", oidc.SelectAccount, url.Values{"account": {"current"}, "interaction": {"int-1"}}, []string{"SelectAccount"}},
	{"/consent", "/consent?interaction=int-1", oidc.Consent, url.Values{"approved": {"true"}, "scope": {"openid", "email"}, "interaction": {"int-1"}}, []string{"Consent"}},
	{"/authorizations", "/consent?interaction=int-1", oidc.Consent, url.Values{"approve": {"true"}, "interaction": {"int-1"}}, []string{"Consent"}},
	{"/logout", "/", oidc.Login, url.Values{}, []string{"SignOut"}},
	{"/account/password", "/account/password", oidc.Login, url.Values{"current": {"p"}, "password": {"q"}, "password_again": {"q"}}, []string{"ChangePassword"}},
	{"/account/email", "/account/email", oidc.Login, url.Values{"current": {"p"}, "email": {"new@mail.test"}}, []string{"ChangeEmail"}},
	{"/account/sessions", "/account", oidc.Login, url.Values{"session": {"sid-2"}}, []string{"EndSession"}},
	{"/account/sessions", "/account", oidc.Login, url.Values{"others": {"true"}}, []string{"EndSession"}},
	{"/account/applications", "/account", oidc.Login, url.Values{"grant": {"grant-1"}}, []string{"Disconnect"}},
	{"/connect/logout/confirm", "/connect/logout?client_id=web", oidc.Login, url.Values{"client_id": {"web"}}, []string{"ConfirmLogout"}},
	{"/second-factor", "/second-factor", oidc.Login, url.Values{"code": {"123456"}}, []string{"AnswerChallenge"}},
	{"/second-factor", "/second-factor?interaction=int-1", oidc.SecondFactor, url.Values{"code": {"123456"}, "interaction": {"int-1"}}, []string{"SecondFactor"}},
	{"/account/totp", "/account/totp", oidc.Login, url.Values{"code": {"123456"}, "name": {"Phone"}, "factor": {"fac-1"}}, []string{"ConfirmTOTP"}},
	{"/account/totp/new", "/account/totp", oidc.Login, url.Values{}, []string{"OfferTOTP"}},
	{"/account/factors", "/account/factors?factor=fac-1", oidc.Login, url.Values{"factor": {"fac-1"}, "name": {"Phone"}}, []string{"RenameFactor"}},
	{"/account/factors/remove", "/account/factors?factor=fac-1", oidc.Login, url.Values{"factor": {"fac-1"}, "code": {"123456"}}, []string{"Account", "RemoveFactor"}},
	{"/account/recovery-codes", "/account", oidc.Login, url.Values{}, []string{"MakeRecoveryCodes", "Current"}},
	{"/account/passkeys", "/account/passkeys", oidc.Login, url.Values{"credential": {"AAAA"}}, []string{"Account", "EnrolPasskey"}},
	setupForm,
	resetForm,
}

// shownOnce is the path of the one form whose page cannot be opened, see TestRecoveryFile.
const shownOnce = "/account/recovery-codes/file"

var setupForm = ownForm{"/setup", "/setup?token=link-1", oidc.Login, url.Values{"username": {"root"}, "email": {"root@mail.test"}, "password": {"p"}, "password_again": {"p"}, "token": {"link-1"}}, []string{"Complete"}}

var resetForm = ownForm{"/reset", "/reset?token=link-1", oidc.Login, url.Values{"password": {"p"}, "password_again": {"p"}, "token": {"link-1"}}, []string{"ResetPassword"}}

const (
	browserOne = "Cookie: __Host-latchkey-browser=key-1"
	browserTwo = "Cookie: __Host-latchkey-browser=key-2"
)

// open shows the form's page in a browser and returns what its submit button would send.
func (o ownForm) open(b *bench, cookie string) url.Values {
	b.t.Helper()
	b.onResume = func(ports.Browser, oidc.InteractionID) (ports.Next, error) { return waiting(o.step), nil }
	b.onCurrent = func(ports.Browser) (identity.Session, identity.User, error) {
		if o.action == "/logout" || strings.HasPrefix(o.action, "/account") {
			return identity.Session{}, alice, nil
		}
		return identity.Session{}, identity.User{}, nil
	}
	b.onLogout = func(_ oidc.LogoutRequest, shown identity.UserID) (ports.Logout, error) {
		return ports.Logout{Ask: shown == "", User: alice, Client: webClient}, nil
	}
	if strings.HasPrefix(o.action, factorPath) {
		b.onChallenge = func(ports.Browser) (ports.Challenge, error) { return ports.Challenge{User: alice, App: true}, nil }
	}
	if strings.HasPrefix(o.page, "/account/factors") || o.action == "/account/recovery-codes" {
		b.onAccount = func() (ports.Account, error) { return accountWithFactor, nil }
	}
	page := b.get(o.page, asBrowser, cookie)
	wantStatus(b.t, page, http.StatusOK)
	b.mu.Lock()
	b.calls = nil
	b.mu.Unlock()
	fields := maps.Clone(o.fields)
	fields.Set("csrf", o.token(b.t, page.Body.String()))
	return fields
}

var (
	anyForm     = regexp.MustCompile(`(?s)<form[^>]* action="([^"]*)".*?</form>`)
	hiddenInput = regexp.MustCompile(`<input[^>]* name="([^"]*)" value="([^"]*)"`)
	// The fields that say what a form is about. A page may have several forms that differ in them alone.
	aboutFields = []string{"interaction", "token", "others"}
)

// token returns the CSRF token of the form on its page.
func (o ownForm) token(t testing.TB, page string) string {
	t.Helper()
	action := o.action
	if action == "/authorizations" {
		action = "/consent" // the 2012 name of the same form
	}
	for _, f := range anyForm.FindAllStringSubmatch(page, -1) {
		hidden := url.Values{}
		for _, i := range hiddenInput.FindAllStringSubmatch(f[0], -1) {
			hidden.Add(html.UnescapeString(i[1]), html.UnescapeString(i[2]))
		}
		other := func(name string) bool { return hidden.Get(name) != o.fields.Get(name) }
		if f[1] == action && !slices.ContainsFunc(aboutFields, other) {
			return hidden.Get("csrf")
		}
	}
	t.Fatalf("the page has no form to %s about %v: %s", action, o.fields, page)
	return ""
}

// The forms above are all there are: whoever adds one adds it to these tests.
func TestOwnFormsAreComplete(t *testing.T) {
	var tested, found []string
	for _, o := range ownForms {
		tested = append(tested, o.action)
	}
	for _, o := range pressed { // see TestPasskeyRequests
		tested = append(tested, o.action)
	}
	for path, r := range newBench(t).server.routes {
		if r.methods["POST"] != nil && !r.machine && !slices.Contains(authorizePaths, path) && !slices.Contains(logoutPaths, path) && path != shownOnce {
			found = append(found, path)
		}
	}
	slices.Sort(found)
	slices.Sort(tested)
	if tested = slices.Compact(tested); !slices.Equal(found, tested) {
		t.Errorf("pages with a form %q, tested %q", found, tested)
	}
}

func TestOwnFormsAccepted(t *testing.T) {
	for _, o := range ownForms {
		for name, headers := range map[string][]string{
			"same origin":                 {"Origin: https://op.test", "Sec-Fetch-Site: same-origin"},
			"a browser that says nothing": {},
			"typed or reloaded":           {"Sec-Fetch-Site: none"},
		} {
			b := newBench(t)
			fields := o.open(b, browserOne)
			w := b.post(o.action, fields.Encode(), append(headers, asBrowser, browserOne)...)
			if w.Code != http.StatusOK && w.Code != http.StatusSeeOther {
				t.Errorf("%s, %s: %d %.300s", o.action, name, w.Code, w.Body)
			}
			b.wantCalls(o.calls...)
		}
	}
}

// WB-01, WB-02, WB-03, SS-07: each wall alone keeps a foreign form out. Nothing is called but the record of it.
func TestOwnFormsRefuseForeignOnes(t *testing.T) {
	type forgery struct {
		name    string
		change  func(b *bench, o ownForm, fields url.Values)
		cookie  string
		headers []string
	}
	header := func(name string, h ...string) forgery { return forgery{name: name, cookie: browserOne, headers: h} }
	change := func(name string, f func(*bench, ownForm, url.Values)) forgery {
		return forgery{name: name, cookie: browserOne, change: f}
	}
	forgeries := []forgery{
		change("WB-01: no token", func(_ *bench, _ ownForm, v url.Values) { v.Del("csrf") }),
		change("WB-01: empty token", func(_ *bench, _ ownForm, v url.Values) { v.Set("csrf", "") }),
		change("WB-01: a dot", func(_ *bench, _ ownForm, v url.Values) { v.Set("csrf", ".") }),
		change("WB-01: wrong token", func(_ *bench, _ ownForm, v url.Values) { v.Set("csrf", "x"+v.Get("csrf")[1:]) }),
		change("WB-01: cut token", func(_ *bench, _ ownForm, v url.Values) { v.Set("csrf", v.Get("csrf")[1:]) }),
		change("WB-01: token with more behind it", func(_ *bench, _ ownForm, v url.Values) { v.Set("csrf", v.Get("csrf")+"x") }),
		change("WB-01: token made for another person", func(_ *bench, _ ownForm, v url.Values) {
			mac, _, _ := strings.Cut(v.Get("csrf"), ".")
			v.Set("csrf", mac+".user-2")
		}),
		change("WB-01: token twice", func(_ *bench, _ ownForm, v url.Values) { v.Add("csrf", v.Get("csrf")) }),
		change("WB-01: token of another browser", func(b *bench, o ownForm, v url.Values) { v.Set("csrf", o.open(b, browserTwo).Get("csrf")) }),
		change("WB-01: about another thing", func(_ *bench, o ownForm, v url.Values) {
			v.Set("interaction", "int-2")
			v.Set("token", "link-2")
			v.Set("others", v.Get("others")+"x")
			v.Set("client_id", "other")
			v.Set("", "x") // of forms that are about nothing
		}),
		{name: "WB-01: no browser cookie", cookie: "Cookie: x=1"},
		{name: "WB-01: two browser cookies", cookie: browserOne + "; __Host-latchkey-browser=key-2"},
		header("WB-02: other site", "Sec-Fetch-Site: cross-site"),
		header("WB-02: other origin", "Origin: https://evil.test"),
		header("WB-02: other origin, same site claimed", "Origin: https://evil.test", "Sec-Fetch-Site: same-origin"),
		header("WB-03: other host of the site", "Sec-Fetch-Site: same-site"),
		header("WB-03: null", "Origin: null"),
		header("WB-03: http", "Origin: http://op.test"),
		header("WB-03: other port", "Origin: https://op.test:8443"),
		header("WB-03: longer host", "Origin: https://op.test.evil.test"),
		header("WB-03: empty", "Origin: "),
		header("WB-03: two", "Origin: https://op.test", "Origin: https://op.test"),
	}
	for _, o := range ownForms {
		for _, forgery := range forgeries {
			b := newBench(t)
			fields := o.open(b, browserOne)
			if forgery.change != nil {
				forgery.change(b, o, fields)
			}
			w := b.post(o.action, fields.Encode(), append(forgery.headers, asBrowser, forgery.cookie)...)
			if w.Code != http.StatusForbidden || len(w.Result().Cookies()) > 0 || w.Header().Get("Location") != "" {
				t.Errorf("%s, %s: %d %v", o.action, forgery.name, w.Code, w.Header())
			}
			b.wantCalls("Deny csrf.denied")
		}
	}
}

// A token of one form opens no other.
func TestTokensOfOtherForms(t *testing.T) {
	for _, o := range ownForms {
		for _, other := range ownForms {
			differs := func(field string) bool { return o.fields.Get(field) != other.fields.Get(field) }
			if other.action == o.action && !differs("interaction") || other.page == o.page && o.step == oidc.Consent {
				continue // the same form
			}
			b := newBench(t)
			fields := maps.Clone(o.fields)
			fields.Set("csrf", other.open(b, browserOne).Get("csrf"))
			wantStatus(t, b.post(o.action, fields.Encode(), asBrowser, browserOne), http.StatusForbidden)
			b.wantCalls("Deny csrf.denied")
		}
	}
}

// The page that says what to do: without the cookie, allow cookies; else do not trust what brought you here.
func TestForgedFormPages(t *testing.T) {
	b := newBench(t)
	wantPage(t, b.post("/login", "username=a", asBrowser), http.StatusForbidden, page.MsgCookiesMissing)
	wantPage(t, b.post("/login", "username=a", asBrowser, browserOne), http.StatusForbidden, page.MsgForged)
	wantError(t, b.post("/login", "username=a", browserOne), http.StatusForbidden, "forbidden")
}

// AD-16: a refusal that cannot be recorded is a fault, not a refusal.
func TestForgedFormUnrecorded(t *testing.T) {
	b := newBench(t)
	b.onDeny = failDeny(errors.New("disk on fire"))
	wantError(t, b.post("/login", "username=a", browserOne), http.StatusInternalServerError, "server_error")
}
