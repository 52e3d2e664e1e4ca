package app_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"latchkey/app"
	"latchkey/app/apptest"
	"latchkey/domain/audit"
	"latchkey/ports"
)

func contents(t *testing.T, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func put(t *testing.T, file string, text []byte) string {
	t.Helper()
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// OP-10: the master key is replaced under load, and some replacements are killed: nobody is refused anything. The old key is
// refused then, and opens the backup of its time as before.
func TestMasterKeyRotation(t *testing.T) {
	t.Parallel()
	p := apptest.NewProcess(t, faultDocument(0))
	key := p.File() + ".key"
	p.Start()
	web, browser := p.Client("web"), p.Browser()
	// One line rotates all the time; people sign in with the session and with the password.
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var load sync.WaitGroup
	var refreshed, sessions, logins atomic.Int64
	token := wantTokens(t, web.Exchange(web.Code(browser, "alice"))).Get("refresh_token")
	untilStopped := func(count *atomic.Int64, step func() bool) {
		load.Go(func() {
			for ctx.Err() == nil && step() {
				count.Add(1)
			}
		})
	}
	untilStopped(&refreshed, func() bool {
		r := web.Refresh(token)
		if r.Status != http.StatusOK {
			t.Errorf("refresh: %d %s %v", r.Status, r.Text, r.Err)
			return false
		}
		token = r.Get("refresh_token")
		return true
	})
	untilStopped(&sessions, func() bool {
		r := web.Exchange(web.Authorize(sameSession(p, browser)).Answer().Get("code"))
		if r.Status == http.StatusOK {
			r = web.UserInfo(r.Get("access_token"))
		}
		if r.Status != http.StatusOK {
			t.Errorf("a session: %d %s %v", r.Status, r.Text, r.Err)
		}
		return r.Status == http.StatusOK
	})
	untilStopped(&logins, func() bool {
		b := p.Browser()
		if page := b.Login(web.Authorize(b), "alice", apptest.Password); page.Answer().Get("code") == "" {
			t.Errorf("a sign-in: %d %.300s", page.Status, page.Body)
			return false
		}
		return true
	})

	backup := filepath.Join(p.Dir, "backup.db")
	if out := p.Command(t.Context(), "", "backup", backup); out.Code != 0 {
		t.Fatalf("backup: %+v", out)
	}
	if out := p.Command(t.Context(), "", "master-key", "rotate"); out.Code == 0 || !strings.Contains(out.Stderr, "backups and snapshots made before need it") {
		t.Errorf("without being agreed to: %+v", out)
	}
	keys := [][]byte{contents(t, key)}
	rotate := func() {
		t.Helper()
		if out := p.Command(t.Context(), "", "master-key", "rotate", "--yes"); out.Code != 0 || strings.Contains(out.Stderr, "stays sensitive") {
			t.Fatalf("rotate: %+v", out)
		}
		if bytes.Equal(contents(t, key), keys[len(keys)-1]) {
			t.Fatal("the key is the same")
		}
		keys = append(keys, contents(t, key))
	}
	rotate()
	for range 8 {
		dying, kill := context.WithTimeout(t.Context(), time.Duration(10+rand.N(90))*time.Millisecond)
		p.Command(dying, "", "master-key", "rotate", "--yes")
		kill()
		if out := p.Command(t.Context(), "", "key", "list"); out.Code != 0 {
			t.Fatalf("after a killed rotation: %+v", out)
		}
	}
	rotate()
	for _, n := range []*atomic.Int64{&refreshed, &sessions, &logins} {
		before := n.Load()
		if _, ok := within(time.Minute, func() bool { return n.Load() >= before+2 || t.Failed() }); !ok {
			t.Error("the load stands still")
		}
	}
	stop()
	load.Wait()
	p.Terminate()
	p.Wait()

	const foreign = "does not belong to the database"
	for n, text := range keys[:len(keys)-1] {
		old := put(t, filepath.Join(p.Dir, "old.key"), text)
		out := p.Command(t.Context(), "", append(p.ServeArgs(), "--master-key", old)...)
		if out.Code == 0 || strings.Count(out.Stderr, "\n") != 1 || !strings.Contains(out.Stderr, foreign) {
			t.Errorf("a server with key %d: %+v", n, out)
		}
	}
	oldest := put(t, filepath.Join(p.Dir, "old.key"), keys[0])
	if out := p.Command(t.Context(), "", "backup", "verify", backup); out.Code == 0 || !strings.Contains(out.Stderr, "a backup from before latchkey master-key rotate is the key of that time") {
		t.Errorf("the backup of before with the new key: %+v", out)
	}
	if out := p.Command(t.Context(), "", "backup", "verify", backup, "--master-key", oldest); out.Code != 0 {
		t.Errorf("the backup of before with its key: %+v", out)
	}
	p.Start()
	if r := web.Refresh(token); r.Status != http.StatusOK {
		t.Errorf("refresh with the new key: %d %s", r.Status, r.Text)
	}
	if page := web.Authorize(browser); page.Answer().Get("code") == "" {
		t.Errorf("the session with the new key: %d %.300s", page.Status, page.Body)
	}
	if out := p.Command(t.Context(), "", "audit", "verify"); out.Code != 0 {
		t.Errorf("the trail: %+v", out)
	}
	p.Terminate()
	p.Wait()

	// A restore takes the key of the backup's time along, and says so.
	if out := p.Command(t.Context(), "", "restore", backup, "--yes", "--master-key", oldest); out.Code != 0 || !strings.Contains(out.Stderr, "opens with the master key "+oldest) {
		t.Fatalf("restore: %+v", out)
	}
	if out := p.Command(t.Context(), "", "key", "list"); out.Code == 0 || !strings.Contains(out.Stderr, foreign) {
		t.Errorf("the newest key after the restore: %+v", out)
	}
	if out := p.Command(t.Context(), "", "key", "list", "--master-key", oldest); out.Code != 0 {
		t.Errorf("its own key after the restore: %+v", out)
	}
	t.Logf("%d refreshes, %d codes with a session, %d with a password during %d replacements", refreshed.Load(), sessions.Load(), logins.Load(), len(keys)-1)
}

// OP-10: what a killed replacement leaves is used and finished by the next start, and looked at by what changes nothing.
func TestMasterKeyRotationIsFinished(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	key := p.File() + ".key"
	token := p.Client("web").SignIn(p.Browser(), "alice").Get("refresh_token")
	before := contents(t, key)
	if done, err := p.RotateMasterKey(t.Context(), ""); err != nil || done.Inherited || done.File != key {
		t.Fatalf("rotate: %+v, %v", done, err)
	}
	if events := p.Events(audit.MasterKeyRotated); len(events) != 1 || events[0].Facts["file"] != "latchkey.db.key" {
		t.Errorf("recorded: %+v", events)
	}
	after := contents(t, key)
	file := backup(t, p)

	// Killed after the unit of work.
	offline(t, p, func(cfg app.Config) error {
		put(t, key, before)
		put(t, key+".new", after)
		findings, err := app.Doctor(t.Context(), cfg, true)
		for _, f := range findings {
			if f.ID == "masterkey.foreign" {
				t.Errorf("doctor: %+v", f)
			}
		}
		return err
	})
	if _, err := os.Stat(key + ".new"); !os.IsNotExist(err) || !bytes.Equal(contents(t, key), after) {
		t.Errorf("the start did not finish the replacement: %v", err)
	}
	// Killed before it.
	p.Restart(func(*app.Config) { put(t, key+".new", before) })
	if !bytes.Equal(contents(t, key), after) {
		t.Error("a key that opens nothing took the place of the right one")
	}
	token = wantTokens(t, p.Client("web").Refresh(token)).Get("refresh_token")
	// The next one, by the process that has opened the file before another replaced the key, does nothing; then it does.
	other, err := app.New(t.Context(), p.Config())
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if _, err := p.RotateMasterKey(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	newest := contents(t, key)
	if _, err := other.RotateMasterKey(t.Context(), ""); err == nil || !bytes.Equal(contents(t, key), newest) {
		t.Errorf("a replacement from a root of before: %v", err)
	}
	to := filepath.Join(t.TempDir(), "new.key")
	if done, err := p.RotateMasterKey(t.Context(), to); err != nil || done.File != to || !bytes.Equal(contents(t, key), newest) {
		t.Fatalf("elsewhere: %+v, %v", done, err)
	}
	p.Close()
	if err := p.TryStart(); err == nil || !strings.Contains(err.Error(), "does not belong") {
		t.Fatalf("the key that was not replaced yet: %v", err)
	}
	put(t, key, contents(t, to))
	if err := p.TryStart(); err != nil {
		t.Fatal(err)
	}
	wantTokens(t, p.Client("web").Refresh(token))
	if v, err := app.VerifyBackup(t.Context(), p.Config(), file, silent); err == nil {
		t.Errorf("a backup from two keys ago: %+v", v)
	}
}

// OP-10: a database of a release before there were roots keeps its first master key as its root, and says so.
func TestMasterKeyRotationOfAnOlderDatabase(t *testing.T) {
	t.Parallel()
	cfg, held := released(t)
	ask, done := served(t, cfg, held)
	if r := ask("GET", "/userinfo", nil); r.Code != http.StatusOK {
		t.Fatalf("before: %d %s", r.Code, r.Body)
	}
	done()
	first := contents(t, cfg.MasterKey)
	for range 2 {
		a, err := app.New(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		rotated, err := a.RotateMasterKey(t.Context(), "")
		if err != nil || !rotated.Inherited {
			t.Errorf("rotate: %+v, %v", rotated, err)
		}
		a.Close()
	}
	ask, done = served(t, cfg, held)
	if r := ask("GET", "/userinfo", nil); r.Code != http.StatusOK {
		t.Errorf("an access token of before: %d %s", r.Code, r.Body)
	}
	if r := ask("POST", "/token", refreshForm(held["refresh_token"])); r.Code != http.StatusOK {
		t.Errorf("a refresh token of before: %d %s", r.Code, r.Body)
	}
	done()
	old := cfg
	old.MasterKey = put(t, filepath.Join(t.TempDir(), "first.key"), first)
	if _, err := app.New(t.Context(), old); err == nil || !strings.Contains(err.Error(), "does not belong") {
		t.Errorf("the first key opens the database: %v", err)
	}
	snapshot := cfg.Database + ".schema-1"
	if _, err := app.VerifyBackup(t.Context(), cfg, snapshot, silent); err == nil || !strings.Contains(err.Error(), "key of that time") {
		t.Errorf("the snapshot of before with the newest key: %v", err)
	}
	if _, err := app.VerifyBackup(t.Context(), old, snapshot, silent); err != nil {
		t.Errorf("the snapshot of before with the first key: %v", err)
	}
}

// ST-06: the wrong master key leaves no sum of its own, which would have the right one refused. The database of a release before
// there were roots tells only by its signing keys which key is right.
func TestForeignMasterKeyLeavesNoSum(t *testing.T) {
	t.Parallel()
	cfg, held := released(t)
	_, done := served(t, cfg, held)
	done()
	unsummed(t, cfg.Database) // as after a crash
	wrong, other := cfg, app.Config{Database: filepath.Join(t.TempDir(), "other.db")}.WithDefaults()
	a, err := app.Create(t.Context(), other)
	if err != nil {
		t.Fatal(err)
	}
	a.Close()
	wrong.MasterKey = other.MasterKey
	if _, err := app.New(t.Context(), wrong); err == nil || !strings.Contains(err.Error(), "does not belong") {
		t.Fatalf("the wrong key: %v", err)
	}
	_, done = served(t, cfg, held)
	done()
}

// A database and its key that were moved over a new one are those of the key, whatever the sum that was left there.
func TestSumOfAnotherDatabase(t *testing.T) {
	t.Parallel()
	var cfg [2]app.Config
	for i := range cfg {
		cfg[i] = app.Config{Database: filepath.Join(t.TempDir(), "latchkey.db")}.WithDefaults()
		a, err := app.Create(t.Context(), cfg[i])
		if err != nil {
			t.Fatal(err)
		}
		a.Close()
	}
	put(t, cfg[1].Database, contents(t, cfg[0].Database)) // which has the same size
	put(t, cfg[1].MasterKey, contents(t, cfg[0].MasterKey))
	if _, err := app.New(t.Context(), cfg[1]); !errors.Is(err, ports.ErrChanged) || !strings.Contains(err.Error(), "remove "+cfg[1].Database+".sum") {
		t.Errorf("got %v", err)
	}
	unsummed(t, cfg[1].Database)
	a, err := app.New(t.Context(), cfg[1])
	if err != nil {
		t.Fatal(err)
	}
	a.Close()
}

// ST-09: a root that is lost is not made anew: the master key is not taken for it, and only a database that was never used, as a
// killed init leaves it, gets its root at a start.
func TestMasterRootIsMadeOnce(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	forget := func(tables ...string) {
		t.Helper()
		db, err := sql.Open("sqlite3", "file:"+p.File())
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range tables {
			if _, err := db.Exec("DELETE FROM " + name); err != nil {
				t.Fatal(err)
			}
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		unsummed(t, p.File())
	}
	p.Close()
	forget("master_root")
	if err := p.TryStart(); err == nil || !strings.Contains(err.Error(), "does not belong to the database") {
		t.Fatalf("without its root: %v", err)
	}
	forget("signing_key", "event")
	if err := p.TryStart(); err != nil {
		t.Fatal(err)
	}
	if done, err := p.RotateMasterKey(t.Context(), ""); err != nil || done.Inherited {
		t.Errorf("a database that was never used: %+v, %v", done, err)
	}
}
