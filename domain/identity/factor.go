package identity

import (
	"crypto/sha256"
	"crypto/subtle"
	"slices"
	"strings"
	"time"
)

// FactorID names one second factor of a user. It opens nothing.
type FactorID string

// FactorKind says how a factor proves that somebody has it.
type FactorKind string

// The kinds of factors.
const (
	TOTPFactor    FactorKind = "totp"    // an authenticator app: RFC 6238
	PasskeyFactor FactorKind = "passkey" // a key pair in a device: Web Authentication
)

// EnrolLifetime is how long a factor may wait to be confirmed: what was photographed and left on a screen becomes useless.
const EnrolLifetime = 10 * time.Minute

// MaxFactorName is the longest name of a factor, in characters.
const MaxFactorName = 40

// Factor is something a user has beside the password.
type Factor struct {
	ID   FactorID
	User UserID
	Kind FactorKind
	Name string // given by the user, for their eyes

	Sealed   []byte // seed of a TOTP factor under ports.PurposeFactors, bound to SealRow: another row opens nothing
	LastStep int64  // newest time step that was accepted: an older or equal one is a replay

	CredentialID   []byte // of a passkey; unique
	PublicKey      []byte // COSE_Key
	SignCount      uint32
	AAGUID         [16]byte
	BackupEligible bool
	BackedUp       bool
	Transports     []string

	CreatedAt   time.Time
	ConfirmedAt time.Time // zero: it was offered and never used, and proves nothing
	LastUsedAt  time.Time
}

// SealRow is what the seed of the factor is sealed for.
func (f Factor) SealRow() string { return string(f.ID) + "\x00" + string(f.User) }

// Confirmed reports whether the user has shown that they have the factor.
func (f Factor) Confirmed() bool { return f.ID != "" && !f.ConfirmedAt.IsZero() }

// Offered reports whether the factor still waits for the code that confirms it.
func (f Factor) Offered(now time.Time) bool {
	return f.ID != "" && f.ConfirmedAt.IsZero() && now.Before(f.CreatedAt.Add(EnrolLifetime)) && !FromFuture(f.CreatedAt, now)
}

// ConfirmedFactors returns those of the factors that prove something.
func ConfirmedFactors(all []Factor) []Factor {
	return slices.DeleteFunc(slices.Clone(all), func(f Factor) bool { return !f.Confirmed() })
}

// FactorName returns a name as it is kept: one line, not too long.
func FactorName(typed string) string {
	name := []rune(strings.Join(strings.Fields(strings.ToValidUTF8(typed, "")), " "))
	return string(name[:min(len(name), MaxFactorName)])
}

// FactorAttempts is how many codes of an account are heard in an AttemptWindow, over all its sign-ins: a new password opens
// a new challenge, and no new budget.
const FactorAttempts = 10

// FactorKey is what those are counted under.
func FactorKey(id UserID) string { return "factor:" + string(id) }

// RecoveryCodeCount is how many recovery codes are made at a time.
const RecoveryCodeCount = 10

// RecoveryCodes are the codes that stand in for a lost factor, each for one sign-in. The codes themselves are nowhere.
type RecoveryCodes struct {
	User    UserID
	Digests [][sha256.Size]byte // of those that were not used yet
	MadeAt  time.Time           // zero: never
}

// recoveryLength is how many letters a recovery code has: 80 bits, too many to try out against a copied digest.
const recoveryLength = 16

// RecoveryDigest returns what is kept of a code of the user, and false for what cannot be one. Letter case, spaces and
// hyphens make no difference, and neither do the digits that RFC 4648 §6 leaves out because they look like letters.
func RecoveryDigest(user UserID, typed string) (digest [sha256.Size]byte, ok bool) {
	var code []byte
	for _, r := range CanonicalLogin(typed) {
		switch {
		case r == ' ' || r == '-' || r == '\u2013' || r == '\u00A0':
			continue
		case r == '0':
			r = 'o'
		case r == '1':
			r = 'l'
		case 'a' <= r && r <= 'z', '2' <= r && r <= '7':
		default:
			return digest, false
		}
		code = append(code, byte(r))
	}
	if len(code) != recoveryLength {
		return digest, false
	}
	return sha256.Sum256([]byte("recovery code\x00" + string(user) + "\x00" + string(code))), true
}

// Has reports whether a code with the digest was made and not used.
func (c RecoveryCodes) Has(digest [sha256.Size]byte) bool { return c.index(digest) >= 0 }

// Use takes the code out and reports whether it was there.
func (c *RecoveryCodes) Use(digest [sha256.Size]byte) bool {
	i := c.index(digest)
	if i < 0 {
		return false
	}
	c.Digests = slices.Delete(slices.Clone(c.Digests), i, i+1)
	return true
}

func (c RecoveryCodes) index(digest [sha256.Size]byte) int {
	return slices.IndexFunc(c.Digests, func(d [sha256.Size]byte) bool { return subtle.ConstantTimeCompare(d[:], digest[:]) == 1 })
}
