package masterkey

import (
	"bytes"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"latchkey/ports"
)

func TestMAC(t *testing.T) {
	k := New([32]byte{1})
	key, err := hkdf.Key(sha256.New, append([]byte{1}, make([]byte, 31)...), nil, "latchkey v1 mac csrf", 32)
	if err != nil {
		t.Fatal(err)
	}
	for _, message := range []string{"", "a", strings.Repeat("long ", 100), "a"} {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(message))
		if got := k.MAC("csrf", []byte(message)); !bytes.Equal(got[:], h.Sum(nil)) {
			t.Errorf("MAC(%q) is not HMAC-SHA-256 under the key of the purpose", message)
		}
	}
	base := k.MAC(ports.PurposeCSRF, []byte("m"))
	if k.MAC(ports.PurposePepper, []byte("m")) == base {
		t.Error("two purposes share a key")
	}
	if New([32]byte{2}).MAC(ports.PurposeCSRF, []byte("m")) == base {
		t.Error("two master keys share a key")
	}
}

func TestMACTogether(t *testing.T) {
	k := New([32]byte{1})
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 200 {
				purpose, message := fmt.Sprint("purpose ", j%5), fmt.Appendf(nil, "message %d %d", i, j)
				if k.MAC(purpose, message) != New([32]byte{1}).MAC(purpose, message) {
					t.Error("concurrent use changes the result")
				}
			}
		})
	}
	wg.Wait()
}

func TestSealedValueOpensOnlyInItsPlace(t *testing.T) {
	k := New([32]byte{1})
	plain := []byte("a private key")
	sealed := k.Seal("ab", "c", plain)
	if got, err := k.Open("ab", "c", sealed); err != nil || !bytes.Equal(got, plain) {
		t.Fatalf("Open = %q, %v", got, err)
	}
	if bytes.Contains(sealed, plain) {
		t.Error("the plaintext shows")
	}
	if bytes.Equal(sealed, k.Seal("ab", "c", plain)) {
		t.Error("a nonce was used twice")
	}
	refused := func(what string, k *Keychain, purpose, row string, sealed []byte) {
		t.Helper()
		if got, err := k.Open(purpose, row, sealed); !errors.Is(err, ErrSealed) || got != nil {
			t.Errorf("%s: Open = %q, %v, want ErrSealed", what, got, err)
		}
	}
	refused("another row", k, "ab", "d", sealed)
	refused("another purpose", k, "x", "c", sealed)
	refused("the same letters divided otherwise", k, "a", "bc", sealed)
	refused("another master key", New([32]byte{2}), "ab", "c", sealed) // ST-09
	for i := range sealed {
		altered := bytes.Clone(sealed)
		altered[i] ^= 1
		refused(fmt.Sprint("bit flipped in byte ", i), k, "ab", "c", altered)
		refused(fmt.Sprint("cut to ", i), k, "ab", "c", sealed[:i])
	}
	refused("one byte more", k, "ab", "c", append(bytes.Clone(sealed), 0))
}

// OP-08
func TestKeychainDoesNotPrint(t *testing.T) {
	k := New([32]byte([]byte("sentinel-sentinel-sentinel-sent!")))
	k.MAC("p", nil)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d"} {
		if got := fmt.Sprintf(verb, k); got != "[secret]" {
			t.Errorf("%s prints %q", verb, got)
		}
	}
}

func FuzzOpen(f *testing.F) {
	k := New([32]byte{1})
	f.Add("p", "row", []byte(nil))
	f.Add("p", "row", []byte{sealVersion})
	f.Add("p", "row", make([]byte, 29))
	f.Add("p", "row", k.Seal("p", "row", []byte("plain")))
	f.Add("p", "other", k.Seal("p", "row", []byte("plain")))
	f.Fuzz(func(t *testing.T, purpose, row string, sealed []byte) {
		plain, err := k.Open(purpose, row, sealed)
		if err == nil && (purpose != "p" || row != "row" || string(plain) != "plain") {
			t.Errorf("Open(%q, %q, %x) opened as %q", purpose, row, sealed, plain)
		}
		again, err := k.Open(purpose, row, k.Seal(purpose, row, sealed))
		if err != nil || !bytes.Equal(again, sealed) {
			t.Errorf("round trip of %x gives %x, %v", sealed, again, err)
		}
	})
}

func BenchmarkMAC(b *testing.B) {
	k := New([32]byte{1})
	message := make([]byte, 64)
	b.ReportAllocs()
	for b.Loop() {
		k.MAC(ports.PurposeRefreshTokens, message)
	}
}
