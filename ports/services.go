package ports

import (
	"context"
	"errors"
	"time"

	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
)

// Clock tells the time, in UTC and whole milliseconds, so that what is saved equals what is read back.
type Clock func() time.Time

// Secrets mints unguessable values from the operating system's generator.
type Secrets interface {
	Secret() oauth.Secret // at least 128 random bits, unreserved characters only
	ID() string           // 80 random bits, lower case letters and digits, for names that are not credentials
	Salt() [16]byte
}

// Passwords hashes passwords, slowly, a bounded number at a time.
type Passwords interface {
	Hash(ctx context.Context, password string) (phc string, err error)
	// Verify reports whether password matches, and whether phc was made with older parameters. An empty phc never
	// matches and costs the same. A caller that leaves while it waits is not computed for. Where little
	// else comes from is served first.
	Verify(ctx context.Context, phc, password string, beside Beside) (match, outdated bool, err error)
}

// Beside is what else came lately from where a password comes from. The zero value is the first that comes from there.
type Beside struct {
	Wrong   int // passwords
	Pending int // those that nobody has looked at yet
}

// ErrBusy is returned when too many passwords already wait to be hashed.
var ErrBusy = errors.New("too many sign-ins at once")

// ErrInterrupted comes with the context's error when the caller left after the work had begun, not while it waited.
var ErrInterrupted = errors.New("a password was being hashed")

// Keychain derives keys from the root of a database, each for one purpose. The purposes are the constants below.
type Keychain interface {
	MAC(purpose string, message []byte) [32]byte
	// Seal encrypts for one row; Open fails when the row or the key is another.
	Seal(purpose, row string, plaintext []byte) []byte
	Open(purpose, row string, sealed []byte) ([]byte, error)
}

// What keys are for. A purpose is part of the key, so its text never changes.
const (
	PurposeSigningKeys   = "signing-keys"
	PurposeRefreshTokens = "refresh-tokens"
	PurposePepper        = "password-pepper"
	PurposeCSRF          = "csrf"
	PurposeRoot          = "root" // of the master key itself; the others are of the root
	PurposeAudit         = "audit-chain"
	PurposeFactors       = "factors"
	PurposeFile          = "file-sum"
)

// KeyMaker makes signing keys.
type KeyMaker interface {
	NewKey(order oidc.KeyOrder, now time.Time) (oidc.SigningKey, error)
}

// ErrKeysNotReady is returned while no signing key is loaded.
var ErrKeysNotReady = errors.New("signing keys are not ready")

// Signer signs our tokens and recognises them again. It signs with the key of the ring that is active at the token's
// IssuedAt and accepts every key of the ring. Verification checks form, signature, type and members, never dates: those
// are the caller's rule.
type Signer interface {
	Use(oidc.KeyRing) error // replaces the ring
	// Rings returns how many rings have been in use: what was verified before it changed may have been with an erased key.
	Rings() uint64
	KeySet() ([]byte, error) // JWKS (RFC 7517 §5); not to be changed

	SignAccessToken(oauth.AccessToken) (oauth.Secret, error)
	SignIDToken(oidc.IDToken, oauth.Algorithm) (oauth.Secret, error)
	SignLogoutToken(oidc.LogoutToken, oauth.Algorithm) (oauth.Secret, error)
	// VerifyAccessToken and VerifyIDToken return an error that never holds the token.
	VerifyAccessToken(oauth.Secret) (oauth.AccessToken, error)
	VerifyIDToken(oauth.Secret, string) (oidc.IDTokenHint, error) // the string is the issuer it must name
}
