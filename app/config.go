package app

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"latchkey/domain/oauth"
	"latchkey/ports"
)

// What is used when nothing is said.
const (
	DefaultDatabase = "latchkey.db"
	DefaultListen   = "127.0.0.1:8080"

	DefaultClientRateLimit = 1200
)

// Config is everything that is decided outside the database. The zero value of a member is its default, except for
// Issuer, which a server has to be told, and RateLimitScale.
type Config struct {
	Database  string // path of the SQLite file
	MasterKey string // path of the master key; empty: the database's path with ".key" added

	Issuer         string // the one name of this provider, an https URL without a slash at its end
	Listen         string // host:port; the host is an IP address or localhost, which is both loopback addresses
	TLSCert        string // path of a PEM certificate chain; empty: plain HTTP
	TLSKey         string // path of its PEM private key
	TrustedProxies []netip.Prefix
	RateLimitScale float64 // multiplies every rate limit; 0 turns them off
	// ClientRateLimit is how many requests a minute a client that authenticates may send to each endpoint for clients.
	ClientRateLimit int
	Metrics         string // host:port of the listener for metrics and health, a loopback address; empty: there is none

	// EgressAllow are networks beyond the public internet in which applications may be told that a session ended.
	EgressAllow []netip.Prefix
	EgressCA    string // path of PEM certificates of authorities that applications use beside the system's; empty: none

	Demo bool // serve the demonstration application at /demo, as quickstart does

	Log *slog.Logger // nil: nothing is logged

	// For tests; nil and zero are the real ones.
	Now                ports.Clock
	Secrets            ports.Secrets
	PasswordIterations int
	Limits             ports.RateLimiter
}

// WithDefaults fills in what was left out.
func (c Config) WithDefaults() Config {
	if c.Database == "" {
		c.Database = DefaultDatabase
	}
	if c.MasterKey == "" {
		c.MasterKey = c.Database + ".key"
	}
	if c.Listen == "" {
		c.Listen = DefaultListen
	}
	if c.ClientRateLimit == 0 {
		c.ClientRateLimit = DefaultClientRateLimit
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

// Validate says everything that is wrong with the values, joined, or nil. It opens no socket and changes no file. An
// empty Issuer is accepted, because only a server needs one: see ValidateServe.
func (c Config) Validate() error {
	c = c.WithDefaults()
	var problems []error
	wrong := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	check := func(name string, err error) {
		for _, err := range parts(err) {
			wrong("%s: %w", name, err)
		}
	}
	if strings.ContainsRune(c.Database+c.MasterKey, 0) {
		wrong("db: a path has no NUL character")
	}
	if filepath.Clean(c.Database) == filepath.Clean(c.MasterKey) {
		wrong("master-key: %s is the database: the key lives outside it, so that a copy of one is useless", c.MasterKey)
	}
	if c.Issuer != "" {
		check("issuer", CheckIssuer(c.Issuer))
	}
	loopback, err := checkListen(c.Listen)
	check("listen", err)
	secure := c.TLSCert != "" || c.TLSKey != ""
	check("tls", c.checkTLS())
	switch {
	case secure && strings.HasPrefix(c.Issuer, "http:"):
		wrong("issuer: %s is http, but tls-cert is given: an issuer served with TLS begins with https", c.Issuer)
	case err == nil && !secure && !loopback && len(c.TrustedProxies) == 0:
		wrong("listen: %s is reachable from outside in plain HTTP, which shows every password: give --tls-cert and --tls-key, "+
			"or listen on 127.0.0.1, or, when a proxy in front ends TLS, name it with --trusted-proxies", c.Listen)
	}
	for _, p := range c.TrustedProxies {
		switch {
		case !p.IsValid():
			wrong("trusted-proxies: an entry is not a network")
		case p.Bits() == 0:
			wrong("trusted-proxies: %s trusts every address, so that anybody could claim to be anybody: name the proxy", p)
		}
	}
	for _, p := range c.EgressAllow {
		switch {
		case !p.IsValid():
			wrong("egress-allow: an entry is not a network")
		case p.Bits() == 0:
			wrong("egress-allow: %s allows every address of every network that this machine reaches: name the networks of your applications", p)
		}
	}
	if c.EgressCA != "" {
		check("egress-ca", checkEgressCA(c.EgressCA))
	}
	if s := c.RateLimitScale; math.IsNaN(s) || s < 0 || s > 1000 {
		wrong("rate-limit-scale: must be 0 (off) to 1000")
	}
	if n := c.ClientRateLimit; n < 1 || n > 1_000_000 {
		wrong("client-rate-limit: must be 1 to 1000000 requests a minute; --rate-limit-scale 0 turns every limit off")
	}
	if c.Metrics != "" {
		local, err := checkListen(c.Metrics)
		check("metrics", err)
		if err == nil && !local {
			wrong("metrics: %s is reachable from outside, and figures are for operators only: use a loopback address such as "+
				"127.0.0.1:9464, and let a collector on this machine pass them on", c.Metrics)
		}
	}
	return errors.Join(problems...)
}

// parts returns what an error joins, so that each part gets a line of its own that says what it is about.
func parts(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	if err == nil {
		return nil
	}
	return []error{err}
}

// ValidateServe says everything that keeps a server from starting: what Validate says, a missing issuer and missing files.
func (c Config) ValidateServe() error {
	c = c.WithDefaults()
	problems := []error{c.Validate()}
	if c.Issuer == "" {
		problems = append(problems, errors.New("issuer: is missing: give --issuer or LATCHKEY_ISSUER, the https URL under which "+
			"people and applications reach this server"))
	}
	return errors.Join(append(problems, c.FilesExist())...)
}

// FilesExist says which of the database and its master key are missing. The error is fs.ErrNotExist then.
func (c Config) FilesExist() error {
	c = c.WithDefaults()
	var problems []error
	missing := func(path string) bool {
		_, err := os.Stat(path)
		return errors.Is(err, fs.ErrNotExist)
	}
	if missing(c.Database) {
		problems = append(problems, fmt.Errorf("db: %s does not exist (%w): make it with latchkey init, or restore it", c.Database, fs.ErrNotExist))
	} else if missing(c.MasterKey) {
		// Without its database a missing key is no problem of its own: init makes both.
		problems = append(problems, fmt.Errorf("master-key: %s does not exist (%w): restore it, or name the right file with --master-key; "+
			"it cannot be made anew for an existing database", c.MasterKey, fs.ErrNotExist))
	}
	return errors.Join(problems...)
}

// CheckIssuer says everything for which a URL cannot be an issuer, joined, or nil (OIDC Discovery §3, RFC 8414 §2). Clients compare it byte by
// byte, so exactly one spelling of each is accepted.
func CheckIssuer(s string) error {
	u, err := url.Parse(s)
	if err != nil || u.Scheme == "" || u.Opaque != "" {
		return fmt.Errorf("%q is not an absolute URL such as https://id.example.org", s)
	}
	var problems []error
	wrong := func(is bool, format string, args ...any) {
		if is {
			problems = append(problems, fmt.Errorf("%q "+format, append([]any{s}, args...)...))
		}
	}
	scheme, host, port, path := u.Scheme, u.Hostname(), u.Port(), strings.TrimRight(u.EscapedPath(), "/")
	wrong(strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7F || strings.ContainsRune("\\\"<>^`{|}%", r) }),
		"holds a character that may not be in an issuer")
	web := scheme == "https" || scheme == "http"
	wrong(!web, "must begin with https://")
	wrong(web && !strings.HasPrefix(s, scheme+"://"), "must have its scheme in lower case")
	wrong(host == "", "has no host")
	wrong(scheme == "http" && host != "" && !oauth.IsLoopbackHost(strings.ToLower(host)), "is http, which is accepted for localhost, 127.0.0.1 and [::1] only: use https")
	wrong(u.User != nil, "has user information before the host")
	wrong(strings.ContainsAny(s, "?#"), "has a query or a fragment")
	wrong(strings.HasSuffix(u.Path, "/"), "ends in a slash: use %s", strings.TrimRight(s, "/"))
	wrong(u.Host != strings.ToLower(u.Host) || strings.HasSuffix(host, "."), "must have its host in lower case and without a dot at the end")
	wrong(host != "" && port == "" && strings.HasSuffix(u.Host, ":"), "has a colon without a port")
	wrong(port != "" && !isPort(port, 1), "has the port %s: ports are 1 to 65535", port)
	wrong((scheme == "https" && port == "443") || (scheme == "http" && port == "80"), "spells out the default port: leave :%s away", port)
	wrong(strings.Contains(path, "//") || strings.Contains(path+"/", "/./") || strings.Contains(path+"/", "/../"), "has a path that browsers would rewrite")
	return errors.Join(problems...)
}

// isPort reports whether s is a port in its one spelling; a listener may ask for port 0, which is any free one.
func isPort(s string, least int) bool {
	n, err := strconv.Atoi(s)
	return err == nil && n >= least && n <= 65535 && strconv.Itoa(n) == s
}

// checkListen reports whether only this machine reaches the address.
func checkListen(address string) (loopback bool, err error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil || !isPort(port, 0) {
		return false, fmt.Errorf("%q is not host:port, such as 127.0.0.1:8080", address)
	}
	if _, notIP := netip.ParseAddr(host); host != "" && host != "localhost" && notIP != nil {
		return false, fmt.Errorf("%q must name an IP address of this machine, or localhost", address)
	}
	return oauth.IsLoopbackHost(host), nil
}

func (c Config) checkTLS() error {
	switch {
	case c.TLSCert == "" && c.TLSKey == "":
		return nil
	case c.TLSKey == "":
		return errors.New("tls-cert is given without tls-key: give both")
	case c.TLSCert == "":
		return errors.New("tls-key is given without tls-cert: give both")
	}
	cert, notCert := os.ReadFile(c.TLSCert)
	key, notKey := os.ReadFile(c.TLSKey)
	if err := errors.Join(notCert, notKey); err != nil {
		return err
	}
	if _, err := tls.X509KeyPair(cert, key); err != nil {
		return fmt.Errorf("%s and %s: %w", c.TLSCert, c.TLSKey, err)
	}
	return nil
}

// ParseProxies reads networks in CIDR notation, or single addresses, separated by commas.
func ParseProxies(s string) ([]netip.Prefix, error) { return parseNetworks("trusted-proxies", s) }

// ParseEgress reads networks as ParseProxies does.
func ParseEgress(s string) ([]netip.Prefix, error) { return parseNetworks("egress-allow", s) }

// Loopback is this machine alone.
var Loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

func parseNetworks(flag, s string) ([]netip.Prefix, error) {
	var all []netip.Prefix
	var problems []error
	for _, text := range strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' }) {
		p, err := netip.ParsePrefix(text)
		if addr, notAddr := netip.ParseAddr(text); notAddr == nil && addr.Zone() == "" {
			p, err = addr.Prefix(addr.BitLen())
		}
		if err != nil || p != p.Masked() {
			problems = append(problems, fmt.Errorf("%s: %q is not a network such as 10.0.0.0/8", flag, text))
			continue
		}
		all = append(all, p)
	}
	return all, errors.Join(problems...)
}
