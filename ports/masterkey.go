package ports

import (
	"errors"
	"time"
)

// MasterRoot is the root of a database's keys as it is kept: sealed under the master key. Everything derives from the root
// and nothing from the master key, so that the master key can be replaced without touching what was hashed or tagged.
type MasterRoot struct {
	Sealed []byte
	MadeAt time.Time // when it was sealed under the master key of now
	// Inherited says that the root is an earlier master key: of a database that was made before there were roots. Whoever
	// has that key has the root, however often the master key is replaced.
	Inherited bool
}

// ErrForeignKey is returned for a root that was sealed under another master key.
var ErrForeignKey = errors.New("the root of its keys is sealed under another")

// MasterKey opens the root of a database.
type MasterKey interface {
	// Open returns the keychain of a sealed root, or ErrForeignKey.
	Open(sealed []byte) (Keychain, error)
	// Root returns the keychain of a database that keeps no root: its master key is the root.
	Root() Keychain
}

// NewMasterKey is a master key that is on disk and not in use yet.
type NewMasterKey interface {
	Seal() []byte // the root under the new key
	// Install puts the new key in the place of the one before, once the root under it is saved.
	Install() error
	// Discard removes it; nothing may have been saved under it.
	Discard() error
	File() string // where it is until it is installed
}
