package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// benchScenarios are the ones -bench can run, in the order of the table.
var benchScenarios = []string{"discovery", "jwks", "client_credentials", "introspection", "userinfo", "refresh", "revocation", "code_session", "code_login"}

// rounds is the number of interleaved samples of which medians are taken.
const rounds = 3

// bench measures one binary against the goals.
type bench struct {
	binary    string
	dir       string // parent of the temporary folder, or ""
	scenarios []string
	conns     []int
	duration  time.Duration // of a scenario at one number of connections, over all rounds
	warmup    time.Duration // before each measurement
	settle    time.Duration // between start and the reading of idle memory
	hashTime  time.Duration // per measurement of the hash ceiling
	hashCost  int           // PBKDF2 rounds of one password hash
	out       io.Writer     // the table
	progress  io.Writer
}

// sample identifies the measurements of which one median is taken.
type sample struct {
	scenario string
	conns    int
}

// measured is what the table is made of.
type measured struct {
	results map[sample][]*Result
	hashes  []float64       // password hashes a second, one for each round
	starts  []time.Duration // exec to first discovery answer
	idle    int64           // KiB
	peak    int64           // KiB
	size    int64           // bytes, stripped
}

// run prints the table; failed says that there were errors.
func (b *bench) run(ctx context.Context) (failed bool, err error) {
	if b.binary == "" {
		return false, errors.New("-bench needs -server, the latchkey binary (make build makes it)")
	}
	if len(b.conns) == 0 {
		return false, errors.New("-bench needs a number of connections")
	}
	parent, err := onDisk(b.dir)
	if err != nil {
		return false, err
	}
	dir, err := os.MkdirTemp(parent, "latchkey-bench-")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(dir)

	b.say("init and apply: %d users", slices.Max(b.conns))
	p, err := newProvider(ctx, b.binary, dir, slices.Max(b.conns))
	if err != nil {
		return false, err
	}
	defer p.log.Close()
	m := &measured{results: map[sample][]*Result{}}
	if m.size, err = strippedSize(p.binary); err != nil {
		return false, err
	}
	for range rounds {
		took, err := p.start(ctx)
		if err != nil {
			return false, err
		}
		b.say("start: %s", took.Round(100*time.Microsecond))
		m.starts = append(m.starts, took)
		if len(m.starts) < rounds {
			p.stop()
		}
	}
	defer p.stop()
	select {
	case <-time.After(b.settle):
	case <-ctx.Done():
	}
	m.idle, _ = procMem(p.pid())

	document, err := p.cfg.discover()
	if err != nil {
		return false, err
	}
	c, err := startConstant(ctx, document)
	if err != nil {
		return false, err
	}
	defer c.stop()
	p.cfg.RawURL = c.url
	p.cfg.mint = b.duration / rounds // revoking is faster than minting: the tokens may be spent before the window closes
	f, err := newFlow(p.cfg)
	if err != nil {
		return false, err
	}
	for n := range rounds {
		b.say("round %d of %d", n+1, rounds)
		if err := b.round(ctx, m, f, p, c); err != nil {
			return false, err
		}
	}
	_, m.peak = procMem(p.pid())
	return b.table(m), nil
}

// round measures everything once.
func (b *bench) round(ctx context.Context, m *measured, f *Flow, p *provider, c *constantServer) error {
	if slices.Contains(b.scenarios, "code_login") {
		m.hashes = append(m.hashes, hashRate(b.hashCost, b.hashTime))
		b.say("  password hash: %.1f/s", m.hashes[len(m.hashes)-1])
	}
	names := b.scenarios
	if slices.Contains(names, "discovery") || slices.Contains(names, "jwks") {
		names = append([]string{"raw"}, names...)
	}
	for _, name := range names {
		for _, n := range b.conns {
			warm, dur := b.warmup, b.duration/rounds
			if name == "code_login" {
				// The queue of n logins takes n hashes to turn once. A shorter
				// warm-up or window would see a burst of answers or none.
				turn := min(time.Duration(float64(n)/m.hashes[len(m.hashes)-1]*float64(time.Second)), 30*time.Second)
				warm, dur = max(warm, turn), max(dur, turn)
			}
			pid := p.pid()
			if name == "raw" {
				pid = c.cmd.Process.Pid
			}
			r := run(ctx, f, scenarioNamed(name), n, warm, dur, []int{pid})
			if err := ctx.Err(); err != nil {
				return err
			}
			fmt.Fprint(b.progress, "  ")
			r.human(b.progress)
			k := sample{name, n}
			m.results[k] = append(m.results[k], r)
			if err := p.alive(); err != nil {
				return err
			}
			// The log of a run at full speed is large, and the next one does not
			// need it.
			p.log.Truncate(0)
		}
	}
	return nil
}

func (b *bench) say(format string, a ...any) { fmt.Fprintf(b.progress, format+"\n", a...) }

// onDisk returns the folder in which to make the temporary one. A file in
// memory makes fsync free, and a durable figure must not come from there.
func onDisk(dir string) (string, error) {
	candidates := []string{os.TempDir(), "/var/tmp", "."}
	if dir != "" {
		candidates = []string{dir}
	}
	for _, d := range candidates {
		if !inMemory(d) {
			if d, err := filepath.Abs(d); err == nil {
				return d, nil
			}
		}
	}
	return "", fmt.Errorf("%s is in memory, where a commit is not durable: name a folder on a disk with -dir", candidates[0])
}

// inMemory knows tmpfs and ramfs (statfs(2)). What cannot be asked is taken for
// a disk; making the folder there then says what is wrong.
func inMemory(dir string) bool {
	var st syscall.Statfs_t
	if syscall.Statfs(dir, &st) != nil {
		return false
	}
	return uint32(st.Type) == 0x01021994 || uint32(st.Type) == 0x858458f6
}

func median[T cmp.Ordered](v []T) T {
	var zero T
	if len(v) == 0 {
		return zero
	}
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}
