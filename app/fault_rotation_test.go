package app_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"latchkey/app/apptest"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

// verifier is an application that caches the key set for its whole max-age and asks for no other meanwhile, whatever kid
// it meets.
type verifier struct {
	keys    map[string]any
	fetched time.Time
}

// verify checks the signature of a token with what is cached.
func (v *verifier) verify(t *testing.T, p *apptest.Provider, token string) error {
	t.Helper()
	if v.keys == nil || p.Now().Sub(v.fetched) >= oidc.KeySetMaxAge {
		v.keys, v.fetched = publishedKeys(t, p), p.Now()
	}
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return fmt.Errorf("no token: %q", token)
	}
	var header struct{ Alg, Kid string }
	if err := json.Unmarshal(octets(parts[0]), &header); err != nil {
		return err
	}
	sum, signature := sha256.Sum256([]byte(parts[0]+"."+parts[1])), octets(parts[2])
	switch key := v.keys[header.Kid].(type) {
	case *ecdsa.PublicKey:
		if header.Alg == "ES256" && len(signature) == 64 && ecdsa.Verify(key, sum[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])) {
			return nil
		}
	case *rsa.PublicKey:
		if header.Alg == "RS256" {
			return rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature)
		}
	default:
		return fmt.Errorf("no key %q of %s in a set fetched %v ago", header.Kid, header.Alg, p.Now().Sub(v.fetched))
	}
	return fmt.Errorf("the signature is not that of key %s", header.Kid)
}

// newestKey returns when the newest key begins to sign.
func newestKey(t *testing.T, p *apptest.Provider) (at time.Time) {
	t.Helper()
	if err := p.Store.View(t.Context(), func(r ports.Reader) error {
		ring, err := r.SigningKeys()
		for _, k := range ring {
			if k.ActiveAt.After(at) {
				at = k.ActiveAt
			}
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return at
}

func publishedKeys(t *testing.T, p *apptest.Provider) map[string]any {
	t.Helper()
	var set struct {
		Keys []struct{ Kid, Kty, X, Y, N, E string }
	}
	if err := json.Unmarshal([]byte(p.Client("web").Send("GET", apptest.Alias("/jwks"), "", nil).Text), &set); err != nil {
		t.Fatal(err)
	}
	keys := map[string]any{}
	for _, k := range set.Keys {
		number := func(s string) *big.Int { return new(big.Int).SetBytes(octets(s)) }
		if k.Kty == "EC" {
			keys[k.Kid] = &ecdsa.PublicKey{Curve: elliptic.P256(), X: number(k.X), Y: number(k.Y)}
		} else {
			keys[k.Kid] = &rsa.PublicKey{N: number(k.N), E: int(number(k.E).Int64())}
		}
	}
	return keys
}

func octets(s string) []byte {
	b, _ := base64.RawURLEncoding.DecodeString(s) // what is none verifies nothing
	return b
}

// OP-01, OP-11: key after key takes over, and applications that never fetch the key set early verify every token.
func TestFaultRotation(t *testing.T) {
	t.Parallel()
	rotations, perRotation := size(t, "ROTATIONS", 1), size(t, "VERIFICATIONS", 600)
	p := apptest.New(t)
	verifiers := make([]verifier, 20)
	clients := []*apptest.RP{p.Client("web"), p.Client("loose")} // ES256 and RS256
	verified, failed, erased := 0, 0, 0
	for rotation := range rotations {
		// What was issued lately is verified again later, as long as it lives.
		var recent []string
		var b *apptest.Browser
		heads := make([]string, len(clients))
		step := func(d time.Duration) {
			p.Advance(d)
			done, err := p.Admin.RotateKeys(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			erased += len(done.Erased)
			rp := verified / len(verifiers) % len(clients)
			r := wantTokens(t, clients[rp].Refresh(heads[rp]))
			heads[rp] = r.Get("refresh_token")
			recent = append(recent, r.Get("id_token"), r.Get("access_token"))
			recent = recent[max(0, len(recent)-8):]
			for i := range verifiers {
				verified++
				if err := verifiers[i].verify(t, p, recent[(i+verified)%len(recent)]); err != nil {
					failed++
					t.Errorf("rotation %d: %v", rotation, err)
				}
				if i%4 == 0 {
					p.Advance(time.Second) // so that their caches end at different times
				}
			}
		}
		// Around the first publication of the next keys and around their first use, in steps shorter than a cache lives; the
		// months between them at once.
		steps := perRotation / len(verifiers) / 2
		for _, instant := range []time.Time{newestKey(t, p).Add(oidc.KeyRotation - oidc.KeyLead), newestKey(t, p).Add(oidc.KeyRotation)} {
			p.Advance(instant.Add(-time.Duration(steps) * 21 * time.Second).Sub(p.Now()))
			b, recent = p.Browser(), nil
			for i, rp := range clients {
				heads[i] = rp.SignIn(b, "alice").Get("refresh_token")
			}
			for range steps {
				step(37 * time.Second)
			}
			if !p.Now().After(instant) {
				t.Fatal("the steps do not reach the rotation")
			}
		}
		if at := newestKey(t, p); at.After(p.Now()) || at.Before(p.Now().Add(-time.Duration(steps+60)*time.Minute)) {
			t.Errorf("rotation %d: the newest key signs since %v, and it is %v", rotation, at, p.Now())
		}
	}
	if rotations > 1 && erased == 0 {
		t.Error("no key was ever erased")
	}
	t.Logf("%d rotations, %d keys erased; %d verifications by %d applications that never fetch early: %d failed", rotations, erased, verified, len(verifiers), failed)
}
