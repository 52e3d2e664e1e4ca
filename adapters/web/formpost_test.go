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

// An error that goes back by redirect says where its reference is explained, with the parameters RFC 6749 §4.1.2.1 names
// and no other: the reference is in error_uri, whose characters are those of a URI.
func TestErrorURIInRedirects(t *testing.T) {
	for _, mode := range []oauth.ResponseMode{oauth.ModeQuery, oauth.ModeFragment, oauth.ModeFormPost} {
		b := newBench(t)
		b.onAuthorize = func(ports.Browser, oauth.Parameters) (ports.Next, error) {
			next := answered(mode, "https://app.test/cb")
			next.Response.Parameters[0] = oauth.Parameter{Name: "error", Value: "invalid_scope"}
			return next, nil
		}
		w := b.get("/authorize?client_id=web", asBrowser)
		var got url.Values
		if mode == oauth.ModeFormPost {
			_, got = submitted(t, w.Body.String())
		} else {
			_, text, _ := strings.Cut(w.Header().Get("Location"), map[oauth.ResponseMode]string{oauth.ModeQuery: "?", oauth.ModeFragment: "#"}[mode])
			got, _ = url.ParseQuery(text)
		}
		id := w.Header().Get("X-Request-Id")
		want := url.Values{"error": {"invalid_scope"}, "iss": {testIssuer}, "error_uri": {testIssuer + "/errors?ref=" + errorRef(id) + "#invalid_scope"}}
		if diff := cmp.Diff(want, got); diff != "" || !isErrorRef(errorRef(id)) {
			t.Errorf("%s %s: %s", mode, id, diff)
		}
		path, _, _ := strings.Cut(strings.TrimPrefix(got.Get("error_uri"), testIssuer), "#")
		if page := b.get(path, asBrowser).Body.String(); !strings.Contains(page, "latchkey explain "+errorRef(id)) {
			t.Errorf("%s: %s", mode, page)
		}
	}
}
