package app

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"
)

// RL-10: what is unexplained piles up to the bound, is explained without credit, and is forgiven slowly.
func TestUnexplained(t *testing.T) {
	type step struct {
		after   time.Duration
		read    int
		explain int64
	}
	const second = time.Second
	for name, c := range map[string]struct {
		steps []step
		flood int // the step that is one too many, from 1; 0: none
		left  int64
	}{
		"nothing":                   {},
		"up to the bound":           {[]step{{0, maxUnexplained, 0}}, 0, maxUnexplained},
		"one byte more":             {[]step{{0, maxUnexplained, 0}, {0, 1, 0}}, 2, 0},
		"explained":                 {[]step{{0, maxUnexplained, 1000}, {0, 1000, 0}}, 0, maxUnexplained},
		"explained in part":         {[]step{{0, maxUnexplained, 999}, {0, 1000, 0}}, 2, 0},
		"no credit":                 {[]step{{0, 10, 1 << 40}, {0, maxUnexplained, 0}, {0, 1, 0}}, 3, 0},
		"forgiven":                  {[]step{{0, maxUnexplained, 0}, {second, forgivenPerSecond, 0}}, 0, maxUnexplained},
		"not forgiven so fast":      {[]step{{0, maxUnexplained, 0}, {second, forgivenPerSecond + 1, 0}}, 2, 0},
		"forgiven once":             {[]step{{0, maxUnexplained, 0}, {second, forgivenPerSecond, 0}, {0, 1, 0}}, 3, 0},
		"after years, no credit":    {[]step{{0, maxUnexplained, 0}, {1 << 60, 100, 0}, {0, maxUnexplained - 100, 0}, {0, 1, 0}}, 4, 0},
		"a clock that was set back": {[]step{{0, maxUnexplained, 0}, {-time.Hour, 1, 0}}, 2, 0},
		"a hundred pings for a day": {repeated(24*3600, step{second, 100 * 40, 0}), 0, -1},
		"a hundred and ten":         {repeated(3600, step{second, 110 * 40, 0}), 3600, -1},
	} {
		now := time.Unix(1_900_000_000, 0)
		u := &unexplained{forgiven: now}
		flood := 0
		for i, s := range c.steps {
			now = now.Add(s.after)
			if u.read(s.read, func() time.Time { return now }) {
				flood = i + 1
				break
			}
			u.bytes.take(s.explain)
		}
		if c.left < 0 { // only whether it ends
			flood, c.flood = min(flood, 1), min(c.flood, 1)
		}
		if flood != c.flood || c.flood == 0 && c.left >= 0 && u.bytes.Load() != c.left {
			t.Errorf("%s: ended by step %d, %d bytes left; want step %d, %d bytes", name, flood, u.bytes.Load(), c.flood, c.left)
		}
	}
}

func repeated[T any](n int, v T) []T {
	all := make([]T, n)
	for i := range all {
		all[i] = v
	}
	return all
}

// What is explained beside the reading is neither lost nor counted twice.
func TestExplainedAtOnce(t *testing.T) {
	u := &unexplained{}
	u.bytes.Store(maxUnexplained)
	var running sync.WaitGroup
	for range 8 {
		running.Go(func() {
			for range maxUnexplained / 8 {
				u.bytes.take(1)
			}
		})
	}
	running.Wait()
	if left := u.bytes.Load(); left != 0 {
		t.Errorf("%d bytes left", left)
	}
}

// guarded serves over HTTP/1.1 or HTTP/2 as the provider does, and returns a client for it.
func guarded(t *testing.T, secure bool, f *floods, handler http.HandlerFunc) (*http.Client, string) {
	t.Helper()
	s := httptest.NewUnstartedServer(nil)
	s.Config = newServer(handler, nil, slog.New(slog.DiscardHandler))
	s.Listener = bound([]net.Listener{s.Listener}, make(chan struct{}, 64), f)[0]
	if s.EnableHTTP2 = secure; secure {
		s.Config.Protocols.SetHTTP2(true)
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return s.Client(), s.URL
}

// RL-10: who asks for much is no flood, in either version of HTTP: many requests at once on one connection, with large
// headers and the longest bodies, thousands one after another, and bodies that a refusal leaves unread.
func TestHonestConnectionsAreKept(t *testing.T) {
	for _, secure := range []bool{false, true} {
		f := &floods{}
		opened := map[string]bool{}
		var mu sync.Mutex
		client, url := guarded(t, secure, f, func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			opened[r.RemoteAddr] = true
			mu.Unlock()
			if r.Header.Get("Refuse") != "" {
				w.WriteHeader(http.StatusTooManyRequests)
				return
			}
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			w.Write(body)
		})
		send := func(n int, headers, body int, refuse string) {
			r, _ := http.NewRequest("POST", url, strings.NewReader(strings.Repeat("b", body)))
			r.Header.Set("X-Large", fmt.Sprint(n)+strings.Repeat("h", headers))
			r.Header.Set("Refuse", refuse)
			resp, err := client.Do(r)
			if err != nil {
				t.Errorf("request %d of %d and %d bytes: %v", n, headers, body, err)
				return
			}
			if echoed, err := io.ReadAll(resp.Body); err != nil || len(echoed) != body && refuse == "" {
				t.Errorf("request %d of %d bytes: %d, %v", n, body, len(echoed), err)
			}
			resp.Body.Close()
		}
		var running sync.WaitGroup
		for worker := range 50 {
			running.Go(func() {
				for n := range 8 {
					send(worker*100+n, 2000, []int{0, 500, 64 << 10}[n%3], "")
				}
			})
		}
		running.Wait()
		for worker := range 100 { // megabytes, before anybody has begun with them
			running.Go(func() { send(worker, 28<<10, 0, "") })
		}
		running.Wait()
		for n := range 100 {
			send(n, 24<<10, 64<<10, "")
		}
		for n := range 500 {
			send(n, 300, 400, []string{"", "yes"}[n%2])
		}
		if f.count() != 0 {
			t.Errorf("secure %v: %d connections were closed", secure, f.count())
		}
		if secure && len(opened) != 1 {
			t.Errorf("%d connections instead of one", len(opened))
		}
	}
}

// RL-10: requests that are reset before their answer end their connection, however they are spread, and whatever HPACK makes
// of a header that they repeat; those of a proxy do not.
func TestAbandonedRequestsEndTheConnection(t *testing.T) {
	for name, c := range map[string]struct {
		proxies []netip.Prefix
		header  int
	}{"small": {nil, 0}, "large": {nil, 1700}, "proxy": {[]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, 0}} {
		f := &floods{proxies: c.proxies}
		arrived := make(chan struct{})
		client, url := guarded(t, true, f, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/wait" {
				arrived <- struct{}{}
				<-r.Context().Done()
			}
		})
		for n := 0; n < 200 && f.count() == 0; n++ {
			if resp, err := client.Get(url + "/answered"); err == nil {
				resp.Body.Close()
			}
			abandon(t, client, url+"/wait", c.header, arrived)
		}
		if closed := f.count() > 0; closed != (c.proxies == nil) {
			t.Errorf("%s: closed %v", name, closed)
		}
	}
}

// abandon asks and leaves before the answer. It sends two fields of so many bytes, which fit into the table of HPACK.
func abandon(t *testing.T, client *http.Client, url string, header int, arrived <-chan struct{}) {
	t.Helper()
	ctx, leave := context.WithCancel(t.Context())
	go func() {
		<-arrived
		leave()
	}()
	r, _ := http.NewRequestWithContext(ctx, "GET", url, nil)
	r.Header.Set("X-A", strings.Repeat("a", header))
	r.Header.Set("X-B", strings.Repeat("b", header))
	if _, err := client.Do(r); err == nil {
		t.Error("answered")
	}
}
