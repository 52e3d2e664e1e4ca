package app_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"latchkey/app/apptest"
)

// ST-01, ST-02, OP-09: killed at any instant of mixed load, the server is back with every write it acknowledged, and what
// was in doubt works at most once.
func TestFaultKill(t *testing.T) {
	t.Parallel()
	cycles, writes := size(t, "KILLS", 3), size(t, "KILL_WRITES", 150)
	p := apptest.NewProcess(t, faultDocument(crewSize))
	slowest := p.Start()
	c := newCrew(t, p, crewSize)
	for cycle := range cycles {
		c.run(true, func() {
			c.reach(rand.N(2 * int64(writes)))
			p.Kill()
		})
		files := left(t, p.File())
		sound(t, files)
		c.counted(files)
		slowest = max(slowest, p.Start())
		c.check()
		if t.Failed() {
			t.Fatalf("cycle %d; the log ends:\n%s", cycle, p.Log.Tail())
		}
	}
	p.Terminate()
	if code := p.Wait(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	sound(t, left(t, p.File()))
	c.figures("%d kills, ready after at most %v", cycles, slowest.Round(time.Millisecond))
}
