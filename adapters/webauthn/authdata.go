package webauthn

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
)

// Flags of authenticator data (§6.1). The other two are reserved, and say nothing yet.
const (
	flagPresent        = 1 << 0 // UP
	flagVerified       = 1 << 2 // UV
	flagBackupEligible = 1 << 3 // BE
	flagBackedUp       = 1 << 4 // BS
	flagCredential     = 1 << 6 // AT
	flagExtensions     = 1 << 7 // ED
)

// Sizes of a credential ID in bytes (§4): it names a key among all there are, so it cannot be short.
const (
	minCredentialID = 16
	maxCredentialID = 1023
)

var errAuthenticatorData = errors.New("the authenticator data is malformed")

// authenticatorData is what an authenticator signs (§6.1).
type authenticatorData struct {
	site      [sha256.Size]byte // SHA-256 of the RP ID
	flags     byte
	signCount uint32

	// With flagCredential.
	aaguid       [16]byte
	credentialID []byte
	publicKey    []byte // COSE_Key, as it was written
	key          publicKey
}

func (d authenticatorData) has(flag byte) bool { return d.flags&flag != 0 }

// parseAuthenticatorData reads authenticator data and nothing after it. What extensions say is held to its form and then
// left alone: none is ever asked for, and authenticators may volunteer some (§9).
func parseAuthenticatorData(b []byte) (authenticatorData, error) {
	const fixed = sha256.Size + 1 + 4
	var d authenticatorData
	if len(b) < fixed || len(b) > maxCBOR {
		return d, errAuthenticatorData
	}
	copy(d.site[:], b)
	d.flags = b[sha256.Size]
	d.signCount = binary.BigEndian.Uint32(b[sha256.Size+1:])
	rest, err := b[fixed:], error(nil)
	if d.has(flagCredential) {
		if rest, err = d.readCredential(rest); err != nil {
			return d, err
		}
	}
	if d.has(flagExtensions) {
		var v any
		if v, rest, err = readCBOR(rest); err != nil {
			return d, err
		}
		if _, ok := v.(cborMap); !ok {
			return d, errAuthenticatorData
		}
	}
	if len(rest) != 0 {
		return d, errAuthenticatorData
	}
	return d, nil
}

// readCredential reads attested credential data (§6.5.1) and returns what follows it.
func (d *authenticatorData) readCredential(b []byte) (rest []byte, err error) {
	const fixed = len(d.aaguid) + 2
	if len(b) < fixed {
		return nil, errAuthenticatorData
	}
	copy(d.aaguid[:], b)
	size := int(binary.BigEndian.Uint16(b[len(d.aaguid):]))
	b = b[fixed:]
	if size < minCredentialID || size > maxCredentialID || size > len(b) {
		return nil, errAuthenticatorData
	}
	d.credentialID = b[:size:size]
	d.key, d.publicKey, rest, err = readPublicKey(b[size:])
	return rest, err
}
