package outbound_test

import (
	"bytes"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"latchkey/adapters/outbound"
	"latchkey/domain/oauth"
	"latchkey/ports"
)

var token = oauth.Parameter{Name: "logout_token", Value: "a.b+c=&d"}

func newClient(t *testing.T, cfg outbound.Config) *outbound.Client {
	t.Helper()
	c, err := outbound.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func networks(texts ...string) (all []netip.Prefix) {
	for _, text := range texts {
		all = append(all, netip.MustParsePrefix(text))
	}
	return all
}

var loopback = networks("127.0.0.0/8", "::1/128")

// authority writes the certificate of a TLS server of httptest to a file.
func authority(t *testing.T, s *httptest.Server) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// quiet keeps what a server says about bad handshakes out of the output.
func quiet(s *httptest.Server) *httptest.Server {
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	return s
}

// LO-05: what an application receives: one form with one parameter, and nothing that follows it around.
func TestPost(t *testing.T) {
	var seen atomic.Pointer[http.Request]
	var body atomic.Value
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		body.Store(string(text))
		seen.Store(r)
		http.SetCookie(w, &http.Cookie{Name: "follow", Value: "me"})
		w.WriteHeader(http.StatusNoContent)
	})
	plain, secure := httptest.NewServer(handler), quiet(httptest.NewTLSServer(handler))
	defer plain.Close()
	defer secure.Close()
	c := newClient(t, outbound.Config{Allow: loopback, CA: authority(t, secure)})
	for _, uri := range []string{plain.URL + "/bc?x=1", secure.URL + "/bc?x=1", plain.URL + "/bc?x=1"} {
		status, err := c.Post(t.Context(), uri, token)
		if err != nil || status != http.StatusNoContent {
			t.Fatalf("%s: %d, %v", uri, status, err)
		}
		r := seen.Load()
		if r.Method != "POST" || r.URL.RequestURI() != "/bc?x=1" || body.Load() != "logout_token=a.b%2Bc%3D%26d" {
			t.Errorf("%s %s %q", r.Method, r.URL, body.Load())
		}
		if r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" || r.Header.Get("Cookie") != "" || r.Header.Get("Accept-Encoding") != "" {
			t.Errorf("headers %v", r.Header)
		}
	}
}

// RG-09: a redirect is an answer, and is not followed.
func TestRedirectsAreNotFollowed(t *testing.T) {
	var followed atomic.Int32
	sink := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { followed.Add(1) }))
	defer sink.Close()
	for _, code := range []int{301, 302, 303, 307, 308} {
		for _, to := range []string{sink.URL, strings.Replace(sink.URL, "127.0.0.1", "localhost", 1), "//" + sink.Listener.Addr().String(), "/again"} {
			from := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, code) }))
			status, err := newClient(t, outbound.Config{Allow: loopback}).Post(t.Context(), from.URL, token)
			from.Close()
			if status != code || err != nil {
				t.Errorf("%d to %s: %d, %v", code, to, status, err)
			}
		}
	}
	if followed.Load() > 0 {
		t.Error("a redirect was followed")
	}
}

// RG-07: whatever the other side does, a request ends soon and reads little.
func TestHostileAnswers(t *testing.T) {
	for name, answer := range map[string]func(net.Conn){
		"hangs":            func(net.Conn) { select {} },
		"closes":           func(c net.Conn) { c.Close() },
		"is no HTTP":       func(c net.Conn) { fmt.Fprint(c, "220 smtp.test ESMTP\r\n"); c.Close() },
		"endless head":     func(c net.Conn) { io.Copy(c, io.MultiReader(strings.NewReader("HTTP/1.1 200 OK\r\nX: "), endless{})) },
		"many headers":     func(c net.Conn) { io.Copy(c, io.MultiReader(strings.NewReader("HTTP/1.1 200 OK\r\n"), lines{})) },
		"endless 1xx":      func(c net.Conn) { io.Copy(c, informational{}) },
		"switches":         func(c net.Conn) { fmt.Fprint(c, "HTTP/1.1 101 Switching Protocols\r\n\r\n"); select {} },
		"drips its header": func(c net.Conn) { drip(c, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			go func() {
				for {
					c, err := l.Accept()
					if err != nil {
						return
					}
					go answer(c)
				}
			}()
			status, err := newClient(t, outbound.Config{Allow: loopback}).Post(t.Context(), "http://"+l.Addr().String(), token)
			if name == "switches" {
				if status == 200 || status == 204 {
					t.Errorf("status %d", status)
				}
			} else if !errors.Is(err, ports.ErrNoAnswer) {
				t.Errorf("%d, %v", status, err)
			}
		})
	}
	// The body is not read: neither a bomb nor a drip costs anything once the status is known.
	for name, write := range map[string]func(http.ResponseWriter){
		"a body without end": func(w http.ResponseWriter) { io.Copy(w, endless{}) },
		"a gzip bomb":        func(w http.ResponseWriter) { w.Header().Set("Content-Encoding", "gzip"); io.Copy(w, endless{}) },
		"a body that drips":  func(w http.ResponseWriter) { w.(http.Flusher).Flush(); time.Sleep(100 * time.Millisecond) },
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { write(w) }))
		if status, err := newClient(t, outbound.Config{Allow: loopback}).Post(t.Context(), s.URL, token); status != 200 || err != nil {
			t.Errorf("%s: %d, %v", name, status, err)
		}
		s.CloseClientConnections()
		s.Close()
	}
}

type endless struct{}

func (endless) Read(b []byte) (int, error) { return copy(b, bytes.Repeat([]byte("a"), len(b))), nil }

type lines struct{}

func (lines) Read(b []byte) (int, error) { return copy(b, "X-A: b\r\n"), nil }

type informational struct{}

func (informational) Read(b []byte) (int, error) {
	return copy(b, "HTTP/1.1 103 Early Hints\r\n\r\n"), nil
}

func drip(c net.Conn, text string) {
	for i := range len(text) {
		if _, err := c.Write([]byte{text[i]}); err != nil {
			return
		}
		time.Sleep(time.Second)
	}
}

// Only a certificate that is trusted and names the host is talked to, over TLS 1.2 or newer.
func TestTLS(t *testing.T) {
	handler := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	s := quiet(httptest.NewTLSServer(handler))
	defer s.Close()
	trusting := outbound.Config{Allow: loopback, CA: authority(t, s)}
	if _, err := newClient(t, outbound.Config{Allow: loopback}).Post(t.Context(), s.URL, token); !errors.Is(err, ports.ErrUntrusted) {
		t.Errorf("an unknown authority: %v", err)
	}
	_, port, _ := net.SplitHostPort(s.Listener.Addr().String())
	if _, err := newClient(t, trusting).Post(t.Context(), "https://localhost:"+port, token); !errors.Is(err, ports.ErrUntrusted) {
		t.Errorf("another name: %v", err)
	}
	old := quiet(httptest.NewUnstartedServer(handler))
	old.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	old.StartTLS()
	defer old.Close()
	if _, err := newClient(t, trusting).Post(t.Context(), old.URL, token); !errors.Is(err, ports.ErrNoAnswer) {
		t.Errorf("TLS 1.1: %v", err)
	}
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{empty, empty + ".missing"} {
		if _, err := outbound.New(outbound.Config{CA: file}); err == nil {
			t.Errorf("%s was accepted", file)
		}
	}
}

// A proxy from the environment would dial for us, past the guard.
func TestNoProxy(t *testing.T) {
	var asked atomic.Int32
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer proxy.Close()
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"} {
		t.Setenv(name, proxy.URL)
	}
	c := newClient(t, outbound.Config{Allow: loopback})
	c.Post(t.Context(), "https://app.invalid/bc", token)
	c.Post(t.Context(), "http://127.0.0.1:1/bc", token)
	if asked.Load() > 0 {
		t.Error("a proxy was asked")
	}
}
