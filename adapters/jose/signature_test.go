package jose

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"latchkey/domain/oauth"
)

// The signature of RFC 6979 §A.2.5: no randomness goes into it.
func TestSignatureIsDeterministic(t *testing.T) {
	secret, _ := hex.DecodeString("C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721")
	private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), secret)
	if err != nil {
		t.Fatal(err)
	}
	text, err := (&key{private: private}).appendSignature(nil, []byte("sample"))
	if err != nil {
		t.Fatal(err)
	}
	signature, _ := base64.RawURLEncoding.DecodeString(string(text))
	const want = "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8"
	if got := strings.ToUpper(hex.EncodeToString(signature)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// Halves that begin with zeros keep their size.
func TestSignaturesOfEverySize(t *testing.T) {
	k := keyFor(t, newSigner(t), oauth.ES256)
	short := 0
	for i := range 2000 {
		message := fmt.Appendf(nil, "message %d", i)
		text, err := k.appendSignature(nil, message)
		if err != nil {
			t.Fatal(err)
		}
		signature, err := base64.RawURLEncoding.DecodeString(string(text))
		if err != nil || len(signature) != 2*ecSize || !k.verified(string(message), signature) {
			t.Fatalf("%s: signature %x does not verify: %v", message, signature, err)
		}
		if signature[0] == 0 || signature[ecSize] == 0 {
			short++
		}
	}
	if short == 0 {
		t.Error("no half began with a zero: the test shows nothing")
	}
}

// What is remembered answers for itself alone: not for another text, signature or key, and nothing bad is remembered.
func TestKnownSignatures(t *testing.T) {
	signer := newSigner(t)
	k := keyFor(t, signer, oauth.ES256)
	other := &key{record: k.record, private: fixedKey(t, 77)}
	sign := func(k *key, message string) []byte {
		text, err := k.appendSignature(nil, []byte(message))
		if err != nil {
			t.Fatal(err)
		}
		signature, _ := base64.RawURLEncoding.DecodeString(string(text))
		return signature
	}
	mine, theirs := sign(k, "message"), sign(other, "message")
	fresh := &key{record: k.record, private: k.private} // has made none of them
	for range 2 {
		for _, k := range []*key{k, fresh} {
			if !k.verified("message", mine) {
				t.Fatal("a good signature is refused")
			}
			if k.verified("another", mine) || k.verified("message", theirs) || k.verified("message", mine[1:]) || k.verified("message", make([]byte, 2*ecSize)) {
				t.Fatal("a bad signature is accepted")
			}
		}
	}
	var forged [2 * ecSize]byte
	copy(forged[:], mine)
	tag := tagOf(sha256.Sum256([]byte("another")), forged)
	if k.known.has(tag) {
		t.Error("what did not verify is remembered")
	}
	k.known.add(tag)
	if !k.known.has(tag) || fresh.known.has(tag) {
		t.Error("one key remembers for another")
	}
}

func TestHalvesRefuses(t *testing.T) {
	good := []byte{0x30, 6, 2, 1, 5, 2, 1, 7}
	if got, err := halves(good); err != nil || got[ecSize-1] != 5 || got[2*ecSize-1] != 7 {
		t.Errorf("%x, %v", got, err)
	}
	large := append([]byte{0x30, 38, 2, 33}, bytes.Repeat([]byte{1}, 33)...)
	for _, der := range [][]byte{nil, {0x30}, good[:7], good[:5], append(bytes.Clone(good), 0), {0x30, 6, 2, 9, 5, 2, 1, 7}, {0x30, 6, 2, 1, 5, 3, 1, 7},
		append(large, 2, 1, 7), {0x31, 6, 2, 1, 5, 2, 1, 7}} {
		if _, err := halves(der); err == nil {
			t.Errorf("%x accepted", der)
		}
	}
}
