package password

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"time"
)

// slice is how many iterations run before the processor is yielded: about 0.15 ms.
const slice = 1024

// pause is what a hash of somebody in doubt waits after every slice, so that it takes an eighth of one processor and less
// than a second.
const pause = time.Millisecond

// derive computes PBKDF2-HMAC-SHA-256 (RFC 8018 §5.2) with one block of output, the 32 bytes we keep.
//
// The standard library computes it in one call, which Go interrupts every 10 ms at most: with a hash on every processor,
// each step of a token request would then wait that long. Computed here, at the same speed, it makes way after every
// slice by calling yield, and stops when the person who waits for it has left.
func derive(ctx context.Context, password string, salt [saltSize]byte, iterations int, yield func()) (key [hashSize]byte, err error) {
	mac := hmac.New(sha256.New, []byte(password))
	mac.Write(salt[:])
	mac.Write([]byte{0, 0, 0, 1}) // the number of the block
	var u [hashSize]byte
	mac.Sum(u[:0])
	key = u
	for i := 1; i < iterations; i++ {
		if i%slice == 0 {
			yield()
			if err := ctx.Err(); err != nil {
				return key, err
			}
		}
		mac.Reset()
		mac.Write(u[:])
		mac.Sum(u[:0])
		subtle.XORBytes(key[:], key[:], u[:])
	}
	return key, nil
}
