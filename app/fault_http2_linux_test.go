package app_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"encoding/pem"
	"errors"
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
	frameData         = 0
	frameHeaders      = 1
	framePriority     = 2
	frameReset        = 3
	frameSettings     = 4
	framePing         = 6
	frameWindow       = 8
	frameContinuation = 9
	flagEndStream     = 1
	flagEndHeaders    = 4
)

// appendFrame appends a frame (RFC 9113 §4.1).
func appendFrame(to []byte, kind, flags byte, stream uint32, payload []byte) []byte {
	to = append(to, byte(len(payload)>>16), byte(len(payload)>>8), byte(len(payload)), kind, flags)
	return append(binary.BigEndian.AppendUint32(to, stream), payload...)
}

// requestBlock is a request for / in HPACK: three entries of its static table, of which 2 is GET and 3 is POST, and a literal
// :authority (RFC 7541 §6).
func requestBlock(method byte, authority string) []byte {
	return append([]byte{0x80 | method, 0x87, 0x84, 0x01, byte(len(authority))}, authority...)
}

// floods write what costs the server more than them; n counts what was sent before on the connection.
var floods = []struct {
	name string
	// next appends the next frames of an endless series.
	next func(to []byte, n int, authority string) []byte
	read bool // whether the answers are read: whoever does not lets them pile up
}{
	{"rapid reset", func(to []byte, n int, authority string) []byte {
		stream := uint32(2*n + 1)
		to = appendFrame(to, frameHeaders, flagEndHeaders|flagEndStream, stream, requestBlock(2, authority))
		return appendFrame(to, frameReset, 0, stream, []byte{0, 0, 0, 8})
	}, true},
	{"CONTINUATION", func(to []byte, n int, authority string) []byte {
		if n == 0 {
			to = appendFrame(to, frameHeaders, flagEndStream, 1, requestBlock(2, authority))
		}
		return appendFrame(to, frameContinuation, 0, 1, append([]byte{0, 3, 'x', '-', 'a', 100}, make([]byte, 100)...))
	}, true},
	{"PING", func(to []byte, n int, _ string) []byte {
		return appendFrame(to, framePing, 0, 0, binary.BigEndian.AppendUint64(nil, uint64(n)))
	}, false},
	{"PING with its answers read", func(to []byte, n int, _ string) []byte {
		return appendFrame(to, framePing, 0, 0, binary.BigEndian.AppendUint64(nil, uint64(n)))
	}, true},
	{"SETTINGS", func(to []byte, n int, _ string) []byte {
		return appendFrame(to, frameSettings, 0, 0, []byte{0, 3, 0, 0, 0, byte(n)})
	}, false},
	{"WINDOW_UPDATE", func(to []byte, n int, _ string) []byte {
		return appendFrame(to, frameWindow, 0, 0, []byte{0, 0, 0, 1})
	}, true},
	{"PRIORITY", func(to []byte, n int, _ string) []byte {
		return appendFrame(to, framePriority, 0, uint32(2*n+1), []byte{0, 0, 0, 0, byte(n)})
	}, true},
	{"empty DATA", func(to []byte, n int, authority string) []byte {
		if n == 0 {
			to = appendFrame(to, frameHeaders, flagEndHeaders, 1, requestBlock(3, authority))
		}
		return appendFrame(to, frameData, 0, 1, nil)
	}, true},
}

// floodFrames writes an endless series of frames to a connection of its own until the server closes it or until over. It returns
// how many there were, and whether it was sent away.
func floodFrames(t *testing.T, trust *tls.Config, authority string, next func(to []byte, n int, authority string) []byte, read bool, over <-chan struct{}) (sent int, away bool) {
	config := trust.Clone()
	config.NextProtos = []string{"h2"}
	c, err := tls.Dial("tcp", authority, config)
	if err != nil || c.ConnectionState().NegotiatedProtocol != "h2" {
		t.Error("no HTTP/2: ", err)
		return 0, false
	}
	defer c.Close()
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		select {
		case <-over:
			c.SetDeadline(time.Now())
		case <-stop:
		}
	}()
	if read {
		go io.Copy(io.Discard, c)
	}
	_, err = c.Write(appendFrame([]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), frameSettings, 0, 0, nil))
	for err == nil {
		burst := make([]byte, 0, 16<<10)
		for len(burst) < 8<<10 {
			burst = next(burst, sent, authority)
			sent++
		}
		_, err = c.Write(burst)
	}
	return sent, !errors.Is(err, os.ErrDeadlineExceeded)
}

// RL-10: whoever floods the server with frames of HTTP/2 is sent away, again and again, and honest people beside them notice
// nothing.
func TestFaultHTTP2Flood(t *testing.T) {
	t.Parallel()
	lasting := time.Duration(size(t, "FLOOD_MS", 300)) * time.Millisecond
	p := apptest.NewProcess(t, faultDocument(0))
	trust, _, _ := secured(t, p)
	p.Start()
	b := p.Browser()
	enter(t, p, b)
	h := newHonest(t, p, b)
	_, calm := h.refresh(5*time.Millisecond, after(lasting))
	authority := strings.TrimPrefix(p.Issuer, "https://")
	for _, f := range floods {
		before, begun := usageOf(t, p.Pid()), time.Now()
		over, patience := after(lasting), after(20*time.Second)
		var connections, frames int
		flooded := make(chan struct{})
		go func() {
			defer close(flooded)
			for ended := false; !ended; connections++ {
				sent, away := floodFrames(t, trust, authority, f.next, f.read, patience)
				if frames += sent; !away {
					t.Errorf("%s: %d frames, and more are heard", f.name, sent)
				}
				select {
				case <-over:
					ended = true
				default:
					ended = !away
				}
			}
		}()
		count, during := h.refresh(5*time.Millisecond, flooded)
		took, now := time.Since(begun), usageOf(t, p.Pid())
		t.Logf("%s: %d connections sent away after %d frames each; the server used %.2f cores and %d KiB of memory (%d before); %d honest refreshes, 99%% within %v (alone %v)",
			f.name, connections, frames/connections, (now.cpu-before.cpu).Seconds()/took.Seconds(), now.memory, before.memory, count, during, calm)
		if cost := (now.cpu - before.cpu) / time.Duration(connections); cost > time.Second {
			t.Errorf("%s: it takes %v of a processor until a flood is sent away", f.name, cost)
		}
		if now.memory > before.memory+100<<10 {
			t.Errorf("%s: the memory has grown by %d KiB", f.name, now.memory-before.memory)
		}
	}
	p.Terminate()
	p.Wait()
	if log := p.Log.String(); strings.Contains(log, "panic") || !strings.Contains(log, "than their requests explain") {
		t.Errorf("the log speaks of a panic, or of no flood:\n%s", p.Log.Tail())
	}
}
