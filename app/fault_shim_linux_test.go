package app_test

import (
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"unsafe"

	"latchkey/app/apptest"
)

// shim is testdata/faultshim.c between a process and the disk of its database.
type shim struct {
	words   *[shimWords]atomic.Int64
	journal string
}

// The words of its control, as in the enum of faultshim.c.
const (
	failWrite = iota // the how many-th write from now on fails; 0: none
	failSync
	failErrno
	sticky    // and every one after it
	partial   // a failing write does half of it
	syncDelay // in microseconds
	given     // how many calls failed
	writesSeen
	syncsSeen
	shimWords
)

var shimLibrary struct {
	once sync.Once
	path string
	err  error
}

// shimmed puts the shim under a process that is not started yet, and under its commands.
func shimmed(t *testing.T, p *apptest.Process) *shim {
	t.Helper()
	shimLibrary.once.Do(func() {
		shimLibrary.path = filepath.Join(apptest.Scratch(t), "faultshim.so")
		out, err := exec.Command("cc", "-O2", "-shared", "-fPIC", "-o", shimLibrary.path, "testdata/faultshim.c").CombinedOutput()
		if shimLibrary.err = err; err != nil {
			t.Errorf("%s", out)
		}
	})
	if shimLibrary.err != nil {
		t.Fatalf("the shim needs the C compiler that the program was built with: %v", shimLibrary.err)
	}
	dir := t.TempDir()
	control, err := os.OpenFile(filepath.Join(dir, "control"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer control.Close()
	const size = 4096
	if err := control.Truncate(size); err != nil {
		t.Fatal(err)
	}
	memory, err := syscall.Mmap(int(control.Fd()), 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Munmap(memory) })
	s := &shim{words: (*[shimWords]atomic.Int64)(unsafe.Pointer(&memory[0])), journal: filepath.Join(dir, "journal")}
	database, err := filepath.EvalSymlinks(p.File())
	if err != nil {
		t.Fatal(err)
	}
	p.Env = append(p.Env, "LD_PRELOAD="+shimLibrary.path, "FAULT_DB="+database, "FAULT_CONTROL="+control.Name(), "FAULT_JOURNAL="+s.journal)
	return s
}

// The files and the types of a record.
const (
	fileDatabase = 1 + iota
	fileLog
	fileDirectory
)

const (
	recordWrite = 1 + iota
	recordTruncate
	recordSyncBegin
	recordSyncEnd
	recordUnlink
)

// record is one call that reached the disk, in the order in which they did.
type record struct {
	kind, file   uint32
	offset, when int64 // when: in nanoseconds of CLOCK_MONOTONIC
	data         []byte
}

// records reads the journal from an offset, without the record that a kill left unfinished, and returns where it ends.
func (s *shim) records(t *testing.T, from int64) (all []record, end int64) {
	t.Helper()
	f, err := os.Open(s.journal)
	if os.IsNotExist(err) {
		return nil, 0
	} else if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	raw := make([]byte, info.Size()-from)
	if n, err := f.ReadAt(raw, from); n < len(raw) {
		t.Fatal(err)
	}
	const head = 32
	le := binary.NativeEndian
	for end = from; len(raw) >= head; {
		r := record{kind: le.Uint32(raw), file: le.Uint32(raw[4:]), offset: int64(le.Uint64(raw[8:])), when: int64(le.Uint64(raw[24:]))}
		whole := head
		if r.kind == recordWrite {
			whole += int(le.Uint64(raw[16:]))
		}
		if len(raw) < whole {
			break
		}
		r.data, raw, end = raw[head:whole], raw[whole:], end+int64(whole)
		all = append(all, r)
	}
	return all, end
}

// forget empties the journal while nobody writes to it.
func (s *shim) forget(t *testing.T) {
	t.Helper()
	if err := os.Truncate(s.journal, 0); err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
}

// arm lets the k-th write or sync from now on fail. k = 0 ends that.
func (s *shim) arm(word int, k int64, errno syscall.Errno, forGood bool) {
	s.words[failWrite].Store(0)
	s.words[failSync].Store(0)
	s.words[failErrno].Store(int64(errno))
	s.words[sticky].Store(0)
	if forGood {
		s.words[sticky].Store(1)
	}
	s.words[given].Store(0)
	s.words[word].Store(k)
}

// monotonic reads the clock of the shim's stamps.
func monotonic() int64 {
	var ts syscall.Timespec
	const clockMonotonic = 1
	syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, clockMonotonic, uintptr(unsafe.Pointer(&ts)), 0)
	return ts.Nano()
}
