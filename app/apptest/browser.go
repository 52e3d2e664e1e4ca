package apptest

import (
	"context"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// Site is where a provider is reached: by browsers and by relying parties.
type Site struct {
	Issuer string
	// Transport carries their requests; nil is the default one.
	Transport http.RoundTripper
	// Lossy says that an answer may fail to arrive, as when the provider is killed: that is then no failure of the test, and
	// the Page or Reply has an Err.
	Lossy bool

	t testing.TB
}

// Browser is a browser without scripts: it keeps cookies, sends the headers browsers send, and follows redirects only
// within the provider.
type Browser struct {
	t      testing.TB
	issuer string
	client *http.Client
	lossy  bool
	// Header is added to every request.
	Header http.Header
}

// Page is what a browser shows, or the redirect that leaves the provider.
type Page struct {
	Status   int
	Header   http.Header
	Body     string
	URL      *url.URL // of the page, or where a redirect leads that leaves the provider
	Location string   // of that redirect, as it came; empty: a page
	Err      error    // why the answer did not arrive whole, see Site.Lossy; Status is 0 when none of it did
}

// Browser returns a browser with an empty cookie jar.
func (s *Site) Browser() *Browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return &Browser{t: s.t, issuer: s.Issuer, lossy: s.Lossy, Header: http.Header{"Accept": {"text/html,application/xhtml+xml,*/*;q=0.8"}},
		client: &http.Client{Jar: jar, Transport: s.Transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// Cookies returns the cookies the provider set.
func (b *Browser) Cookies() map[string]string {
	u, _ := url.Parse(b.issuer)
	found := map[string]string{}
	for _, c := range b.client.Jar.Cookies(u) {
		found[c.Name] = c.Value
	}
	return found
}

// SetCookie plants a cookie.
func (b *Browser) SetCookie(name, value string) {
	u, _ := url.Parse(b.issuer)
	b.client.Jar.SetCookies(u, []*http.Cookie{{Name: name, Value: value, Path: "/"}})
}

// Do sends one request and does not follow its redirect.
func (b *Browser) Do(method, target string, form url.Values, header http.Header) Page {
	b.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequestWithContext(context.Background(), method, b.resolve(target), body)
	if err != nil {
		b.t.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", b.issuer)
		req.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	for _, h := range []http.Header{b.Header, header} {
		for name, values := range h {
			req.Header[http.CanonicalHeaderKey(name)] = values
		}
	}
	resp, text, err := fetch(b.client, req)
	if err != nil && !b.lossy {
		b.t.Fatal(err)
	}
	return Page{Status: resp.StatusCode, Header: resp.Header, Body: string(text), URL: req.URL, Location: resp.Header.Get("Location"), Err: err}
}

// fetch returns the answer and its body. With an error they are as much as arrived.
func fetch(client *http.Client, req *http.Request) (*http.Response, []byte, error) {
	resp, err := client.Do(req)
	if err != nil {
		return &http.Response{}, nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp, text, err
}

func (b *Browser) resolve(target string) string {
	if strings.HasPrefix(target, "/") {
		return b.issuer + target
	}
	return target
}

// follow follows redirects while they stay within the provider.
func (b *Browser) follow(p Page) Page {
	b.t.Helper()
	for range 10 {
		if p.Location == "" {
			return p
		}
		next, err := p.URL.Parse(p.Location)
		if err != nil {
			b.t.Fatal(err)
		}
		if !strings.HasPrefix(next.String(), b.issuer+"/") {
			p.URL = next
			return p
		}
		p = b.Do("GET", next.String(), nil, nil)
	}
	b.t.Fatalf("redirects do not end: %s", p.Location)
	return p
}

// Get opens a page.
func (b *Browser) Get(target string) Page {
	b.t.Helper()
	return b.follow(b.Do("GET", target, nil, nil))
}

// Submit sends the form of a page with the given fields set.
func (b *Browser) Submit(p Page, fields url.Values) Page {
	b.t.Helper()
	action, form := b.Form(p)
	for name, values := range fields {
		form[name] = values
	}
	return b.follow(b.Do("POST", action, form, nil))
}

var (
	formTag  = regexp.MustCompile(`(?s)<form[^>]*action="([^"]*)"[^>]*>(.*?)</form>`)
	inputTag = regexp.MustCompile(`<input[^>]*>`)
	attr     = regexp.MustCompile(`([a-z]+)="([^"]*)"`)
)

// Form returns the first form of a page: where it goes and what is in it.
func (b *Browser) Form(p Page) (action string, fields url.Values) {
	b.t.Helper()
	m := formTag.FindStringSubmatch(p.Body)
	if m == nil {
		b.t.Fatalf("no form on the page %s (%d): %.400s", p.URL, p.Status, p.Body)
	}
	fields = url.Values{}
	for _, tag := range inputTag.FindAllString(m[2], -1) {
		a := map[string]string{}
		for _, kv := range attr.FindAllStringSubmatch(tag, -1) {
			a[kv[1]] = html.UnescapeString(kv[2])
		}
		if a["name"] != "" && (a["type"] != "checkbox" || strings.Contains(tag, " checked")) {
			fields.Add(a["name"], a["value"])
		}
	}
	return html.UnescapeString(m[1]), fields
}

// Login fills in the login page.
func (b *Browser) Login(p Page, username, password string) Page {
	b.t.Helper()
	return b.Submit(p, url.Values{"username": {username}, "password": {password}})
}

// Allow agrees on the consent page.
func (b *Browser) Allow(p Page) Page {
	b.t.Helper()
	return b.Submit(p, url.Values{"approved": {"true"}})
}

// Deny refuses on the consent page.
func (b *Browser) Deny(p Page) Page {
	b.t.Helper()
	return b.Submit(p, url.Values{"approved": {"false"}})
}

// IsLogin and IsConsent tell the pages apart by what automation relies on.
func (p Page) IsLogin() bool   { return strings.Contains(p.Body, `id="login-submit"`) }
func (p Page) IsConsent() bool { return strings.Contains(p.Body, `id="consent-allow"`) }

// Answer returns the parameters of an authorization response in the query of a redirect.
func (p Page) Answer() url.Values { return p.URL.Query() }
