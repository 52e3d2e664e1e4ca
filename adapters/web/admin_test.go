package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/adapters/web/page"
	"latchkey/adapters/web/read"
	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

var carol = identity.User{ID: "user-9", Username: "carol", Admin: true}

func (s *stub) Administrator(_ context.Context, c audit.Caller, _ ports.Browser) (identity.User, error) {
	s.note("Administrator", c)
	if s.onAdministrator != nil {
		return s.onAdministrator()
	}
	return carol, nil
}

func (s *stub) Explain(_ context.Context, ref, _ string) (ports.Explanation, error) {
	s.note("Explain "+ref, audit.Caller{})
	if s.onExplain != nil {
		return s.onExplain(ref)
	}
	return ports.Explanation{Refusal: ports.Refusal{Ref: ref, Client: "web", Summary: "The redirect_uri is not registered."},
		Received: "https://app.test/cb/", Differences: []string{"it has a trailing slash"}}, nil
}

func (s *stub) Refusals(_ context.Context, client string, _ int, _ string) ([]ports.Refusal, error) {
	s.note("Refusals "+client, audit.Caller{})
	return []ports.Refusal{{Ref: "err_abc", Client: "web", Code: "invalid_grant", Summary: "The code was redeemed twice."}}, nil
}

func (s *stub) LogoutNotices(_ context.Context, limit int) ([]ports.NoticeInfo, error) {
	s.note("LogoutNotices", audit.Caller{})
	if s.onNotices != nil {
		return s.onNotices(limit)
	}
	return nil, nil
}

const signedInCookie = "Cookie: __Host-latchkey-session=s; __Host-latchkey-browser=b1"

// AD-03: every route below /admin there is, by every method it has, is closed to everybody but a recent administrator with a second factor. A
// route that forgets the guard answers one of these requests, and fails.
func TestEveryAdminRouteIsGuarded(t *testing.T) {
	refused := oauth.Refuse(oauth.Forbidden, "this page is for administrators")
	cases := []struct {
		name   string
		err    error
		status int
		leads  string // to which page, and back; empty: to none
	}{
		{"nobody is signed in", ports.ErrSignedOut, http.StatusSeeOther, "/login"},
		{"the sign-in is old", ports.ErrStepUp, http.StatusSeeOther, "/login"},
		{"the session lacks the second factor", ports.ErrFactorNeeded, http.StatusSeeOther, "/second-factor"},
		{"there is no second factor", ports.ErrNoFactor, http.StatusSeeOther, "/account/totp"},
		{"no administrator", refused, http.StatusForbidden, ""},
		{"a fault", context.DeadlineExceeded, http.StatusInternalServerError, ""},
	}
	for _, base := range []string{"", "/tenant"} {
		found := 0
		for path, route := range newBench(t, issuer(testIssuer+base)).server.routes {
			if !strings.HasPrefix(path, base+"/admin") {
				continue
			}
			found++
			for method := range route.methods {
				if method != http.MethodGet {
					t.Errorf("%s %s: administration in the browser changes nothing yet", method, path)
				}
				for _, c := range cases {
					b := newBench(t, issuer(testIssuer+base))
					b.onAdministrator = func() (identity.User, error) { return identity.User{}, c.err }
					w := b.send(method, path+"?ref=err_abc", nil, asBrowser, signedInCookie)
					if b.calls = slices.DeleteFunc(b.calls, func(s string) bool { return s == "Current" }); len(b.calls) != 1 || b.calls[0] != "Administrator" {
						t.Errorf("%s %s, %s: calls %q", method, path, c.name, b.calls)
					}
					location := ""
					if c.leads != "" {
						location = base + c.leads + "?next=" + url.QueryEscape(path+"?ref=err_abc")
					}
					if w.Code != c.status || w.Header().Get("Location") != location || strings.Contains(w.Body.String(), "trailing slash") {
						t.Errorf("%s %s, %s: %d to %q", method, path, c.name, w.Code, w.Header().Get("Location"))
					}
				}
			}
		}
		if found < 3 {
			t.Errorf("%d routes of administration found", found)
		}
	}
	b := newBench(t)
	b.onAdministrator = func() (identity.User, error) { return identity.User{}, refused }
	wantPage(t, b.get("/admin", asBrowser), http.StatusForbidden, page.MsgAdminOnly)
}

// What signing in leads on to is a page of ours whatever a link says: no open redirect.
func TestLoginLeadsNowhereElse(t *testing.T) {
	for _, base := range []string{"", "/tenant"} {
		for next, want := range map[string]string{
			"account":                           base + "/account",
			base + "/admin":                     base + "/admin",
			base + "/admin/explain?ref=err_abc": base + "/admin/explain?ref=err_abc",
			base + "/admin/explain?ref=%0d%0aSet-Cookie:%20x": base + "/admin/explain?ref=%0D%0ASet-Cookie%3A+x",
			base + "/admin?next=//evil.test":                  base + "/admin?next=%2F%2Fevil.test",
			base + "/admin?%zz":                               base + "/admin",
			"":                                                base + "/",
			"//evil.test":                                     base + "/",
			"//evil.test/admin":                               base + "/",
			`/\evil.test/admin`:                               base + "/",
			`\\evil.test`:                                     base + "/",
			"https://evil.test/admin":                         base + "/",
			"javascript:alert(1)":                             base + "/",
			"%2F%2Fevil.test":                                 base + "/",
			base + "/admin//evil.test":                        base + "/",
			base + "/admin/../logout":                         base + "/",
			base + "/admin/%2e%2e/login":                      base + "/",
			base + "/administrator":                           base + "/",
			base + "/adminevil.test":                          base + "/",
			base + "/admin@evil.test":                         base + "/",
			base + "/admin\t":                                 base + "/",
			base + "/admin#x":                                 base + "/",
			base + "/consent":                                 base + "/",
			base + "/logout":                                  base + "/",
			"/other" + base + "/admin":                        base + "/",
			"admin":                                           base + "/",
		} {
			for _, written := range []string{"?next=" + url.QueryEscape(next), "?ui_locales=id&next=" + url.QueryEscape(next)} {
				b := newBench(t, issuer(testIssuer+base))
				b.onCurrent = func(ports.Browser) (identity.Session, identity.User, error) {
					return identity.Session{ID: "sid-1", AuthTime: time.Now()}, carol, nil
				}
				if got := b.get(base+"/login"+written, asBrowser, signedInCookie).Header().Get("Location"); got != want {
					t.Errorf("next=%q leads to %q, want %q", next, got, want)
				}
				b = newBench(t, issuer(testIssuer+base))
				page := b.get(base+"/login"+written, asBrowser, browserOne).Body.String()
				if _, form, _ := strings.Cut(page, `<form method="post" action="`); page != "" {
					action, _, _ := strings.Cut(form, `"`)
					if !strings.HasPrefix(action, base+"/login") || strings.Contains(action, "evil") && !strings.Contains(want, "evil") {
						t.Errorf("next=%q: the form goes to %s", next, action)
					}
				}
			}
		}
		b := newBench(t, issuer(testIssuer+base))
		wantHeader(t, b.get(base+"/login?next="+base+"/admin&next=//evil.test", asBrowser, browserOne), "Location", "")
	}
}

// An administrator whose sign-in is old is asked again, and led on; anybody else who is signed in goes on at once.
func TestStepUp(t *testing.T) {
	for _, c := range []struct {
		name  string
		user  identity.User
		age   time.Duration
		next  string
		asked bool
	}{
		{"an hour and a minute", carol, 61 * time.Minute, "/admin", true},
		{"within the hour", carol, 59 * time.Minute, "/admin", false},
		{"on the way to the account", carol, 2 * time.Hour, "account", false},
		{"no administrator", alice, 2 * time.Hour, "/admin", false},
	} {
		b := newBench(t)
		b.onCurrent = func(ports.Browser) (identity.Session, identity.User, error) {
			return identity.Session{ID: "sid-1", AuthTime: time.Now().Add(-c.age)}, c.user, nil
		}
		w := b.get("/login?next="+url.QueryEscape(c.next), asBrowser, signedInCookie)
		if asked := w.Code == http.StatusOK && strings.Contains(w.Body.String(), `action="/login?next=%2Fadmin"`); asked != c.asked {
			t.Errorf("%s: %d %v", c.name, w.Code, w.Header())
		}
	}
}

// The page of an error is the same for everybody; an administrator reads more, and the whole of it only after a recent sign-in.
func TestErrorPageForAdministrators(t *testing.T) {
	for _, c := range []struct {
		name            string
		user            identity.User
		age             time.Duration
		link, explained bool
		refusal         *oauth.Error
		acr             string
	}{
		{"nobody", identity.User{}, 0, false, false, oauth.Refuse(oauth.InvalidRequest, "redirect_uri is not registered for this client"), oidc.ACRMultiFactor},
		{"a user", alice, 0, false, false, oauth.Refuse(oauth.InvalidRequest, "redirect_uri is not registered for this client"), oidc.ACRMultiFactor},
		{"an administrator", carol, 0, true, true, oauth.Refuse(oauth.InvalidRequest, "redirect_uri is not registered for this client"), oidc.ACRMultiFactor},
		{"an administrator of long ago", carol, 2 * time.Hour, true, false, oauth.Refuse(oauth.InvalidRequest, "redirect_uri is not registered for this client"), oidc.ACRMultiFactor},
		{"an administrator who has shown no second factor", carol, 0, true, false, oauth.Refuse(oauth.InvalidRequest, "redirect_uri is not registered for this client"), oidc.ACRPassword},
		{"another error", carol, 0, true, false, oauth.Refuse(oauth.InvalidRequest, "client_id is missing"), oidc.ACRMultiFactor},
	} {
		b := newBench(t)
		b.onAuthorize = func(ports.Browser, oauth.Parameters) (ports.Next, error) { return ports.Next{}, c.refusal }
		b.onCurrent = func(ports.Browser) (identity.Session, identity.User, error) {
			return identity.Session{ID: "sid-1", AuthTime: time.Now().Add(-c.age), ACR: c.acr}, c.user, nil
		}
		page := b.get("/authorize?client_id=web", asBrowser, signedInCookie).Body.String()
		if strings.Contains(page, `href="/admin/explain?ref=err_`) != c.link || strings.Contains(page, "it has a trailing slash") != c.explained {
			t.Errorf("%s: %s", c.name, page)
		}
	}
	b := newBench(t)
	b.onCurrent = func(ports.Browser) (identity.Session, identity.User, error) {
		return identity.Session{ID: "sid-1", AuthTime: time.Now()}, carol, nil
	}
	if page := b.get("/nothing", asBrowser, signedInCookie).Body.String(); strings.Contains(page, "/admin/explain") {
		t.Errorf("a path that does not exist is not on record: %s", page)
	}
	b = newBench(t)
	b.onAuthorize = func(ports.Browser, oauth.Parameters) (ports.Next, error) {
		return ports.Next{}, oauth.Refuse(oauth.InvalidRequest, "x")
	}
	b.get("/authorize?client_id=web", asBrowser, browserOne)
	b.wantCalls("Authorize") // a browser without a session costs no look-up
}

func TestExplainPage(t *testing.T) {
	b := newBench(t)
	page := b.get("/admin/explain?ref=err_abc", asBrowser, signedInCookie).Body.String()
	if !strings.Contains(page, "it has a trailing slash") || !strings.Contains(page, `value="err_abc"`) {
		t.Errorf("%s", page)
	}
	if page := b.get("/admin/explain?client_id=web", asBrowser, signedInCookie).Body.String(); !strings.Contains(page, "The code was redeemed twice.") {
		t.Errorf("%s", page)
	}
	if page := b.get("/admin", asBrowser, signedInCookie).Body.String(); !strings.Contains(page, `href="/admin/explain?ref=err_abc"`) {
		t.Errorf("%s", page)
	}
	b.onExplain = func(string) (ports.Explanation, error) { return ports.Explanation{}, ports.ErrNotFound }
	if w := b.get("/admin/explain?ref=nothing", asBrowser, signedInCookie); w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), `role="alert"`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// The page of logout messages says in the language of the page what became of each, and escapes what it does not know.
func TestDeliveriesPage(t *testing.T) {
	at := time.Date(2026, 11, 21, 2, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name    string
		notice  ports.NoticeInfo
		en, id  string
		nowhere string
	}{
		{"new", ports.NoticeInfo{State: oidc.Pending, NextAt: at}, "Not sent yet", "Belum dikirim", "Next try"},
		{"once", ports.NoticeInfo{State: oidc.Pending, Attempts: 1, NextAt: at, LastError: ports.ErrNoAnswer.Error()}, "did not answer in time", "tidak menjawab tepat waktu", "Tried 1"},
		{"again", ports.NoticeInfo{State: oidc.Pending, Attempts: 4, NextAt: at, LastError: "the application answered with status 502, not 200"},
			"Tried 4 times", "Dicoba 4 kali", "for good"},
		{"next", ports.NoticeInfo{State: oidc.Pending, Attempts: 4, NextAt: at}, "<dt>Next try</dt><dd><time datetime=\"2026-11-21T02:00:00Z\">", "<dt>Dicoba lagi</dt>", "Last error"},
		{"status", ports.NoticeInfo{State: oidc.Failed, FailedAt: at, LastError: "the application answered with status 400, not 200"},
			"answered with status 400, not 200. Look", "dengan status 400, bukan 200", "Next try"},
		{"given up", ports.NoticeInfo{State: oidc.Failed, FailedAt: at, LastError: ports.ErrUntrusted.Error()}, "Failed for good", "Gagal untuk seterusnya", "Next try"},
		{"delivered", ports.NoticeInfo{State: oidc.Delivered, DeliveredAt: at, Attempts: 2}, "<dt>Delivered</dt>", "<dt>Terkirim</dt>", "Tried"},
		{"of nobody any more", ports.NoticeInfo{State: oidc.Delivered, DeliveredAt: at, Subject: "usr_9"}, "Deleted <code>usr_9</code>", "Dihapus <code>usr_9</code>", "Tried"},
		{"unknown words", ports.NoticeInfo{State: oidc.Failed, LastError: "the application answered with status <b>"}, `lang="en">the application answered with status &lt;b&gt;`, "&lt;b&gt;", "<b>"},
	} {
		b := newBench(t)
		b.onNotices = func(int) ([]ports.NoticeInfo, error) { return []ports.NoticeInfo{c.notice}, nil }
		if shown := b.get("/admin/logout", asBrowser, signedInCookie).Body.String(); !strings.Contains(shown, c.en) || strings.Contains(shown, c.nowhere) {
			t.Errorf("%s: no %s, or %s, in %s", c.name, c.en, c.nowhere, shown)
		}
		if shown := b.get("/admin/logout?ui_locales=id", asBrowser, signedInCookie).Body.String(); !strings.Contains(shown, c.id) {
			t.Errorf("%s: no %s in %s", c.name, c.id, shown)
		}
	}
	b := newBench(t, issuer(testIssuer+"/tenant"))
	b.onNotices = func(limit int) ([]ports.NoticeInfo, error) {
		return slices.Repeat([]ports.NoticeInfo{{Client: "a b", ClientName: "A", State: oidc.Delivered}}, limit), nil
	}
	shown := b.get("/tenant/admin/logout", asBrowser, signedInCookie).Body.String()
	if !strings.Contains(shown, `href="/tenant/admin/explain?client_id=a&#43;b"`) || !strings.Contains(shown, "The last 100 are shown.") {
		t.Errorf("%.3000s", shown)
	}
	if shown := b.get("/tenant/admin", asBrowser, signedInCookie).Body.String(); !strings.Contains(shown, `href="/tenant/admin/logout"`) {
		t.Errorf("%s", shown)
	}
	b.onNotices = func(int) ([]ports.NoticeInfo, error) { return nil, context.DeadlineExceeded }
	wantPage(t, b.get("/tenant/admin/logout", asBrowser, signedInCookie), http.StatusInternalServerError, page.MsgServerFault)
}

// The record of a refusal names the client that the request names, and the refusals that all requests share stay as they are.
func TestRecordNamesTheClient(t *testing.T) {
	basic := "Authorization: Basic d2ViOnNlY3JldA==" // web:secret
	form := "Content-Type: application/x-www-form-urlencoded"
	for _, c := range []struct {
		name, method, target, body string
		headers                    []string
		want                       string
	}{
		{"Basic", "POST", "/token", "{}", []string{basic, "Content-Type: application/json"}, "web"},
		{"form", "POST", "/token", "client_id=spa&scope=a&scope=b", []string{form}, "spa"},
		{"too large", "POST", "/token", "client_id=spa&x=" + strings.Repeat("x", 70<<10), []string{form, basic}, "web"},
		{"too large again, of nobody", "POST", "/token", "client_id=spa&x=" + strings.Repeat("x", 70<<10), []string{form}, ""},
		{"query", "GET", "/token?client_id=web", "", nil, "web"},
		{"no colon: it may be a secret", "GET", "/token", "", []string{"Authorization: Basic c2VjcmV0"}, ""},
		{"a bearer token", "GET", "/token", "", []string{"Authorization: Bearer d2ViOng="}, ""},
		{"malformed", "GET", "/authorize?client_id=web&x=%zz", "", []string{asBrowser}, "web"},
	} {
		b := newBench(t)
		recorded := "nothing"
		b.onDeny = func(_ audit.Kind, e *oauth.Error) error {
			recorded = e.Facts["client_id"]
			return nil
		}
		b.send(c.method, c.target, strings.NewReader(c.body), c.headers...)
		if recorded != c.want {
			t.Errorf("%s: recorded for %q, want %q", c.name, recorded, c.want)
		}
	}
	if len(read.ErrTooLarge.Facts)+len(errMethod.refusal.Facts) > 0 {
		t.Errorf("shared refusals were changed: %v %v", read.ErrTooLarge.Facts, errMethod.refusal.Facts)
	}
}
