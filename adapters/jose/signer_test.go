package jose

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

// JW-09: public members only, unique kid, alg and use.
func TestKeySet(t *testing.T) {
	s := New(new(keychain))
	ring := oidc.KeyRing{
		record(t, rsaKey(), oauth.RS256, begin),
		record(t, fixedKey(t, 3), oauth.ES256, begin.Add(24*time.Hour)),  // upcoming
		record(t, fixedKey(t, 1), oauth.ES256, begin.Add(-24*time.Hour)), // retired
		record(t, fixedKey(t, 2), oauth.ES256, begin),
	}
	if err := s.Use(ring); err != nil {
		t.Fatal(err)
	}
	text, err := s.KeySet()
	if err != nil {
		t.Fatal(err)
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, text, "", "  "); err != nil {
		t.Fatal(err)
	}
	golden(t, "jwks", indented.String()+"\n")

	var set struct{ Keys []map[string]string }
	if err := json.Unmarshal(text, &set); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, k := range set.Keys {
		if k["use"] != "sig" || seen[k["kid"]] || k["kid"] == "" {
			t.Errorf("key %v", k)
		}
		seen[k["kid"]] = true
		want := []string{"alg", "crv", "kid", "kty", "use", "x", "y"}
		if k["kty"] == "RSA" {
			want = []string{"alg", "e", "kid", "kty", "n", "use"}
		}
		for _, name := range want {
			if k[name] == "" {
				t.Errorf("key %s has no %s", k["kid"], name)
			}
		}
		if len(k) != len(want) {
			t.Errorf("key %s has other members than %v", k["kid"], want)
		}
	}
	if len(seen) != len(ring) {
		t.Errorf("%d keys are published, want %d", len(seen), len(ring))
	}

	ring[0], ring[3] = ring[3], ring[0]
	if err := s.Use(ring); err != nil {
		t.Fatal(err)
	}
	if again, _ := s.KeySet(); !bytes.Equal(again, text) {
		t.Error("the order of the ring changes the key set")
	}
}

func TestNewKeySigns(t *testing.T) {
	k := new(keychain)
	s := New(k)
	var ring oidc.KeyRing
	for _, alg := range []oauth.Algorithm{oauth.ES256, oauth.RS256} {
		made, err := s.NewKey(oidc.KeyOrder{Algorithm: alg, ActiveAt: begin.Add(time.Hour)}, begin)
		if err != nil {
			t.Fatal(err)
		}
		if made.Algorithm != alg || !made.CreatedAt.Equal(begin) || !made.ActiveAt.Equal(begin.Add(time.Hour)) || len(made.ID) != 16 {
			t.Errorf("key %s %s, created %v, active %v", made.ID, made.Algorithm, made.CreatedAt, made.ActiveAt)
		}
		if _, err := k.Open(ports.PurposeSigningKeys, string(made.ID), made.Sealed); err != nil {
			t.Errorf("the private key is not sealed for its row: %v", err)
		}
		ring = append(ring, made)
	}
	if err := s.Use(ring); err != nil {
		t.Fatal(err)
	}
	token := fullIDToken()
	for _, alg := range []oauth.Algorithm{oauth.ES256, oauth.RS256} {
		text, err := s.SignIDToken(token, alg)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.VerifyIDToken(text, issuer); err != nil {
			t.Errorf("%s: %v", alg, err)
		}
		verifyFromKeySet(t, s, text)
	}
	if _, err := s.NewKey(oidc.KeyOrder{Algorithm: "HS256"}, begin); err == nil {
		t.Error("a key for HS256 was made")
	}
}

// verifyFromKeySet verifies a token as a client does: with the published keys and none of our code.
func verifyFromKeySet(t *testing.T, s *Signer, token oauth.Secret) {
	t.Helper()
	text, err := s.KeySet()
	if err != nil {
		t.Fatal(err)
	}
	var set struct {
		Keys []struct{ Kid, Alg, X, Y, N, E string }
	}
	var header struct{ Kid, Alg string }
	head, _ := parts(t, token)
	if err := errors.Join(json.Unmarshal(text, &set), json.Unmarshal([]byte(head), &header)); err != nil {
		t.Fatal(err)
	}
	integer := func(s string) *big.Int {
		b, err := base64.RawURLEncoding.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return new(big.Int).SetBytes(b)
	}
	dot := strings.LastIndexByte(token.Reveal(), '.')
	digest := oauth.Secret(token.Reveal()[:dot]).Digest()
	signature, err := base64.RawURLEncoding.DecodeString(token.Reveal()[dot+1:])
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range set.Keys {
		if k.Kid != header.Kid || k.Alg != header.Alg {
			continue
		}
		valid := false
		if k.Alg == "ES256" {
			public := ecdsa.PublicKey{Curve: elliptic.P256(), X: integer(k.X), Y: integer(k.Y)}
			valid = len(signature) == 64 && ecdsa.Verify(&public, digest[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:]))
		} else {
			public := rsa.PublicKey{N: integer(k.N), E: int(integer(k.E).Int64())}
			valid = rsa.VerifyPKCS1v15(&public, crypto.SHA256, digest[:], signature) == nil
		}
		if !valid {
			t.Errorf("the signature does not verify with the published key %s", k.Kid)
		}
		return
	}
	t.Errorf("no published key has kid %s and alg %s", header.Kid, header.Alg)
}

func TestNotReadyBeforeUse(t *testing.T) {
	s := New(new(keychain))
	_, err1 := s.KeySet()
	_, err2 := s.SignAccessToken(fullAccessToken())
	_, err3 := s.SignIDToken(fullIDToken(), oauth.ES256)
	_, err4 := s.VerifyAccessToken("a.b.c")
	_, err5 := s.VerifyIDToken("a.b.c", issuer)
	for i, err := range []error{err1, err2, err3, err4, err5, s.Use(nil)} {
		if !errors.Is(err, ports.ErrKeysNotReady) {
			t.Errorf("call %d: error %v, want ErrKeysNotReady", i+1, err)
		}
	}
	if err := s.Use(oidc.KeyRing{record(t, rsaKey(), oauth.RS256, begin)}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.SignAccessToken(fullAccessToken()); !errors.Is(err, ports.ErrKeysNotReady) {
		t.Errorf("no ES256 key: error %v, want ErrKeysNotReady", err)
	}
}

func TestRotationChangesTheKeyAtIssuedAt(t *testing.T) {
	s := New(new(keychain))
	old, next := record(t, fixedKey(t, 1), oauth.ES256, begin), record(t, fixedKey(t, 2), oauth.ES256, begin.Add(time.Hour))
	if err := s.Use(oidc.KeyRing{old, next}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		at   time.Duration
		want oidc.KeyID
	}{{-time.Hour, old.ID}, {0, old.ID}, {time.Hour - time.Millisecond, old.ID}, {time.Hour, next.ID}, {time.Hour * 1000, next.ID}} {
		token := fullAccessToken()
		token.IssuedAt = begin.Add(c.at)
		text, err := s.SignAccessToken(token)
		if err != nil {
			t.Fatal(err)
		}
		if header, _ := parts(t, text); !strings.Contains(header, `"kid":"`+string(c.want)+`"`) {
			t.Errorf("issued %v after the first key began: header %s, want kid %s", c.at, header, c.want)
		}
		if _, err := s.VerifyAccessToken(text); err != nil {
			t.Errorf("issued at %v: %v", c.at, err)
		}
	}
	token, err := s.SignAccessToken(oauth.AccessToken{ID: "j", Issuer: issuer, Audience: "a", Subject: "u", Client: "c", IssuedAt: begin, ExpiresAt: begin})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Use(oidc.KeyRing{next}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.VerifyAccessToken(token); !errors.Is(err, errKey) {
		t.Errorf("token of an erased key: error %v", err)
	}
}

func TestUseUnsealsOnce(t *testing.T) {
	k := new(keychain)
	s := New(k)
	a, b := record(t, fixedKey(t, 1), oauth.ES256, begin), record(t, fixedKey(t, 2), oauth.ES256, begin)
	for i, c := range []struct {
		ring   oidc.KeyRing
		opened int
	}{{oidc.KeyRing{a}, 1}, {oidc.KeyRing{a}, 1}, {oidc.KeyRing{a, b}, 2}, {oidc.KeyRing{b}, 2}, {oidc.KeyRing{a, b}, 3}} {
		if err := s.Use(c.ring); err != nil {
			t.Fatal(err)
		}
		if k.opened != c.opened {
			t.Errorf("ring %d: %d keys were unsealed so far, want %d", i, k.opened, c.opened)
		}
	}
}

// A row of the database that was altered must not make us publish or use somebody else's key.
func TestUseRefusesAlteredKeys(t *testing.T) {
	good, other := record(t, fixedKey(t, 1), oauth.ES256, begin), record(t, fixedKey(t, 2), oauth.ES256, begin)
	rsaRecord := record(t, rsaKey(), oauth.RS256, begin)
	alter := func(change func(*oidc.SigningKey)) oidc.KeyRing {
		k := good
		change(&k)
		return oidc.KeyRing{rsaRecord, k}
	}
	for name, ring := range map[string]oidc.KeyRing{
		"public key swapped":  alter(func(k *oidc.SigningKey) { k.Public = other.Public }),
		"private key swapped": alter(func(k *oidc.SigningKey) { k.Sealed = other.Sealed }),
		"id changed":          alter(func(k *oidc.SigningKey) { k.ID = other.ID }),
		"algorithm changed":   alter(func(k *oidc.SigningKey) { k.Algorithm = oauth.RS256 }),
		"algorithm none":      alter(func(k *oidc.SigningKey) { k.Algorithm = "none" }),
		"nothing sealed":      alter(func(k *oidc.SigningKey) { k.Sealed = nil }),
		"something else sealed": alter(func(k *oidc.SigningKey) {
			k.Sealed = new(keychain).Seal(ports.PurposeSigningKeys, string(k.ID), []byte("no key"))
		}),
		"sealed for another use": alter(func(k *oidc.SigningKey) {
			k.Sealed = new(keychain).Seal(ports.PurposeCSRF, string(k.ID), []byte("no key"))
		}),
		"the same key twice": {good, good},
	} {
		s := New(new(keychain))
		if err := s.Use(oidc.KeyRing{good, rsaRecord}); err != nil {
			t.Fatal(err)
		}
		before, _ := s.KeySet()
		if err := s.Use(ring); err == nil {
			t.Errorf("%s: accepted", name)
		}
		if after, _ := s.KeySet(); !bytes.Equal(before, after) {
			t.Errorf("%s: the former ring is gone", name)
		}
	}
}

func TestSignerTogether(t *testing.T) {
	s := newSigner(t)
	rings := []oidc.KeyRing{{record(t, fixedKey(t, 7), oauth.ES256, begin)}, s.current.Load().ring}
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for j := range 50 {
				token := fullAccessToken()
				token.ID = oauth.TokenID(strings.Repeat("x", i*50+j+1))
				text, err := s.SignAccessToken(token)
				if err != nil {
					t.Error(err)
					return
				}
				if got, err := s.VerifyAccessToken(text); err != nil || got.ID != token.ID {
					t.Errorf("token %d.%d: %v", i, j, err)
				}
				if i == 0 {
					if err := s.Use(rings[j%2]); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
}
