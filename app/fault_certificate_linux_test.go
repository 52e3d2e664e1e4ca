package app_test

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"latchkey/app/apptest"
)

// OP-07: the certificate is renewed under load, each time in two writes between which certificate and key do not fit. No
// handshake and no request fails, and the new certificate is served.
func TestFaultCertificate(t *testing.T) {
	t.Parallel()
	renewals := size(t, "RENEWALS", 1)
	p := apptest.NewProcess(t, faultDocument(0))
	trust, certPath, keyPath := secured(t, p)
	p.Start()
	roots := trust.RootCAs
	var mu sync.Mutex
	trusted := func() *x509.CertPool {
		mu.Lock()
		defer mu.Unlock()
		return roots.Clone()
	}
	signature := func() string {
		c, err := tls.Dial("tcp", strings.TrimPrefix(p.Issuer, "https://"), &tls.Config{RootCAs: trusted()})
		if err != nil {
			t.Error(err)
			return ""
		}
		defer c.Close()
		return string(c.ConnectionState().PeerCertificates[0].Signature)
	}
	ended := make(chan struct{})
	var running sync.WaitGroup
	var requests, handshakes atomic.Int64
	for w := range 4 {
		running.Go(func() {
			kept := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted()}, ForceAttemptHTTP2: true}}
			for {
				client := kept
				if w%2 == 0 { // a new connection each
					client = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted()}, DisableKeepAlives: true}}
					handshakes.Add(1)
				}
				resp, err := client.Get(p.Issuer + "/jwks")
				if err != nil {
					t.Error(err)
					return
				}
				resp.Body.Close()
				if resp.StatusCode != http.StatusOK {
					t.Errorf("%d", resp.StatusCode)
					return
				}
				requests.Add(1)
				select {
				case <-ended:
					return
				case <-time.After(5 * time.Millisecond):
				}
			}
		})
	}
	for range renewals {
		before := signature()
		cert, key, parsed := newCertificate(t)
		mu.Lock()
		roots.AddCert(parsed)
		mu.Unlock()
		for path, content := range map[string][]byte{certPath: cert, keyPath: key} {
			if err := os.WriteFile(path, content, 0o600); err != nil {
				t.Fatal(err)
			}
			time.Sleep(20 * time.Millisecond)
		}
		if _, ok := within(30*time.Second, func() bool { return signature() != before }); !ok {
			t.Error("the new certificate is not served")
		}
	}
	close(ended)
	running.Wait()
	t.Logf("%d renewals under load: %d requests, %d of them with a handshake of their own, 0 failed", renewals, requests.Load(), handshakes.Load())
}
