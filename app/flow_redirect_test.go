package app_test

import (
	"net/url"
	"strings"
	"testing"

	"latchkey/app/apptest"
	"latchkey/domain/audit"
)

func TestRedirectURI(t *testing.T) {
	t.Parallel()
	p := apptest.New(t, clients("two", `"redirect_uris": ["https://two.test/cb", "https://two.test/cb?x=1"]`))
	b := p.Browser()
	web, native, loose := p.Client("web"), p.Client("native"), p.Client("loose")
	refused := func(id string, rp *apptest.RP, uris ...string) {
		t.Run(id, func(t *testing.T) {
			for _, uri := range uris {
				for _, prompt := range []string{"", "none"} {
					unchanged(t, p, func() {
						recorded(t, p, func() {
							page := rp.Authorize(b, set("redirect_uri", uri, "prompt", prompt))
							if wantPage(t, page, 400); t.Failed() {
								t.Fatalf("redirect_uri %s", uri)
							}
						}, audit.RequestDenied)
					})
				}
			}
		})
	}
	refused("RD-01", web, "")
	refused("RD-01 of two", p.Client("two"), "")
	refused("RD-02; A6", web, "https://app.test/cb/", "https://app.test/cb/x", "https://app.test/c", "https://app.test/cb?x=1", "https://app.test/cb?",
		"https://app.test/cb#f", "https://app.test/cb#", "https://appXtest/cb", "https://app.test.evil.test/cb", "https://evil.test/cb", "/cb", "cb")
	refused("RD-03", web, "HTTPS://app.test/cb", "https://APP.test/cb", "https://app.test/CB", " https://app.test/cb", "https://app.test/cb ", "https://app.test/cb\n")
	refused("RD-04", web, "https://app.test@evil.test/cb", "https://app.test:x@evil.test/cb", `https://evil.test\@app.test/cb`, "https://x@app.test/cb", "https://app.test\x0b/cb")
	refused("RD-05", web, "https://app.test/a/../cb", "https://app.test/cb/..;/x", "https://app.test/%2e%2e/cb", "https://app.test//cb", "//app.test/cb", "https://app.test/c%62", "https://app.test/cb%00")
	refused("RD-06", web, "https://app.test:443/cb", "https://app.test:444/cb", "http://app.test/cb", "https://app.test./cb", "https:app.test/cb", "https:/app.test/cb")
	refused("RD-07 refused", native, "http://127.0.0.1:1/other", "http://localhost:1234/cb", "http://127.0.0.1:12x/cb", "http://127.0.0.1:/cb", "https://127.0.0.1:1234/cb",
		"http://127.0.0.1:1@evil.test/cb", "http://127.0.0.1:1234/cb?x=1", "http://127.0.0.1.evil.test:80/cb", "http://[::1]:80/cb", "http://127.1:80/cb",
		"com.example.app:/other", "com.example.app://cb", "COM.example.app:/cb")
	refused("RD-08 refused; A6", loose, "https://loose.test/cb?x=1&y=2", "https://loose.test/cb", "https://loose.test/cb?x=2", "https://loose.test/cb?y=2&x=1")
	refused("another client's", web, "https://spa.test/cb")

	t.Run("RD-07", func(t *testing.T) {
		for _, uri := range []string{"http://127.0.0.1/cb", "http://127.0.0.1:1/cb", "http://127.0.0.1:51234/cb", "http://127.0.0.1:65535/cb", "com.example.app:/cb"} {
			rp := p.Client("native")
			rp.RedirectURI = uri
			if code := rp.Code(b, "alice"); code == "" {
				t.Errorf("%s: no code", uri)
			} else {
				wantTokens(t, rp.Exchange(code))
				other := p.Client("native")
				other.RedirectURI = "http://127.0.0.1:2/cb"
				wantError(t, other.Exchange(rp.Code(b, "alice")), 400, "invalid_grant")
			}
		}
	})
	t.Run("RD-08; A7", func(t *testing.T) {
		for _, mode := range []string{"query", "fragment", "form_post"} {
			page := loose.Authorize(b, set("response_mode", mode))
			if page.IsConsent() {
				page = b.Allow(page)
			}
			if answer(t, b, page, loose.RedirectURI).Get("code") == "" || strings.Count(page.Location, "x=1") > 1 {
				t.Errorf("%s: %s", mode, page.Location)
			}
		}
	})
	t.Run("RD-09", func(t *testing.T) {
		for _, uri := range []string{"javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "vbscript:x", "file:///etc/passwd", "blob:https://app.test/x",
			" javascript:alert(1)", "https://*.app.test/cb", "https://app.test/*", "*", "http://app.test/cb", "https://app.test/cb#f", "https://u@app.test/cb",
			"app:/cb", "https:///cb", "HTTPS://app.test/cb", `https://app.test\@evil.test`, ""} {
			unchanged(t, p, func() {
				recorded(t, p, func() {
					if err := p.TryApply(clients("web", `"redirect_uris": ["https://app.test/cb", `+quote(uri)+`]`)); err == nil {
						t.Errorf("%q was registered", uri)
					}
				})
			})
		}
	})
	t.Run("RD-10", func(t *testing.T) {
		for _, change := range []url.Values{set("scope", "nope"), set("response_type", "nope"), set("request", "x"), set("prompt", "x"), {"state": {"a", "a"}}} {
			page := web.Authorize(b, change, set("redirect_uri", "https://evil.test/cb"))
			wantPage(t, page, 400)
		}
	})
}

func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}
