package sqlite

import (
	"errors"
	"io/fs"
	"os"
)

// disk is what makes files last. Go's own calls cannot be watched from outside the process as those of SQLite can, so a test puts
// its own in their place to see their order.
var disk = struct {
	sync   func(*os.File) error // of a file, or of a folder for the names in it
	rename func(from, to string) error
}{(*os.File).Sync, os.Rename}

func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(disk.sync(f), f.Close())
}

func removeIfThere(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func syncDirectory(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(disk.sync(d), d.Close())
}
