package app_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"latchkey/app/apptest"
)

// The whole provider without a network: what one request costs, fsync included.
func BenchmarkRequests(b *testing.B) {
	p := apptest.New(b)
	rp := p.Client("web")
	browser := p.Browser()
	tokens := rp.SignIn(browser, "alice")
	serve := func(b *testing.B, method, target, form string, header http.Header) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, target, strings.NewReader(form))
		r.Header = header
		w := httptest.NewRecorder()
		p.Handler.ServeHTTP(w, r)
		return w
	}
	b.Run("discovery", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			serve(b, "GET", "/.well-known/openid-configuration", "", http.Header{})
		}
	})
	b.Run("userinfo", func(b *testing.B) {
		b.ReportAllocs()
		h := http.Header{"Authorization": {"Bearer " + tokens.Get("access_token")}}
		for b.Loop() {
			if w := serve(b, "GET", "/userinfo", "", h); w.Code != 200 {
				b.Fatal(w.Body)
			}
		}
	})
	form := func() http.Header { return http.Header{"Content-Type": {"application/x-www-form-urlencoded"}} }
	b.Run("refresh", func(b *testing.B) {
		b.ReportAllocs()
		next := rp.SignIn(browser, "alice", url.Values{"prompt": {"consent"}}).Get("refresh_token")
		for b.Loop() {
			h := form()
			h.Set("Authorization", basicHeader(rp))
			w := serve(b, "POST", "/token", "grant_type=refresh_token&refresh_token="+next, h)
			if w.Code != 200 {
				b.Fatal(w.Body)
			}
			next = p.JSON(w.Body.String())["refresh_token"].(string)
		}
	})
	b.Run("authorize", func(b *testing.B) {
		b.ReportAllocs()
		query := rp.Request().Encode()
		var cookies []string
		for name, value := range browser.Cookies() {
			cookies = append(cookies, name+"="+value)
		}
		for b.Loop() {
			w := serve(b, "GET", "/authorize?"+query, "", http.Header{"Cookie": {strings.Join(cookies, "; ")}})
			if w.Code != 303 || !strings.Contains(w.Header().Get("Location"), "code=") {
				b.Fatal(w.Code, w.Header(), w.Body)
			}
		}
	})
}

func basicHeader(rp *apptest.RP) string {
	r, _ := http.NewRequest("GET", "/", nil)
	r.SetBasicAuth(rp.ID, rp.Secret)
	return r.Header.Get("Authorization")
}
