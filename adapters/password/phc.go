package password

import (
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
)

// maxIterations bounds what a stored hash may cost: one altered row must not occupy a processor for good.
const maxIterations = 5_000_000

const (
	saltSize = 16
	hashSize = 32
)

// phcPrefix names the algorithm: PBKDF2 with HMAC-SHA-256, its result tagged under the pepper.
const phcPrefix = "$pbkdf2-sha256-pepper$i="

// errPHC does not hold the text: a hash is a secret too.
var errPHC = errors.New("a stored password hash is malformed: set a new password for this user")

// phc is a stored hash, in the PHC string format: $pbkdf2-sha256-pepper$i=600000$<salt>$<hash>, both in base64 without padding.
type phc struct {
	iterations int
	salt       [saltSize]byte
	hash       [hashSize]byte
}

func (p phc) String() string {
	b := make([]byte, 0, 128)
	b = append(b, phcPrefix...)
	b = strconv.AppendInt(b, int64(p.iterations), 10)
	b = append(b, '$')
	b = base64.RawStdEncoding.AppendEncode(b, p.salt[:])
	b = append(b, '$')
	b = base64.RawStdEncoding.AppendEncode(b, p.hash[:])
	return string(b)
}

// parsePHC reads a stored hash. Each hash has exactly one text.
func parsePHC(s string) (phc, error) {
	if len(s) > 128 {
		return phc{}, errPHC
	}
	rest, ok := strings.CutPrefix(s, phcPrefix)
	parts := strings.Split(rest, "$")
	if !ok || len(parts) != 3 {
		return phc{}, errPHC
	}
	iterations, err := strconv.Atoi(parts[0])
	salt, err2 := base64.RawStdEncoding.DecodeString(parts[1])
	hash, err3 := base64.RawStdEncoding.DecodeString(parts[2])
	if err != nil || err2 != nil || err3 != nil || iterations < 1 || iterations > maxIterations || len(salt) != saltSize || len(hash) != hashSize {
		return phc{}, errPHC
	}
	p := phc{iterations, [saltSize]byte(salt), [hashSize]byte(hash)}
	if p.String() != s {
		return phc{}, errPHC
	}
	return p, nil
}
