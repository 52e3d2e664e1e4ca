package app_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"latchkey/app"
	"latchkey/app/apptest"
	"latchkey/app/doctor"
)

// signed is a certificate with its key.
type signed struct {
	*x509.Certificate
	key *ecdsa.PrivateKey
}

// sign makes a certificate under an authority, or one that vouches for itself.
func sign(t *testing.T, by *signed, change func(*x509.Certificate)) *signed {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(80 * 24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, Subject: pkix.Name{CommonName: "localhost"},
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	change(c)
	if by == nil {
		by = &signed{c, key}
	}
	der, err := x509.CreateCertificate(rand.Reader, c, by.Certificate, &key.PublicKey, by.key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &signed{parsed, key}
}

func authority(t *testing.T, by *signed, name string) *signed {
	return sign(t, by, func(c *x509.Certificate) {
		c.IsCA, c.BasicConstraintsValid, c.KeyUsage, c.Subject.CommonName = true, true, x509.KeyUsageCertSign, name
		c.DNSNames, c.IPAddresses, c.ExtKeyUsage, c.NotBefore = nil, nil, nil, time.Now().AddDate(-1, 0, 0)
	})
}

// files writes the chain and the key of its first certificate.
func files(t *testing.T, chain ...*signed) (cert, key string) {
	t.Helper()
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "fullchain.pem"), filepath.Join(dir, "privkey.pem")
	var text []byte
	for _, c := range chain {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	der, err := x509.MarshalPKCS8PrivateKey(chain[0].key)
	if err := errors.Join(err, os.WriteFile(cert, text, 0o600),
		os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600)); err != nil {
		t.Fatal(err)
	}
	return cert, key
}

// The same of TLS, by the program as it is shipped, whose roots are those of the machine: a test names its own there (OP-07).
func TestDoctorTLS(t *testing.T) {
	root := authority(t, nil, "Root")
	between := authority(t, root, "Between")
	roots, _ := files(t, root)
	t.Setenv("SSL_CERT_FILE", roots)
	t.Setenv("SSL_CERT_DIR", t.TempDir())
	p := apptest.NewProcess(t, wellKept)
	if err := os.Chmod(p.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	kept := installation{t, app.Config{Database: p.File(), RateLimitScale: 1}}
	kept.secondFactor()
	kept.moments(time.Now(), time.Now())
	asItIs := func(*x509.Certificate) {}
	days := func(n int) func(*x509.Certificate) {
		return func(c *x509.Certificate) {
			c.NotBefore, c.NotAfter = time.Now().Add(-1000*time.Hour), time.Now().Add(time.Duration(n)*24*time.Hour+time.Hour)
		}
	}
	named := func(c *x509.Certificate) {
		c.DNSNames, c.IPAddresses = []string{"www.example.org"}, nil
	}
	tests := []struct {
		name  string
		chain []*signed
		want  string
		mend  string
	}{
		{"sound", []*signed{sign(t, between, asItIs), between}, "", ""},
		{"expired", []*signed{sign(t, between, days(-2)), between}, "error tls.expired", "openssl s_client -connect 127.0.0.1:"},
		{"two days left", []*signed{sign(t, between, days(2)), between}, "error tls.expiring", "openssl s_client"},
		{"twenty days left", []*signed{sign(t, between, days(20)), between}, "warning tls.expiring", "openssl s_client"},
		{"self-signed", []*signed{sign(t, nil, asItIs)}, "error tls.selfsigned", "--tls-cert fullchain.pem --tls-key privkey.pem"},
		{"self-signed and expired", []*signed{sign(t, nil, days(-2))}, "error tls.expired, error tls.selfsigned", "openssl s_client"},
		{"for another host", []*signed{sign(t, between, named), between}, "error tls.name", "-servername 127.0.0.1"},
		{"chain cut", []*signed{sign(t, between, asItIs)}, "error tls.chain", "--tls-cert fullchain.pem"},
		{"unknown authority", func() []*signed {
			other := authority(t, nil, "Other")
			return []*signed{sign(t, other, asItIs), other}
		}(), "error tls.untrusted", "openssl s_client"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cert, key := files(t, tt.chain...)
			pair, err := tls.LoadX509KeyPair(cert, key)
			if err != nil {
				t.Fatal(err)
			}
			// What answers is the provider's neighbour: only TLS is looked at here.
			s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				issuer := "https://" + r.Host
				if r.URL.Path == "/jwks" {
					w.Write(keySetOf(t, p))
					return
				}
				json.NewEncoder(w).Encode(map[string]string{"issuer": issuer, "jwks_uri": issuer + "/jwks"})
			}))
			s.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
			s.Config.ErrorLog = log.New(io.Discard, "", 0)
			s.StartTLS()
			defer s.Close()
			check(t, examine(t, p, "--issuer", s.URL, "--trusted-proxies", "127.0.0.1"), tt.want, tt.mend)
		})
	}
	t.Run("no TLS", func(t *testing.T) {
		s := httptest.NewServer(http.NotFoundHandler())
		defer s.Close()
		check(t, examine(t, p, "--issuer", "https"+s.URL[4:], "--trusted-proxies", "127.0.0.1"), "warning discovery.unreachable", "--tls-cert fullchain.pem")
	})

	configured := []struct {
		name  string
		files func(t *testing.T) (string, string)
		want  string
		mend  string
	}{
		{"sound file", func(t *testing.T) (string, string) { return files(t, sign(t, between, asItIs), between) }, "", ""},
		{"expired file", func(t *testing.T) (string, string) { return files(t, sign(t, between, days(-2))) }, "error certificate.expired", "openssl x509 -noout -dates"},
		{"file with twenty days left", func(t *testing.T) (string, string) { return files(t, sign(t, between, days(20))) }, "warning certificate.expiring", "openssl x509 -noout -dates"},
		{"key of another certificate", func(t *testing.T) (string, string) {
			cert, _ := files(t, sign(t, between, asItIs))
			_, key := files(t, sign(t, between, asItIs))
			return cert, key
		}, "error certificate.unusable", "openssl pkey -pubout -in"},
		{"AD-08 private key for all", func(t *testing.T) (string, string) {
			cert, key := files(t, sign(t, between, asItIs))
			if err := os.Chmod(key, 0o644); err != nil {
				t.Fatal(err)
			}
			return cert, key
		}, "error file.tls.mode", "chmod 600 "},
	}
	for _, tt := range configured {
		t.Run(tt.name, func(t *testing.T) {
			cert, key := tt.files(t)
			check(t, examine(t, p, "--tls-cert", cert, "--tls-key", key), tt.want, tt.mend)
		})
	}
	t.Run("beside a server", func(t *testing.T) {
		p.Start()
		findings := examine(t, p, "--issuer", p.Issuer)
		check(t, findings, "", "")
		for _, f := range findings {
			if f.ID == "server.stopped" {
				t.Error(f.Found)
			}
		}
	})
}

// examine runs the program and reads what it found.
func examine(t *testing.T, p *apptest.Process, args ...string) []doctor.Finding {
	t.Helper()
	out := p.Command(t.Context(), "", append([]string{"doctor", "--json"}, args...)...)
	var report struct{ Findings []doctor.Finding }
	if err := json.Unmarshal([]byte(out.Stdout), &report); err != nil {
		t.Fatalf("%v: %+v", err, out)
	}
	if worst := report.Findings[0].Severity; (worst == doctor.Error) != (out.Code == 6) || (worst != doctor.Error) != (out.Code == 0) || out.Stderr != "" {
		t.Errorf("exit code %d, worst %s: %s", out.Code, worst, out.Stderr)
	}
	return report.Findings
}

var kid = regexp.MustCompile(`: key (\S+) has signed`)

// keySetOf returns the kids of the signing keys, which doctor itself names.
func keySetOf(t *testing.T, p *apptest.Process) []byte {
	out := p.Command(t.Context(), "", "doctor", "--json")
	var kids []map[string]string
	var report struct{ Findings []doctor.Finding }
	json.Unmarshal([]byte(out.Stdout), &report)
	for _, f := range report.Findings {
		if m := kid.FindStringSubmatch(f.Found); f.ID == "signing" && m != nil {
			kids = append(kids, map[string]string{"kid": m[1]})
		}
	}
	b, _ := json.Marshal(map[string]any{"keys": kids})
	return b
}
