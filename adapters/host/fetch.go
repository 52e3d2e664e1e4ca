package host

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
	"syscall"
	"time"

	"latchkey/ports"
)

const (
	fetchTimeout = 4 * time.Second // for the name, the connection, TLS and the answer together
	mostBody     = 1 << 20         // bytes; a document of ours has a few thousand
)

var errTLS = errors.New("the certificate does not vouch for this host")

// Fetch sends one GET and tells what came back.
func (m Machine) Fetch(ctx context.Context, address string) ports.Answer {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	a := ports.Answer{URL: address}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		a.Failure, a.Detail = ports.FailedOther, err.Error()
		return a
	}
	// The library's own verification names the first thing that is wrong; ours looks at every one, and lets no request
	// pass that the library would not.
	var shown atomic.Pointer[ports.Handshake] // the connection is made by a goroutine that may outlive the request
	transport := &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true, VerifyConnection: func(s tls.ConnectionState) error {
			now := time.Now()
			h := m.judge(s.PeerCertificates, request.URL.Hostname(), now)
			shown.Store(h)
			if !h.Trusted || !h.Named || now.Before(h.Leaf.NotBefore) || now.After(h.Leaf.NotAfter) {
				return errTLS
			}
			return nil
		}},
	}
	defer transport.CloseIdleConnections()
	response, err := transport.RoundTrip(request)
	a.TLS = shown.Load()
	if err != nil {
		a.Failure, a.Detail = failure(err)
		return a
	}
	defer response.Body.Close()
	a.At = time.Now().UTC()
	a.Status, a.Location = response.StatusCode, response.Header.Get("Location")
	if location, err := response.Location(); err == nil {
		a.Location = location.String()
	}
	if date, err := http.ParseTime(response.Header.Get("Date")); err == nil {
		a.Date = date.UTC()
	}
	if a.Body, err = io.ReadAll(io.LimitReader(response.Body, mostBody)); err != nil {
		a.Failure, a.Detail = failure(err)
	}
	return a
}

// judge looks at a chain from three sides that do not depend on one another, so that each fault can be told.
func (m Machine) judge(chain []*x509.Certificate, host string, now time.Time) *ports.Handshake {
	leaf := chain[0]
	h := &ports.Handshake{Leaf: certificate(leaf), Sent: len(chain), Named: leaf.VerifyHostname(host) == nil}
	h.SelfSigned = bytes.Equal(leaf.RawIssuer, leaf.RawSubject) && leaf.CheckSignature(leaf.SignatureAlgorithm, leaf.RawTBSCertificate, leaf.Signature) == nil
	at := now
	if at.After(leaf.NotAfter) {
		at = leaf.NotAfter
	} else if at.Before(leaf.NotBefore) {
		at = leaf.NotBefore
	}
	between := x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	_, err := leaf.Verify(x509.VerifyOptions{Roots: m.Roots, Intermediates: between, CurrentTime: at})
	h.Trusted = err == nil
	return h
}

// failure sorts what went wrong by what mends it.
func failure(err error) (ports.Failure, string) {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	var name *net.DNSError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	switch {
	case errors.Is(err, errTLS), errors.As(err, &record), errors.As(err, &alert):
		return ports.FailedTLS, err.Error()
	case errors.As(err, &name):
		return ports.FailedName, err.Error()
	case errors.Is(err, syscall.ECONNREFUSED):
		return ports.FailedRefused, err.Error()
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, syscall.ETIMEDOUT):
		return ports.FailedTime, err.Error()
	}
	return ports.FailedOther, err.Error()
}
