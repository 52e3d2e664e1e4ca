package webauthn

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"

	"latchkey/domain/identity"
	"latchkey/ports"
)

// Verifier checks ceremonies for one site.
type Verifier struct {
	id     string            // RP ID
	idHash [sha256.Size]byte // what authenticators sign of it
	origin string            // of every page that may ask
}

var _ ports.Passkeys = (*Verifier)(nil)

// New returns the verifier of the provider with this issuer. Its RP ID is the host itself and never a parent: a passkey
// for a whole domain would answer to every host in it.
func New(issuer string) (*Verifier, error) {
	u, err := url.Parse(issuer)
	if err != nil || u.Hostname() == "" {
		return nil, fmt.Errorf("passkeys: the issuer %q has no host", issuer)
	}
	v := &Verifier{id: u.Hostname(), origin: u.Scheme + "://" + u.Host}
	if _, err := netip.ParseAddr(v.id); err == nil {
		v.id = "" // browsers know no relying party at an address (§5.1.3, step 7)
	}
	v.idHash = sha256.Sum256([]byte(v.id))
	return v, nil
}

// Site is what browsers are asked to make passkeys for.
func (v *Verifier) Site() ports.PasskeySite {
	return ports.PasskeySite{ID: v.id, Algorithms: slices.Clone(algorithms)}
}

// Why a ceremony counts for nothing.
var (
	errNoSite     = errors.New("passkeys do not work for an issuer at an IP address")
	errType       = errors.New("the client data is of another ceremony")
	errChallenge  = errors.New("the challenge is another")
	errOrigin     = errors.New("the page was of another origin")
	errFramed     = errors.New("the page was framed by another site")
	errSite       = errors.New("the authenticator answered for another site")
	errAbsent     = errors.New("nobody was present at the authenticator")
	errBackup     = errors.New("the key is backed up, though it cannot be")
	errOtherKey   = errors.New("the credential ID is not the one of the key")
	errCredential = errors.New("a use of a key does not bring a new one")
	errSignature  = errors.New("the signature was not made with the key")
)

// What client data says of itself (§5.8.1).
const (
	typeCreate = "webauthn.create"
	typeGet    = "webauthn.get"
)

// Register checks a new passkey (§7.1, from step 5 on).
func (v *Verifier) Register(challenge []byte, answer ports.PasskeyRegistration) (identity.NewPasskey, error) {
	hash, err := v.checkClientData(answer.ClientData, typeCreate, challenge)
	if err != nil {
		return identity.NewPasskey{}, err
	}
	a, err := parseAttestation(answer.Attestation)
	if err != nil {
		return identity.NewPasskey{}, err
	}
	use, err := v.checkData(a.data)
	if err != nil {
		return identity.NewPasskey{}, err
	}
	if !bytes.Equal(a.data.credentialID, answer.CredentialID) {
		return identity.NewPasskey{}, errOtherKey
	}
	if err := a.consistent(hash); err != nil {
		return identity.NewPasskey{}, err
	}
	return identity.NewPasskey{CredentialID: bytes.Clone(a.data.credentialID), PublicKey: bytes.Clone(a.data.publicKey), AAGUID: a.data.aaguid,
		PasskeyUse: use}, nil
}

// Authenticate checks the use of a passkey (§7.2, from step 10 on).
func (v *Verifier) Authenticate(challenge, key []byte, answer ports.PasskeyAssertion) (identity.PasskeyUse, error) {
	hash, err := v.checkClientData(answer.ClientData, typeGet, challenge)
	if err != nil {
		return identity.PasskeyUse{}, err
	}
	data, err := parseAuthenticatorData(answer.AuthenticatorData)
	if err != nil {
		return identity.PasskeyUse{}, err
	}
	if data.has(flagCredential) { // §6.1: only a new key comes with its credential data
		return identity.PasskeyUse{}, errCredential
	}
	use, err := v.checkData(data)
	if err != nil {
		return identity.PasskeyUse{}, err
	}
	public, err := parsePublicKey(key)
	if err != nil {
		return identity.PasskeyUse{}, err
	}
	signed := append(answer.AuthenticatorData[:len(answer.AuthenticatorData):len(answer.AuthenticatorData)], hash...)
	if !public.verified(signed, answer.Signature) {
		return identity.PasskeyUse{}, errSignature
	}
	return use, nil
}

// checkClientData checks that the browser answered this challenge, in this kind of ceremony, for a page of ours. It
// returns the hash that the authenticator signed.
func (v *Verifier) checkClientData(text []byte, kind string, challenge []byte) ([]byte, error) {
	c, err := parseClientData(text)
	want := base64.RawURLEncoding.EncodeToString(challenge)
	switch {
	case err != nil:
		return nil, err
	case v.id == "":
		return nil, errNoSite
	case c.kind != kind:
		return nil, errType
	case len(challenge) != ports.ChallengeSize || subtle.ConstantTimeCompare([]byte(c.challenge), []byte(want)) != 1:
		return nil, errChallenge
	case c.origin != v.origin:
		return nil, errOrigin
	case c.crossOrigin || c.topOrigin != "":
		return nil, errFramed
	}
	hash := sha256.Sum256(text)
	return hash[:], nil
}

// checkData checks that the authenticator answered for this site with a person present. Whether it also recognised the
// person is a fact for the caller.
func (v *Verifier) checkData(d authenticatorData) (identity.PasskeyUse, error) {
	switch {
	case d.site != v.idHash:
		return identity.PasskeyUse{}, errSite
	case !d.has(flagPresent):
		return identity.PasskeyUse{}, errAbsent
	case d.has(flagBackedUp) && !d.has(flagBackupEligible):
		return identity.PasskeyUse{}, errBackup
	}
	return identity.PasskeyUse{SignCount: d.signCount, UserVerified: d.has(flagVerified), BackupEligible: d.has(flagBackupEligible),
		BackedUp: d.has(flagBackedUp)}, nil
}
