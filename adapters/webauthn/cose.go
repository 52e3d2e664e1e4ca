package webauthn

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"math/big"
)

// COSE algorithms (IANA COSE Algorithms). Every authenticator there is signs with one of them.
const (
	algES256 = -7
	algEdDSA = -8
	algRS256 = -257
)

// algorithms lists them in the order in which they are asked for: short keys and signatures first.
var algorithms = []int64{algES256, algEdDSA, algRS256}

// Labels of COSE_Key (RFC 9052 §7.1, RFC 9053 §7.1, §7.2, RFC 8230 §4). One number means different things by key type.
const (
	labelType      = int64(1)
	labelAlgorithm = int64(3)
	labelCurve     = int64(-1)
	labelX         = int64(-2)
	labelY         = int64(-3)
	labelModulus   = int64(-1)
	labelExponent  = int64(-2)

	typeOKP = int64(1)
	typeEC2 = int64(2)
	typeRSA = int64(3)

	curveP256    = int64(1)
	curveEd25519 = int64(6)
)

// Sizes of RSA keys in bits: less is weak, more only makes us work.
const (
	minRSA = 2048
	maxRSA = 4096
)

var errKey = errors.New("the public key is not one of a kind that was asked for")

// publicKey is the key of a passkey, with the one algorithm it is for: what a signature is checked with is decided when
// the key is made and never by the signature.
type publicKey struct {
	algorithm int64
	key       crypto.PublicKey
}

// readPublicKey reads the COSE_Key that b begins with, and returns its own bytes and what follows them.
func readPublicKey(b []byte) (key publicKey, own, rest []byte, err error) {
	v, rest, err := readCBOR(b)
	if err != nil {
		return publicKey{}, nil, nil, err
	}
	m, ok := v.(cborMap)
	if !ok {
		return publicKey{}, nil, nil, errKey
	}
	key, err = keyOf(m)
	return key, b[:len(b)-len(rest)], rest, err
}

// parsePublicKey reads a COSE_Key and nothing else.
func parsePublicKey(b []byte) (publicKey, error) {
	key, _, rest, err := readPublicKey(b)
	if err == nil && len(rest) != 0 {
		err = errKey
	}
	return key, err
}

// keyOf makes a key of its members. There are exactly those that §6.5.1 of WebAuthn lets be there: no key operations, and
// no private part that somebody sent along.
func keyOf(m cborMap) (publicKey, error) {
	kty, _ := m[labelType].(int64)
	alg, _ := m[labelAlgorithm].(int64)
	var key crypto.PublicKey
	switch {
	case alg == algES256 && kty == typeEC2 && m[labelCurve] == curveP256 && len(m) == 5:
		key = pointOf(m)
	case alg == algEdDSA && kty == typeOKP && m[labelCurve] == curveEd25519 && len(m) == 4:
		if x, _ := m[labelX].([]byte); len(x) == ed25519.PublicKeySize {
			key = ed25519.PublicKey(x)
		}
	case alg == algRS256 && kty == typeRSA && len(m) == 4:
		key = modulusOf(m)
	}
	if key == nil {
		return publicKey{}, errKey
	}
	return publicKey{alg, key}, nil
}

// pointOf returns the key of a point that is on the curve, or nil. It is written with both coordinates (§5.8.5).
func pointOf(m cborMap) crypto.PublicKey {
	const size = 32
	x, _ := m[labelX].([]byte)
	y, _ := m[labelY].([]byte)
	if len(x) != size || len(y) != size {
		return nil
	}
	uncompressed := append(append([]byte{4}, x...), y...)
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), uncompressed)
	if err != nil {
		return nil
	}
	return key
}

// modulusOf returns an RSA key of a bearable size, or nil. Both integers are written without leading zeros (RFC 8230 §4).
func modulusOf(m cborMap) crypto.PublicKey {
	n, _ := m[labelModulus].([]byte)
	e, _ := m[labelExponent].([]byte)
	if len(n) == 0 || n[0] == 0 || len(n) > maxRSA/8 || len(e) == 0 || e[0] == 0 || len(e) > 4 {
		return nil
	}
	key := &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())}
	if key.N.BitLen() < minRSA || key.N.Bit(0) == 0 || key.E < 3 || key.E&1 == 0 || key.E > 1<<31-1 {
		return nil
	}
	return key
}

// verified reports whether the signature over the message was made with the key (WebAuthn §6.5.5).
func (k publicKey) verified(message, signature []byte) bool {
	digest := sha256.Sum256(message)
	switch key := k.key.(type) {
	case *ecdsa.PublicKey:
		return ecdsa.VerifyASN1(key, digest[:], signature)
	case ed25519.PublicKey:
		return len(signature) == ed25519.SignatureSize && ed25519.Verify(key, message, signature)
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], signature) == nil
	}
	return false
}
