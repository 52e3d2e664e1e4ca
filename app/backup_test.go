package app_test

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"latchkey/app"
	"latchkey/app/apptest"
	"latchkey/domain/audit"
	"latchkey/ports"
)

func silent(string, int, int) {}

// backup makes a verified backup of a running provider.
func backup(t *testing.T, p *apptest.Provider) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "backup.db")
	if err := p.Backup(t.Context(), file, silent); err != nil {
		t.Fatal(err)
	}
	return file
}

// offline runs something on the provider's file between two runs of the provider.
func offline(t *testing.T, p *apptest.Provider, do func(app.Config) error) {
	t.Helper()
	p.Restart(func(cfg *app.Config) {
		if err := do(*cfg); err != nil {
			t.Fatal(err)
		}
	})
}

// ST-19: a restore voids codes, sessions and refresh families, whatever became of them since the backup. Users, clients,
// keys and consents are those of the backup.
func TestRestoreVoids(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	web, browser, other := p.Client("web"), p.Browser(), p.Browser()
	rotated := web.SignIn(browser, "alice")
	untouched := web.SignIn(browser, "alice")
	used, unused := web.Code(browser, "alice"), web.Code(browser, "alice")
	pending := web.Authorize(other)
	keys := p.JSON(web.Send("GET", "/.well-known/jwks.json", "", nil).Text)
	link, err := p.Admin.OfferReset(t.Context(), audit.Caller{}, "alice")
	if err != nil {
		t.Fatal(err)
	}
	p.Advance(time.Second)

	file := backup(t, p)
	made := p.Events(audit.BackupMade)
	if len(made) != 1 || made[0].Facts["file"] != "backup.db" {
		t.Errorf("recorded: %+v", made)
	}
	since := wantTokens(t, web.Exchange(used))
	newest := wantTokens(t, web.Refresh(rotated.Get("refresh_token")))
	later := web.SignIn(p.Browser(), "bob")
	p.Apply(`{"users": [{"username": "bob", "password": "` + apptest.Password + `", "disabled": true}, {"username": "erin", "password": "` + apptest.Password + `"}]}`)
	var done app.Restored
	offline(t, p, func(cfg app.Config) (err error) {
		lost, err := app.LostByRestore(cfg, file)
		if err != nil || !lost.Related || lost.Events[audit.UserCreated] != 1 || lost.Events[audit.UserChanged] != 1 || lost.Events[audit.LoginSucceeded] != 1 || lost.Events[audit.CodeRedeemed] != 2 {
			t.Errorf("what would be lost: %+v, %v", lost, err)
		}
		done, err = app.Restore(t.Context(), cfg, file, silent)
		return err
	})
	if done.Schema < 2 || done.Users != 4 || done.Clients != 5 || done.Keys != 2 || done.Kept == "" {
		t.Errorf("restored: %+v", done)
	}

	for name, r := range map[string]apptest.Reply{
		"a code redeemed since": web.Exchange(used), "a code nobody redeemed": web.Exchange(unused),
		"a refresh token rotated since": web.Refresh(rotated.Get("refresh_token")), "its successor": web.Refresh(newest.Get("refresh_token")),
		"a refresh token nobody used": web.Refresh(untouched.Get("refresh_token")), "one issued since": web.Refresh(since.Get("refresh_token")),
		"one of a user who was signed in since": web.Refresh(later.Get("refresh_token")),
	} {
		if r.Status != http.StatusBadRequest || r.Get("error") != "invalid_grant" {
			t.Errorf("%s: %d %s", name, r.Status, r.Text)
		}
	}
	for name, r := range map[string]apptest.Reply{"of before": rotated, "untouched": untouched, "since": since, "rotated": newest, "later": later} {
		if got := web.UserInfo(r.Get("access_token")); got.Status != http.StatusUnauthorized {
			t.Errorf("access token %s: %d", name, got.Status)
		}
	}
	if _, err := p.Admin.ResetOffered(t.Context(), audit.Caller{}, link.Secret); !errors.Is(err, ports.ErrNotFound) {
		t.Errorf("a link for a new password, which may have been used since: %v", err)
	}
	if page := other.Get(pending.URL.String()); page.IsLogin() {
		t.Errorf("a page of before is open: %s", page.URL)
	}
	page := web.Authorize(browser)
	if !page.IsLogin() {
		t.Fatalf("the session of before is live: %s", page.URL)
	}
	if page = browser.Login(page, "alice", apptest.Password); page.IsConsent() {
		t.Error("the consent of before is forgotten")
	}
	wantTokens(t, web.Exchange(page.Answer().Get("code")))
	wantTokens(t, web.SignIn(p.Browser(), "bob")) // who is disabled again has to be disabled again: the file does not know
	if now := p.JSON(web.Send("GET", "/.well-known/jwks.json", "", nil).Text); !maps.EqualFunc(now, keys, func(a, b any) bool { return jsonOf(t, a) == jsonOf(t, b) }) {
		t.Error("the signing keys are others")
	}
	if got := p.Events(audit.Restored); len(got) != 1 || got[0].Facts["file"] != "backup.db" || got[0].Facts["events_lost"] == "" {
		t.Errorf("recorded: %+v", got)
	}
	again := backup(t, p)
	offline(t, p, func(cfg app.Config) error { // the trail of the restored file is whole, and so is the file that was kept
		_, err := app.VerifyBackup(t.Context(), cfg, again, silent)
		_, err2 := app.VerifyBackup(t.Context(), cfg, done.Kept, silent)
		return errors.Join(err, err2)
	})
}

// ST-09: with the right master key a backup is proved and remembered; with a wrong one or none nothing is restored, served or
// made in its place.
func TestBackupNeedsItsMasterKey(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	p.Client("web").SignIn(p.Browser(), "alice")
	file := backup(t, p)
	offline(t, p, func(cfg app.Config) error {
		v, err := app.VerifyBackup(t.Context(), cfg, file, silent)
		if v.Users != 4 || v.Clients != 5 || v.Keys != 2 || v.Events == 0 || v.Until.IsZero() || v.Unrecorded != nil {
			t.Errorf("verified: %+v", v)
		}
		elsewhere := cfg
		elsewhere.Database = filepath.Join(t.TempDir(), "none.db")
		if v, err := app.VerifyBackup(t.Context(), elsewhere, file, silent); err != nil || !errors.Is(v.Unrecorded, fs.ErrNotExist) {
			t.Errorf("where there is no database: %+v, %v", v, err)
		}

		dir := filepath.Dir(cfg.Database)
		before := hashes(t, dir)
		wrong, none := cfg, cfg
		wrong.MasterKey, none.MasterKey = filepath.Join(t.TempDir(), "wrong.key"), filepath.Join(t.TempDir(), "none.key")
		key := make([]byte, 32)
		rand.Read(key)
		if err := os.WriteFile(wrong.MasterKey, []byte("latchkey-master-key-v1:"+base64.RawURLEncoding.EncodeToString(key)+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		for name, c := range map[string]struct {
			cfg  app.Config
			says string
		}{"wrong": {wrong, "does not belong to"}, "none": {none, "does not exist"}} {
			_, verified := app.VerifyBackup(t.Context(), c.cfg, file, silent)
			_, restored := app.Restore(t.Context(), c.cfg, file, silent)
			_, served := app.NewServer(t.Context(), c.cfg, silent)
			for what, err := range map[string]error{"verify": verified, "restore": restored, "serve": served} {
				if err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "--master-key") {
					t.Errorf("%s with the key %s: %v", what, name, err)
				}
			}
			if _, err := os.Stat(none.MasterKey); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("a master key was made: %v", err)
			}
		}
		after := hashes(t, dir)
		delete(after, filepath.Base(cfg.Database)+".lock")
		delete(before, filepath.Base(cfg.Database)+".lock")
		if !maps.Equal(before, after) {
			t.Errorf("the directory was changed: %d files, then %d", len(before), len(after))
		}
		return err
	})
	if got := p.Events(audit.BackupVerified); len(got) != 1 {
		t.Errorf("recorded: %+v", got)
	}
	var made, verified time.Time
	err := p.Store.View(t.Context(), func(r ports.Reader) (err error) {
		made, err = r.Moment(ports.BackupMade)
		verified, _ = r.Moment(ports.BackupVerified)
		return err
	})
	if err != nil || !made.Equal(p.Now()) || !verified.Equal(p.Now()) {
		t.Errorf("made %v, verified %v, %v", made, verified, err)
	}
}

// ST-06: a database that cannot be read is put aside for a backup; a backup that cannot be read is put nowhere.
func TestRestoreOverWhatIsBroken(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	file := backup(t, p)
	offline(t, p, func(cfg app.Config) error {
		if err := os.WriteFile(cfg.Database, []byte(strings.Repeat("dear diary ", 1000)), 0o600); err != nil {
			return err
		}
		done, err := app.Restore(t.Context(), cfg, file, silent)
		if len(done.Aside) == 0 || done.Kept != "" || err != nil {
			t.Errorf("over a broken file: %+v, %v", done, err)
		}
		before := hashes(t, filepath.Dir(cfg.Database))
		broken := filepath.Join(t.TempDir(), "broken.db")
		if err := os.WriteFile(broken, []byte("dear diary"), 0o600); err != nil {
			return err
		}
		if _, err := app.Restore(t.Context(), cfg, broken, silent); err == nil || !strings.Contains(err.Error(), broken) {
			t.Errorf("a broken backup: %v", err)
		}
		if _, err := app.Restore(t.Context(), cfg, cfg.Database, silent); err == nil || !strings.Contains(err.Error(), "the database itself") {
			t.Errorf("onto itself: %v", err)
		}
		if !maps.Equal(before, hashes(t, filepath.Dir(cfg.Database))) {
			t.Error("a refused restore changed something")
		}
		if err := os.Remove(cfg.Database); err != nil {
			return err
		}
		_, err = app.Restore(t.Context(), cfg, file, silent)
		return err
	})
	p.Client("web").SignIn(p.Browser(), "alice")
}

// ST-07: who holds the file keeps everybody from it who would replace or upgrade it; a lock that cannot be had for another
// reason is not called a second server.
func TestLockBeforeOpening(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	file := backup(t, p)
	offline(t, p, func(cfg app.Config) error {
		server, err := app.NewServer(t.Context(), cfg, silent)
		if err != nil {
			return err
		}
		for name, err := range map[string]error{
			"server":   second(app.NewServer(t.Context(), cfg, silent)),
			"restore":  second(app.Restore(t.Context(), cfg, file, silent)),
			"upgrade":  second(app.Upgrade(t.Context(), cfg, silent)),
			"rollback": second(app.Rollback(t.Context(), cfg, silent)),
		} {
			if !errors.Is(err, app.ErrLocked) || !strings.Contains(err.Error(), "stop the server first") {
				t.Errorf("%s beside a server: %v", name, err)
			}
		}
		if err := server.Close(); err != nil {
			return err
		}
		if err := os.Remove(cfg.Database + ".lock"); err != nil {
			return err
		}
		if err := os.Mkdir(cfg.Database+".lock", 0o700); err != nil {
			return err
		}
		_, err = app.NewServer(t.Context(), cfg, silent)
		if err == nil || errors.Is(err, app.ErrLocked) || !strings.Contains(err.Error(), "lock file") {
			t.Errorf("a lock file that cannot be opened: %v", err)
		}
		return os.Remove(cfg.Database + ".lock")
	})
}

func second[T any](_ T, err error) error { return err }

func jsonOf(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// A database that is reached through a link is replaced where it lies: the link stays one, and its sum is that of the file.
func TestRestoreBehindALink(t *testing.T) {
	t.Parallel()
	cfg := app.Config{Database: filepath.Join(t.TempDir(), "latchkey.db")}.WithDefaults()
	a, err := app.Create(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "backup.db")
	if err := errors.Join(a.Backup(t.Context(), file, silent), a.Close()); err != nil {
		t.Fatal(err)
	}
	link := cfg
	link.Database = filepath.Join(t.TempDir(), "link.db")
	if err := os.Symlink(cfg.Database, link.Database); err != nil {
		t.Fatal(err)
	}
	for _, harm := range []func() error{func() error { return nil }, func() error { return os.Truncate(cfg.Database, 100) }} {
		if err := harm(); err != nil {
			t.Fatal(err)
		}
		if _, err := app.Restore(t.Context(), link, file, silent); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Lstat(link.Database); err != nil || info.Mode()&os.ModeSymlink == 0 {
			t.Errorf("the link: %v", err)
		}
		for _, name := range []app.Config{cfg, link} {
			a, err := app.New(t.Context(), name)
			if err != nil {
				t.Fatal(err)
			}
			a.Close()
		}
	}
}
