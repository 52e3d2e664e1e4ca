package app_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"latchkey/app/apptest"
	"latchkey/domain/oauth"
)

// The load under which backups are made.
const (
	writers         = 8
	writesPerSecond = 500
	bystanders      = 50_000 // users on file, so that a backup takes longer than a write
)

// backups is how many are made and restored: LATCHKEY_BACKUPS, for a campaign, or two.
func backups(t *testing.T) int {
	t.Helper()
	text := os.Getenv("LATCHKEY_BACKUPS")
	if text == "" {
		return 2
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("LATCHKEY_BACKUPS=%s is not a number of backups", text)
	}
	return n
}

// writer refreshes one line of tokens again and again, each time a durable write, and remembers what was acknowledged.
type writer struct {
	rp *apptest.RP

	mu    sync.Mutex
	token string
	took  []time.Duration
}

// write goes on until ctx is done, at its share of the rate.
func (w *writer) write(ctx context.Context, t *testing.T) {
	tick := time.NewTicker(time.Second * writers / writesPerSecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		begun := time.Now()
		r := w.rp.Refresh(w.newest())
		if r.Status != http.StatusOK {
			t.Errorf("refresh under backups: %d %s %v", r.Status, r.Text, r.Err)
			return
		}
		w.mu.Lock()
		w.token, w.took = r.Get("refresh_token"), append(w.took, time.Since(begun))
		w.mu.Unlock()
	}
}

func (w *writer) newest() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.token
}

// timings takes what was measured since the last call.
func timings(all []*writer) (took []time.Duration) {
	for _, w := range all {
		w.mu.Lock()
		took, w.took = append(took, w.took...), nil
		w.mu.Unlock()
	}
	slices.Sort(took)
	return took
}

// rank returns the time that p of a hundred did not exceed.
func rank(sorted []time.Duration, p int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, len(sorted)*p/100)].Round(10 * time.Microsecond)
}

// generations reads from a backup how far each family was.
func generations(t *testing.T, file string) map[oauth.FamilyID]int {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+file+"?mode=ro&immutable=1")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query("SELECT id, generation FROM token_family")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	all := map[oauth.FamilyID]int{}
	for rows.Next() {
		var id oauth.FamilyID
		var n int
		if err := rows.Scan(&id, &n); err != nil {
			t.Fatal(err)
		}
		all[id] = n
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// ST-08, ST-19: backups beside a loaded server hold every write that was acknowledged before; one that is killed leaves no
// false file. Restored, each is served, and nothing of before the restore works; a restore that is killed leaves the old
// database or the new one.
func TestFaultBackup(t *testing.T) {
	t.Parallel()
	n := backups(t)
	p := apptest.NewProcess(t, faultDocument(0))
	populate(t, p.File())
	p.Start()
	browser := p.Browser()
	var all []*writer
	for range writers {
		rp := p.Client("web")
		all = append(all, &writer{rp: rp, token: wantTokens(t, rp.Exchange(rp.Code(browser, "alice"))).Get("refresh_token")})
	}
	ctx, stop := context.WithCancel(t.Context())
	var writing sync.WaitGroup
	for _, w := range all {
		writing.Go(func() { w.write(ctx, t) })
	}
	time.Sleep(time.Second)
	timings(all)
	time.Sleep(time.Second)
	calm := timings(all)

	dir := t.TempDir()
	lost, falseFiles, killed := 0, 0, 0
	var files []string
	var slowest time.Duration
	for i := range n {
		file := filepath.Join(dir, fmt.Sprintf("backup%d.db", i))
		dying, kill := context.WithTimeout(t.Context(), time.Duration(5+rand.N(150))*time.Millisecond)
		if out := p.Command(dying, "", "backup", file); out.Code != 0 {
			killed++
			if _, err := os.Stat(file); err == nil {
				wantVerified(t, p, file) // killed after it was done
			}
		}
		kill()
		if err := os.Remove(file); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		before := map[oauth.FamilyID]int{}
		for _, w := range all {
			token, err := oauth.ParseRefreshToken(oauth.Secret(w.newest()))
			if err != nil {
				t.Fatal(err)
			}
			before[token.Family] = token.Generation
		}
		begun := time.Now()
		if out := p.Command(t.Context(), "", "backup", file); out.Code != 0 {
			t.Fatalf("backup %d: %+v", i, out)
		}
		slowest = max(slowest, time.Since(begun))
		got := generations(t, file)
		for family, generation := range before {
			if got[family] < generation {
				t.Errorf("backup %d has generation %d of a family that was acknowledged at %d", i, got[family], generation)
				lost++
			}
		}
		files = append(files, file)
	}
	busy := timings(all)
	for _, file := range files {
		wantVerified(t, p, file)
		if _, err := os.Stat(file + ".part"); err == nil {
			falseFiles++
		}
	}
	stop()
	writing.Wait()
	p.Terminate()
	p.Wait()

	interrupted, revived := 0, 0
	for i, file := range files {
		dying, kill := context.WithTimeout(t.Context(), time.Duration(20+rand.N(600))*time.Millisecond)
		if out := p.Command(dying, "", "restore", file, "--yes"); out.Code == -1 {
			interrupted++
			if out := p.Command(t.Context(), "{}", "apply", "-"); out.Code != 0 {
				t.Errorf("after a killed restore: %+v", out)
			}
		}
		kill()
		sound(t, left(t, p.File()))
		if out := p.Command(t.Context(), "", "restore", file, "--yes"); out.Code != 0 {
			t.Fatalf("restore %d: %+v", i, out)
		}
		p.Start()
		for _, w := range all {
			if r := w.rp.Refresh(w.newest()); r.Status != http.StatusBadRequest {
				t.Errorf("restore %d: a refresh token of before answers %d", i, r.Status)
				revived++
			}
		}
		if page := p.Client("web").Authorize(browser); !page.IsLogin() {
			t.Errorf("restore %d: the session of before is live", i)
			revived++
		}
		wantTokens(t, p.Client("web").SignIn(p.Browser(), "alice"))
		p.Terminate()
		if code := p.Wait(); code != 0 {
			t.Errorf("restore %d: the server ends with %d", i, code)
		}
		sound(t, left(t, p.File()))
		for _, kept := range beside(t, p.File(), ".before-restore-") {
			os.Remove(kept) // each is as large as the database
		}
	}
	if out := p.Command(t.Context(), "", "audit", "verify"); out.Code != 0 {
		t.Errorf("the audit trail after %d restores: %+v", n, out)
	}
	t.Logf("%d backups at %d writes/s (%d killed midway), slowest %v: %d writes lost, %d unfinished files; write p50 %v and p99 %v, before backups %v and %v",
		n, writesPerSecond, killed, slowest.Round(time.Millisecond), lost, falseFiles, rank(busy, 50), rank(busy, 99), rank(calm, 50), rank(calm, 99))
	t.Logf("%d restores (%d killed midway and done again): %d things of before came to life", n, interrupted, revived)
}

func wantVerified(t *testing.T, p *apptest.Process, file string) {
	t.Helper()
	if out := p.Command(t.Context(), "", "backup", "verify", file); out.Code != 0 {
		t.Errorf("verify: %+v", out)
	}
}

// beside returns the files whose names begin with that of the database and go on so.
func beside(t *testing.T, file, suffix string) []string {
	t.Helper()
	found, err := filepath.Glob(strings.NewReplacer("[", `\[`, "*", `\*`, "?", `\?`).Replace(file) + suffix + "*")
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// populate adds users who never sign in.
func populate(t *testing.T, file string) {
	t.Helper()
	unsummed(t, file)
	db, err := sql.Open("sqlite3", "file:"+file)
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.Exec(fmt.Sprintf(`INSERT INTO user (id, username, password, email, email_verified, claims, groups, admin, created_at, updated_at, password_changed_at, disabled_at)
		WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
		SELECT 'usr_crowd' || i, 'crowd' || i, '', 'crowd' || i || '@example.com', 0, '{"name":"One of the crowd, who never signs in"}', '', 0, 1, 1, 1, 0 FROM n`, bystanders))
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}
