package jose

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base32"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"time"

	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

// rsaBits is the size of RSA keys: RFC 7518 §3.3 asks for 2048 or more, and each step up makes signing slower by a lot.
const rsaBits = 2048

// ecSize is the size in bytes of a coordinate of P-256, and of each half of an ES256 signature (RFC 7518 §3.4).
const ecSize = 32

// NewKey makes a signing key and seals its private part. Its ID is the beginning of the thumbprint of RFC 7638, so
// that no two keys share one.
func (s *Signer) NewKey(order oidc.KeyOrder, now time.Time) (oidc.SigningKey, error) {
	private, err := generate(order.Algorithm)
	if err != nil {
		return oidc.SigningKey{}, err
	}
	id, public, err := publicJWK(private)
	if err != nil {
		return oidc.SigningKey{}, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return oidc.SigningKey{}, fmt.Errorf("encode signing key: %w", err)
	}
	return oidc.SigningKey{
		ID: id, Algorithm: order.Algorithm, Public: public,
		Sealed:    s.keychain.Seal(ports.PurposeSigningKeys, string(id), der),
		CreatedAt: now, ActiveAt: order.ActiveAt,
	}, nil
}

func generate(alg oauth.Algorithm) (crypto.Signer, error) {
	switch alg {
	case oauth.ES256:
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case oauth.RS256:
		return rsa.GenerateKey(rand.Reader, rsaBits)
	}
	return nil, fmt.Errorf("there are no signing keys for the algorithm %q", alg)
}

// kidEncoding writes a key ID in letters and digits only: administrators type them after a command.
var kidEncoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// publicJWK returns the public part of a key as a JWK (RFC 7517 §4) and its kid.
func publicJWK(private crypto.Signer) (oidc.KeyID, []byte, error) {
	encode := base64.RawURLEncoding.EncodeToString
	var alg oauth.Algorithm
	var kty, thumbprint, rest string // RFC 7638 §3.2 fixes members and order of what the thumbprint hashes
	switch k := private.(type) {
	case *ecdsa.PrivateKey:
		point, err := k.PublicKey.Bytes() // 4, then both coordinates (SEC 1 §2.3.3)
		if err != nil || k.Curve != elliptic.P256() {
			return "", nil, errors.New("a signing key is not on the curve P-256")
		}
		x, y := encode(point[1:1+ecSize]), encode(point[1+ecSize:])
		alg, kty = oauth.ES256, "EC"
		thumbprint = `{"crv":"P-256","kty":"EC","x":"` + x + `","y":"` + y + `"}`
		rest = `"crv":"P-256","x":"` + x + `","y":"` + y + `"`
	case *rsa.PrivateKey:
		n, e := encode(k.N.Bytes()), encode(big.NewInt(int64(k.E)).Bytes())
		alg, kty = oauth.RS256, "RSA"
		thumbprint = `{"e":"` + e + `","kty":"RSA","n":"` + n + `"}`
		rest = `"n":"` + n + `","e":"` + e + `"`
	default:
		return "", nil, errors.New("a signing key is of an unknown kind")
	}
	sum := sha256.Sum256([]byte(thumbprint))
	id := kidEncoding.EncodeToString(sum[:10])
	return oidc.KeyID(id), []byte(`{"kty":"` + kty + `","use":"sig","alg":"` + string(alg) + `","kid":"` + id + `",` + rest + `}`), nil
}

// key is an unsealed signing key.
type key struct {
	record  oidc.SigningKey
	private crypto.Signer
	headers map[string]string // by typ: the header as it begins a token, with its dot
	known   known             // of an EC key
}

// unseal opens the private key of a record. The record comes from a database that an attacker may have written to, so the
// public half, which we would publish, must be the one that belongs to the sealed half.
func unseal(keychain ports.Keychain, record oidc.SigningKey) (*key, error) {
	fault := func(err error) error { return fmt.Errorf("signing key %s: %w", record.ID, err) }
	der, err := keychain.Open(ports.PurposeSigningKeys, string(record.ID), record.Sealed)
	if err != nil {
		return nil, fault(err)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fault(errors.New("the private key does not parse"))
	}
	private, ok := parsed.(crypto.Signer)
	if !ok {
		return nil, fault(errors.New("the private key is of an unknown kind"))
	}
	_, public, err := publicJWK(private) // with the kid: a record sealed for one ID opens under no other
	if err != nil {
		return nil, fault(err)
	}
	if !bytes.Equal(public, record.Public) || !fits(private, record.Algorithm) {
		return nil, fault(errors.New("the public key or the algorithm does not belong to the private key: restore the database from a backup"))
	}
	k := &key{record: record, private: private, headers: map[string]string{}}
	for _, typ := range []string{typAccessToken, typIDToken, typLogoutToken} {
		header := `{"alg":"` + string(record.Algorithm) + `","typ":"` + typ + `","kid":"` + string(record.ID) + `"}`
		k.headers[typ] = base64.RawURLEncoding.EncodeToString([]byte(header)) + "."
	}
	return k, nil
}

// fits reports whether the key is one for the algorithm. One key, one algorithm (RFC 8725 §3.1).
func fits(private crypto.Signer, alg oauth.Algorithm) bool {
	switch k := private.(type) {
	case *ecdsa.PrivateKey:
		return alg == oauth.ES256
	case *rsa.PrivateKey:
		return alg == oauth.RS256 && k.N.BitLen() >= rsaBits
	}
	return false
}

// appendSignature appends the signature of the text as JWS writes it (RFC 7518 §3.3, §3.4).
func (k *key) appendSignature(b, text []byte) ([]byte, error) {
	digest := sha256.Sum256(text)
	switch private := k.private.(type) {
	case *ecdsa.PrivateKey:
		// No source of randomness: the nonce comes from key and text (RFC 6979), as RFC 8725 §3.2 asks, because one bad nonce
		// gives the key away. It is faster too.
		der, err := private.Sign(nil, digest[:], crypto.SHA256)
		if err != nil {
			return nil, err
		}
		signature, err := halves(der)
		if err != nil {
			return nil, err
		}
		k.known.add(tagOf(digest, signature))
		return base64.RawURLEncoding.AppendEncode(b, signature[:]), nil
	case *rsa.PrivateKey:
		signature, err := rsa.SignPKCS1v15(nil, private, crypto.SHA256, digest[:])
		if err != nil {
			return nil, err
		}
		return base64.RawURLEncoding.AppendEncode(b, signature), nil
	}
	return nil, errors.New("a signing key is of an unknown kind")
}

// halves returns r and s of an ECDSA signature, each in its full size (RFC 7518 §3.4). DER writes a sequence of two integers
// without leading zeros, but with one before a first bit that is set.
func halves(der []byte) (signature [2 * ecSize]byte, err error) {
	rest, ok := bytes.CutPrefix(der, []byte{0x30, byte(len(der) - 2)})
	for end := ecSize; ok && end <= len(signature); end += ecSize {
		if ok = len(rest) >= 2 && rest[0] == 2 && len(rest) >= 2+int(rest[1]); !ok {
			break
		}
		size := 2 + int(rest[1])
		number := bytes.TrimLeft(rest[2:size], "\x00")
		if ok = len(number) <= ecSize; ok {
			copy(signature[end-len(number):], number)
		}
		rest = rest[size:]
	}
	if !ok || len(rest) > 0 {
		return signature, errors.New("a signature is not in DER")
	}
	return signature, nil
}

// verified reports whether the signature over the text was made with the key. RSA verifies fast enough not to be remembered.
func (k *key) verified(text string, signature []byte) bool {
	digest := sha256.Sum256([]byte(text))
	switch private := k.private.(type) {
	case *ecdsa.PrivateKey:
		if len(signature) != 2*ecSize {
			return false
		}
		tag := tagOf(digest, [2 * ecSize]byte(signature))
		if k.known.has(tag) {
			return true
		}
		r, s := new(big.Int).SetBytes(signature[:ecSize]), new(big.Int).SetBytes(signature[ecSize:])
		good := ecdsa.Verify(&private.PublicKey, digest[:], r, s)
		if good {
			k.known.add(tag)
		}
		return good
	case *rsa.PrivateKey:
		return rsa.VerifyPKCS1v15(&private.PublicKey, crypto.SHA256, digest[:], signature) == nil
	}
	return false
}
