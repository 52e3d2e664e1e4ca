package app_test

import (
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey/app/apptest"
	"latchkey/domain/oauth/oauthtest"
)

// RD-01 to RD-08 at the endpoint, for every kind of client: of all that attackers make of a registered URI, none is sent an
// answer but the URI itself, and for a native application its port.
func TestMatrixRedirect(t *testing.T) {
	t.Parallel()
	each := size(t, "REDIRECTS", 60)
	p := apptest.New(t, clients("six", `"token_endpoint_auth_method": "none", "redirect_uris": ["http://[::1]/cb"]`,
		"local", `"token_endpoint_auth_method": "none", "redirect_uris": ["http://localhost/cb"]`))
	b := p.Browser()
	given, refused, ports := 0, atomic.Int32{}, atomic.Int32{}
	for _, c := range []struct{ kind, client, uri string }{
		{"confidential", "web", "https://app.test/cb"}, {"public, in a browser", "spa", "https://spa.test/cb"},
		{"profile standard, with a query", "loose", "https://loose.test/cb?x=1"}, {"native, IPv4", "native", "http://127.0.0.1/cb"},
		{"native, private-use scheme", "native", "com.example.app:/cb"}, {"native, IPv6", "six", "http://[::1]/cb"}, {"native, by name", "local", "http://localhost/cb"},
	} {
		rp := p.Client(c.client)
		rp.RedirectURI = c.uri
		rp.Code(b, "alice") // and with that, consent: whatever is accepted from here on is a code
		cookie := http.Header{"Cookie": {cookies(b)}}
		before := digest(t, p)
		all := oauthtest.Mutations(c.uri)
		slices.Sort(all)
		if all = slices.DeleteFunc(slices.Compact(all), func(s string) bool { return s == c.uri }); len(all) < 400 {
			t.Errorf("%s: only %d mutations", c.kind, len(all))
		}
		var accepted atomic.Int32
		all = sampled(all, each, rand.IntN(1<<20))
		given += len(all)
		together(all, func(uri string) {
			request := rp.Request(set("redirect_uri", uri, "prompt", "none"))
			w := knock(p, "GET", apptest.Alias("/authorize")+"?"+request.Encode(), nil, cookie)
			if rand.IntN(4) == 0 {
				w = knock(p, "POST", apptest.Alias("/authorize"), request, cookie)
			}
			location := w.Header().Get("Location")
			switch {
			case oauthtest.Loopback(c.uri, uri):
				ports.Add(1)
				accepted.Add(1)
				if at, err := url.Parse(location); err != nil || w.Code != http.StatusSeeOther || !strings.HasPrefix(location, uri+"?") {
					t.Errorf("%s: %q: %d %v", c.kind, uri, w.Code, at)
				}
			case w.Code != http.StatusBadRequest || location != "" || w.Header().Get("Refresh") != "" || strings.Contains(w.Body.String(), "code="):
				t.Errorf("%s: %q: %d %q %.300s", c.kind, uri, w.Code, location, w.Body)
			default:
				refused.Add(1)
			}
		})
		if diff := cmp.Diff(before, digest(t, p)); accepted.Load() == 0 && diff != "" {
			t.Errorf("%s: state changed (-before +after):\n%s", c.kind, diff)
		}
		if page := rp.Authorize(b, set("prompt", "none")); !strings.HasPrefix(page.Location, c.uri) || page.Answer().Get("code") == "" {
			t.Errorf("%s: the URI itself is refused: %d %s", c.kind, page.Status, page.Location)
		}
	}
	t.Logf("%d mutations of 7 kinds: %d refused, %d of a native application's port, none accepted besides", given, refused.Load(), ports.Load())
}
