// Package password owns how passwords are hashed and how many at a time. It implements ports.Passwords.
//
// What makes a good password, how many attempts one has, and where hashes are stored is left to others.
//
//	password.go  Hasher: Hash, Verify
//	derive.go    PBKDF2 (RFC 8018 §5.2) in slices
//	phc.go       the text of a stored hash
//	limiter.go   slots and the queues before them
package password

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"runtime"
	"strings"
	"time"

	"latchkey/domain/identity"
	"latchkey/ports"
)

// Iterations is the cost of new hashes: the least that OWASP asks of PBKDF2-HMAC-SHA-256, about 90 ms of one core.
const Iterations = 600_000

// Hasher hashes passwords with PBKDF2-HMAC-SHA-256 and a pepper. PBKDF2 suits graphics cards, and the likeliest leak of a
// product in one file is a copied backup: without the pepper, which is derived from the master key and not in the file,
// nobody can even begin to guess.
//
// As many passwords are hashed at once as Go uses processors. Fewer slots would halve the sign-ins two cores can serve;
// everything else stays quick because each hash yields its processor every fraction of a millisecond (see derive).
//
// Addresses that have just sent wrong passwords have one slot of their own, at a leisurely pace. A flood of guesses would
// otherwise have every processor for as long as its addresses are heard at all, and honest people would queue behind it.
type Hasher struct {
	keychain   ports.Keychain
	iterations int
	limiter    *limiter
	doubted    *limiter
}

// Bounds of the queues: about three seconds of work for two processors, and ten for the slot of those in doubt. A person
// would not wait longer.
const (
	maxWaiting        = 64
	maxDoubtedWaiting = 16
)

// doubtfulFrom is how many wrong passwords of its address put a guess in doubt. People mistype; then they look.
const doubtfulFrom = 2

var _ ports.Passwords = (*Hasher)(nil)

// New returns a hasher whose new hashes cost the iterations, from 1 to 5,000,000: Iterations, except in tests.
func New(keychain ports.Keychain, iterations int) *Hasher {
	if iterations < 1 || iterations > maxIterations {
		panic("password: iterations out of range")
	}
	return &Hasher{keychain: keychain, iterations: iterations, limiter: newLimiter(runtime.GOMAXPROCS(0), maxWaiting),
		doubted: newLimiter(1, maxDoubtedWaiting)}
}

// Hash returns what to store of a new password. It fails with ports.ErrBusy, with the context's error (and ports.ErrInterrupted), or
// for a password the policy does not allow.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	if len(password) > identity.MaxPasswordBytes {
		return "", identity.ErrPasswordLong
	}
	if strings.ContainsRune(password, 0) {
		return "", identity.ErrPasswordNUL
	}
	p := phc{iterations: h.iterations}
	rand.Read(p.salt[:])
	hash, err := h.compute(ctx, p, password, ports.Beside{})
	if err != nil {
		return "", err
	}
	p.hash = hash
	return p.String(), nil
}

// Verify reports whether the password matches the stored hash, and whether that was made at another cost than New was
// told. An empty phc, of a user who does not exist or has no password, costs the same and never matches.
//
// A password no user can have is answered at once, whoever the user is: one that is too long, so that nobody can buy work
// with it, and one with a NUL, which HMAC could not tell from the same password without (RFC 2104 §2 pads keys with zeros).
func (h *Hasher) Verify(ctx context.Context, stored, password string, beside ports.Beside) (match, outdated bool, err error) {
	p := phc{iterations: h.iterations}
	if stored != "" {
		if p, err = parsePHC(stored); err != nil {
			return false, false, err
		}
	}
	if len(password) > identity.MaxPasswordBytes || strings.ContainsRune(password, 0) {
		return false, false, nil
	}
	hash, err := h.compute(ctx, p, password, beside)
	if err != nil {
		return false, false, err
	}
	match = subtle.ConstantTimeCompare(hash[:], p.hash[:]) == 1 && stored != ""
	return match, match && p.iterations != h.iterations, nil
}

// compute hashes the password with the iterations and salt of p, when its turn comes.
func (h *Hasher) compute(ctx context.Context, p phc, password string, beside ports.Beside) (hash [hashSize]byte, err error) {
	turns, pace := h.limiter, runtime.Gosched
	if beside.Wrong >= doubtfulFrom {
		turns, pace = h.doubted, func() { time.Sleep(pause) }
	}
	if err := turns.enter(ctx, beside.Wrong+beside.Pending); err != nil {
		return hash, err
	}
	defer turns.leave()
	key, err := derive(ctx, password, p.salt, p.iterations, pace)
	if err != nil {
		return hash, fmt.Errorf("%w: %w", ports.ErrInterrupted, err)
	}
	return h.keychain.MAC(ports.PurposePepper, key[:]), nil
}
