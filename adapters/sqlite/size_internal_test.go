package sqlite

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/domain/oauth"
	"latchkey/ports"
)

// filled returns a store with so many users and five times as many token families, of which a part has expired.
func filled(t testing.TB, users int) *Store {
	t.Helper()
	s := create(t)
	if err := s.Update(t.Context(), func(tx ports.Tx) error { return tx.SaveClient(oauth.Client{ID: "web"}) }); err != nil {
		t.Fatal(err)
	}
	script, err := os.ReadFile("testdata/fill.sql")
	if err == nil {
		err = s.group.conn.within(func() error {
			_, err := s.group.conn.Exec(strings.ReplaceAll(string(script), "SIZE", fmt.Sprint(users)), nil)
			return err
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// ST-13: what a file holds beside the rows that are asked for makes no statement slower: each finds them by an index, and so
// does SQLite itself when it deletes a row that others may refer to.
func TestFilledFileIsLookedUpByIndexes(t *testing.T) {
	s := filled(t, 2000)
	everything(t, s)
	wantIndexes(t, s)
	references := 0
	err := s.group.conn.rows(`SELECT t.name || '.' || f."from", EXISTS (SELECT 1 FROM pragma_index_list(t.name) i JOIN pragma_index_info(i.name) c
			WHERE c.seqno = 0 AND c.name = f."from" AND i.partial = 0)
		FROM sqlite_schema t JOIN pragma_foreign_key_list(t.name) f WHERE t.type = 'table'`, nil, func(r *row) bool {
		references++
		if name := r.text(); !r.bool() {
			t.Errorf("%s refers to another table and no index begins with it", name)
		}
		return true
	})
	if err != nil || references < 5 {
		t.Errorf("%d references: %v", references, err)
	}
}

// ST-13: a step of the sweep takes so many rows of each kind and no more, however many have expired, and in the end all of them.
func TestSweepStepIsBounded(t *testing.T) {
	const users, limit = 2000, 50
	s := filled(t, users)
	counts := func() map[string]int64 {
		t.Helper()
		all, err := s.group.conn.counts()
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	first, now, steps := counts(), time.Now(), 0
	for before := first; ; steps++ {
		swept := 0
		err := s.Update(t.Context(), func(tx ports.Tx) (err error) {
			swept, err = tx.Sweep(now, limit)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		after := counts()
		for table, n := range before {
			if gone := n - after[table]; gone < 0 || gone > limit {
				t.Fatalf("step %d takes %d rows of %s", steps, gone, table)
			}
		}
		if before = after; swept == 0 {
			break
		}
	}
	last := counts()
	for table, want := range map[string]int64{`"session"`: users / 5, `"token_family"`: users, `"code"`: users / 5, `"grant"`: 0, `"user"`: 0} {
		if gone := first[table] - last[table]; gone != want {
			t.Errorf("%d rows of %s are gone, want %d", gone, table, want)
		}
	}
	if steps != users/limit {
		t.Errorf("%d steps, want %d", steps, users/limit)
	}
}

// How long a step has the writer, its commit included, beside a commit that changes one row, which is what the disk costs.
func BenchmarkSweepStep(b *testing.B) {
	for _, limit := range []int{10, 50, 200} {
		b.Run(fmt.Sprint(limit), func(b *testing.B) {
			s, now := filled(b, 100_000), time.Now()
			var steps, commits []time.Duration
			timed := func(all *[]time.Duration, err error, begun time.Time) {
				if *all = append(*all, time.Since(begun)); err != nil {
					b.Fatal(err)
				}
			}
			for b.Loop() {
				begun := time.Now()
				err := s.Update(b.Context(), func(tx ports.Tx) error { _, err := tx.Sweep(now, limit); return err })
				timed(&steps, err, begun)
				begun = time.Now()
				timed(&commits, s.Probe(b.Context()), begun)
				time.Sleep(20 * time.Millisecond) // as between the steps of a server
			}
			for name, all := range map[string][]time.Duration{"step": steps, "commit": commits} {
				slices.Sort(all)
				for _, p := range []int{50, 99} {
					b.ReportMetric(float64(all[min(len(all)-1, len(all)*p/100)].Microseconds())/1000, fmt.Sprintf("%s-p%d-ms", name, p))
				}
			}
		})
	}
}
