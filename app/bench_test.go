package app_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"latchkey/app/apptest"
)

// The whole provider without a network: what one request costs, fsync included, with 64 callers at once. The processor time
// of one (cpu-us/op) is hardly moved by other work on the machine; the wall-clock time is.
func BenchmarkRequests(b *testing.B) {
	p := apptest.New(b, clients("m2m", `"grant_types": ["client_credentials"], "response_types": [], "redirect_uris": [], "scope": "openid reports:read"`))
	rp, m2m := p.Client("web"), p.Client("m2m")
	browser := p.Browser()
	tokens := rp.SignIn(browser, "alice")
	var cookies []string
	for name, value := range browser.Cookies() {
		cookies = append(cookies, name+"="+value)
	}
	authorization := "/authorize?" + rp.Request().Encode()

	get := func(target string, header http.Header) *benchReply {
		return benchServe(p.Handler, "GET", target, "", header)
	}
	post := func(target, auth string, form url.Values) *benchReply {
		return benchServe(p.Handler, "POST", target, form.Encode(),
			http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Authorization": {auth}})
	}
	field := func(b *testing.B, r *benchReply, name string) string {
		if r.status != http.StatusOK {
			b.Error(r.status, r.body.String())
			return ""
		}
		return p.JSON(r.body.String())[name].(string)
	}
	mint := func(b *testing.B) string {
		return field(b, post("/token", basicHeader(m2m), set("grant_type", "client_credentials")), "access_token")
	}

	b.Run("discovery", func(b *testing.B) {
		benchEach(b, 200, func(int) *benchReply { return get("/.well-known/openid-configuration", http.Header{}) })
	})
	b.Run("jwks", func(b *testing.B) {
		benchEach(b, 200, func(int) *benchReply { return get("/jwks", http.Header{}) })
	})
	b.Run("client_credentials", func(b *testing.B) {
		benchEach(b, 200, func(int) *benchReply {
			return post("/token", basicHeader(m2m), set("grant_type", "client_credentials"))
		})
	})
	b.Run("introspection", func(b *testing.B) {
		token := mint(b)
		benchEach(b, 200, func(int) *benchReply { return post("/introspect", basicHeader(m2m), set("token", token)) })
	})
	b.Run("userinfo", func(b *testing.B) {
		bearer := http.Header{"Authorization": {"Bearer " + tokens.Get("access_token")}}
		benchEach(b, 200, func(int) *benchReply { return get("/userinfo", bearer) })
	})
	b.Run("revocation", func(b *testing.B) {
		minted := make([]string, b.N)
		for i := range minted {
			minted[i] = mint(b)
		}
		benchEach(b, 200, func(i int) *benchReply { return post("/revoke", basicHeader(m2m), set("token", minted[i])) })
	})
	b.Run("refresh", func(b *testing.B) {
		lines := make([]string, 64)
		for i := range lines {
			lines[i] = rp.SignIn(browser, "alice", url.Values{"prompt": {"consent"}}).Get("refresh_token")
		}
		benchCrowd(b, func(worker, _ int) {
			r := post("/token", basicHeader(rp), set("grant_type", "refresh_token", "refresh_token", lines[worker]))
			lines[worker] = field(b, r, "refresh_token")
		})
	})
	b.Run("code", func(b *testing.B) {
		benchCrowd(b, func(int, int) {
			r := get(authorization, http.Header{"Cookie": {strings.Join(cookies, "; ")}})
			to, err := url.Parse(r.header.Get("Location"))
			if err != nil || to.Query().Get("code") == "" {
				b.Error(r.status, r.header, err)
				return
			}
			r = post("/token", basicHeader(rp), set("grant_type", "authorization_code", "code", to.Query().Get("code"),
				"redirect_uri", rp.RedirectURI, "code_verifier", apptest.Verifier))
			if r.status != http.StatusOK {
				b.Error(r.status, r.body.String())
			}
		})
	})
}

// benchEach measures requests that are answered with the status.
func benchEach(b *testing.B, status int, request func(i int) *benchReply) {
	benchCrowd(b, func(_, i int) {
		if r := request(i); r.status != status {
			b.Error(r.status, r.body.String())
		}
	})
}

// benchCrowd calls fn b.N times from 64 workers and reports what one call took of the processor.
func benchCrowd(b *testing.B, fn func(worker, i int)) {
	spent := func() time.Duration {
		var r syscall.Rusage
		syscall.Getrusage(syscall.RUSAGE_SELF, &r)
		return time.Duration(r.Utime.Nano() + r.Stime.Nano())
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	b.ReportAllocs()
	b.ResetTimer()
	begin, before := time.Now(), spent()
	for worker := range 64 {
		wg.Go(func() {
			for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
				fn(worker, int(i-1))
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(spent()-before)/1000/float64(b.N), "cpu-us/op")
	b.ReportMetric(float64(b.N)/time.Since(begin).Seconds(), "op/s")
}

// benchReply keeps an answer and costs next to nothing.
type benchReply struct {
	header http.Header
	status int
	body   strings.Builder
}

func (r *benchReply) Header() http.Header         { return r.header }
func (r *benchReply) WriteHeader(status int)      { r.status = status }
func (r *benchReply) Write(b []byte) (int, error) { return r.body.Write(b) }

func benchServe(h http.Handler, method, target, form string, header http.Header) *benchReply {
	r, err := http.NewRequest(method, target, strings.NewReader(form))
	if err != nil {
		panic(err)
	}
	r.Header, r.RemoteAddr, r.RequestURI = header, "192.0.2.1:1234", target
	w := &benchReply{header: http.Header{}}
	h.ServeHTTP(w, r)
	return w
}

func basicHeader(rp *apptest.RP) string {
	r, _ := http.NewRequest("GET", "/", nil)
	r.SetBasicAuth(rp.ID, rp.Secret)
	return r.Header.Get("Authorization")
}
