package page

import (
	"flag"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden pages")

func parsedPages(t testing.TB) *Pages {
	t.Helper()
	p, err := New("")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func rendered(p *Pages, l Locale, f Frame, body Body) *httptest.ResponseRecorder {
	f.Locale = l
	w := httptest.NewRecorder()
	p.Render(w, http.StatusOK, f, body)
	return w
}

// eachPage runs a check on every sample in every language.
func eachPage(t *testing.T, check func(t *testing.T, l Locale, sample samplePage, got *httptest.ResponseRecorder)) {
	p := parsedPages(t)
	for _, sample := range samplePages() {
		for _, l := range Locales {
			t.Run(sample.name+"."+string(l), func(t *testing.T) {
				check(t, l, sample, rendered(p, l, sample.frame, sample.body))
			})
		}
	}
}

func TestPagesGolden(t *testing.T) {
	eachPage(t, func(t *testing.T, l Locale, sample samplePage, got *httptest.ResponseRecorder) {
		// The hash of the style sheet is not part of the page's meaning.
		page := strings.NewReplacer(StyleSheet.Path, "/static/style.css", PasskeyScript.Path, "/static/passkey.js",
			html.EscapeString(PasskeyScript.Integrity), "sha256-hash").Replace(got.Body.String())
		file := filepath.Join("testdata", "pages", sample.name+"."+string(l)+".golden")
		if *update {
			if err := os.WriteFile(file, []byte(page), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), page); diff != "" {
			t.Errorf("%s (-want +got; -update rewrites it):\n%s", file, diff)
		}
	})
}

// WB-04, WB-08 (headers that belong to the page itself).
func TestPageHeaders(t *testing.T) {
	const base = "default-src 'none'; style-src 'self'; img-src 'self' data:"
	eachPage(t, func(t *testing.T, l Locale, sample samplePage, got *httptest.ResponseRecorder) {
		policy := base
		if len(sample.frame.Images) > 0 {
			policy += " https://notes.example"
		}
		if page, ok := sample.body.(SignedOut); ok && len(page.frames()) > 0 { // LO-07: exactly those, each once
			policy += "; frame-src https://notes.example http://localhost:5173"
		}
		policy += "; base-uri 'none'; frame-ancestors 'none'"
		switch sample.body.(type) {
		case Login, Consent, SelectAccount, Logout, Factor, RecoveryCodes:
		default:
			policy += "; form-action 'self'"
		}
		if sample.body.look().scripted {
			policy += "; script-src '" + PasskeyScript.Integrity + "' " + PasskeyScript.Path + "; connect-src 'self'"
		}
		want := http.Header{
			"Content-Type":            {"text/html; charset=utf-8"},
			"Cache-Control":           {"no-store"},
			"Content-Security-Policy": {policy},
		}
		if f := sample.frame; f.Refresh != "" {
			want.Set("Refresh", fmt.Sprintf("%d; url=%s", f.RefreshSeconds, f.Refresh))
		}
		if diff := cmp.Diff(want, got.Header()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestPageRefresh(t *testing.T) {
	got := rendered(parsedPages(t), English, Frame{Refresh: "https://notes.example/cb?code=1"}, Done{Message: MsgSignedOut})
	if h := got.Header().Get("Refresh"); h != "0; url=https://notes.example/cb?code=1" {
		t.Errorf("Refresh: %q", h)
	}
}

// WB-07: a registered logo cannot write its own policy.
func TestPolicyImages(t *testing.T) {
	tests := []struct{ image, want string }{
		{"https://app.example/logo.png?v=1", " https://app.example"},
		{"https://App.Example:8443", " https://App.Example:8443"},
		{"http://[::1]:3000/l.png", " http://[::1]:3000"},
		{"http://localhost:3000/l.png", " http://localhost:3000"},
		{"http://app.example/logo.png", ""},
		{"https://app.example;script-src *", ""},
		{"https://app.example;script-src/", ""},
		{"https://*/", ""},
		{"https://a.example,b.example/", ""},
		{"https://user:pw@app.example/", ""},
		{"data:image/png;base64,AAAA", ""},
		{"'unsafe-inline'", ""},
		{"", ""},
	}
	for _, test := range tests {
		want := "default-src 'none'; style-src 'self'; img-src 'self' data:" + test.want + "; base-uri 'none'; frame-ancestors 'none'"
		if got := contentSecurityPolicy([]string{test.image}, nil, true); got != want {
			t.Errorf("image %q:\n got %q\nwant %q", test.image, got, want)
		}
	}
}

func TestLinks(t *testing.T) {
	tests := []struct {
		raw       string
		web, page bool
	}{
		{"https://app.example/a?b=c#d", true, true},
		{"http://localhost:3000/", true, true},
		{"http://127.0.0.1/", true, true},
		{"http://127.9.9.9/", true, true},
		{"http://[::1]:3000/", true, true},
		{"/login?x=1", false, true},
		{"/", false, true},
		{"http://app.example/", false, false},
		{"http://localhost.evil.test/", false, false},
		{"https:app.example", false, false},
		{"https:///path", false, false},
		{"https://good.example@evil.test/", false, false},
		{"https://app.example/\nx", false, false},
		{"https://app.example/a b", false, false},
		{"javascript:alert(1)", false, false},
		{"JaVaScRiPt://app.example/%0aalert(1)", false, false},
		{"data:text/html,x", false, false},
		{"//evil.test/", false, false},
		{`/\evil.test/`, false, false},
		{"/\t/evil.test/", false, false},
		{"login", false, false},
		{"", false, false},
	}
	for _, test := range tests {
		if got := WebLink(test.raw); (got == test.raw && got != "") != test.web {
			t.Errorf("webLink(%q) = %q", test.raw, got)
		}
		if got := pageLink(test.raw); (got == test.raw && got != "") != test.page {
			t.Errorf("pageLink(%q) = %q", test.raw, got)
		}
	}
}

func TestLanguageLinks(t *testing.T) {
	tests := []struct{ path, want string }{
		{"/login", "/login?ui_locales=id"},
		{"/authorize?state=b&ui_locales=en%20fr&client_id=a", "/authorize?state=b&client_id=a&ui_locales=id"},
		{"/authorize?nonce=a%26b;c&&flag", "/authorize?nonce=a%26b;c&flag&ui_locales=id"},
		{"", ""},
		{"//evil.test/", ""},
		{"https://evil.test/", ""},
		{"login", ""},
	}
	for _, test := range tests {
		got := ""
		for _, link := range (pageView{Frame: Frame{Locale: English, Path: test.path}}).Languages() {
			if link.Locale == Indonesian {
				got = link.URL
			}
			if link.Current != (link.Locale == English) {
				t.Errorf("%s: current is %v", link.Locale, link.Current)
			}
		}
		if got != test.want {
			t.Errorf("path %q links to %q, want %q", test.path, got, test.want)
		}
	}
}

// faulty is a body that lacks what its template shows.
type faulty struct{ Secret string }

func (faulty) look() look { return look{template: "home"} }

// WB-10: a page that cannot be made says nothing of why, and is never sent in part.
func TestPageFault(t *testing.T) {
	p := parsedPages(t)
	for name, body := range map[string]Body{"no body": nil, "fault in the page": faulty{"s3cret"}, "unknown message": Error{Message: "s3cret"}} {
		t.Run(name, func(t *testing.T) {
			got := rendered(p, Indonesian, Frame{RequestID: "req_1"}, body)
			if got.Code != http.StatusInternalServerError {
				t.Errorf("status %d", got.Code)
			}
			if h := got.Header().Get("Content-Type"); h != "text/plain; charset=utf-8" {
				t.Errorf("Content-Type %q", h)
			}
			if h := got.Header().Get("Content-Security-Policy"); !strings.Contains(h, "frame-ancestors 'none'") {
				t.Errorf("Content-Security-Policy %q", h)
			}
			text := got.Body.String()
			if !strings.HasPrefix(text, "Request error\n") || !strings.Contains(text, "ID permintaan: req_1") ||
				strings.Contains(text, "s3cret") || strings.Contains(text, "<") {
				t.Errorf("body %q", text)
			}
		})
	}
}

// An issuer with a path keeps all its pages below it.
func TestPagesBelowIssuerPath(t *testing.T) {
	p := parsedPages(t)
	tests := []struct {
		body Body
		want string
	}{
		{Error{Message: MsgNotFound}, `href="/id/"`},
		{Home{}, `href="/id/login"`},
		{Home{SignedIn: true}, `action="/id/logout"`},
		{SelectAccount{}, `href="/id` + StyleSheet.Path + `"`},
	}
	for _, test := range tests {
		if page := rendered(p, English, Frame{Base: "/id"}, test.body).Body.String(); !strings.Contains(page, test.want) {
			t.Errorf("%T lacks %s", test.body, test.want)
		}
	}
}

// Every template is the page of a body, and every body has one: the samples show all of them.
func TestTemplatesHaveBodies(t *testing.T) {
	p, shown := parsedPages(t), map[string]bool{}
	for _, sample := range samplePages() {
		shown[sample.body.look().template] = true
	}
	for name := range p.templates[English] {
		if !shown[name] {
			t.Errorf("no sample of %s.html", name)
		}
		delete(shown, name)
	}
	for name := range shown {
		t.Errorf("no template %s.html", name)
	}
}

func TestUnknownLocaleIsEnglish(t *testing.T) {
	got := rendered(parsedPages(t), "xx", Frame{}, Done{Message: MsgSignedOut})
	if !strings.Contains(got.Body.String(), `<html lang="en">`) || !strings.Contains(got.Body.String(), "You are signed out") {
		t.Error(got.Body.String())
	}
}

// What automation and password managers hold on to.
func TestPageHandles(t *testing.T) {
	want := map[string][]string{
		"login": {
			`<h1>Sign in</h1>`, ` name="username"`, ` name="password"`, ` id="login-submit"`, ` autocomplete="username"`,
			` autocomplete="current-password"`, ` name="interaction" value="int_7Qk2"`, ` name="csrf" value="csrf_b1Zx"`,
			"Kopi Notes", "notes.example", `src="https://notes.example/logo.svg"`, `href="https://notes.example/privacy"`, `href="https://notes.example/terms"`,
		},
		"login_locked": {"Wait 12 minutes"},
		"login_again":  {"You are signed in as Tio Pratama (tio).", "This application asks for sari.", "confirm that it is you"},
		"consent": {
			`<button id="consent-allow" type="submit" name="approved" value="true">`,
			`<button id="consent-deny" type="submit" name="approved" value="false">`,
			`<input type="hidden" name="scope" value="openid">`,
			`type="checkbox" name="scope" value="profile" checked`,
			`<code>notes:write</code>`, "tio@mail.example", "while you are away", "Tio Pratama (tio)",
		},
		"consent_unverified": {"has not checked this application", `<input type="hidden" name="scope" value="openid">`},
		"select_account": {
			`<button id="account-continue" type="submit" name="account" value="current">`,
			`<button id="account-other" type="submit" name="account" value="other">`,
		},
		"error":           {"Request error", "<code>invalid_request</code>", "err_01J9ZK3Q", "req_5f0c9a2e", `href="https://notes.example/"`},
		"setup":           {` autocomplete="new-password"`, `name="password_again"`, "15 characters"},
		"done_signed_out": {"<h1>You are signed out</h1>"},
		"home_signed_in":  {`action="/logout"`, `<button id="sign-out"`, `name="csrf" value="csrf_b1Zx"`},
	}
	p := parsedPages(t)
	for _, sample := range samplePages() {
		page := rendered(p, English, sample.frame, sample.body).Body.String()
		for _, handle := range want[sample.name] {
			if !strings.Contains(page, handle) {
				t.Errorf("%s lacks %s", sample.name, handle)
			}
		}
		delete(want, sample.name)
		if _, isError := sample.body.(Error); isError {
			if !strings.Contains(rendered(p, Indonesian, sample.frame, sample.body).Body.String(), ">Request error<") {
				t.Errorf("%s in Indonesian lacks the phrase in English", sample.name)
			}
		}
	}
	for name := range want {
		t.Errorf("no sample %s", name)
	}
	if page := rendered(p, English, Frame{}, Login{Problem: MsgTooManyAttempts}).Body.String(); !strings.Contains(page, "Wait 1 minute, ") {
		t.Error("waiting below one minute does not read as one minute")
	}
}

// The same words for an unknown user and a wrong password; nothing else on the page may tell them apart. LG-01.
func TestLoginFailedHasOneText(t *testing.T) {
	for _, l := range Locales {
		text := strings.ToLower(catalogue[l][MsgLoginFailed] + catalogue[l][MsgLoginFailed.Next()])
		for _, tell := range []string{"unknown", "exist", "not found", "tidak ada", "tidak dikenal", "tidak ditemukan"} {
			if strings.Contains(text, tell) {
				t.Errorf("%s: %q says %q", l, text, tell)
			}
		}
	}
}
