package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"latchkey/domain/audit"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

// errRootChanged is returned when another process has saved the root since it was read.
var errRootChanged = errors.New("another process has replaced the master key meanwhile: start again")

// readRoot returns the root, the zero value when there is none, and whether the database was never used.
func readRoot(ctx context.Context, store ports.Store) (root ports.MasterRoot, unused bool, err error) {
	err = store.View(ctx, func(r ports.Reader) (err error) {
		if root, err = r.MasterRoot(); err != ports.ErrNotFound {
			return err
		}
		keys, err1 := r.SigningKeys()
		head, err2 := r.TrailHead()
		unused = len(keys) == 0 && head.Seq == 0
		return errors.Join(err1, err2)
	})
	return root, unused, err
}

// saveRoot saves a root in the place of one that was read before, with an event if there is one.
func saveRoot(ctx context.Context, store ports.Store, root, before ports.MasterRoot, e *audit.Event) error {
	return store.Update(ctx, func(tx ports.Tx) error {
		now, err := tx.MasterRoot()
		if err != nil && err != ports.ErrNotFound {
			return err
		}
		if !bytes.Equal(now.Sealed, before.Sealed) {
			return errRootChanged
		}
		if err := tx.SaveMasterRoot(root); err != nil || e == nil {
			return err
		}
		return tx.Record(*e)
	})
}

// MasterKeyRotation is what RotateMasterKey did.
type MasterKeyRotation struct {
	File      string // where the new key is
	Inherited bool   // the first master key is the root and stays sensitive, see ports.MasterRoot
}

// RotateMasterKey seals the root under a new master key, beside a running server: whatever was sealed, tagged or hashed stays
// as it is, because the root does. The key of before opens only what was copied before. The new one takes its place, or is
// written to the file to, which must be free.
//
// It is crash-safe at every step: the new key is on disk before anything is sealed under it, and the old one goes only after
// that is on disk too. A start that finds the root sealed under the key beside its own finishes what was begun.
func (a *App) RotateMasterKey(ctx context.Context, to string) (MasterKeyRotation, error) {
	key, err := a.newKey(to)
	if err != nil {
		return MasterKeyRotation{}, err
	}
	now := a.Admin.Now()
	done := MasterKeyRotation{File: a.cfg.MasterKey, Inherited: a.root.Inherited || a.root.Sealed == nil}
	if to != "" {
		done.File = to
	}
	root := ports.MasterRoot{Sealed: key.Seal(), MadeAt: now, Inherited: done.Inherited}
	event := audit.Event{At: now, Kind: audit.MasterKeyRotated, Facts: map[string]string{"file": filepath.Base(done.File)}}
	err = saveRoot(ctx, a.Store, root, a.root, &event)
	if errors.Is(err, errRootChanged) {
		return MasterKeyRotation{}, errors.Join(err, key.Discard())
	}
	if err != nil {
		// A failed commit may yet be found done when the file is opened next: then only this key opens it.
		return MasterKeyRotation{}, fmt.Errorf("%w: the new master key stays in %s, in case the database did save it", err, key.File())
	}
	a.root = root
	return done, key.Install()
}

// fileSums is what keys the sums of files at rest.
func fileSums(keychain ports.Keychain) audit.Tagger {
	return func(digest []byte) [32]byte { return keychain.MAC(ports.PurposeFile, digest) }
}

// openRoot returns the keychain of a root, which is that of the master key where there is none.
func openRoot(key ports.MasterKey, root ports.MasterRoot) (ports.Keychain, error) {
	if root.Sealed == nil {
		return key.Root(), nil
	}
	return key.Open(root.Sealed)
}

// loadKeys gives the signer the keys on file, which only the right master key opens: with a wrong one nothing may start,
// or new passwords and tokens would be made under a key that nobody keeps.
func (a *App) loadKeys(ctx context.Context) error {
	var ring oidc.KeyRing
	err := a.Store.View(ctx, func(r ports.Reader) (err error) {
		ring, err = r.SigningKeys()
		return err
	})
	if err != nil {
		return err
	}
	if len(ring) == 0 && a.root.Sealed != nil { // of an init that was killed: the key has opened the root, and a server makes what is missing
		return nil
	}
	if err := a.Admin.Signer.Use(ring); err != nil {
		return foreignKey(a.cfg, err)
	}
	return nil
}
