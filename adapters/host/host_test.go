package host

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"latchkey/ports"
)

func TestFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "latchkey.db")
	if f := (Machine{}).File(path); f.Exists || f.Problem != "" {
		t.Errorf("a missing file: %+v", f)
	}
	if err := os.WriteFile(path, []byte("four"), 0o600); err != nil {
		t.Fatal(err)
	}
	if f := (Machine{}).File(path); !f.Exists || !f.Regular || f.Folder || f.Mode != 0o600 || f.Size != 4 || f.Owner != os.Geteuid() {
		t.Errorf("%+v", f)
	}
	if f := (Machine{}).File(dir); !f.Exists || !f.Folder || f.Regular {
		t.Errorf("a folder: %+v", f)
	}
	if f := (Machine{}).File(path + "/below"); f.Exists || f.Problem == "" {
		t.Errorf("below a file: %+v", f)
	}
}

func TestBeside(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, name := range []string{"latchkey.db", "latchkey.db-wal", "latchkey.db.key", "other.db"} {
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"latchkey.db", "./latchkey.db", filepath.Join(dir, "latchkey.db")} {
		var got []string
		for _, f := range (Machine{}).Beside(path) {
			got = append(got, filepath.Base(f.Path))
			if !f.Exists {
				t.Errorf("%s is not found where it is", f.Path)
			}
		}
		if strings.Join(got, " ") != "latchkey.db-wal latchkey.db.key" {
			t.Errorf("beside %s: %v", path, got)
		}
	}
	if got := (Machine{}).Beside("missing/latchkey.db"); got != nil {
		t.Errorf("in a folder that is missing: %v", got)
	}
}

func TestFetch(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/moved":
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
		case "/endless":
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 1<<16)); err != nil {
					return
				}
			}
		default:
			w.Header().Set("Date", "Fri, 01 May 2026 12:00:00 GMT")
			io.WriteString(w, "hello")
		}
	}))
	defer s.Close()
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1") // is not used
	a := Machine{}.Fetch(t.Context(), s.URL)
	if a.Failure != "" || a.Status != 200 || string(a.Body) != "hello" || !a.Date.Equal(time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)) || a.At.IsZero() || a.TLS != nil {
		t.Errorf("%+v", a)
	}
	if a := (Machine{}).Fetch(t.Context(), s.URL+"/moved"); a.Status != 302 || a.Location != s.URL+"/elsewhere" {
		t.Errorf("a redirect: %+v", a)
	}
	if a := (Machine{}).Fetch(t.Context(), s.URL+"/endless"); len(a.Body) != mostBody {
		t.Errorf("%d bytes of an endless answer", len(a.Body))
	}
	for url, want := range map[string]ports.Failure{
		"http://127.0.0.1:1":     ports.FailedRefused,
		"https" + s.URL[4:]:      ports.FailedTLS,
		"http://name.invalid":    ports.FailedName,
		"http://[::1":            ports.FailedOther,
		"gopher://127.0.0.1:1/x": ports.FailedOther,
	} {
		if a := (Machine{}).Fetch(t.Context(), url); a.Failure != want || a.Detail == "" {
			t.Errorf("%s: %+v, want %s", url, a, want)
		}
	}
}

// A server that accepts and says nothing holds nobody for long.
func TestFetchEnds(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if a := (Machine{}).Fetch(t.Context(), "http://"+l.Addr().String()); a.Failure != ports.FailedTime {
		t.Errorf("%+v", a)
	}
}

// Each fault of a certificate shows whatever the others are, and no request passes any of them (OP-07).
func TestHandshake(t *testing.T) {
	soon, past := time.Now().Add(time.Hour), time.Now().Add(-time.Hour)
	tests := []struct {
		name     string
		ends     time.Time
		host     string
		known    bool
		trusted  bool
		named    bool
		answered bool
	}{
		{"sound", soon, "127.0.0.1", true, true, true, true},
		{"expired", past, "127.0.0.1", true, true, true, false},
		{"wrong host", soon, "192.0.2.1", true, true, false, false},
		{"unknown", soon, "127.0.0.1", false, false, true, false},
		{"all of it", past, "192.0.2.1", false, false, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			c := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: past.Add(-time.Hour), NotAfter: tt.ends, IPAddresses: []net.IP{net.ParseIP(tt.host)}}
			der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
			if err != nil {
				t.Fatal(err)
			}
			m := Machine{Roots: x509.NewCertPool()}
			if tt.known {
				parsed, err := x509.ParseCertificate(der)
				if err != nil {
					t.Fatal(err)
				}
				m.Roots.AddCert(parsed)
			}
			asked := false
			s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
			s.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
			s.Config.ErrorLog = log.New(io.Discard, "", 0)
			s.StartTLS()
			defer s.Close()
			a := m.Fetch(t.Context(), s.URL)
			if h := a.TLS; h == nil || h.Trusted != tt.trusted || h.Named != tt.named || !h.SelfSigned || h.Sent != 1 || !h.Leaf.NotAfter.Equal(tt.ends.Truncate(time.Second)) {
				t.Errorf("%+v", h)
			}
			if asked != tt.answered || (a.Failure == "") != tt.answered || !tt.answered && a.Failure != ports.FailedTLS {
				t.Errorf("asked %t: %+v", asked, a)
			}
		})
	}
}

func TestCertificateFiles(t *testing.T) {
	if c := (Machine{}).Certificate("missing.pem", "missing.key"); c.Problem == "" {
		t.Error("files that are missing have no problem")
	}
}
