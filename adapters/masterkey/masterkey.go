// Package masterkey owns the 32-byte master key: its file, the root that is sealed under it, and the keys derived from the
// root, each for one purpose. It implements ports.Keychain and ports.MasterKey.
//
// The master key lives outside the database, so that a copied database or backup holds no usable credential. What is
// sealed or tagged with the derived keys, and where that and the sealed root are stored, is left to others.
//
//	masterkey.go  the file: Create, Load
//	root.go       Key: what a master key opens
//	replace.go    another master key in the place of one
//	keychain.go   Keychain: MAC, Seal, Open
package masterkey

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// fileLabel tells an administrator what the file is, and a reader which format follows.
const fileLabel = "latchkey-master-key-v1:"

const keySize = 32

// ErrMalformed is returned for a file that is not a master key.
var ErrMalformed = errors.New("this is not a Latchkey master key")

// Create makes a new master key and writes it to path, which must not exist: a key that is replaced takes everything
// sealed under it along. The file is readable by its owner only, and on disk when Create returns.
func Create(path string) (*Key, error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("master key %s: %w and is left as it is, because it may belong to a database that is elsewhere now: "+
			"name another file with --master-key", path, fs.ErrExist)
	}
	if err != nil {
		return nil, fmt.Errorf("create master key: %w: name a file in a folder that you may write to with --master-key", err)
	}
	key, err := write(file)
	if err = errors.Join(err, file.Close()); err != nil {
		os.Remove(path) // nothing is sealed under it yet, and half a key would stop every later start
		return nil, fmt.Errorf("create master key: %w", err)
	}
	return key, nil
}

// write makes a key and writes it to an empty file. Both the text and the name are on disk when it returns.
func write(file *os.File) (*Key, error) {
	var secret [keySize]byte
	rand.Read(secret[:])
	_, err := file.WriteString(fileLabel + base64.RawURLEncoding.EncodeToString(secret[:]) + "\n")
	if err == nil {
		err = file.Sync()
	}
	if err == nil {
		err = syncDirectory(filepath.Dir(file.Name()))
	}
	return newKey(secret, file.Name()), err
}

// syncDirectory makes a new name in the directory survive a power cut.
func syncDirectory(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// Load reads the master key at path. It never makes one: a new key cannot open what the lost one sealed, and would only
// hide the loss.
func Load(path string) (*Key, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("master key %s does not exist (%w): restore the file from where you keep it, or name the right one "+
			"with --master-key; it cannot be made anew for an existing database", path, fs.ErrNotExist)
	}
	if err != nil {
		return nil, unreadable(err)
	}
	defer file.Close()
	return read(file)
}

// read reads an open master key, however it was found.
func read(file *os.File) (*Key, error) {
	path := file.Name()
	info, err := file.Stat() // of what was opened: the name may lead elsewhere by now
	if err != nil {
		return nil, fmt.Errorf("read master key: %w", err)
	}
	if exposed := info.Mode().Perm() & 0o077; exposed&^allowed(path) != 0 {
		return nil, fmt.Errorf("master key %s may be read or changed by other users (mode %04o): run chmod 600 %s, and consider "+
			"the key known to them", path, info.Mode().Perm(), path)
	}
	text, err := io.ReadAll(io.LimitReader(file, 1024))
	if err != nil {
		return nil, fmt.Errorf("read master key: %w", err)
	}
	secret, err := parse(string(text))
	if err != nil {
		return nil, fmt.Errorf("master key %s: %w: restore the file from where you keep it", path, err)
	}
	return newKey(secret, path), nil
}

// unreadable says what to do about a file that cannot be opened.
func unreadable(err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("read master key: %w: run latchkey as the user who owns the file, or give it to the user who runs latchkey", err)
	}
	return fmt.Errorf("read master key: %w", err)
}

// allowed returns the permission bits beyond the owner's that path may have. systemd gives the service's user access to a
// credential by an access control list, whose mask shows as the group's bits; the group itself has no access.
func allowed(path string) fs.FileMode {
	if dir := os.Getenv("CREDENTIALS_DIRECTORY"); dir != "" && filepath.Dir(path) == filepath.Clean(dir) {
		return 0o040
	}
	return 0
}

// parse reads the text of a master key file. Its errors never hold the text.
func parse(text string) (secret [keySize]byte, err error) {
	encoded, ok := strings.CutPrefix(strings.TrimRight(text, "\r\n"), fileLabel)
	if !ok {
		return secret, ErrMalformed
	}
	key, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil || len(key) != keySize || base64.RawURLEncoding.EncodeToString(key) != encoded {
		return secret, ErrMalformed
	}
	return [keySize]byte(key), nil
}
