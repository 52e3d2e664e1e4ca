package metrics

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/adapters/memory"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var now = time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)

// sources have a figure of each kind.
func sources(t *testing.T) Sources {
	store := memory.New()
	err := store.Update(t.Context(), func(tx ports.Tx) error {
		key := func(id oidc.KeyID, alg oauth.Algorithm, active time.Duration) error {
			return tx.SaveSigningKey(oidc.SigningKey{ID: id, Algorithm: alg, Public: []byte("{}"), Sealed: []byte("x"), CreatedAt: now, ActiveAt: now.Add(active)})
		}
		return errors.Join(key("old", oauth.ES256, -100*24*time.Hour), key("active", oauth.ES256, -89*24*time.Hour), key("next", oauth.ES256, 24*time.Hour),
			key("rsa", oauth.RS256, -time.Hour), tx.SaveMoment(ports.BackupMade, now.Add(-90*time.Second)))
	})
	if err != nil {
		t.Fatal(err)
	}
	return Sources{
		Now:   func() time.Time { return now },
		Store: store,
		Figures: func() ports.StoreFigures {
			return ports.StoreFigures{Commits: 6, Units: 21, Groups: [8]uint64{3, 1, 0, 2}, FileBytes: 8192, LogBytes: 4120}
		},
		Hashing:     func() ports.HashingFigures { return ports.HashingFigures{Slots: 2, Running: 2, Waiting: 5} },
		Connections: func() int { return 17 },
		Floods:      func() uint64 { return 3 },
		SQLite:      "3.51.3",
	}
}

func used(t *testing.T) *Registry {
	r := New(sources(t))
	r.Answered(ports.EndpointToken, 200, 900*time.Microsecond)
	r.Answered(ports.EndpointToken, 200, time.Millisecond)
	r.Answered(ports.EndpointToken, 400, 3*time.Millisecond)
	r.Answered(ports.EndpointToken, 429, time.Minute)
	r.Answered(ports.EndpointAuthorize, 303, 30*time.Millisecond)
	r.Answered("", 404, time.Millisecond)
	r.Refused(ports.EndpointToken, oauth.InvalidGrant)
	r.Refused(ports.EndpointToken, oauth.TooManyAttempts)
	r.Refused(ports.EndpointLogin, "login_failed")
	r.Refused("/etc/passwd", "a code that\nnobody \"declared\"")
	r.Issued(ports.AccessToken)
	r.Issued(ports.AccessToken)
	r.Issued(ports.IDToken)
	return r
}

func exposed(t *testing.T, r *Registry) string {
	t.Helper()
	var b bytes.Buffer
	if err := r.Expose(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// What the process and the build say differs from run to run and is left out.
var volatile = regexp.MustCompile(`(?m)^(# (HELP|TYPE) )?(go_|process_|latchkey_build_info).*\n`)

func TestGolden(t *testing.T) {
	path, got := filepath.Join("testdata", "metrics.golden"), volatile.ReplaceAllString(exposed(t, used(t)), "")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("go test -update rewrites it: %s", diff)
	}
}

var (
	comment = regexp.MustCompile(`^# (HELP|TYPE) ([a-z_]+) (.+)$`)
	line    = regexp.MustCompile(`^([a-z_]+)(\{((?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)+)\})? (\S+)$`)
)

// family is what a reader of the text knows of one metric.
type family struct {
	kind    string
	samples map[string]float64 // by suffix and labels
}

// parse reads the text as strictly as the format is written down, and fails on the first line that it does not allow.
func parse(text string) (map[string]*family, error) {
	all := map[string]*family{}
	var current *family
	name := ""
	for n, l := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		fail := func(why string) error { return fmt.Errorf("line %d, %q: %s", n+1, l, why) }
		if m := comment.FindStringSubmatch(l); m != nil {
			switch {
			case m[1] == "HELP" && all[m[2]] != nil:
				return nil, fail("the family comes twice")
			case m[1] == "HELP":
				current, name = &family{samples: map[string]float64{}}, m[2]
				all[name] = current
			case m[2] != name || current.kind != "":
				return nil, fail("a type without its help")
			default:
				current.kind = m[3]
			}
			continue
		}
		m := line.FindStringSubmatch(l)
		if m == nil || current == nil || current.kind == "" {
			return nil, fail("not a sample of a family")
		}
		suffix, ok := strings.CutPrefix(m[1], name)
		if !ok || suffix != "" && (current.kind != "histogram" || suffix != "_bucket" && suffix != "_sum" && suffix != "_count") {
			return nil, fail("not of the family " + name)
		}
		value, err := strconv.ParseFloat(m[4], 64)
		if err != nil {
			return nil, fail("the value is no number")
		}
		if current.kind == "counter" && (!strings.HasSuffix(name, "_total") || value < 0) {
			return nil, fail("not a counter")
		}
		key := suffix + m[2]
		if _, twice := current.samples[key]; twice {
			return nil, fail("the sample comes twice")
		}
		current.samples[key] = value
	}
	return all, nil
}

func TestEveryLineParses(t *testing.T) {
	for name, r := range map[string]*Registry{"fresh": New(sources(t)), "used": used(t)} {
		text := exposed(t, r)
		all, err := parse(text)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for name, f := range all {
			if f.kind == "histogram" {
				checkHistogram(t, name, f)
			}
		}
		for _, want := range []string{"go_goroutines", "process_start_time_seconds", "go_memstats_heap_alloc_bytes", "latchkey_build_info"} {
			if f := all[want]; f == nil || len(f.samples) != 1 {
				t.Errorf("%s: no %s", name, want)
			}
		}
		if strings.Contains(text, "passwd") || strings.Contains(text, "nobody") {
			t.Errorf("%s: what a caller wrote became a label", name)
		}
	}
}

// Buckets rise, and the last one counts everything.
func checkHistogram(t *testing.T, name string, f *family) {
	t.Helper()
	for key, count := range f.samples {
		labels, ok := strings.CutPrefix(key, "_count")
		if !ok {
			continue
		}
		last := -1.0
		for _, bound := range bounds(f, strings.Trim(labels, "{}")) {
			if bound < last {
				t.Errorf("%s%s: buckets fall", name, labels)
			}
			last = bound
		}
		if last != count {
			t.Errorf("%s%s: %v in the last bucket, %v in all", name, labels, last, count)
		}
	}
}

func bounds(f *family, labels string) (counts []float64) {
	le := map[float64]float64{}
	for key, count := range f.samples {
		inner := strings.TrimSuffix(strings.TrimPrefix(key, "_bucket{"), "}")
		own, bound, ok := strings.Cut(inner, `le="`)
		if !ok || strings.TrimSuffix(own, ",") != labels {
			continue
		}
		v, err := strconv.ParseFloat(strings.TrimSuffix(bound, `"`), 64)
		if err != nil {
			v = math.NaN()
		}
		le[v] = count
	}
	for len(le) > 0 {
		least := math.Inf(1)
		for v := range le {
			least = min(least, v)
		}
		counts = append(counts, le[least])
		delete(le, least)
	}
	return counts
}

// unreadable is a store that has lost its disk.
type unreadable struct{ ports.Store }

func (unreadable) View(context.Context, func(ports.Reader) error) error { return ports.ErrUnavailable }

// When the database cannot be read, everything else is still told.
func TestUnreadableDatabase(t *testing.T) {
	s := sources(t)
	s.Store = unreadable{}
	all, err := parse(exposed(t, New(s)))
	if err != nil {
		t.Fatal(err)
	}
	if all["latchkey_database_readable"].samples[""] != 0 || all["latchkey_wal_bytes"] == nil || all["latchkey_signing_keys"] != nil {
		t.Errorf("families %v", all)
	}
}

func TestCountingAtOnceAllocatesNothing(t *testing.T) {
	r := New(sources(t))
	count := func() {
		r.Answered(ports.EndpointToken, 200, time.Millisecond)
		r.Refused(ports.EndpointToken, oauth.InvalidGrant)
		r.Issued(ports.IDToken)
	}
	if n := testing.AllocsPerRun(100, count); n != 0 {
		t.Errorf("%v allocations", n)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 1000 {
				count()
			}
		})
	}
	wg.Wait()
	all, err := parse(exposed(t, r))
	if err != nil || all["latchkey_http_requests_total"].samples[`{endpoint="token",class="2xx"}`] != 8101 {
		t.Errorf("%v %v", all["latchkey_http_requests_total"], err)
	}
}

func BenchmarkAnswered(b *testing.B) {
	r := New(Sources{})
	b.ReportAllocs()
	for b.Loop() {
		r.Answered(ports.EndpointToken, 200, time.Millisecond)
	}
}

// Every code that a client may see is counted by its name.
func TestEveryCodeHasAName(t *testing.T) {
	source, err := os.ReadFile(filepath.Join("..", "..", "domain", "oauth", "error.go"))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`ErrorCode = "([a-z_]+)"`).FindAllStringSubmatch(string(source), -1)
	if len(found) < 20 {
		t.Fatalf("%d codes found", len(found))
	}
	for _, m := range found {
		if !slices.Contains(codes, oauth.ErrorCode(m[1])) {
			t.Errorf("%s is counted as other", m[1])
		}
	}
}
