package app_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"latchkey/app/apptest"
)

// decisions are what is asked of every file: forbidden is what must not happen, whatever the file says, and allowed what was possible before a bit changed.
type decisions struct {
	forbidden map[string]func() bool
	allowed   map[string]func() bool
}

// outcomes counts what became of flipped bits.
type outcomes struct {
	flips, noEffect, byCheck, byStart, byRequest, silent, wrong int

	tables map[string]int // in which values changed unseen
}

func (o outcomes) noticed() float64 {
	seen := o.byCheck + o.byStart + o.byRequest
	return 100 * float64(seen) / float64(max(1, seen+o.silent))
}

func (o outcomes) String() string {
	return fmt.Sprintf("%d flipped bits, %d without any effect; of the others the start notices %d, a check of SQLite or of the audit trail %d, a request %d, and %d change a value that nobody misses (%.0f%% noticed; the rest by table: %v); %d wrong decisions",
		o.flips, o.noEffect, o.byStart, o.byCheck, o.byRequest, o.silent, o.noticed(), o.tables, o.wrong)
}

// ST-06: a bit of the file flips while nobody looks. The start refuses, or a check notices, or a request fails, or it
// makes no difference: what was revoked, used, wrong or forbidden stays so. Of a file that was closed the start notices every bit by
// its sum; one that was in use when the server was killed has none, and what nobody notices then does no harm.
func TestFaultBitFlips(t *testing.T) {
	t.Parallel()
	flips := size(t, "FLIPS", 15)
	p := apptest.New(t)
	d := decide(t, p)
	for name, done := range d.forbidden {
		if done() {
			t.Fatalf("%s, on the whole file", name)
		}
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(p.File() + "-wal"); err == nil {
		t.Fatal("the log was not folded back")
	}
	whole := left(t, p.File())
	sum, err := os.ReadFile(p.File() + ".sum")
	if err != nil || len(sum) == 0 {
		t.Fatalf("a sum of %d bytes, %v", len(sum), err)
	}
	closed := flip(t, p, d, flips, map[string][]byte{"": whole[""], ".sum": sum})
	t.Logf("closed: %v", closed)
	killed := flip(t, p, d, flips, whole)
	t.Logf("killed: %v", killed)
	if flips >= 100 && closed.noticed() < 95 {
		t.Errorf("%.0f%% of the bits in a closed file are noticed, want 95%%", closed.noticed())
	}
	if closed.byStart < flips*95/100 {
		t.Errorf("the start notices %d of %d bits in a closed file", closed.byStart, flips)
	}
	replace(t, p.File(), map[string][]byte{"": whole[""], ".sum": sum})
	if err := p.TryStart(); err != nil {
		t.Error(err)
	}
}

// flip opens the files so many times, each time with another bit of the database changed.
func flip(t *testing.T, p *apptest.Provider, d decisions, flips int, whole map[string][]byte) outcomes {
	t.Helper()
	before, problem := everything(t, whole[""])
	if problem != "" {
		t.Fatal(problem)
	}
	o := outcomes{flips: flips, tables: map[string]int{}}
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(6, seed))
	for n := range flips {
		files := maps.Clone(whole)
		spoiled := bytes.Clone(whole[""])
		at, bit := r.IntN(len(spoiled)), r.IntN(8)
		spoiled[at] ^= 1 << bit
		files[""] = spoiled
		replace(t, p.File(), files)
		after, problem := everything(t, spoiled)
		refused := p.TryStart()
		failed := false
		if refused == nil && problem == "" {
			if _, err := p.Admin.VerifyTrail(t.Context(), nil, func(_, _ int64) {}); err != nil {
				problem = err.Error()
			}
		}
		if refused == nil {
			logged := len(p.Log.String())
			for name, done := range d.forbidden {
				if done() {
					o.wrong++
					t.Errorf("flip %d (bit %d of byte %d, seed %d): %s", n, bit, at, seed, name)
				}
			}
			for _, works := range d.allowed {
				failed = !works() || failed
			}
			failed = failed || strings.Contains(p.Log.String()[logged:], "level=ERROR")
			if err := p.Close(); err != nil {
				failed = true
			}
		}
		switch {
		case refused != nil:
			o.byStart++
		case problem != "":
			o.byCheck++
		case after == before && !failed:
			o.noEffect++
		case failed:
			o.byRequest++
		default:
			o.silent++
			o.tables[difference(before, after)]++
		}
	}
	return o
}

// decide prepares what is asked of every file.
func decide(t *testing.T, p *apptest.Provider) decisions {
	t.Helper()
	web, b := p.Client("web"), p.Browser()
	post := func(form url.Values) bool { return web.Post("/token", form, nil).Status == http.StatusOK }
	used := web.Code(b, "alice")
	first := wantTokens(t, web.Exchange(used))
	replayed := web.Code(b, "alice")
	stolen := wantTokens(t, web.Exchange(replayed))
	web.Exchange(replayed)
	second := wantTokens(t, web.Refresh(first.Get("refresh_token")))
	ended := p.Browser()
	account := signedIn(t, ended, "bob", apptest.Password)
	old := sameSessionOf(p, ended)
	ended.Do("POST", "/logout", formOn(t, account, "/logout", ""), nil)
	for range 30 { // so that most pages hold something of somebody
		web.SignIn(p.Browser(), "alice")
	}
	return decisions{
		forbidden: map[string]func() bool{
			"a used code is redeemed":             func() bool { return web.Exchange(used).Status == http.StatusOK },
			"a replayed code is redeemed":         func() bool { return web.Exchange(replayed).Status == http.StatusOK },
			"a revoked access token is accepted":  func() bool { return web.UserInfo(stolen.Get("access_token")).Status == http.StatusOK },
			"a revoked refresh token is accepted": func() bool { return web.Refresh(stolen.Get("refresh_token")).Status == http.StatusOK },
			"a rotated refresh token is accepted": func() bool { return web.Refresh(first.Get("refresh_token")).Status == http.StatusOK },
			"a session that was ended is open":    func() bool { r := old.Get("/account"); return r.Status == http.StatusOK && !r.IsLogin() },
			"a wrong client secret is accepted": func() bool {
				return post(set("grant_type", "refresh_token", "refresh_token", second.Get("refresh_token"), "client_id", "web", "client_secret", apptest.Secret[1:]+"x"))
			},
			"somebody else's refresh token is served": func() bool { return p.Client("evil").Refresh(second.Get("refresh_token")).Status == http.StatusOK },
			"a foreign redirect URI is served": func() bool {
				return web.Authorize(b, set("redirect_uri", "https://evil.test/cb")).Location != ""
			},
			"a disabled user signs in": func() bool {
				other := p.Browser()
				return !other.Login(other.Get("/login"), "dave", apptest.Password).IsLogin() && !other.Get("/account").IsLogin()
			},
			"a wrong password is accepted": func() bool {
				other := p.Browser()
				other.Login(other.Get("/login"), "alice", apptest.Password+".")
				return !other.Get("/account").IsLogin() && other.Get("/account").Status == http.StatusOK
			},
		},
		allowed: map[string]func() bool{
			"discovery": func() bool { return web.Send("GET", "/jwks", "", nil).Status == http.StatusOK },
			"session":   func() bool { return strings.Contains(b.Get("/account").Body, "alice") },
			"sign-in":   func() bool { return web.Authorize(b).Answer().Has("code") },
		},
	}
}

// sameSessionOf returns another window of a browser.
func sameSessionOf(p *apptest.Provider, b *apptest.Browser) *apptest.Browser {
	other := p.Browser()
	for name, value := range b.Cookies() {
		other.SetCookie(name, value)
	}
	return other
}

// everything returns all that a file says, and what a check or SQLite says is wrong with it.
func everything(t *testing.T, content []byte) (says, problem string) {
	t.Helper()
	db, done := opened(t, map[string][]byte{"": content})
	defer done()
	for _, check := range []string{"SELECT group_concat(quick_check) FROM pragma_quick_check", "SELECT group_concat(integrity_check) FROM pragma_integrity_check",
		"SELECT CASE count(*) WHEN 0 THEN 'ok' ELSE 'foreign keys' END FROM pragma_foreign_key_check"} {
		var got string
		if err := db.QueryRowContext(t.Context(), check).Scan(&got); err != nil {
			return "", err.Error()
		} else if got != "ok" {
			return "", got
		}
	}
	var all strings.Builder
	tables, err := texts(db, "SELECT name || ' ' || coalesce(sql, '') FROM sqlite_schema ORDER BY name")
	if err != nil {
		return "", err.Error()
	}
	fmt.Fprintln(&all, tables)
	names, err := texts(db, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name")
	for _, name := range names {
		var rows *sql.Rows
		if rows, err = db.Query(`SELECT * FROM "` + name + `" ORDER BY 1`); err != nil {
			return "", err.Error()
		}
		columns, _ := rows.Columns()
		values, places := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			places[i] = &values[i]
		}
		for rows.Next() {
			if err := rows.Scan(places...); err != nil {
				rows.Close()
				return "", err.Error()
			}
			fmt.Fprintf(&all, "%s %x\n", name, values)
		}
		rows.Close()
		if err := rows.Err(); err != nil {
			return "", err.Error()
		}
	}
	if err != nil {
		return "", err.Error()
	}
	return all.String(), ""
}

// difference names the table of the first row that differs.
func difference(before, after string) string {
	rows := strings.Split(after, "\n")
	for i, row := range strings.Split(before, "\n") {
		if i >= len(rows) || rows[i] != row {
			name, _, _ := strings.Cut(row, " ")
			return name
		}
	}
	return ""
}

// texts returns the first column of a query.
func texts(db *sql.DB, query string) (all []string, err error) {
	rows, err := db.Query(query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		all = append(all, text)
	}
	return all, rows.Err()
}
