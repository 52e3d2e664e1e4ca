package masterkey

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"latchkey/ports"
)

// A key is replaced in four steps, each on disk before the next: the new key beside the old one, the root sealed under it
// (which others save), the new key renamed over the old one, the directory. Whoever is killed between the second and the
// third leaves a root that only the key beside opens: see Finish.

// suffix is what the name of a key on its way has at its end. The name may be free, or hold what a killed replacement left.
const suffix = ".new"

// Replacement is a new master key beside the one that it replaces.
type Replacement struct {
	key  *Key
	root *Keychain
	file *os.File // locked until the replacement ends
	over string   // the key to replace; empty: the new one stays where it is
}

var _ ports.NewMasterKey = (*Replacement)(nil)

// Replace makes a master key that is to open the root, beside the one at path, readable by the same owner only. to names
// another place for it, which must be free, for a key that this machine only hands on: it is for somebody else to install.
func Replace(path, to string, root *Keychain) (*Replacement, error) {
	if to != "" {
		key, err := Create(to)
		if err != nil {
			return nil, err
		}
		file, err := os.Open(to)
		return &Replacement{key: key, root: root, file: file}, err
	}
	over, err := filepath.EvalSymlinks(path) // what is renamed over a link would leave the key itself
	if err != nil {
		return nil, fmt.Errorf("replace master key: %w", err)
	}
	old, err := os.Stat(over)
	if err != nil {
		return nil, fmt.Errorf("replace master key: %w", err)
	}
	file, err := claim(over+suffix, os.O_CREATE)
	if err != nil {
		return nil, cannotReplace(err, path)
	}
	r := &Replacement{root: root, file: file, over: over}
	err = errors.Join(file.Truncate(0), file.Chmod(0o600), keepOwner(file, old))
	if err == nil {
		r.key, err = write(file)
	}
	if err != nil {
		return nil, fmt.Errorf("replace master key: %w", errors.Join(err, r.Discard()))
	}
	return r, nil
}

// cannotReplace says what to do where the key lies that may not be written.
func cannotReplace(err error, path string) error {
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
		return fmt.Errorf("replace master key: %w: name a file elsewhere with --to, and put it where %s comes from", err, path)
	}
	return fmt.Errorf("replace master key: %w", err)
}

// keepOwner gives the file to the owner of the old key: the superuser may run the command, and a server that is somebody
// else has to read it.
func keepOwner(file *os.File, old fs.FileInfo) error {
	was, ok := old.Sys().(*syscall.Stat_t)
	if !ok || int(was.Uid) == os.Geteuid() {
		return nil
	}
	return file.Chown(int(was.Uid), int(was.Gid))
}

// errBusy is returned while another process replaces the key.
var errBusy = errors.New("another process is replacing the key: try again when it has ended")

// claim opens a key on its way and locks it against other processes.
func claim(path string, flags int) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDWR|syscall.O_NOFOLLOW|flags, 0o600)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = errBusy
	}
	// Between the two calls the other process may have ended and given the file its final name.
	here, err2 := file.Stat()
	if there, err3 := os.Lstat(path); err == nil && (err2 != nil || err3 != nil || !os.SameFile(here, there)) {
		err = errBusy
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// Seal returns the root under the new key.
func (r *Replacement) Seal() []byte { return r.key.seal(r.root) }

// File is where the new key is until it is installed.
func (r *Replacement) File() string { return r.file.Name() }

// Install renames the new key over the old one, which opens nothing any more.
func (r *Replacement) Install() error {
	defer r.file.Close()
	if r.over == "" {
		return nil
	}
	return install(r.file.Name(), r.over)
}

func install(from, over string) error {
	if err := os.Rename(from, over); err != nil {
		return fmt.Errorf("the master key is replaced, and the new one is still called %s: %w: run mv %[1]s %s", from, err, over)
	}
	return syncDirectory(filepath.Dir(over))
}

// Discard removes the new key, under which nothing was saved.
func (r *Replacement) Discard() error {
	return errors.Join(os.Remove(r.file.Name()), r.file.Close())
}

// Finish returns the keychain of a root that the key read at path did not open. The replacement was cut short, or came
// between: its key gets the name it is for. The error is ports.ErrForeignKey when no key there opens the root.
func Finish(path string, sealed []byte) (*Keychain, error) {
	over, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, err
	}
	if file, err := claim(over+suffix, 0); err == nil { // who cannot lock it leaves the end to who holds it
		defer file.Close()
		if key, err := read(file); err == nil {
			if keychain, err := key.Unseal(sealed); err == nil {
				return keychain, install(file.Name(), over)
			}
		}
	}
	return Pending(path, sealed)
}

// Pending is Finish for who changes nothing, because the root may be that of a copy.
func Pending(path string, sealed []byte) (*Keychain, error) {
	over, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, err
	}
	for _, name := range []string{over + suffix, over} { // in this order: the first becomes the second
		if key, err := Load(name); err == nil {
			if keychain, err := key.Unseal(sealed); err == nil {
				return keychain, nil
			}
		}
	}
	return nil, ports.ErrForeignKey
}
