package masterkey

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"sync"

	"latchkey/ports"
)

// Keychain derives keys from a master key with HKDF-SHA-256 (RFC 5869). Tags and seals of one purpose use different keys.
// It is safe for use by several goroutines.
type Keychain struct {
	master [keySize]byte

	mu   sync.RWMutex
	keys map[string]*purpose
}

var _ ports.Keychain = (*Keychain)(nil)

// purpose holds what was derived for one purpose.
type purpose struct {
	macs sync.Pool // of *mac
	aead cipher.AEAD
}

// mac is a keyed HMAC state with room for its result. It is used again because keying costs as much as the rest, and a
// refresh token is checked with it at every use.
type mac struct {
	hash.Hash
	sum [sha256.Size]byte
}

// New returns the keychain of the master key.
func New(master [keySize]byte) *Keychain {
	return &Keychain{master: master, keys: map[string]*purpose{}}
}

// Format keeps the key out of logs, whatever the verb.
func (k *Keychain) Format(s fmt.State, _ rune) { io.WriteString(s, "[secret]") }

func (k *Keychain) purpose(name string) *purpose {
	k.mu.RLock()
	p := k.keys[name]
	k.mu.RUnlock()
	if p != nil {
		return p
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if p = k.keys[name]; p == nil {
		p = k.derive(name)
		k.keys[name] = p
	}
	return p
}

func (k *Keychain) derive(name string) *purpose {
	macKey, sealKey := k.subkey("mac "+name), k.subkey("seal "+name)
	block, err := aes.NewCipher(sealKey)
	if err != nil {
		panic(err) // the key has 32 bytes
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err) // the block is AES
	}
	return &purpose{
		macs: sync.Pool{New: func() any { return &mac{Hash: hmac.New(sha256.New, macKey)} }},
		aead: aead,
	}
}

func (k *Keychain) subkey(info string) []byte {
	key, err := hkdf.Key(sha256.New, k.master[:], nil, "latchkey v1 "+info, keySize)
	if err != nil {
		panic(err) // 32 bytes are within HKDF's reach
	}
	return key
}

// MAC returns the HMAC-SHA-256 of the message under the purpose's key.
func (k *Keychain) MAC(purpose string, message []byte) [32]byte {
	p := k.purpose(purpose)
	m := p.macs.Get().(*mac)
	m.Reset()
	m.Write(message)
	m.Sum(m.sum[:0])
	sum := m.sum
	p.macs.Put(m)
	return sum
}

// sealVersion begins every sealed value: AES-256-GCM, then the 12-byte nonce, the ciphertext and the 16-byte tag.
const sealVersion = 1

// ErrSealed is returned for a value that was not sealed with this master key for this purpose and row.
var ErrSealed = errors.New("a sealed value does not open")

// Seal encrypts plaintext for one row. The nonce is random, so one purpose seals fewer than 2^32 values.
func (k *Keychain) Seal(purpose, row string, plaintext []byte) []byte {
	aead := k.purpose(purpose).aead
	sealed := make([]byte, 1, 1+aead.Overhead()+len(plaintext))
	sealed[0] = sealVersion
	return aead.Seal(sealed, nil, plaintext, boundTo(purpose, row))
}

// Open returns what Seal was given, or ErrSealed.
func (k *Keychain) Open(purpose, row string, sealed []byte) ([]byte, error) {
	if len(sealed) == 0 || sealed[0] != sealVersion {
		return nil, ErrSealed
	}
	plaintext, err := k.purpose(purpose).aead.Open(nil, nil, sealed[1:], boundTo(purpose, row))
	if err != nil {
		return nil, ErrSealed
	}
	return plaintext, nil
}

// boundTo returns the additional data that ties a value to its place. Lengths come first, so that no two places are
// written alike.
func boundTo(purpose, row string) []byte {
	b := make([]byte, 0, 1+4+len(purpose)+4+len(row))
	b = append(b, sealVersion)
	b = binary.BigEndian.AppendUint32(b, uint32(len(purpose)))
	b = append(b, purpose...)
	b = binary.BigEndian.AppendUint32(b, uint32(len(row)))
	return append(b, row...)
}
