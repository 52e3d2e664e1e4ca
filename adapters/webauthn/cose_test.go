package webauthn

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"math/big"
	"testing"

	test "latchkey/ports/passkeytest"
)

func TestParsePublicKey(t *testing.T) {
	for _, algorithm := range []int{test.ES256, test.EdDSA, test.RS256} {
		a := test.New(t, "https://id.example", "id.example", algorithm)
		text := a.PublicKey(t)
		key, err := parsePublicKey(text)
		if err != nil || key.algorithm != int64(algorithm) || !key.key.(interface{ Equal(crypto.PublicKey) bool }).Equal(a.Key.Public()) {
			t.Errorf("%d: %v, %v", algorithm, key, err)
		}
		_, own, rest, err := readPublicKey(append(bytes.Clone(text), 0xA0))
		if err != nil || !bytes.Equal(own, text) || !bytes.Equal(rest, []byte{0xA0}) {
			t.Errorf("%d: what follows the key: %x, %v", algorithm, rest, err)
		}
		if _, err := parsePublicKey(append(bytes.Clone(text), 0xA0)); err == nil {
			t.Errorf("%d: more came after the key", algorithm)
		}
	}
}

func TestRefusedPublicKeys(t *testing.T) {
	ec, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	point, _ := ec.PublicKey.Bytes()
	x, y := point[1:33], point[33:]
	off := bytes.Clone(y)
	off[31] ^= 1
	ed, _, _ := ed25519.GenerateKey(rand.Reader)
	modulus := make([]byte, 256)
	modulus[0], modulus[255] = 0x80, 1
	with := func(at int, b byte) []byte { m := bytes.Clone(modulus); m[at] = b; return m }
	i, b, m := test.Int, test.Bytes, test.Map
	e := []byte{1, 0, 1}
	for what, text := range map[string][]byte{
		"nothing":                   nil,
		"no map":                    i(1),
		"an empty map":              m(),
		"a point off the curve":     m(i(1), i(2), i(3), i(-7), i(-1), i(1), i(-2), b(x), i(-3), b(off)),
		"the point at infinity":     m(i(1), i(2), i(3), i(-7), i(-1), i(1), i(-2), b(make([]byte, 32)), i(-3), b(make([]byte, 32))),
		"a compressed point":        m(i(1), i(2), i(3), i(-7), i(-1), i(1), i(-2), b(x), i(-3), test.Bool(true)),
		"a short coordinate":        m(i(1), i(2), i(3), i(-7), i(-1), i(1), i(-2), b(x[1:]), i(-3), b(y)),
		"a long coordinate":         m(i(1), i(2), i(3), i(-7), i(-1), i(1), i(-2), b(append([]byte{0}, x...)), i(-3), b(y)),
		"P-384":                     m(i(1), i(2), i(3), i(-7), i(-1), i(2), i(-2), b(x), i(-3), b(y)),
		"ES384":                     m(i(1), i(2), i(3), i(-35), i(-1), i(1), i(-2), b(x), i(-3), b(y)),
		"ES256 with an RSA type":    m(i(1), i(3), i(3), i(-7), i(-1), i(1), i(-2), b(x), i(-3), b(y)),
		"an EC key for RS256":       m(i(1), i(2), i(3), i(-257), i(-1), i(1), i(-2), b(x), i(-3), b(y)),
		"an EC key for EdDSA":       m(i(1), i(2), i(3), i(-8), i(-1), i(1), i(-2), b(x), i(-3), b(y)),
		"no algorithm":              m(i(1), i(2), i(-1), i(1), i(-2), b(x), i(-3), b(y)),
		"a private part":            m(i(1), i(2), i(3), i(-7), i(-1), i(1), i(-2), b(x), i(-3), b(y), i(-4), b(x)),
		"key operations":            m(i(1), i(2), i(3), i(-7), i(4), test.Array(i(2)), i(-1), i(1), i(-2), b(x), i(-3), b(y)),
		"an algorithm as text":      m(i(1), i(2), i(3), test.Text("ES256"), i(-1), i(1), i(-2), b(x), i(-3), b(y)),
		"Ed448":                     m(i(1), i(1), i(3), i(-8), i(-1), i(7), i(-2), b(ed)),
		"X25519":                    m(i(1), i(1), i(3), i(-8), i(-1), i(4), i(-2), b(ed)),
		"a short Ed25519 key":       m(i(1), i(1), i(3), i(-8), i(-1), i(6), i(-2), b(ed[1:])),
		"an Ed25519 private part":   m(i(1), i(1), i(3), i(-8), i(-1), i(6), i(-2), b(ed), i(-4), b(ed)),
		"RSA of 2040 bits":          m(i(1), i(3), i(3), i(-257), i(-1), b(modulus[:255]), i(-2), b(e)),
		"RSA of 2047 bits":          m(i(1), i(3), i(3), i(-257), i(-1), b(with(0, 0x40)), i(-2), b(e)),
		"RSA of 4104 bits":          m(i(1), i(3), i(3), i(-257), i(-1), b(append(bytes.Repeat([]byte{0xFF}, 512), 1)), i(-2), b(e)),
		"a modulus after a zero":    m(i(1), i(3), i(3), i(-257), i(-1), b(append([]byte{0}, modulus...)), i(-2), b(e)),
		"an even modulus":           m(i(1), i(3), i(3), i(-257), i(-1), b(with(255, 2)), i(-2), b(e)),
		"no modulus":                m(i(1), i(3), i(3), i(-257), i(-1), b(nil), i(-2), b(e)),
		"an exponent of one":        m(i(1), i(3), i(3), i(-257), i(-1), b(modulus), i(-2), b([]byte{1})),
		"an even exponent":          m(i(1), i(3), i(3), i(-257), i(-1), b(modulus), i(-2), b([]byte{1, 0, 2})),
		"an exponent after a zero":  m(i(1), i(3), i(3), i(-257), i(-1), b(modulus), i(-2), b([]byte{0, 1, 0, 1})),
		"an exponent of 40 bits":    m(i(1), i(3), i(3), i(-257), i(-1), b(modulus), i(-2), b([]byte{1, 0, 0, 0, 1})),
		"an exponent of 32 bits":    m(i(1), i(3), i(3), i(-257), i(-1), b(modulus), i(-2), b([]byte{0xFF, 0xFF, 0xFF, 0xFF})),
		"PS256":                     m(i(1), i(3), i(3), i(-37), i(-1), b(modulus), i(-2), b(e)),
		"RS1":                       m(i(1), i(3), i(3), i(-65535), i(-1), b(modulus), i(-2), b(e)),
		"a symmetric key":           m(i(1), i(4), i(3), i(5), i(-1), b(x)),
		"members out of order":      m(i(3), i(-7), i(1), i(2), i(-1), i(1), i(-2), b(x), i(-3), b(y)),
		"an algorithm given twice":  m(i(1), i(2), i(3), i(-7), i(3), i(-7), i(-1), i(1), i(-2), b(x), i(-3), b(y)),
		"an algorithm under a text": m(i(1), i(2), i(-1), i(1), i(-2), b(x), i(-3), b(y), test.Text("3"), i(-7)),
	} {
		if key, err := parsePublicKey(text); err == nil {
			t.Errorf("%s: read as %v", what, key)
		}
	}
	// The same modulus with nothing wrong about it.
	if _, err := parsePublicKey(m(i(1), i(3), i(3), i(-257), i(-1), b(modulus), i(-2), b(e))); err != nil {
		t.Error(err)
	}
}

// writeKey writes a key as COSE has it.
func writeKey(k publicKey) []byte {
	switch key := k.key.(type) {
	case *ecdsa.PublicKey:
		point, _ := key.Bytes()
		return encode(cborMap{int64(1): int64(2), int64(3): k.algorithm, int64(-1): int64(1), int64(-2): point[1:33], int64(-3): point[33:]})
	case ed25519.PublicKey:
		return encode(cborMap{int64(1): int64(1), int64(3): k.algorithm, int64(-1): int64(6), int64(-2): []byte(key)})
	case *rsa.PublicKey:
		return encode(cborMap{int64(1): int64(3), int64(3): k.algorithm, int64(-1): key.N.Bytes(), int64(-2): big.NewInt(int64(key.E)).Bytes()})
	}
	panic("not a key")
}

// Whatever is read as a key is written one way only, and its signatures need not be right but never panic.
func FuzzParsePublicKey(f *testing.F) {
	for _, algorithm := range []int{test.ES256, test.EdDSA, test.RS256} {
		f.Add(test.New(f, "https://id.example", "id.example", algorithm).PublicKey(f), []byte("message"), []byte{0x30, 0x06, 2, 1, 1, 2, 1, 1})
	}
	f.Fuzz(func(t *testing.T, b, message, signature []byte) {
		key, err := parsePublicKey(b)
		if err != nil {
			return
		}
		if again := writeKey(key); !bytes.Equal(again, b) {
			t.Errorf("%x is a key that is written %x", b, again)
		}
		key.verified(message, signature)
	})
}
