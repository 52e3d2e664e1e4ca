package app

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io/fs"
	"math"
	"math/big"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// certify writes a certificate for localhost and its key into the folder.
func certify(t *testing.T, dir, name string) (cert, key string) {
	t.Helper()
	cfg := Config{TLSCert: filepath.Join(dir, name+".crt"), TLSKey: filepath.Join(dir, name+".pem")}
	writePair(t, cfg)
	return cfg.TLSCert, cfg.TLSKey
}

// writePair makes a certificate and its key at the paths of the configuration.
func writePair(t *testing.T, cfg Config) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	for path, block := range map[string]*pem.Block{cfg.TLSCert: {Type: "CERTIFICATE", Bytes: der}, cfg.TLSKey: {Type: "PRIVATE KEY", Bytes: pkcs8}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// AD-09: every wrong configuration is refused with a line that says what is wrong, before anything is opened or made.
func TestWrongConfigurations(t *testing.T) {
	dir := t.TempDir()
	cert, key := certify(t, dir, "a")
	otherCert, _ := certify(t, dir, "b")
	for _, name := range []string{"there.db", "there.db.key", "nokey.db"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("untouched"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	right := Config{Database: filepath.Join(dir, "there.db"), Issuer: "https://id.example.org", Listen: "127.0.0.1:0"}
	if err := right.ValidateServe(); err != nil {
		t.Fatalf("the configuration that is right: %v", err)
	}
	issuer := func(s string) func(*Config) { return func(c *Config) { c.Issuer = s } }
	listen := func(s string) func(*Config) { return func(c *Config) { c.Listen = s } }
	pair := func(cert, key string) func(*Config) {
		return func(c *Config) { c.TLSCert, c.TLSKey = cert, key }
	}
	scale := func(f float64) func(*Config) { return func(c *Config) { c.RateLimitScale = f } }
	tests := []struct {
		name   string
		change func(*Config)
		want   string
	}{
		{"no issuer", issuer(""), "issuer: is missing"},
		{"http issuer", issuer("http://id.example.org"), "use https"},
		{"issuer with a slash", issuer("https://id.example.org/"), "ends in a slash: use https://id.example.org"},
		{"issuer path with a slash", issuer("https://id.example.org/sso/"), "ends in a slash"},
		{"issuer with a query", issuer("https://id.example.org?x=1"), "query or a fragment"},
		{"issuer with an empty query", issuer("https://id.example.org?"), "query or a fragment"},
		{"issuer with a fragment", issuer("https://id.example.org#x"), "query or a fragment"},
		{"issuer with user information", issuer("https://a:b@id.example.org"), "user information"},
		{"issuer without a scheme", issuer("id.example.org"), "not an absolute URL"},
		{"issuer without a host", issuer("https://"), "has no host"},
		{"issuer with only a port", issuer("https://:8443"), "has no host"},
		{"issuer of another scheme", issuer("ftp://id.example.org"), "must begin with https"},
		{"opaque issuer", issuer("https:id.example.org"), "not an absolute URL"},
		{"issuer scheme in upper case", issuer("HTTPS://id.example.org"), "scheme in lower case"},
		{"issuer host in upper case", issuer("https://ID.example.org"), "host in lower case"},
		{"issuer host with a dot at its end", issuer("https://id.example.org."), "without a dot at the end"},
		{"default port of https", issuer("https://id.example.org:443"), "leave :443 away"},
		{"default port of http", issuer("http://localhost:80"), "leave :80 away"},
		{"issuer with an empty port", issuer("https://id.example.org:"), "colon without a port"},
		{"issuer with an impossible port", issuer("https://id.example.org:70000"), "1 to 65535"},
		{"issuer with a port in another spelling", issuer("https://id.example.org:08443"), "1 to 65535"},
		{"issuer with a space", issuer("https://id.example.org/a b"), "character that may not be"},
		{"issuer with an escape", issuer("https://id.example.org/%2e"), "character that may not be"},
		{"issuer beyond ASCII", issuer("https://dësa.example.org"), "character that may not be"},
		{"issuer that browsers rewrite", issuer("https://id.example.org/a/../b"), "rewrite"},
		{"issuer with a double slash", issuer("https://id.example.org//a"), "rewrite"},
		{"listen without a port", listen("127.0.0.1"), "not host:port"},
		{"listen on a name", listen("id.example.org:8080"), "IP address"},
		{"listen on port 65536", listen("127.0.0.1:65536"), "not host:port"},
		{"listen on a service name", listen("127.0.0.1:http"), "not host:port"},
		{"plain HTTP for everybody", listen(":8080"), "--tls-cert and --tls-key"},
		{"plain HTTP on one outside address", listen("192.0.2.1:8080"), "--trusted-proxies"},
		{"certificate without key", pair(cert, ""), "without tls-key"},
		{"key without certificate", pair("", key), "without tls-cert"},
		{"missing certificate", pair(filepath.Join(dir, "none.crt"), key), "none.crt"},
		{"missing key file", pair(cert, filepath.Join(dir, "none.pem")), "none.pem"},
		{"key of another certificate", pair(otherCert, key), "does not match"},
		{"a certificate that is none", pair(filepath.Join(dir, "there.db"), key), "there.db"},
		{"http issuer with TLS", func(c *Config) { issuer("http://localhost")(c); pair(cert, key)(c) }, "begins with https"},
		{"everybody is a proxy", func(c *Config) { c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")} }, "trusts every address"},
		{"a proxy that is none", func(c *Config) { c.TrustedProxies = []netip.Prefix{{}} }, "not a network"},
		{"every network is allowed", func(c *Config) { c.EgressAllow = []netip.Prefix{netip.MustParsePrefix("::/0")} }, "egress-allow"},
		{"a network that is none", func(c *Config) { c.EgressAllow = []netip.Prefix{{}} }, "egress-allow"},
		{"an authority that is none", func(c *Config) { c.EgressCA = key }, "egress-ca"},
		{"an authority that is missing", func(c *Config) { c.EgressCA = filepath.Join(dir, "no.pem") }, "no.pem"},
		{"negative rate limits", scale(-1), "rate-limit-scale"},
		{"no requests of clients", func(c *Config) { c.ClientRateLimit = -1 }, "client-rate-limit"},
		{"metrics for everybody", func(c *Config) { c.Metrics = "0.0.0.0:9464" }, "metrics"},
		{"metrics on every address", func(c *Config) { c.Metrics = ":9464" }, "metrics"},
		{"metrics nowhere", func(c *Config) { c.Metrics = "localhost" }, "metrics"},
		{"rate limits that are no number", scale(math.NaN()), "rate-limit-scale"},
		{"endless rate limits", scale(math.Inf(1)), "rate-limit-scale"},
		{"no database", func(c *Config) { c.Database = filepath.Join(dir, "none.db") }, "latchkey init"},
		{"no master key", func(c *Config) { c.Database = filepath.Join(dir, "nokey.db") }, "cannot be made anew"},
		{"the key is the database", func(c *Config) { c.MasterKey = c.Database }, "is the database"},
	}
	before := listing(t, dir)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			cfg := right
			test.change(&cfg)
			err := cfg.ValidateServe()
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("got %v, want %q", err, test.want)
			}
			if n := strings.Count(err.Error(), "\n"); n > 0 {
				t.Errorf("one mistake is told in %d lines: %v", n+1, err)
			}
		})
	}
	if after := listing(t, dir); after != before {
		t.Errorf("files before:\n%s\nafter:\n%s", before, after)
	}
}

func listing(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all.WriteString(e.Name() + " " + string(b) + "\n")
	}
	return all.String()
}

func TestEveryProblemAtOnce(t *testing.T) {
	cfg := Config{Database: filepath.Join(t.TempDir(), "none.db"), Issuer: "http://a/", Listen: "x", TLSCert: "c", RateLimitScale: -1}
	err := cfg.ValidateServe()
	for _, want := range []string{"issuer:", "listen:", "tls:", "rate-limit-scale:", "db:"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no line with %q in:\n%v", want, err)
		}
	}
	if !errors.Is(err, fs.ErrNotExist) {
		t.Error("a missing file cannot be told")
	}
}

func TestEveryFaultOfAnIssuerAtOnce(t *testing.T) {
	err := Config{Issuer: "http://A:B@ID.example.org:070/x//y z/?q"}.Validate()
	for _, want := range []string{"use https", "user information", "query", "ends in a slash", "lower case", "1 to 65535", "rewrite", "character that may not be"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no line with %q in:\n%v", want, err)
		}
	}
	for line := range strings.Lines(err.Error()) {
		if !strings.HasPrefix(line, "issuer: ") {
			t.Errorf("a line does not say what it is about: %s", line)
		}
	}
}

func TestRightConfigurations(t *testing.T) {
	cert, key := certify(t, t.TempDir(), "a")
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	for _, cfg := range []Config{
		{},
		{Issuer: "https://id.example.org"},
		{Issuer: "https://id.example.org:8443/sso"},
		{Issuer: "http://localhost:8080", Listen: "localhost:8080"},
		{Issuer: "http://127.0.0.1:9000", Listen: "127.0.0.1:9000"},
		{Issuer: "http://[::1]:9000", Listen: "[::1]:9000"},
		{Issuer: "https://id.example.org", Listen: ":443", TLSCert: cert, TLSKey: key},
		{Issuer: "https://id.example.org", Listen: "0.0.0.0:8080", TrustedProxies: proxies},
	} {
		if err := cfg.Validate(); err != nil {
			t.Errorf("%+v: %v", cfg, err)
		}
	}
}

func TestParseProxies(t *testing.T) {
	got, err := ParseProxies("10.0.0.0/8, 192.0.2.7 ::1")
	if err != nil || len(got) != 3 || got[1].String() != "192.0.2.7/32" || got[2].String() != "::1/128" {
		t.Errorf("got %v, %v", got, err)
	}
	_, err = ParseProxies("10.0.0.1/8,proxy.example.org,10.0.0.0/8")
	if err == nil || strings.Count(err.Error(), "\n") != 1 {
		t.Errorf("two wrong networks: %v", err)
	}
	if _, err = ParseEgress("10.0.0.1/8"); err == nil || !strings.HasPrefix(err.Error(), "egress-allow: ") {
		t.Errorf("the wrong flag is named: %v", err)
	}
}

func FuzzCheckIssuer(f *testing.F) {
	for _, s := range []string{"https://id.example.org", "http://localhost:8080", "http://[::1]:1/a", "https://a/b/../c", "https://a:0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if CheckIssuer(s) != nil {
			return
		}
		if strings.HasSuffix(s, "/") || strings.ToLower(s[:8]) != s[:8] || strings.ContainsAny(s, "?#@ \n") {
			t.Errorf("accepted %q", s)
		}
	})
}
