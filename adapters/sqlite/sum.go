package sqlite

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"latchkey/domain/audit"
	"latchkey/ports"
)

// Seal returns what keys the sum of a file with this root of keys; the zero value: it has none.
type Seal func(ports.MasterRoot) (audit.Tagger, error)

// sumSuffix names the file beside a database, or a copy of one, that holds its sum. SQLite itself has checksums of nothing: a bit
// that flips in a column without an index is a value like any other.
const sumSuffix = ".sum"

// largestSummed is how large a file may be that has a sum, in bytes: it is read whole at each start and each end, which for 64 MB takes
// some 50 ms, and 200 where the processor has no instructions for SHA-256.
const largestSummed = 64 << 20

// sum is of the bytes of a file: keyed, so that who changes them cannot make it fit again.
type sum struct {
	size int64
	key  [sha256.Size]byte // tells a sum under another key from one that does not match
	mac  [sha256.Size]byte
}

const sumHeader = "latchkey-sum-v1"

// String is how a sum is saved. It ends with a check of itself: half of one, or one that the disk changed, is none.
func (s sum) String() string {
	text := fmt.Sprintf("%s %d %x %x ", sumHeader, s.size, s.key, s.mac)
	check := sha256.Sum256([]byte(text))
	return text + hex.EncodeToString(check[:8]) + "\n"
}

// parseSum returns nil for what says nothing.
func parseSum(text string) *sum {
	parts := strings.Fields(text)
	if len(parts) != 5 {
		return nil
	}
	size, err1 := strconv.ParseInt(parts[1], 10, 64)
	key, err2 := hex.DecodeString(parts[2])
	mac, err3 := hex.DecodeString(parts[3])
	if errors.Join(err1, err2, err3) != nil || len(key) != sha256.Size || len(mac) != sha256.Size {
		return nil
	}
	if s := (sum{size: size, key: [sha256.Size]byte(key), mac: [sha256.Size]byte(mac)}); s.String() == text {
		return &s
	}
	return nil
}

// readSum returns what the file says, nil for nothing. It is never longer than this.
func readSum(r io.ReaderAt) (*sum, error) {
	text := make([]byte, 256)
	n, err := r.ReadAt(text, 0)
	if err != nil && err != io.EOF {
		return nil, err
	}
	return parseSum(string(text[:n])), nil
}

// readSumOf reads the file beside path, which may be missing.
func readSumOf(path string) (*sum, error) {
	f, err := os.Open(path + sumSuffix)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	defer f.Close()
	return readSum(f)
}

// sumOf reads a file that nobody has open. To open it ourselves drops the locks of this process on it.
func sumOf(path string, tag audit.Tagger) (s sum, err error) {
	f, err := os.Open(path)
	if err != nil {
		return s, err
	}
	defer f.Close()
	h := sha256.New()
	if s.size, err = io.CopyBuffer(struct{ io.Writer }{h}, struct{ io.Reader }{f}, make([]byte, 1<<20)); err != nil {
		return s, err
	}
	s.key, s.mac = tag([]byte(sumHeader)), tag(h.Sum(nil))
	return s, nil
}

// isOf reports whether the file at path, which nobody has open, is the one that s was made of. The error is ports.ErrForeignKey for a
// sum under another key.
func (s sum) isOf(path string, seal Seal) (bool, error) {
	info, err := os.Stat(path)
	if err != nil || info.Size() != s.size {
		return false, err
	}
	root, _, err := rootAtRest(path)
	if errors.Is(err, ports.ErrUnavailable) {
		return false, fmt.Errorf("%s: %w", path, err)
	} else if err != nil { // a file with a sum was one that could be read
		return false, nil
	}
	tag, err := seal(root)
	if err != nil {
		return false, err
	}
	got, err := sumOf(path, tag)
	if err == nil && got.key != s.key && root.Sealed == nil { // else the key has opened the root, and the sum is another database's
		err = fmt.Errorf("%w, or %s%s is that of another database: then remove it", ports.ErrForeignKey, filepath.Base(path), sumSuffix)
	}
	return err == nil && got.size == s.size && hmac.Equal(got.mac[:], s.mac[:]), err
}

// rootAtRest reads the root of keys and the schema of a file that nobody has open.
func rootAtRest(path string) (root ports.MasterRoot, schema int, err error) {
	c, err := connect(path, "ro&immutable=1")
	if err != nil {
		return root, 0, fault(err)
	}
	defer c.close()
	if err := c.set(everyConnection, readerOnly); err != nil {
		return root, 0, err
	}
	if schema, err = c.version(); err != nil || schema < rooted {
		return root, schema, err
	}
	root, err = first(c, scanMasterRoot, selectMasterRoot)
	if errors.Is(err, ports.ErrNotFound) {
		err = nil
	}
	return root, schema, err
}

// writeSum writes into an empty file.
func writeSum(f *os.File, s sum) error {
	_, err := f.WriteAt([]byte(s.String()), 0)
	return errors.Join(err, disk.sync(f))
}

// mayHaveSum refuses to write over what is no sum.
func mayHaveSum(path string) error {
	old, err := readSumOf(path)
	if info, missing := os.Lstat(path + sumSuffix); err == nil && old == nil && missing == nil && info.Size() > 0 {
		err = mustBeFree(path + sumSuffix)
	}
	return err
}

// publish gives a finished and synced copy its name, which is free, and its sum: of now, before anybody else has it.
func (a Archive) publish(part, to string) error {
	err := a.sumCopy(part, to)
	if err == nil {
		err = disk.rename(part, to)
	}
	if err != nil {
		return errors.Join(err, removeIfThere(to+sumSuffix))
	}
	return syncDirectory(filepath.Dir(to))
}

// sumCopy saves the sum of part beside to. What a file was that had the name before, and was removed, is written over: until there is a
// file it says nothing.
func (a Archive) sumCopy(part, to string) error {
	info, err := os.Stat(part)
	if err != nil {
		return err
	}
	f, err := companion(to, sumSuffix)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := errors.Join(f.Chmod(0o600), f.Truncate(0)); err != nil {
		return err
	}
	if a.Seal == nil || info.Size() > largestSummed {
		return errors.Join(disk.sync(f), os.Remove(f.Name()))
	}
	root, _, err := rootAtRest(part)
	if err != nil {
		return err
	}
	tag, err := a.Seal(root)
	if err != nil {
		return err
	}
	s, err := sumOf(part, tag)
	if err != nil {
		return err
	}
	return writeSum(f, s)
}

// checkCopy compares what was copied from file with the sum beside it, if there is one.
func (a Archive) checkCopy(file, copied string) error {
	s, err := readSumOf(file)
	if a.Seal == nil || err != nil || s == nil {
		return err
	}
	same, err := s.isOf(copied, a.Seal)
	if err == nil && !same {
		err = fmt.Errorf("%s %w: use another backup; to use it as it is, remove %[1]s%[3]s", file, ports.ErrChanged, sumSuffix)
	}
	return err
}
