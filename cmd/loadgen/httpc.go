package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Client is a minimal HTTP/1.1 keep-alive client for exactly one closed-loop
// worker: one TCP connection per origin, no goroutines, buffers reused. It is
// several times cheaper than net/http's client, which matters because the
// generator shares the machine with the server under test.
//
// It follows no redirects by itself and applies cookies through Jar.
type Client struct {
	Jar        *Jar   // nil: no cookies
	Requests   uint64 // HTTP requests sent
	Reconnects uint64 // stale keep-alive connections replaced
	conns      map[string]*hconn
	wbuf       []byte
	body       []byte
}

type hconn struct {
	c    net.Conn
	br   *bufio.Reader
	used bool
}

// Request is one HTTP request.
type Request struct {
	Method string
	To     target
	Auth   string // complete Authorization value, or ""
	Form   []byte // application/x-www-form-urlencoded body of a POST
	Page   bool   // sent as a browser navigates: asks for HTML, and a POST names its origin
}

// Resp is valid until the next Do on the same Client.
type Resp struct {
	Status   int
	Location string
	Body     []byte
}

// requestTimeout is far above what a queue of logins takes, and ends a run
// against a server that hangs.
const requestTimeout = 30 * time.Second

// NewClient returns a client without a cookie jar.
func NewClient() *Client { return &Client{conns: map[string]*hconn{}} }

// Close closes all connections.
func (c *Client) Close() {
	for k, h := range c.conns {
		h.c.Close()
		delete(c.conns, k)
	}
}

// target is a URL split once, so that hot loops need no url.Parse.
type target struct {
	origin string // scheme://host[:port]
	host   string // Host header
	path   string // request target
}

func parseTarget(raw string) (target, error) {
	i := strings.Index(raw, "://")
	if i < 0 {
		return target{}, fmt.Errorf("not an absolute URL: %q", raw)
	}
	rest := raw[i+3:]
	host, path := rest, "/"
	if j := strings.IndexAny(rest, "/?#"); j >= 0 {
		host, path = rest[:j], rest[j:]
		if path[0] != '/' {
			path = "/" + path
		}
		if k := strings.IndexByte(path, '#'); k >= 0 {
			path = path[:k]
		}
	}
	if host == "" {
		return target{}, fmt.Errorf("no host in URL: %q", raw)
	}
	return target{origin: raw[:i+3] + host, host: host, path: path}, nil
}

// dial connects to an http origin on a loopback address and refuses any other:
// a mistake in a configuration must not become load on somebody else's server.
func dial(origin string) (*hconn, error) {
	u, err := url.Parse(origin)
	if err != nil {
		return nil, err
	}
	if u.Scheme != "http" {
		return nil, fmt.Errorf("refusing %q: only http on a loopback address is measured", origin)
	}
	if ip := net.ParseIP(u.Hostname()); (ip == nil || !ip.IsLoopback()) && u.Hostname() != "localhost" {
		return nil, fmt.Errorf("refusing to send load to non-loopback host %q", u.Hostname())
	}
	addr := u.Host
	if u.Port() == "" {
		addr += ":80"
	}
	nc, err := net.DialTimeout("tcp", addr, requestTimeout)
	if err != nil {
		return nil, err
	}
	return &hconn{c: nc, br: bufio.NewReaderSize(nc, 16<<10)}, nil
}

// Do sends one request and reads the whole answer.
func (c *Client) Do(q Request) (*Resp, error) {
	c.wbuf = c.appendRequest(c.wbuf[:0], q)
	for try := 0; ; try++ {
		h := c.conns[q.To.origin]
		if h == nil {
			var err error
			if h, err = dial(q.To.origin); err != nil {
				return nil, err
			}
			c.conns[q.To.origin] = h
		}
		h.c.SetDeadline(time.Now().Add(requestTimeout))
		c.Requests++
		_, err := h.c.Write(c.wbuf)
		if err == nil {
			_, err = h.br.Peek(1)
		}
		if err != nil {
			// Nothing of an answer came. On a used connection the server had closed
			// it while idle (RFC 9112, section 9.3.1): once more on a new one.
			h.c.Close()
			delete(c.conns, q.To.origin)
			var ne net.Error
			if h.used && try == 0 && !(errors.As(err, &ne) && ne.Timeout()) {
				c.Reconnects++
				continue
			}
			return nil, err
		}
		h.used = true
		r, keep, err := c.readResponse(h.br, q.To)
		if err != nil || !keep {
			h.c.Close()
			delete(c.conns, q.To.origin)
		}
		return r, err
	}
}

func (c *Client) appendRequest(w []byte, q Request) []byte {
	w = append(w, q.Method...)
	w = append(w, ' ')
	w = append(w, q.To.path...)
	w = append(w, " HTTP/1.1\r\nHost: "...)
	w = append(w, q.To.host...)
	if q.Page {
		w = append(w, "\r\nAccept: text/html\r\n"...)
	} else {
		w = append(w, "\r\nAccept: */*\r\n"...)
	}
	if q.Auth != "" {
		w = append(w, "Authorization: "...)
		w = append(w, q.Auth...)
		w = append(w, '\r', '\n')
	}
	if c.Jar != nil {
		w = c.Jar.appendHeader(w, q.To)
	}
	if q.Method == "POST" {
		if q.Page {
			w = append(w, "Origin: "...)
			w = append(w, q.To.origin...)
			w = append(w, '\r', '\n')
		}
		w = append(w, "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: "...)
		w = strconv.AppendInt(w, int64(len(q.Form)), 10)
		w = append(w, '\r', '\n')
	}
	w = append(w, '\r', '\n')
	return append(w, q.Form...)
}

// head is what the client needs of a response head.
type head struct {
	length  int64 // Content-Length, or -1
	chunked bool
	keep    bool // the connection can be used again
}

// readResponse reads the final response; interim ones (1xx) are passed over.
func (c *Client) readResponse(br *bufio.Reader, t target) (*Resp, bool, error) {
	for range 10 {
		r := &Resp{}
		h, err := c.readHead(br, t, r)
		if err != nil {
			return nil, false, err
		}
		if r.Status/100 == 1 {
			continue
		}
		b := c.body[:0]
		switch {
		case r.Status == 204 || r.Status == 304:
		case h.chunked:
			b, err = readChunks(br, b)
		case h.length >= 0:
			b, err = readN(br, b, h.length)
		default: // until the server closes
			h.keep = false
			var rest []byte
			rest, err = io.ReadAll(br)
			b = append(b, rest...)
		}
		if err != nil {
			return nil, false, err
		}
		c.body, r.Body = b, b
		return r, h.keep, nil
	}
	return nil, false, errors.New("no final response after 10 interim ones")
}

func (c *Client) readHead(br *bufio.Reader, t target, r *Resp) (head, error) {
	line, err := br.ReadSlice('\n')
	if err != nil {
		return head{}, err
	}
	if len(line) < 12 || string(line[:7]) != "HTTP/1." {
		return head{}, fmt.Errorf("malformed status line %q", line)
	}
	h := head{length: -1, keep: line[7] == '1'}
	if r.Status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return head{}, fmt.Errorf("malformed status line %q", line)
	}
	for {
		if line, err = br.ReadSlice('\n'); err != nil {
			return head{}, err
		}
		if line = bytes.TrimRight(line, "\r\n"); len(line) == 0 {
			return h, nil
		}
		k := bytes.IndexByte(line, ':')
		if k < 0 {
			return head{}, fmt.Errorf("malformed header %q", line)
		}
		name, val := line[:k], bytes.TrimSpace(line[k+1:])
		switch { // eqFold compares lengths first, so most lines cost nothing
		case eqFold(name, "location"):
			r.Location = string(val)
		case eqFold(name, "connection"):
			h.keep = h.keep && !eqFold(val, "close")
		case eqFold(name, "set-cookie") && c.Jar != nil:
			c.Jar.set(t, string(val))
		case eqFold(name, "content-length"):
			if h.length, err = strconv.ParseInt(string(val), 10, 64); err != nil || h.length < 0 {
				return head{}, fmt.Errorf("malformed Content-Length %q", val)
			}
		case eqFold(name, "transfer-encoding"):
			h.chunked = eqFold(val, "chunked")
		}
	}
}

// readChunks reads a chunked body (RFC 9112, section 7.1) and drops trailers.
func readChunks(br *bufio.Reader, b []byte) ([]byte, error) {
	for {
		line, err := br.ReadSlice('\n')
		if err != nil {
			return b, err
		}
		size, _, _ := strings.Cut(string(bytes.TrimRight(line, "\r\n")), ";")
		n, err := strconv.ParseInt(strings.TrimSpace(size), 16, 64)
		if err != nil || n < 0 {
			return b, fmt.Errorf("malformed chunk size %q", size)
		}
		if n > 0 {
			if b, err = readN(br, b, n); err != nil {
				return b, err
			}
		}
		for { // the end of line after data, or trailers up to the empty line
			if line, err = br.ReadSlice('\n'); err != nil {
				return b, err
			}
			if n > 0 || len(bytes.TrimRight(line, "\r\n")) == 0 {
				break
			}
		}
		if n == 0 {
			return b, nil
		}
	}
}

func readN(br *bufio.Reader, b []byte, n int64) ([]byte, error) {
	at := len(b)
	if n > 64<<20 || at > 64<<20 {
		return b, errors.New("response body over 64 MiB")
	}
	need := at + int(n)
	if cap(b) < need {
		nb := make([]byte, at, need+need/2)
		copy(nb, b)
		b = nb
	}
	b = b[:need]
	_, err := io.ReadFull(br, b[at:])
	return b, err
}

func eqFold(b []byte, lower string) bool {
	if len(b) != len(lower) {
		return false
	}
	for i := 0; i < len(b); i++ {
		ch := b[i]
		if 'A' <= ch && ch <= 'Z' {
			ch |= 0x20
		}
		if ch != lower[i] {
			return false
		}
	}
	return true
}
