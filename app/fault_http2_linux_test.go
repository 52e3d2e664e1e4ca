package app_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"latchkey/app/apptest"
)

// newCertificate makes a certificate of this machine for itself, and its key, as PEM.
func newCertificate(t *testing.T) (cert, key []byte, parsed *x509.Certificate) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	if parsed, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), parsed
}

// secured lets a process serve TLS with a certificate of its own, which its clients trust.
func secured(t *testing.T, p *apptest.Process) (trust *tls.Config, certPath, keyPath string) {
	t.Helper()
	cert, key, parsed := newCertificate(t)
	dir := t.TempDir()
	certPath, keyPath = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, content := range map[string][]byte{certPath: cert, keyPath: key} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p.Flags = append(p.Flags, "--tls-cert", certPath, "--tls-key", keyPath)
	p.Issuer = "https" + strings.TrimPrefix(p.Issuer, "http")
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	trust = &tls.Config{RootCAs: pool}
	p.Transport = &http.Transport{TLSClientConfig: trust.Clone(), ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 64}
	return trust, certPath, keyPath
}

// The frames of HTTP/2 (RFC 9113 §6) that the floods are made of.
const (
	frameHeaders      = 1
	frameReset        = 3
	frameSettings     = 4
	framePing         = 6
	frameContinuation = 9
	flagEndStream     = 1
	flagEndHeaders    = 4
)

// appendFrame appends a frame (RFC 9113 §4.1).
func appendFrame(to []byte, kind, flags byte, stream uint32, payload []byte) []byte {
	to = append(to, byte(len(payload)>>16), byte(len(payload)>>8), byte(len(payload)), kind, flags)
	return append(binary.BigEndian.AppendUint32(to, stream), payload...)
}

// requestBlock is GET / in HPACK: three entries of its static table and a literal :authority (RFC 7541 §6).
func requestBlock(authority string) []byte {
	return append([]byte{0x82, 0x87, 0x84, 0x01, byte(len(authority))}, authority...)
}

// floods write what costs the server more than them; n counts what was sent before.
var floods = []struct {
	name string
	// next appends the next frames of an endless series.
	next func(to []byte, n int, authority string) []byte
	read bool // whether the answers are read: whoever does not lets them pile up
}{
	{"rapid reset", func(to []byte, n int, authority string) []byte {
		stream := uint32(2*n + 1)
		to = appendFrame(to, frameHeaders, flagEndHeaders|flagEndStream, stream, requestBlock(authority))
		return appendFrame(to, frameReset, 0, stream, []byte{0, 0, 0, 8})
	}, true},
	{"CONTINUATION", func(to []byte, n int, authority string) []byte {
		if n == 0 {
			to = appendFrame(to, frameHeaders, flagEndStream, 1, requestBlock(authority))
		}
		return appendFrame(to, frameContinuation, 0, 1, append([]byte{0, 3, 'x', '-', 'a', 100}, make([]byte, 100)...))
	}, true},
	{"PING", func(to []byte, n int, _ string) []byte {
		return appendFrame(to, framePing, 0, 0, binary.BigEndian.AppendUint64(nil, uint64(n)))
	}, false},
	{"SETTINGS", func(to []byte, n int, _ string) []byte {
		return appendFrame(to, frameSettings, 0, 0, []byte{0, 3, 0, 0, 0, byte(n)})
	}, false},
}

// RL-10: floods of HTTP/2 frames, and honest people beside them.
func TestFaultHTTP2Flood(t *testing.T) {
	t.Parallel()
	lasting := time.Duration(size(t, "FLOOD_MS", 400)) * time.Millisecond
	p := apptest.NewProcess(t, faultDocument(0))
	trust, _, _ := secured(t, p)
	p.Start()
	b := p.Browser()
	enter(t, p, b)
	h := newHonest(t, p, b)
	_, calm := h.refresh(5*time.Millisecond, after(lasting/2))
	authority := strings.TrimPrefix(p.Issuer, "https://")
	for _, f := range floods {
		before := usageOf(t, p.Pid())
		config := trust.Clone()
		config.NextProtos = []string{"h2"}
		c, err := tls.Dial("tcp", authority, config)
		if err != nil {
			t.Fatal(err)
		}
		if c.ConnectionState().NegotiatedProtocol != "h2" {
			t.Fatal("no HTTP/2")
		}
		c.SetWriteDeadline(time.Now().Add(lasting))
		c.SetReadDeadline(time.Now().Add(lasting + 5*time.Second)) // the server takes its leave before it hangs up
		closed := make(chan bool, 1)
		read := func() {
			_, err := io.Copy(io.Discard, c)
			timeout, ok := err.(net.Error)
			closed <- !ok || !timeout.Timeout()
		}
		if f.read {
			go read()
		}
		sent, over := 0, make(chan struct{})
		begun := time.Now()
		go func() {
			_, err := c.Write(appendFrame([]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), frameSettings, 0, 0, nil))
			for ; err == nil; sent++ {
				burst := make([]byte, 0, 16<<10)
				for len(burst) < 8<<10 {
					burst = f.next(burst, sent, authority)
					sent++
				}
				_, err = c.Write(burst)
			}
			close(over)
		}()
		count, during := h.refresh(5*time.Millisecond, after(lasting))
		<-over
		took, now := time.Since(begun), usageOf(t, p.Pid())
		if !f.read {
			go read()
		}
		sentAway := false
		select {
		case sentAway = <-closed:
		case <-time.After(2 * time.Second):
		}
		c.Close()
		t.Logf("%s: %d frames, sent away %v; the server used %.2f cores and %d KiB of memory (%d before); %d honest refreshes, 99%% within %v (alone %v)",
			f.name, sent, sentAway, (now.cpu-before.cpu).Seconds()/took.Seconds(), now.memory, before.memory, count, during, calm)
		if f.name == "CONTINUATION" && !sentAway {
			t.Error("headers may be endless")
		}
		if now.memory > before.memory+100<<10 {
			t.Errorf("%s: the memory has grown by %d KiB", f.name, now.memory-before.memory)
		}
	}
	if log := p.Log.String(); strings.Contains(log, "panic") {
		t.Errorf("the log speaks of a panic:\n%s", p.Log.Tail())
	}
}
