// Package passkeytest owns an authenticator in software with the browser around it, so that whoever takes passkeys can be
// tested without a browser. It writes its own CBOR: a reader that is tested against its own writer agrees with itself.
// Real browsers are left to the tests that have one.
package passkeytest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math/big"
	"testing"

	"latchkey/ports"
)

// COSE algorithms of the keys an authenticator can have.
const (
	ES256 = -7
	EdDSA = -8
	RS256 = -257
)

// Flags of authenticator data (Web Authentication §6.1).
const (
	Present        = 1 << 0
	Verified       = 1 << 2
	BackupEligible = 1 << 3
	BackedUp       = 1 << 4
	Credential     = 1 << 6
	Extensions     = 1 << 7
)

// Authenticator holds one passkey. Every field may be set to something that a right one would not do.
type Authenticator struct {
	Origin, Site string // of the page, and the RP ID
	Flags        byte   // without Credential
	Count        uint32 // of the last signature; 0: it does not count
	AAGUID       [16]byte
	CredentialID []byte
	UserHandle   []byte
	Key          crypto.Signer
	Algorithm    int

	Type        string         // of the client data; empty: the right one
	Members     map[string]any // added to the client data, or put in its place
	Format      string         // of the attestation; empty: none
	Statement   []byte         // CBOR; nil: what belongs to the format
	ExtraData   []byte         // after the credential data
	SignedOther bool           // the signature is over something else
}

// New returns an authenticator that recognises its person.
func New(t testing.TB, issuer string, site string, algorithm int) *Authenticator {
	t.Helper()
	a := &Authenticator{Origin: issuer, Site: site, Flags: Present | Verified, Algorithm: algorithm, Key: NewKey(t, algorithm),
		CredentialID: make([]byte, 32)}
	rand.Read(a.CredentialID)
	return a
}

// NewKey makes a key.
func NewKey(t testing.TB, algorithm int) crypto.Signer {
	t.Helper()
	var key crypto.Signer
	var err error
	switch algorithm {
	case ES256:
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case EdDSA:
		_, key, err = ed25519.GenerateKey(rand.Reader)
	case RS256:
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	}
	if err != nil || key == nil {
		t.Fatalf("no key for the algorithm %d: %v", algorithm, err)
	}
	return key
}

// Create answers navigator.credentials.create().
func (a *Authenticator) Create(t testing.TB, challenge []byte) ports.PasskeyRegistration {
	t.Helper()
	client := a.clientData(t, "webauthn.create", challenge)
	credential := append(append([]byte{}, a.AAGUID[:]...), binary.BigEndian.AppendUint16(nil, uint16(len(a.CredentialID)))...)
	credential = append(append(append(credential, a.CredentialID...), a.PublicKey(t)...), a.ExtraData...)
	data := a.data(a.Flags|Credential, credential)
	format, statement := a.Format, a.Statement
	if format == "" {
		format = "none"
	}
	if statement == nil {
		statement = Map()
		if format == "packed" {
			statement = Map(Text("alg"), Int(a.Algorithm), Text("sig"), Bytes(a.sign(t, data, client)))
		}
	}
	return ports.PasskeyRegistration{CredentialID: a.CredentialID, ClientData: client,
		Attestation: Map(Text("fmt"), Text(format), Text("attStmt"), statement, Text("authData"), Bytes(data))}
}

// Get answers navigator.credentials.get().
func (a *Authenticator) Get(t testing.TB, challenge []byte) ports.PasskeyAssertion {
	t.Helper()
	if a.Count > 0 {
		a.Count++
	}
	client := a.clientData(t, "webauthn.get", challenge)
	data := a.data(a.Flags, a.ExtraData)
	return ports.PasskeyAssertion{CredentialID: a.CredentialID, UserHandle: a.UserHandle, ClientData: client, AuthenticatorData: data,
		Signature: a.sign(t, data, client)}
}

func (a *Authenticator) clientData(t testing.TB, kind string, challenge []byte) []byte {
	t.Helper()
	if a.Type != "" {
		kind = a.Type
	}
	members := map[string]any{"type": kind, "challenge": base64.RawURLEncoding.EncodeToString(challenge), "origin": a.Origin, "crossOrigin": false}
	for name, value := range a.Members {
		if members[name] = value; value == nil {
			delete(members, name)
		}
	}
	text, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func (a *Authenticator) data(flags byte, rest []byte) []byte {
	site := sha256.Sum256([]byte(a.Site))
	b := append(site[:], flags)
	return append(binary.BigEndian.AppendUint32(b, a.Count), rest...)
}

func (a *Authenticator) sign(t testing.TB, data, client []byte) []byte {
	t.Helper()
	hash := sha256.Sum256(client)
	message := append(append([]byte{}, data...), hash[:]...)
	if a.SignedOther {
		message[0] ^= 1
	}
	options := crypto.SignerOpts(crypto.SHA256)
	if _, whole := a.Key.(ed25519.PrivateKey); whole {
		options = crypto.Hash(0)
	} else {
		digest := sha256.Sum256(message)
		message = digest[:]
	}
	signature, err := a.Key.Sign(rand.Reader, message, options)
	if err != nil {
		t.Fatal(err)
	}
	return signature
}

// PublicKey returns the COSE_Key, which claims the authenticator's algorithm whatever the key is.
func (a *Authenticator) PublicKey(t testing.TB) []byte {
	t.Helper()
	switch key := a.Key.Public().(type) {
	case *ecdsa.PublicKey:
		point, err := key.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		return Map(Int(1), Int(2), Int(3), Int(a.Algorithm), Int(-1), Int(1), Int(-2), Bytes(point[1:33]), Int(-3), Bytes(point[33:]))
	case ed25519.PublicKey:
		return Map(Int(1), Int(1), Int(3), Int(a.Algorithm), Int(-1), Int(6), Int(-2), Bytes(key))
	case *rsa.PublicKey:
		return Map(Int(1), Int(3), Int(3), Int(a.Algorithm), Int(-1), Bytes(key.N.Bytes()), Int(-2), Bytes(big.NewInt(int64(key.E)).Bytes()))
	}
	t.Fatal("a key of an unknown kind")
	return nil
}
