package jose

import (
	"crypto/sha256"
	"sync"
)

// known remembers signatures that are a key's own, because they were made or verified here: to compute that again takes
// longer than everything else that is done with a token. It says nothing of whether a token is still good.
//
// A signature is remembered together with the digest of the text it is over, by a hash of both, so whatever is found is, bit
// for bit, what was checked before. Each place holds the newest that fell on it: memory is bounded, and what was pushed out
// is computed again. 32,768 are more than a small organisation uses in the life of an access token, and every megabyte that is
// kept lets the heap grow by several before it is collected. An empty place is all zeros, which is the hash of nothing that anybody knows.
type known struct {
	once   sync.Once
	places *[256]place // 1 MB, made with the first signature
}

type place struct {
	mu   sync.Mutex
	tags [128][sha256.Size]byte
}

func (k *known) find(tag [sha256.Size]byte) (*place, *[sha256.Size]byte) {
	k.once.Do(func() { k.places = new([256]place) })
	p := &k.places[tag[0]]
	return p, &p.tags[tag[1]%128]
}

func (k *known) has(tag [sha256.Size]byte) bool {
	p, remembered := k.find(tag)
	p.mu.Lock()
	defer p.mu.Unlock()
	return *remembered == tag
}

func (k *known) add(tag [sha256.Size]byte) {
	p, remembered := k.find(tag)
	p.mu.Lock()
	defer p.mu.Unlock()
	*remembered = tag
}

// tagOf is what a signature over a text is remembered by.
func tagOf(digest [sha256.Size]byte, signature [2 * ecSize]byte) [sha256.Size]byte {
	var both [sha256.Size + 2*ecSize]byte
	copy(both[:], digest[:])
	copy(both[sha256.Size:], signature[:])
	return sha256.Sum256(both[:])
}
