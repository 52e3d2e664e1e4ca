package app_test

import (
	"database/sql"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"latchkey/app/apptest"
)

// The fault tests run the built program and take away what it stands on: its life, its disk, its callers' patience. This
// file has what they share.

func TestMain(m *testing.M) { os.Exit(apptest.Main(m)) }

// size is how large a campaign is: the environment variable LATCHKEY_<name>, or the size of a run in passing.
func size(t *testing.T, name string, short int) int {
	t.Helper()
	text := os.Getenv("LATCHKEY_" + name)
	if text == "" {
		return short
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("LATCHKEY_%s=%s is not a number above 0", name, text)
	}
	return n
}

// faultDocument declares alice, the client web, and a client app0, app1, … for each worker to agree to and to disconnect.
func faultDocument(workers int) string {
	pairs := []string{"web", `"redirect_uris": ["https://app.test/cb"]`}
	for w := range workers {
		pairs = append(pairs, fmt.Sprintf("app%d", w), fmt.Sprintf(`"client_name": "Application %d."`, w))
	}
	return `{"users": [{"username": "alice", "password": "` + apptest.Password + `", "email": "alice@example.com"}], ` +
		strings.TrimPrefix(clients(pairs...), "{")
}

// enter signs alice in to the provider, and to web, whose consent she gives. It returns the tokens of web.
func enter(t *testing.T, p *apptest.Process, b *apptest.Browser) apptest.Reply {
	t.Helper()
	return wantTokens(t, p.Client("web").Exchange(p.Client("web").Code(b, "alice")))
}

// sameSession returns another window of a browser, with its session but with a form key of its own.
func sameSession(p *apptest.Process, b *apptest.Browser) *apptest.Browser {
	other := p.Browser()
	for name, value := range b.Cookies() {
		other.SetCookie(name, value)
	}
	return other
}

// cookies returns the cookies of a browser as a header has them.
func cookies(b *apptest.Browser) string {
	var all []string
	for name, value := range b.Cookies() {
		all = append(all, name+"="+value)
	}
	return strings.Join(all, "; ")
}

// line is one sign-in as its application knows it: a code, and the tokens that came of it.
type line struct {
	rp      *apptest.RP
	code    string
	access  []string // all that arrived
	head    string   // the newest refresh token
	old     string   // one that was rotated
	spent   bool     // the code was sent for tokens
	revoked bool     // which was acknowledged
	doubt   doubt    // what the lost answer was about
}

type doubt string

const (
	inRedemption doubt = "redemption"
	inRefresh    doubt = "refresh"
	inRevocation doubt = "revocation"
)

// got keeps the tokens of an answer.
func (l *line) got(r apptest.Reply) {
	l.old, l.head = l.head, r.Get("refresh_token")
	l.access = append(l.access, r.Get("access_token"))
}

// usable returns the statuses of userinfo for the newest access token and of its refresh, which is a write.
func (l *line) usable() (userinfo int, refresh apptest.Reply) {
	return l.rp.UserInfo(l.access[len(l.access)-1]).Status, l.rp.Refresh(l.head)
}

// dead says which token of the line works, "" when none does.
func (l *line) dead() string {
	for _, token := range l.access {
		if r := l.rp.UserInfo(token); r.Status != http.StatusUnauthorized {
			return fmt.Sprintf("userinfo answers %d", r.Status)
		}
	}
	if r := l.rp.Refresh(l.head); l.head != "" && r.Status != http.StatusBadRequest {
		return fmt.Sprintf("refresh answers %d", r.Status)
	}
	return ""
}

// sound checks a file, with what a crash left in its log, through copies and the driver the program is built with: an
// SQLite of another release may harm a live file. Nothing of a refused or interrupted unit of work may be there.
func sound(t *testing.T, files map[string][]byte) {
	t.Helper()
	db, done := opened(t, files)
	defer done()
	for query, want := range map[string]string{
		"SELECT group_concat(integrity_check) FROM pragma_integrity_check":                                                  "ok",
		"SELECT count(*) FROM pragma_foreign_key_check":                                                                     "0",
		"SELECT count(*) FROM code WHERE redeemed_at <> 0 AND family NOT IN (SELECT id FROM token_family)":                  "0",
		"SELECT count(*) FROM code WHERE replayed_at <> 0 AND family IN (SELECT id FROM token_family WHERE revoked_at = 0)": "0",
	} {
		var got string
		if err := db.QueryRowContext(t.Context(), query).Scan(&got); err != nil || got != want {
			t.Errorf("%s: %q, %v, want %s", query, got, err, want)
		}
	}
}

// opened opens a copy of the files for looking at them, until done is called.
func opened(t *testing.T, files map[string][]byte) (db *sql.DB, done func()) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "copy.db")
	for suffix, content := range files {
		if err := os.WriteFile(path+suffix, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	db, err := sql.Open("sqlite3", "file:"+path+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	return db, func() {
		db.Close()
		os.RemoveAll(filepath.Dir(path))
	}
}

// left returns the database and its log as they lie on the disk.
func left(t *testing.T, file string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for _, suffix := range []string{"", "-wal"} {
		content, err := os.ReadFile(file + suffix)
		if err == nil {
			files[suffix] = content
		} else if suffix == "" || !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	return files
}

// tally counts what happened over all workers.
type tally struct {
	acknowledged, lost, double, undecided, kept atomic.Int64
}

// within tries until ok, and reports how long that took; it gives up after a bound that no working machine reaches.
func within(bound time.Duration, ok func() bool) (time.Duration, bool) {
	begun := time.Now()
	for time.Since(begun) < bound {
		if ok() {
			return time.Since(begun), true
		}
		time.Sleep(10 * time.Millisecond)
	}
	return time.Since(begun), false
}

// replace puts the files where a server will open them: without a sum among them nothing is known of how they were left.
func replace(t *testing.T, path string, files map[string][]byte) {
	t.Helper()
	for _, suffix := range []string{"-wal", "-shm", ".sum", ""} {
		if err := os.Remove(path + suffix); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	for suffix, content := range files {
		if err := os.WriteFile(path+suffix, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// unsummed takes the sum of a closed database away, as its refusal says, for a test that changes the file and is about something else.
func unsummed(t testing.TB, file string) {
	t.Helper()
	if err := os.RemoveAll(file + ".sum"); err != nil {
		t.Fatal(err)
	}
}

// percentile returns the value that so many per cent of the sorted ones do not exceed.
func percentile(sorted []time.Duration, p int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, len(sorted)*p/100)].Round(10 * time.Microsecond)
}
