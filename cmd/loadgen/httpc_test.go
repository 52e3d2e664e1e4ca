package main

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestRefusesOtherHosts(t *testing.T) {
	c := NewClient()
	for _, u := range []string{"http://192.0.2.1/", "https://127.0.0.1/", "http://op.example:80/"} {
		to, err := parseTarget(u)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Do(Request{Method: "GET", To: to}); err == nil || !strings.Contains(err.Error(), "refusing") {
			t.Errorf("%s: %v", u, err)
		}
	}
}

func TestReadResponse(t *testing.T) {
	for name, c := range map[string]struct {
		wire string
		want string // status, body and what the connection is good for; "" for an error
	}{
		"length":          {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "200 ok keep"},
		"close":           {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", "200 ok close"},
		"interim":         {"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "200  keep"},
		"chunked":         {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nok\r\n1\r\n!\r\n0\r\nTrailer: x\r\n\r\n", "200 ok! keep"},
		"until the end":   {"HTTP/1.0 200 OK\r\n\r\nok", "200 ok close"},
		"no content":      {"HTTP/1.1 204 No Content\r\n\r\n", "204  keep"},
		"truncated":       {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok", ""},
		"negative length": {"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nok", ""},
		"negative chunk":  {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n", ""},
		"no status":       {"HTTP/1.1 xyz OK\r\n\r\n", ""},
		"no colon":        {"HTTP/1.1 200 OK\r\nhello\r\n\r\n", ""},
		"only interim":    {strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 20), ""},
	} {
		t.Run(name, func(t *testing.T) {
			r, keep, err := NewClient().readResponse(bufio.NewReader(strings.NewReader(c.wire)), target{})
			got := ""
			if err == nil {
				got = fmt.Sprintf("%d %s %s", r.Status, r.Body, map[bool]string{true: "keep", false: "close"}[keep])
			}
			if got != c.want {
				t.Errorf("%q, want %q (%v)", got, c.want, err)
			}
		})
	}
}

// A connection the server closed while idle is replaced once; a post to a page
// names its origin as browsers do.
func TestReconnectAndOrigin(t *testing.T) {
	var origin, body string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origin, body = r.Header.Get("Origin"), r.FormValue("a")
	}))
	defer s.Close()
	to, err := parseTarget(s.URL + "/x")
	if err != nil {
		t.Fatal(err)
	}
	c := NewClient()
	defer c.Close()
	for range 2 {
		if _, err := c.Do(Request{Method: "POST", To: to, Page: true, Form: []byte("a=b")}); err != nil {
			t.Fatal(err)
		}
		s.CloseClientConnections()
	}
	if c.Reconnects != 1 || origin != s.URL || body != "b" {
		t.Errorf("%d reconnects, origin %q, body %q", c.Reconnects, origin, body)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	to.origin = "http://" + l.Addr().String()
	if _, err := c.Do(Request{Method: "GET", To: to}); err == nil {
		t.Error("nobody listens, and there was an answer")
	}
}
