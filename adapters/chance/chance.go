// Package chance owns randomness: it mints secrets, names and salts from the operating system's generator and implements
// ports.Secrets. What they protect, and how they are stored, is left to others.
package chance

import (
	"crypto/rand"
	"strings"

	"latchkey/domain/oauth"
	"latchkey/ports"
)

// Source mints from crypto/rand, which does not fail: a system without randomness ends the process.
type Source struct{}

var _ ports.Secrets = Source{}

// Secret returns 260 random bits as 52 capital letters and digits, which need no encoding in any form of transport. Half as
// many would resist guessing; tests that measure the entropy of a code by its letters want this many.
func (Source) Secret() oauth.Secret { return oauth.Secret(rand.Text() + rand.Text()) }

// idLength is the number of base32 characters, of 5 bits each, in 80 bits.
const idLength = 16

// ID returns 80 random bits as 16 lower case letters and digits.
func (Source) ID() string { return strings.ToLower(rand.Text()[:idLength]) }

// Salt returns 128 random bits.
func (Source) Salt() (salt [16]byte) {
	rand.Read(salt[:])
	return salt
}
