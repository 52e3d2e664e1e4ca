package web

import (
	"net/url"
	"strings"
	"testing"

	"latchkey/domain/oauth"
	"latchkey/ports"

	"github.com/google/go-cmp/cmp"
)

// AZ-11, RD-08: parameters arrive as they were, iss once, and what was registered stays as it is.
func TestAuthorizationResponses(t *testing.T) {
	states := []string{"s", "a b+c%20d&e=f#g?h", `"><script>alert(1)</script>`, "€🔑", "%", "a;b", "'\\"}
	for _, uri := range []string{"https://app.test/cb", "https://app.test/cb?x=1", "https://app.test/cb?x=a%20b&y", "https://app.test/cb?", "com.example.app:/cb", "http://127.0.0.1:4711/cb"} {
		for _, mode := range []oauth.ResponseMode{oauth.ModeQuery, oauth.ModeFragment, oauth.ModeFormPost} {
			for _, state := range states {
				b := newBench(t)
				b.onAuthorize = func(ports.Browser, oauth.Parameters) (ports.Next, error) {
					return answered(mode, uri, oauth.Parameter{Name: "state", Value: state}), nil
				}
				w := b.get("/authorize?client_id=web", asBrowser)
				want := url.Values{"code": {"code-1"}, "state": {state}, "iss": {testIssuer}}
				if mode == oauth.ModeFormPost {
					wantStatus(t, w, 200)
					action, fields := submitted(t, w.Body.String())
					if action != uri {
						t.Errorf("%s: the form goes to %q", uri, action)
					}
					if diff := cmp.Diff(want, fields); diff != "" {
						t.Errorf("%s %s: %s", uri, mode, diff)
					}
					continue
				}
				wantStatus(t, w, 303)
				location := w.Header().Get("Location")
				rest, ok := strings.CutPrefix(location, uri)
				separator := map[oauth.ResponseMode]string{oauth.ModeQuery: "?", oauth.ModeFragment: "#"}[mode]
				if mode == oauth.ModeQuery && strings.Contains(uri, "?") {
					separator = "&"
				}
				if !ok || !strings.HasPrefix(rest, separator) {
					t.Fatalf("%s %s: %s", uri, mode, location)
				}
				got, err := url.ParseQuery(rest[1:])
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s %s: %s", uri, mode, diff)
				}
				if strings.ContainsAny(rest[1:], " \"<>#") {
					t.Errorf("not encoded: %s", location)
				}
			}
		}
	}
}
