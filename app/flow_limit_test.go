package app_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"latchkey/app"
	"latchkey/app/apptest"
	"latchkey/domain/audit"
)

// limited runs a provider with its rate limits, behind a proxy that says where requests come from.
func limited(t *testing.T, documents ...string) *apptest.Provider {
	p := apptest.New(t, documents...)
	p.Restart(apptest.Limited, func(c *app.Config) { c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} })
	return p
}

func from(ip string) http.Header { return http.Header{"X-Forwarded-For": {ip}} }

// wantLimited checks the answer to a request too many.
func wantLimited(t *testing.T, p *apptest.Provider, r apptest.Reply) {
	t.Helper()
	wait, err := strconv.Atoi(r.Header.Get("Retry-After"))
	if r.Status != http.StatusTooManyRequests || r.Get("error") != "too_many_attempts" || err != nil || wait < 1 || wait > 60 ||
		r.Get("request_id") != r.Header.Get("X-Request-Id") || !strings.HasPrefix(r.Get("error_ref"), "err_") || r.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("not refused as it should be: %d %v %s", r.Status, r.Header, r.Text)
	}
}

// wrongSecret is a token request with a secret that is wrong.
func wrongSecret(client string) url.Values {
	return url.Values{"grant_type": {"authorization_code"}, "code": {"x"}, "client_id": {client}, "client_secret": {"a guess"}}
}

func TestRateLimits(t *testing.T) {
	t.Parallel()
	t.Run("RL-01, RL-02 a whole minute at once, on any path, then one at a time", func(t *testing.T) {
		p := limited(t)
		evil := p.Client("evil")
		paths := []string{"/token", "/oauth2/token", "/connect/token", "/access_tokens"}
		for i := range 30 {
			if r := evil.Post(paths[i%4], wrongSecret("web"), from("192.0.2.66")); r.Status != http.StatusUnauthorized {
				t.Fatalf("request %d: %d %s", i+1, r.Status, r.Text)
			}
		}
		for _, path := range paths {
			wantLimited(t, p, evil.Post(path, wrongSecret("web"), from("192.0.2.66")))
		}
		if r := evil.Post("/token", wrongSecret("web"), from("192.0.2.67")); r.Status != http.StatusUnauthorized {
			t.Errorf("another address: %d", r.Status)
		}
		p.Advance(2 * time.Second)
		if r := evil.Post("/token", wrongSecret("web"), from("192.0.2.66")); r.Status != http.StatusUnauthorized {
			t.Errorf("after Retry-After: %d %s", r.Status, r.Text)
		}
		wantLimited(t, p, evil.Post("/token", wrongSecret("web"), from("192.0.2.66")))
	})
	t.Run("RL-01 revocation and introspection", func(t *testing.T) {
		p := limited(t)
		evil := p.Client("evil")
		for _, paths := range [][]string{{"/revocation", "/oauth/revoke", "/oauth2/revocation", "/revoke", "/connect/revocation"}, {"/introspect", "/oauth2/introspect", "/connect/introspect"}} {
			for i := range 30 {
				if r := evil.Post(paths[i%len(paths)], wrongSecret("web"), from("192.0.2.66")); r.Status == http.StatusTooManyRequests {
					t.Fatalf("%s: request %d is refused", paths[0], i+1)
				}
			}
			for _, path := range paths {
				wantLimited(t, p, evil.Post(path, wrongSecret("web"), from("192.0.2.66")))
			}
		}
	})
	t.Run("RL-01, RL-12 a method that no client may use is charged, because it is recorded", func(t *testing.T) {
		p := limited(t)
		evil := p.Client("evil")
		for _, method := range []string{"GET", "DELETE", "HEAD"} {
			for i := range 30 {
				if r := evil.Send(method, "/oauth2/token", "", from("192.0.2.66")); method == "GET" && r.Status != http.StatusMethodNotAllowed || method != "GET" && r.Status != http.StatusTooManyRequests {
					t.Fatalf("%s, request %d: %d", method, i+1, r.Status)
				}
			}
		}
		wantLimited(t, p, evil.Post("/token", wrongSecret("web"), from("192.0.2.66")))
		if n := len(p.Events(audit.RequestDenied)); n != 30 {
			t.Errorf("%d records", n)
		}
	})
	t.Run("RL-01 strangers behind the same address do not starve a client that authenticates", func(t *testing.T) {
		p := limited(t)
		web, spa := p.Client("web"), p.Client("spa")
		b := p.Browser()
		b.Header.Set("X-Forwarded-For", "192.0.2.80")
		code, other := web.Code(b, "alice"), spa.Code(b, "alice")
		for range 40 {
			web.Post("/token", wrongSecret("web"), from("192.0.2.66"))
		}
		// A public client proves nothing by its name, so it counts by address; its code stays good.
		redeem := func(rp *apptest.RP, code, ip string) apptest.Reply {
			return rp.Post("/token", url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {rp.RedirectURI},
				"code_verifier": {apptest.Verifier}}, from(ip))
		}
		wantLimited(t, p, redeem(spa, other, "192.0.2.66"))
		if r := redeem(web, code, "192.0.2.66"); r.Status != http.StatusOK {
			t.Errorf("the right secret from the same address: %d %s", r.Status, r.Text)
		}
		if r := redeem(spa, other, "192.0.2.67"); r.Status != http.StatusOK {
			t.Errorf("a request that was refused touched the code: %d %s", r.Status, r.Text)
		}
	})
	t.Run("RL-01 a client has a budget of its own, wherever it calls from", func(t *testing.T) {
		p := apptest.New(t)
		token := p.Client("web").SignIn(p.Browser(), "alice").Get("refresh_token")
		p.Restart(apptest.Limited, func(c *app.Config) {
			c.ClientRateLimit, c.TrustedProxies = 40, []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
		})
		web := p.Client("web")
		none := url.Values{"grant_type": {"authorization_code"}}
		for i := range 40 {
			if r := web.Post("/token", none, from(fmt.Sprintf("192.0.2.%d", i))); r.Status == http.StatusTooManyRequests {
				t.Fatalf("request %d is refused", i+1)
			}
		}
		refresh := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}}
		wantLimited(t, p, web.Post("/token", refresh, from("192.0.2.200")))
		if r := p.Client("evil").Post("/token", none, from("192.0.2.1")); r.Status == http.StatusTooManyRequests {
			t.Error("another client is refused too")
		}
		p.Advance(time.Minute)
		if r := web.Post("/token", refresh, from("192.0.2.200")); r.Status != http.StatusOK {
			t.Errorf("the token was used up by a request that was refused: %d %s", r.Status, r.Text)
		}
	})
	t.Run("RL-01 the scale multiplies, and 0 lifts every limit", func(t *testing.T) {
		p := apptest.New(t)
		web := p.Client("web")
		for scale, heard := range map[float64]int{0: 100, 0.1: 3, 2: 60} {
			p.Restart(apptest.Limited, func(c *app.Config) { c.RateLimitScale = scale })
			n := 0
			for range 100 {
				if r := web.Post("/token", wrongSecret("web"), nil); r.Status != http.StatusTooManyRequests {
					n++
				}
			}
			if n != heard {
				t.Errorf("scale %v: %d of 100 heard, want %d", scale, n, heard)
			}
		}
	})
	t.Run("RL-01 nobody is sent anywhere by a refusal", func(t *testing.T) {
		p := limited(t)
		web := p.Client("web")
		b := p.Browser()
		for range 20 {
			web.Authorize(b)
		}
		page := web.Authorize(b, url.Values{"prompt": {"none"}})
		if page.Status != http.StatusTooManyRequests || page.Location != "" || page.Header.Get("Retry-After") == "" || !strings.Contains(page.Body, "err_") {
			t.Errorf("%d %q %v", page.Status, page.Location, page.Header)
		}
	})
}

// flood sends requests without a network and returns how many were heard.
func flood(p *apptest.Provider, n int, request func() *http.Request) (heard int) {
	for range n {
		w := httptest.NewRecorder()
		p.Handler.ServeHTTP(w, request())
		if w.Code != http.StatusTooManyRequests {
			heard++
		}
	}
	return heard
}

// RL-12: 20,000 failed requests may leave the fiftieth part of what a million may, 1 MB.
func TestFloodKeepsTheFileSmall(t *testing.T) {
	t.Parallel()
	p := limited(t)
	size := func() int64 {
		p.Restart() // folds the log into the file
		info, err := os.Stat(p.File())
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	before, events := size(), len(p.Events())
	target := "/authorize?" + p.Client("web").Request().Encode()
	for range 10 { // minutes
		heard := flood(p, 1000, func() *http.Request { return httptest.NewRequest("GET", target, nil) })
		heard += flood(p, 1000, func() *http.Request {
			r := httptest.NewRequest("POST", "/token", strings.NewReader(wrongSecret("web").Encode()))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			return r
		})
		if heard > 50 {
			t.Fatalf("%d requests of a minute were heard", heard)
		}
		p.Advance(time.Minute)
	}
	limits := p.Events(audit.RateLimited)
	if len(limits) != 20 {
		t.Errorf("%d records of 10 minutes at two endpoints", len(limits))
	}
	for i, e := range limits {
		if e.Facts["endpoint"] == "" || e.Caller.IP != "192.0.2.1" || i > 1 && e.Facts["refused"] == "1" {
			t.Errorf("record %+v", e)
		}
	}
	if n := len(p.Events()) - events; n > 10*(20+30+2) {
		t.Errorf("%d records of 20,000 requests", n)
	}
	if growth := size() - before; growth > 1<<20 {
		t.Errorf("the file grew by %d bytes", growth)
	}
}
