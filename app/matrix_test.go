package app_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"latchkey/adapters/masterkey"
	"latchkey/app/apptest"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

// The matrices give every form of a wrong thing to everything that takes the right one, in the running provider. A short run
// is a part of every test run; the sizes of the campaigns are in the Makefile. This file has what they share.

// sampled returns about n of the values, spread evenly from a place that differs from run to run, or all of them.
func sampled[T any](all []T, n int, begin int) (some []T) {
	step := max(1, len(all)/n)
	for i := begin % step; i < len(all); i += step {
		some = append(some, all[i])
	}
	return some
}

// together calls fn for every value, several at once: what they write is synced together.
func together[T any](all []T, fn func(T)) {
	next := make(chan T)
	var running sync.WaitGroup
	for range 8 {
		running.Go(func() {
			for v := range next {
				fn(v)
			}
		})
	}
	for _, v := range all {
		next <- v
	}
	close(next)
	running.Wait()
}

// knock gives a request to the provider as it is, without the limits that a client of ours puts on what it sends.
func knock(p *apptest.Provider, method, target string, form url.Values, header http.Header) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, p.Issuer+target, strings.NewReader(form.Encode()))
	for name, values := range header {
		r.Header[name] = values
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	w := httptest.NewRecorder()
	p.Handler.ServeHTTP(w, r)
	return w
}

// asClient is the header by which a declared client authenticates.
func asClient(id string) http.Header {
	r := &http.Request{Header: http.Header{}}
	r.SetBasicAuth(url.QueryEscape(id), apptest.Secret)
	return r.Header
}

// keychain opens what the provider keeps sealed, as whoever stole both of its files could.
func keychain(t *testing.T, p *apptest.Provider) ports.Keychain {
	t.Helper()
	key, err := masterkey.Load(p.Config().MasterKey)
	if err != nil {
		t.Fatal(err)
	}
	var opened ports.Keychain
	err = p.Store.View(t.Context(), func(r ports.Reader) error {
		root, err := r.MasterRoot()
		if err == nil {
			opened, err = key.Open(root.Sealed)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return opened
}

// signingKeys returns the provider's own keys, so that a token can be wrong in what it says alone.
func signingKeys(t *testing.T, p *apptest.Provider) map[oidc.KeyID]crypto.Signer {
	t.Helper()
	chain, keys := keychain(t, p), map[oidc.KeyID]crypto.Signer{}
	err := p.Store.View(t.Context(), func(r ports.Reader) error {
		ring, err := r.SigningKeys()
		for _, k := range ring {
			der, err := chain.Open(ports.PurposeSigningKeys, string(k.ID), k.Sealed)
			if err != nil {
				return err
			}
			private, err := x509.ParsePKCS8PrivateKey(der)
			if err != nil {
				return err
			}
			keys[k.ID] = private.(crypto.Signer)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// base64url writes a segment of a token.
func base64url(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// sealedBy returns a token with the header and the payload as they are given, signed by the key as RFC 7515 says.
func sealedBy(t *testing.T, key crypto.Signer, header, payload string) string {
	t.Helper()
	text := base64url(header) + "." + base64url(payload)
	sum := sha256.Sum256([]byte(text))
	var signature []byte
	var err error
	switch k := key.(type) {
	case *ecdsa.PrivateKey:
		r, s, err := ecdsa.Sign(rand.Reader, k, sum[:])
		if err != nil {
			t.Fatal(err)
		}
		size := (k.Params().BitSize + 7) / 8
		signature = append(r.FillBytes(make([]byte, size)), s.FillBytes(make([]byte, size))...)
	case *rsa.PrivateKey:
		if signature, err = rsa.SignPKCS1v15(rand.Reader, k, crypto.SHA256, sum[:]); err != nil {
			t.Fatal(err)
		}
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}
