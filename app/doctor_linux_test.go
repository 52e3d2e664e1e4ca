package app_test

import (
	"os"
	"testing"
	"time"
)

func TestDoctorVolume(t *testing.T) {
	dir, err := os.MkdirTemp("/dev/shm", "latchkey-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	i := newInstallation(t, dir, func() time.Time { return time.Now().UTC().Truncate(time.Millisecond) })
	i.expect("warning volume.passing", "latchkey backup FILE --db DB")
}
