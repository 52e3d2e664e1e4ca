package app

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"latchkey/ports"
)

// The listener for operators has its three pages and nothing of the provider, and is not where everybody is.
func TestOperationsListener(t *testing.T) {
	cfg := newConfig(t)
	cfg.Metrics = freeAddress(t)
	a, err := Create(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	url, stop := start(t, a)
	operators := "http://" + cfg.Metrics
	for target, want := range map[string]int{
		operators + "/metrics": 200, operators + "/healthz": 200, operators + "/readyz": 200,
		operators + "/": 404, operators + "/token": 404, operators + "/.well-known/openid-configuration": 404,
		url + "/metrics": 404, url + "/healthz": 200, url + "/readyz": 200,
	} {
		if status, _, body := fetched(t, target, ""); status != want {
			t.Errorf("%s: %d %.200s, want %d", target, status, body, want)
		}
	}
	if _, kind, body := fetched(t, operators+"/metrics", ""); kind != "text/plain; version=0.0.4; charset=utf-8" || !strings.Contains(body, "latchkey_connections ") {
		t.Errorf("metrics: %s %.200s", kind, body)
	}
	// A page of a stranger, opened in a browser of this machine under a name that leads to it.
	if status, _, _ := fetched(t, operators+"/metrics", "rebound.example"); status != http.StatusMisdirectedRequest {
		t.Errorf("asked for as rebound.example: %d", status)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	if _, err := net.Dial("tcp", cfg.Metrics); err == nil {
		t.Error("the operators' listener outlives the server")
	}
}

func freeAddress(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func fetched(t *testing.T, target, host string) (status int, kind, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), "GET", target, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = host
	resp, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header.Get("Content-Type"), string(text)
}

// A taken port of the operators stops the start, and says which flag it is about.
func TestTakenMetricsPort(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	cfg := newConfig(t)
	cfg.Metrics = taken.Addr().String()
	a, err := Create(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Run(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "--metrics") {
		t.Errorf("got %v", err)
	}
}

func TestUnready(t *testing.T) {
	fault := errors.New("it is broken")
	for name, c := range map[string]struct {
		keys, disk error
		stopping   bool
		want       []ports.Ailment
	}{
		"well":         {nil, nil, false, nil},
		"no keys":      {fault, nil, false, []ports.Ailment{"signing_keys"}},
		"a full disk":  {nil, fault, false, []ports.Ailment{"storage"}},
		"about to end": {nil, nil, true, []ports.Ailment{"stopping"}},
		"all of it":    {fault, fault, true, []ports.Ailment{"stopping", "signing_keys", "storage"}},
	} {
		h := &health{keys: func() error { return c.keys }, probe: func(context.Context) error { return c.disk }, log: quiet}
		h.stopping.Store(c.stopping)
		if got := h.Unready(t.Context()); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// However many ask, the disk is tried once; one that never answers gets no second try, and nobody waits for it for ever.
func TestProbesAreFew(t *testing.T) {
	var tries atomic.Int32
	h := &health{keys: func() error { return nil }, probe: func(context.Context) error { tries.Add(1); return nil }, log: quiet}
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if got := h.Unready(t.Context()); got != nil {
				t.Errorf("unready: %q", got)
			}
		})
	}
	wg.Wait()
	if n := tries.Load(); n != 1 {
		t.Errorf("%d tries", n)
	}

	release := make(chan struct{})
	hung := &health{keys: h.keys, probe: func(context.Context) error { tries.Add(1); <-release; return nil }, log: quiet}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for range 10 {
		if got := hung.Unready(gone); !slices.Equal(got, []ports.Ailment{ports.AilingStorage}) {
			t.Errorf("on a disk that hangs: %q", got)
		}
	}
	close(release)
	if got := hung.Unready(t.Context()); got != nil {
		t.Errorf("when the disk answers again: %q", got)
	}
	if n := tries.Load(); n != 2 {
		t.Errorf("%d tries", n)
	}
}

// RL-08: headers without end are refused by every endpoint before they are looked at, and cost the others nothing.
func TestLargeHeaders(t *testing.T) {
	a, err := Create(t.Context(), newConfig(t))
	if err != nil {
		t.Fatal(err)
	}
	url, stop := start(t, a)
	for name, headers := range map[string]string{
		"1 MB in one":   "X: " + strings.Repeat("x", 1<<20) + "\r\n",
		"10000 headers": strings.Repeat("X-A: b\r\n", 10_000),
		"5000 cookies":  "Cookie: " + strings.Repeat("name=value; ", 5000) + "a=b\r\n",
	} {
		for _, path := range []string{"/authorize", "/token", "/login", "/userinfo", "/.well-known/openid-configuration", "/nothing"} {
			c, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			c.SetDeadline(time.Now().Add(time.Minute))
			go fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: x\r\n%s\r\n", path, headers)
			resp, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err != nil || resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge && resp.StatusCode != http.StatusBadRequest {
				t.Errorf("%s, %s: %v %v", path, name, resp, err)
			}
			c.Close()
		}
	}
	if status, _, body := fetched(t, url+"/.well-known/jwks.json", ""); status != http.StatusOK {
		t.Errorf("afterwards: %d %s", status, body)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}
