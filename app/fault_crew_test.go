package app_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"latchkey/app/apptest"
	"latchkey/domain/oauth"
)

const crewSize = 8

// crew is the load of every campaign in which the server or its disk fails: people and applications that remember what
// was acknowledged, and find out afterwards whether the server does.
type crew struct {
	t     *testing.T
	p     *apptest.Process
	total tally
	// faulty says that the disk fails: an answer of 503 is then as good as none, and leaves in doubt what it was about.
	faulty bool

	browser  *apptest.Browser
	signedIn time.Time
	cycle    int
	workers  []*worker
	declared int
	made     []string // clients that were declared in this cycle
	stopped  atomic.Bool
}

func newCrew(t *testing.T, p *apptest.Process, size int) *crew {
	c := &crew{t: t, p: p}
	for w := range size {
		c.workers = append(c.workers, &worker{crew: c, t: t, p: p, total: &c.total, number: w, web: p.Client("web"),
			app: p.Client(fmt.Sprintf("app%d", w)), name: fmt.Sprintf("Application %d.", w)})
	}
	return c
}

// run lets everybody work until fail returns, and returns when nobody does any more. declaring also runs the command line.
func (c *crew) run(declaring bool, fail func()) {
	c.t.Helper()
	if time.Since(c.signedIn) > 5*time.Minute { // to disconnect an application asks for a recent sign-in
		c.browser, c.signedIn = c.p.Browser(), time.Now()
		enter(c.t, c.p, c.browser)
	}
	c.cycle++
	c.stopped.Store(false)
	var running sync.WaitGroup
	for _, w := range c.workers {
		w.browser, w.lines, w.visits, w.guessed, w.guessing = sameSession(c.p, c.browser), nil, nil, 0, 0
		running.Go(w.work)
	}
	ctx, cancel := context.WithCancel(c.t.Context())
	c.made = nil
	if declaring {
		running.Go(func() { c.declare(ctx) })
	}
	fail()
	c.stopped.Store(true)
	cancel()
	running.Wait()
}

// reach waits until so many more answers have arrived, then a moment more, so that the end comes in the middle of anything.
func (c *crew) reach(answers int64) {
	c.t.Helper()
	from := c.total.acknowledged.Load()
	if _, ok := within(time.Minute, func() bool { return c.t.Failed() || c.total.acknowledged.Load() >= from+answers }); !ok {
		c.t.Errorf("%d answers in a minute", c.total.acknowledged.Load()-from)
	}
	time.Sleep(time.Duration(rand.N(int64(10 * time.Millisecond))))
}

// declare adds clients with the command line beside the server, until it is killed too.
func (c *crew) declare(ctx context.Context) {
	for ctx.Err() == nil {
		c.declared++
		id := fmt.Sprintf("made%d", c.declared)
		switch out := c.p.Command(ctx, clients(id, ""), "apply", "-"); {
		case out.Code == 0:
			c.total.acknowledged.Add(1)
			c.made = append(c.made, id)
		case ctx.Err() == nil:
			c.t.Errorf("apply beside the server: %+v", out)
		}
	}
}

// check compares what the server knows now with what it acknowledged before.
func (c *crew) check() {
	var running sync.WaitGroup
	for _, w := range c.workers {
		running.Go(w.check)
	}
	running.Go(func() {
		for _, id := range c.made {
			if page := c.p.Client(id).Authorize(sameSession(c.p, c.browser)); !page.IsConsent() {
				c.t.Errorf("client %s was declared and is lost: %d %.200s", id, page.Status, page.Body)
				c.total.lost.Add(1)
			}
		}
	})
	running.Wait()
}

// counted checks what only the file tells: that the attempts which were answered are counted.
func (c *crew) counted(files map[string][]byte) {
	c.t.Helper()
	db, done := opened(c.t, files)
	defer done()
	for _, w := range c.workers {
		if w.guessing == 0 {
			continue
		}
		var count int
		err := db.QueryRowContext(c.t.Context(), "SELECT coalesce(max(count), 0) FROM attempts WHERE key = ?", "name:"+oauth.Secret(w.nobody()).Digest().String()).Scan(&count)
		if err != nil || count < w.guessed || count > w.guessing {
			c.t.Errorf("%d attempts were answered and %d sent, and %d are counted, %v", w.guessed, w.guessing, count, err)
			c.total.lost.Add(1)
		}
	}
}

// ended checks that what had ended is not there again.
func (c *crew) ended() {
	for _, w := range c.workers {
		for _, l := range w.lines {
			if works := l.dead(); works != "" {
				w.lost("%s after the line has ended", works)
			}
		}
	}
}

// figures logs what was found, and fails when it does not hold.
func (c *crew) figures(format string, args ...any) {
	c.t.Helper()
	// AD-10: each deed is in the trail or neither is, and nothing is missing in between.
	if out := c.p.Command(c.t.Context(), "", "audit", "verify"); out.Code != 0 {
		c.t.Errorf("audit verify: %+v", out)
	}
	n := &c.total
	c.t.Logf("%s: %d acknowledged writes, %d lost, %d double; %d undecided, of which %d had been kept", fmt.Sprintf(format, args...),
		n.acknowledged.Load(), n.lost.Load(), n.double.Load(), n.undecided.Load(), n.kept.Load())
	if n.acknowledged.Load() < int64(c.cycle) || n.lost.Load() != 0 || n.double.Load() != 0 {
		c.t.Error("the figures say that it does not hold")
	}
}
