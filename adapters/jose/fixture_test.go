package jose

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs.\ngot:\n%s\nwant:\n%s", path, got, want)
	}
}

// keychain seals by writing the place before the plaintext, and counts what it opens.
type keychain struct {
	ports.Keychain
	opened int
}

func (k *keychain) Seal(purpose, row string, plaintext []byte) []byte {
	return []byte(purpose + "|" + row + "|" + string(plaintext))
}

func (k *keychain) Open(purpose, row string, sealed []byte) ([]byte, error) {
	k.opened++
	plaintext, ok := bytes.CutPrefix(sealed, []byte(purpose+"|"+row+"|"))
	if !ok {
		return nil, errors.New("does not open")
	}
	return plaintext, nil
}

// begin is when the keys of the fixture begin to sign.
var begin = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// fixedKey is the P-256 key whose private scalar is n n n …, for n from 1 to 254.
func fixedKey(t testing.TB, n byte) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), bytes.Repeat([]byte{n}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

var rsaKey = sync.OnceValue(func() crypto.Signer {
	text, err := os.ReadFile("testdata/rsa.pem")
	if err != nil {
		panic(err)
	}
	block, _ := pem.Decode(text)
	k, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		panic(err)
	}
	return k.(crypto.Signer)
})

// record stores a private key as NewKey does.
func record(t testing.TB, private crypto.Signer, alg oauth.Algorithm, activeAt time.Time) oidc.SigningKey {
	t.Helper()
	id, public, err := publicJWK(private)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return oidc.SigningKey{ID: id, Algorithm: alg, Public: public, CreatedAt: begin, ActiveAt: activeAt,
		Sealed: new(keychain).Seal(ports.PurposeSigningKeys, string(id), der)}
}

// newSigner returns a signer with a fixed key of each algorithm.
func newSigner(t testing.TB) *Signer {
	t.Helper()
	s := New(new(keychain))
	if err := s.Use(oidc.KeyRing{record(t, fixedKey(t, 7), oauth.ES256, begin), record(t, rsaKey(), oauth.RS256, begin)}); err != nil {
		t.Fatal(err)
	}
	return s
}

// keyFor returns the key that signs with the algorithm.
func keyFor(t testing.TB, s *Signer, alg oauth.Algorithm) *key {
	t.Helper()
	r, ok := s.current.Load().ring.Active(alg, begin)
	if !ok {
		t.Fatal("no key")
	}
	return s.current.Load().keys[r.ID]
}

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

// signed makes a token of any header and payload, signed by the key.
func signed(t testing.TB, k *key, header, payload string) oauth.Secret {
	t.Helper()
	text := b64(header) + "." + b64(payload)
	token, err := k.appendSignature([]byte(text+"."), []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return oauth.Secret(token)
}

// parts decodes header and payload.
func parts(t testing.TB, token oauth.Secret) (header, payload string) {
	t.Helper()
	segments := strings.Split(token.Reveal(), ".")
	if len(segments) != 3 {
		t.Fatalf("%d segments", len(segments))
	}
	h, err1 := base64.RawURLEncoding.DecodeString(segments[0])
	p, err2 := base64.RawURLEncoding.DecodeString(segments[1])
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	return string(h), string(p)
}

const issuer = "https://op.test"

func fullAccessToken() oauth.AccessToken {
	return oauth.AccessToken{ID: "grant1.family2.3", Issuer: issuer, Audience: "https://api.test", Subject: "user4", Client: "client5",
		Session: "session6", Scope: "openid profile", AuthTime: begin.Add(7 * time.Second), ACR: "acr8", AMR: []string{"pwd", "otp"},
		IssuedAt: begin.Add(9 * time.Second), ExpiresAt: begin.Add(10 * time.Second)}
}

func fullIDToken() oidc.IDToken {
	return oidc.IDToken{Issuer: issuer, Subject: "user1", Audience: "client2", Session: "session3", Nonce: "nonce4",
		AuthTime: begin.Add(5 * time.Second), ACR: "acr6", AMR: []string{"pwd"}, AccessTokenHash: "hash7",
		IssuedAt: begin.Add(8 * time.Second), ExpiresAt: begin.Add(9 * time.Second), Claims: oidc.Claims{
			"name": "Siti \"Iti\" Nurhaliza\n<b>&\u2028", "email": "siti@example.test", "email_verified": true, "updated_at": int64(1767323045),
			"groups": []string{"staff", "admins"}, "address": &identity.Address{Country: "ID", Locality: "Bandung"},
			"sub": "somebody else", "nonce": "another", "Iss": "https://evil.test", "azp": "other"}}
}
