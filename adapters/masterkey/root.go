package masterkey

import (
	"crypto/rand"
	"fmt"
	"io"

	"latchkey/ports"
)

// Key is a master key. All it does is to open the root of a database: a random value from which every other key derives,
// so that the master key can be replaced. Password peppers and tags could not be computed anew.
type Key struct {
	own  *Keychain // of the master key itself
	path string
}

var _ ports.MasterKey = (*Key)(nil)

func newKey(secret [keySize]byte, path string) *Key { return &Key{own: New(secret), path: path} }

// Format keeps the key out of logs, whatever the verb.
func (k Key) Format(s fmt.State, _ rune) { io.WriteString(s, "[secret]") }

// rootRow is what a sealed root is bound to beside its purpose: there is one.
const rootRow = "1"

// NewRoot makes the root of a new database.
func (k *Key) NewRoot() (sealed []byte) {
	var root [keySize]byte
	rand.Read(root[:])
	return k.seal(New(root))
}

func (k *Key) seal(root *Keychain) []byte {
	return k.own.Seal(ports.PurposeRoot, rootRow, root.master[:])
}

// Unseal returns the keychain of a sealed root, or ports.ErrForeignKey.
func (k *Key) Unseal(sealed []byte) (*Keychain, error) {
	root, err := k.own.Open(ports.PurposeRoot, rootRow, sealed)
	if err != nil || len(root) != keySize {
		return nil, ports.ErrForeignKey
	}
	return New([keySize]byte(root)), nil
}

// Itself returns the keychain of a database that was made before there were roots: its first master key is its root.
func (k *Key) Itself() *Keychain { return k.own }

// Open is Unseal for who changes nothing: it also tries the key that a replacement left beside, see Pending.
func (k *Key) Open(sealed []byte) (ports.Keychain, error) {
	root, err := k.Unseal(sealed)
	if err != nil {
		root, err = Pending(k.path, sealed)
	}
	if err != nil {
		return nil, err // a nil *Keychain would be a Keychain
	}
	return root, nil
}

// Root is Itself, as ports.MasterKey has it.
func (k *Key) Root() ports.Keychain { return k.own }
