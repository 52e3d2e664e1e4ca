package app_test

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"latchkey/app/apptest"
)

// truncations counts answers that began and did not end.
type truncations struct {
	http.RoundTripper
	n atomic.Int64
}

func (c *truncations) RoundTrip(r *http.Request) (*http.Response, error) {
	var began atomic.Bool
	trace := &httptrace.ClientTrace{GotFirstResponseByte: func() { began.Store(true) }}
	resp, err := c.RoundTripper.RoundTrip(r.WithContext(httptrace.WithClientTrace(r.Context(), trace)))
	if err != nil && began.Load() {
		c.n.Add(1)
	}
	return resp, err
}

// RL-11: asked to end under load, the server finishes what it has begun, refuses what comes after, folds the log back into
// the file and exits with 0. So an answer that does not come was never worked on.
func TestFaultTerminate(t *testing.T) {
	t.Parallel()
	const workers = 8
	p := apptest.NewProcess(t, faultDocument(0))
	// Each request has a connection of its own: on one that is kept alive, a request may cross the server's closing of it,
	// and nobody can tell whether it was read.
	counter := &truncations{RoundTripper: &http.Transport{DisableKeepAlives: true, ResponseHeaderTimeout: 20 * time.Second}}
	p.Transport = counter
	p.Start()
	browser := p.Browser()
	enter(t, p, browser)
	login := p.Browser()
	form := login.Get("/account")
	if !form.IsLogin() {
		t.Fatalf("no login page: %d", form.Status)
	}

	var lines [workers]*line
	var running sync.WaitGroup
	var answered atomic.Int64
	for w := range workers {
		l := &line{rp: p.Client("web")}
		l.got(wantTokens(t, l.rp.Exchange(l.rp.Code(browser, "alice"))))
		lines[w] = l
		running.Go(func() {
			for {
				r := l.rp.Refresh(l.head)
				switch {
				case r.Err != nil && r.Status == 0:
					return
				case r.Err != nil || r.Status != http.StatusOK || r.Get("refresh_token") == "":
					t.Errorf("refresh: %d %.200s %v", r.Status, r.Text, r.Err)
					return
				}
				l.got(r)
				answered.Add(1)
				if info := l.rp.UserInfo(r.Get("access_token")); info.Err != nil && info.Status == 0 {
					return
				} else if info.Status != http.StatusOK || info.Get("sub") == "" || info.Err != nil {
					t.Errorf("userinfo: %d %.200s %v", info.Status, info.Text, info.Err)
					return
				}
			}
		})
	}

	// One request is in flight for sure: the server asked for its body and waits.
	action, fields := login.Form(form)
	fields.Set("username", "alice")
	fields.Set("password", apptest.Password)
	slow := begin(t, p, login, action, fields)
	time.Sleep(time.Duration(50+rand.N(200)) * time.Millisecond)
	p.Terminate()
	refused := func() bool {
		c, err := net.Dial("tcp", strings.TrimPrefix(p.Issuer, "http://"))
		if err == nil {
			c.Close()
		}
		return err != nil
	}
	if _, ok := within(10*time.Second, refused); !ok {
		t.Fatal("connections are accepted after SIGTERM")
	}
	resp := slow.finish(t, fields)
	if resp.StatusCode != http.StatusSeeOther || resp.Header.Get("Location") != "/account" {
		t.Errorf("the login in flight: %d %v", resp.StatusCode, resp.Header)
	}
	running.Wait()
	if code := p.Wait(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if n := counter.n.Load(); n > 0 || strings.Contains(p.Log.String(), "requests were cut off") {
		t.Errorf("%d answers were cut off:\n%s", n, p.Log.Tail())
	}
	if wal, err := os.Stat(p.File() + "-wal"); err == nil && wal.Size() > 0 {
		t.Errorf("%d bytes are left in the log", wal.Size())
	}
	sound(t, left(t, p.File()))
	p.Start()
	for _, l := range lines {
		if userinfo, refresh := l.usable(); userinfo != http.StatusOK || refresh.Status != http.StatusOK {
			t.Errorf("a refresh was done and not answered: userinfo %d, refresh %d %s", userinfo, refresh.Status, refresh.Text)
		}
	}
	var session *http.Cookie
	for _, c := range resp.Cookies() {
		if strings.HasSuffix(c.Name, "session") {
			session = c
		}
	}
	if session == nil {
		t.Fatalf("no session in %v", resp.Cookies())
	}
	again := p.Browser()
	again.SetCookie(session.Name, session.Value)
	wantAccount(t, again.Get("/account"))
	t.Logf("%d refreshes answered before and during the end", answered.Load())
}

// begun is a request whose handler runs and waits for its body.
type begun struct {
	conn net.Conn
	r    *bufio.Reader
}

func begin(t *testing.T, p *apptest.Process, b *apptest.Browser, path string, fields url.Values) begun {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(p.Issuer, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: %s\r\nOrigin: %s\r\nCookie: %s\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n",
		path, strings.TrimPrefix(p.Issuer, "http://"), p.Issuer, cookies(b), len(fields.Encode()))
	r := bufio.NewReader(conn)
	if line, err := r.ReadString('\n'); err != nil || line != "HTTP/1.1 100 Continue\r\n" {
		t.Fatalf("%q, %v", line, err)
	}
	if _, err := r.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	return begun{conn, r}
}

func (b begun) finish(t *testing.T, fields url.Values) *http.Response {
	t.Helper()
	io.WriteString(b.conn, fields.Encode())
	resp, err := http.ReadResponse(b.r, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(resp.Body); err != nil {
		t.Error(err)
	}
	return resp
}
