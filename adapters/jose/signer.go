package jose

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

// Signer signs and verifies tokens with the keys of a ring. It is safe for use by several goroutines; those that have
// begun finish with the ring they began with.
type Signer struct {
	keychain ports.Keychain
	using    sync.Mutex
	current  atomic.Pointer[keySet] // nil: not ready
	rings    atomic.Uint64          // counted after current changes, so that a number never comes with an older ring
}

var (
	_ ports.Signer   = (*Signer)(nil)
	_ ports.KeyMaker = (*Signer)(nil)
)

// keySet is a ring with its keys unsealed. It is not changed once made.
type keySet struct {
	ring oidc.KeyRing
	keys map[oidc.KeyID]*key
	jwks []byte
}

// New returns a signer without keys: until Use, everything but NewKey answers ports.ErrKeysNotReady.
func New(keychain ports.Keychain) *Signer { return &Signer{keychain: keychain} }

// Use replaces the ring. When a key does not open or an ID comes twice, it returns an error and the former ring stays.
// Keys that were unsealed before are not unsealed again.
func (s *Signer) Use(ring oidc.KeyRing) error {
	s.using.Lock()
	defer s.using.Unlock()
	if len(ring) == 0 {
		return fmt.Errorf("%w: the ring is empty", ports.ErrKeysNotReady)
	}
	former := map[oidc.KeyID]*key{}
	if set := s.current.Load(); set != nil {
		former = set.keys
	}
	set := &keySet{ring: slices.Clone(ring), keys: map[oidc.KeyID]*key{}}
	slices.SortFunc(set.ring, func(a, b oidc.SigningKey) int {
		return cmp.Or(cmp.Compare(a.Algorithm, b.Algorithm), a.ActiveAt.Compare(b.ActiveAt), cmp.Compare(a.ID, b.ID))
	})
	jwks := []byte(`{"keys":[`)
	for i, record := range set.ring {
		if _, twice := set.keys[record.ID]; twice {
			return fmt.Errorf("signing key %s is in the ring twice", record.ID)
		}
		k := former[record.ID]
		if k == nil || !sameKey(k.record, record) {
			var err error
			if k, err = unseal(s.keychain, record); err != nil {
				return err
			}
		}
		set.keys[record.ID] = k
		if i > 0 {
			jwks = append(jwks, ',')
		}
		jwks = append(jwks, record.Public...)
	}
	set.jwks = append(jwks, ']', '}')
	s.current.Store(set)
	s.rings.Add(1)
	return nil
}

// Rings returns how many rings have been in use.
func (s *Signer) Rings() uint64 { return s.rings.Load() }

func sameKey(a, b oidc.SigningKey) bool {
	return a.Algorithm == b.Algorithm && bytes.Equal(a.Public, b.Public) && bytes.Equal(a.Sealed, b.Sealed)
}

// KeySet returns every key of the ring, upcoming ones included, sorted by algorithm and by when they begin to sign. It is the
// same text each time, not a copy: nobody changes it.
func (s *Signer) KeySet() ([]byte, error) {
	set, err := s.ready()
	if err != nil {
		return nil, err
	}
	return set.jwks, nil
}

func (s *Signer) ready() (*keySet, error) {
	set := s.current.Load()
	if set == nil {
		return nil, ports.ErrKeysNotReady
	}
	return set, nil
}

// buffers hold tokens while they are written.
var buffers = sync.Pool{New: func() any { return new(buffer) }}

type buffer struct{ payload, token []byte }

// sign makes a token of what write appends, which is a JSON object.
func (s *Signer) sign(alg oauth.Algorithm, at time.Time, typ string, write func([]byte) ([]byte, error)) (oauth.Secret, error) {
	set, err := s.ready()
	if err != nil {
		return "", err
	}
	record, ok := set.ring.Active(alg, at)
	if !ok {
		return "", fmt.Errorf("%w: there is none for %s", ports.ErrKeysNotReady, alg)
	}
	k := set.keys[record.ID]
	b := buffers.Get().(*buffer)
	defer buffers.Put(b)
	if b.payload, err = write(b.payload[:0]); err != nil {
		return "", fmt.Errorf("write token: %w", err)
	}
	b.token = append(b.token[:0], k.headers[typ]...)
	b.token = base64.RawURLEncoding.AppendEncode(b.token, b.payload)
	signed := b.token
	token, err := k.appendSignature(append(b.token, '.'), signed)
	if err != nil {
		return "", fmt.Errorf("sign with key %s: %w", record.ID, err)
	}
	b.token = token
	return oauth.Secret(token), nil
}
