// Package outbound owns the one way in which the provider sends requests to addresses of strangers: it decides which
// addresses are reached and how much an answer may cost. What is sent, and what its failure means, is left to the use cases.
package outbound

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"

	"latchkey/domain/oauth"
	"latchkey/ports"
)

// What one request may cost. Bodies of answers are not read: the status says everything.
const (
	timeout   = 5 * time.Second // for the name, the connection, TLS, the request and the head of the answer together
	mostBytes = 64 << 10        // of the head of the answer
)

// Config says what may be reached beyond the web servers of the public internet.
type Config struct {
	Allow    []netip.Prefix // networks that would be denied otherwise, at any port
	CA       string         // path of PEM certificates of further authorities; empty: those of the system alone
	Resolver *net.Resolver  // nil: the system's
}

// Client sends requests. It is safe for use by several goroutines.
type Client struct {
	allow         []netip.Prefix
	secure, plain *http.Transport
}

var _ ports.Outbound = (*Client)(nil)

// New returns a client, or an error when the further authorities cannot be read.
func New(cfg Config) (*Client, error) {
	roots, err := authorities(cfg.CA)
	if err != nil {
		return nil, err
	}
	c := &Client{allow: cfg.Allow}
	transport := func(plain bool) *http.Transport {
		return &http.Transport{
			Proxy:                  nil, // one in the environment would connect to whatever it is told, unseen by the guard
			DialContext:            (&net.Dialer{Timeout: timeout, Resolver: cfg.Resolver, ControlContext: c.control(plain)}).DialContext,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
			DisableKeepAlives:      true, // every request is vetted anew
			DisableCompression:     true,
			MaxResponseHeaderBytes: mostBytes,
		}
	}
	c.secure, c.plain = transport(false), transport(true)
	return c, nil
}

// authorities returns those of the system, which nil stands for, and those of the file.
func authorities(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s holds no certificate in PEM", file)
	}
	return pool, nil
}

// CheckCA says why the file of further authorities cannot be used, or nil.
func CheckCA(file string) error {
	_, err := authorities(file)
	return err
}

// Post sends a form. The transport is asked directly: it follows no redirect and keeps no cookie.
func (c *Client) Post(ctx context.Context, uri string, form ...oauth.Parameter) (int, error) {
	values := url.Values{}
	for _, p := range form {
		values.Set(p.Name, p.Value)
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, uri, strings.NewReader(values.Encode()))
	if err != nil || request.URL.User != nil {
		return 0, ports.ErrAddressDenied
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("User-Agent", "latchkey")
	request.Header.Set("Accept", "application/json")
	var transport *http.Transport
	switch request.URL.Scheme {
	case "https":
		transport = c.secure
	case "http":
		transport = c.plain
	default:
		return 0, ports.ErrAddressDenied
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return 0, reason(err)
	}
	response.Body.Close()
	return response.StatusCode, nil
}

// reason reduces a failure to what the operator can do about it: more would tell whoever registered the address what
// answers inside the network.
func reason(err error) error {
	var untrusted *tls.CertificateVerificationError
	switch {
	case errors.Is(err, ports.ErrAddressDenied):
		return ports.ErrAddressDenied
	case errors.Is(err, ports.ErrPortDenied):
		return ports.ErrPortDenied
	case errors.As(err, &untrusted):
		return ports.ErrUntrusted
	}
	return ports.ErrNoAnswer
}
