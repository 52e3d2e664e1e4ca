package main

import (
	"context"
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	_ "github.com/mattn/go-sqlite3" // the SQL tool of whoever tampers with the file

	"latchkey/domain/audit"
)

// tamper changes the database of the folder behind the program's back.
func tamper(t *testing.T, statements ...string) {
	t.Helper()
	db, err := sql.Open("sqlite3", "latchkey.db")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		// As after a kill; or anything that changes is refused by its sum.
		if err := errors.Join(db.Close(), os.RemoveAll("latchkey.db.sum")); err != nil {
			t.Fatal(err)
		}
	}()
	for _, s := range statements {
		if _, err := db.Exec(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// AD-10: verify names the first event that is not what was recorded.
func TestAuditVerify(t *testing.T) {
	const sibling = `SELECT kind, request_id, ip, user_agent, client, user, session, grant_id, family, facts, mac FROM event WHERE seq = 3`
	for name, tt := range map[string]struct {
		sql  []string
		want string
	}{
		"untouched":              {nil, ``},
		"a value":                {[]string{`UPDATE event SET ip = '192.0.2.1' WHERE seq = 4`}, `audit event 4 is not what was recorded`},
		"a fact":                 {[]string{`UPDATE event SET facts = '{"name":"tio"}' WHERE seq = 5`}, `audit event 5 is not`},
		"a time":                 {[]string{`UPDATE event SET at = at + 1 WHERE seq = 3`}, `audit event 3 is not`},
		"a value of old":         {[]string{`UPDATE event SET kind = 'user.changed' WHERE seq = 1`}, `audit event 1 is not`},
		"a mac":                  {[]string{`UPDATE event SET mac = x'00' WHERE seq = 4`}, `audit event 4 is not`},
		"a longer mac":           {[]string{`UPDATE event SET mac = CAST(mac || x'00' AS BLOB) WHERE seq = 4`}, `audit event 4 is not`},
		"a fact twice":           {[]string{`UPDATE event SET facts = '{"error":"",' || substr(facts, 2) WHERE seq = 7`}, `audit event 7 is not`},
		"a fact spelt otherwise": {[]string{`UPDATE event SET facts = facts || ' ' WHERE seq = 7`}, `audit event 7 is not`},
		"unreadable":             {[]string{`UPDATE event SET facts = '[]' WHERE seq = 4`}, `audit event 4 cannot be read`},
		"deleted":                {[]string{`DELETE FROM event WHERE seq = 4`}, `audit event 4 is missing`},
		"the first":              {[]string{`DELETE FROM event WHERE seq = 1`}, `audit event 1 is missing`},
		"deleted and cut":        {[]string{`DELETE FROM event WHERE seq = 4`, `UPDATE event SET seq = seq - 1 WHERE seq > 4`}, `audit event 4 is not`},
		"swapped": {[]string{`UPDATE event SET seq = 1000 WHERE seq = 3`, `UPDATE event SET seq = 3 WHERE seq = 4`, `UPDATE event SET seq = 4 WHERE seq = 1000`},
			`audit event 3 is not`},
		"inserted at the end": {[]string{`INSERT INTO event (seq, at, kind, request_id, ip, user_agent, client, user, session, grant_id, family, facts, mac)
			SELECT (SELECT max(seq) + 1 FROM event), at, kind, request_id, ip, user_agent, client, user, session, grant_id, family, facts, mac FROM event WHERE seq = 3`},
			`audit event 8 is not`},
		"inserted before the first": {[]string{`UPDATE event SET seq = -7 WHERE seq = 7`}, `audit event -7 is not one that was recorded`},
		"inserted at nothing":       {[]string{`UPDATE event SET seq = 0 WHERE seq = 7`}, `audit event 0 is not one`},
		"inserted below all":        {[]string{`UPDATE event SET seq = -9223372036854775808 WHERE seq = 7`}, `audit event -9223372036854775808 is not one`},
		"inserted in the middle": {[]string{`UPDATE event SET seq = -seq WHERE seq >= 4`, `UPDATE event SET seq = 1 - seq WHERE seq < 0`,
			`INSERT INTO event (seq, at, kind, request_id, ip, user_agent, client, user, session, grant_id, family, facts, mac) SELECT 4, at, ` + sibling[len("SELECT "):]},
			`audit event 4 is not`},
	} {
		t.Run(name, func(t *testing.T) {
			inHousehold(t)
			signedIn(t, "sari")
			if r := latchkey(t, "", "user", "edit", "sari", "--name", "S"); r.code != exitOK {
				t.Fatalf("%+v", r)
			}
			if r := latchkey(t, "", "audit", "verify"); r.code != exitOK || !regexp.MustCompile(`^audit anchor seq=\d+ mac=[0-9a-f]{64}\n$`).MatchString(r.stdout) {
				t.Fatalf("before: %+v", r)
			}
			trim := `DELETE FROM event WHERE seq > 7` // the trail as whoever recorded it had it: the cases name seqs of it
			tamper(t, append([]string{trim}, tt.sql...)...)
			r := latchkey(t, "", "audit", "verify")
			if ok := r.code == exitOK; ok != (tt.want == "") || (!ok && (r.code != exitFailure || r.stdout != "")) || !strings.Contains(r.stderr, tt.want) {
				t.Errorf("exit code %d, want %q:\n%s%s", r.code, tt.want, r.stdout, r.stderr)
			}
		})
	}
}

// AD-10: a database that was changed while nobody used it is refused, and verify still names the event, on a copy: the file and its sum
// stay as whoever changed it left them.
func TestAuditVerifyChanged(t *testing.T) {
	for name, tt := range map[string]struct {
		sql  string
		want string
	}{
		"an event": {`UPDATE event SET ip = '192.0.2.1' WHERE seq = 4`, `audit event 4 is not what was recorded`},
		"a user":   {`UPDATE user SET admin = 1`, `events verified`},
	} {
		t.Run(name, func(t *testing.T) {
			inHousehold(t)
			if r := latchkey(t, "", "audit", "verify"); r.code != exitOK {
				t.Fatalf("before: %+v", r)
			}
			sum, err := os.ReadFile("latchkey.db.sum")
			if err != nil || len(sum) == 0 {
				t.Fatalf("a sum of %d bytes: %v", len(sum), err)
			}
			tamper(t, tt.sql)
			write(t, "latchkey.db.sum", string(sum))
			before, _ := os.ReadFile("latchkey.db")
			if r := latchkey(t, "", "user", "list"); r.code != exitFailure || !strings.Contains(r.stderr, "remove latchkey.db.sum") || !strings.Contains(r.stderr, "latchkey doctor") {
				t.Errorf("another command: %+v", r)
			}
			r := latchkey(t, "", "audit", "verify")
			if r.code != exitFailure || r.stdout != "" || !strings.Contains(r.stderr, tt.want) || !strings.Contains(r.stderr, "is not as it was left") {
				t.Errorf("%+v", r)
			}
			after, _ := os.ReadFile("latchkey.db")
			kept, _ := os.ReadFile("latchkey.db.sum")
			if string(before) != string(after) || string(sum) != string(kept) {
				t.Error("it was changed")
			}
		})
	}
}

// AD-15: what leaves a whole chain, a cut tail and an older copy put back, is seen against anchors.
func TestAuditVerifyAnchors(t *testing.T) {
	inHousehold(t)
	copies := map[string][]byte{}
	keep := func() {
		for _, f := range []string{"latchkey.db", "latchkey.db-wal"} {
			copies[f], _ = os.ReadFile(f)
		}
	}
	anchor := func() string {
		t.Helper()
		r := latchkey(t, "", "audit", "verify")
		if r.code != exitOK {
			t.Fatalf("%+v", r)
		}
		return strings.TrimSpace(r.stdout)
	}
	verify := func(log string) result { return latchkey(t, log, "audit", "verify", "--anchors", "-") }

	tamper(t, `PRAGMA wal_checkpoint(TRUNCATE)`)
	first := anchor()
	keep()
	if r := latchkey(t, "", "user", "edit", "sari", "--name", "S"); r.code != exitOK {
		t.Fatalf("%+v", r)
	}
	second := anchor()
	logged := "level=INFO msg=\"audit anchor\" seq=" + second[len("audit anchor seq="):] + "\nother line\n" + first + "\n"
	if r := verify(logged); r.code != exitOK || !strings.Contains(r.stderr, "2 anchors found again") {
		t.Errorf("nothing was done: %+v", r)
	}
	if r := verify("no anchor in here"); r.code != exitUsage || !strings.Contains(r.stderr, "no anchor") {
		t.Errorf("a log without anchors: %+v", r)
	}
	if r := latchkey(t, "", "audit", "verify", "--anchors", "missing.log"); r.code != exitNotFound {
		t.Errorf("%+v", r)
	}
	forged := regexp.MustCompile(`mac=.{8}`).ReplaceAllString(first, "mac=00000000")
	if r := verify(forged); r.code != exitFailure || !strings.Contains(r.stderr, "anchor remembers") {
		t.Errorf("an anchor of another trail: %+v", r)
	}

	tamper(t, `DELETE FROM event WHERE seq = (SELECT max(seq) FROM event)`)
	if r := latchkey(t, "", "audit", "verify"); r.code != exitOK {
		t.Errorf("a cut tail leaves a whole chain: %+v", r)
	}
	if r := verify(logged); r.code != exitFailure || !strings.Contains(r.stderr, "is missing") || !strings.Contains(r.stderr, "cut off") {
		t.Errorf("a cut tail: %+v", r)
	}
	// Grown again to the same length, it is still not the trail that was there.
	if r := latchkey(t, "", "user", "edit", "sari", "--name", "T"); r.code != exitOK {
		t.Fatalf("%+v", r)
	}
	if r := verify(logged); r.code != exitFailure || !strings.Contains(r.stderr, "not the one that an anchor remembers") {
		t.Errorf("a tail that grew again: %+v", r)
	}

	tamper(t, `PRAGMA wal_checkpoint(TRUNCATE)`)
	for f, b := range copies {
		os.Remove(f)
		if len(b) > 0 {
			write(t, f, string(b))
		}
	}
	os.Remove("latchkey.db-shm")
	if r := verify(first); r.code != exitOK {
		t.Errorf("the older copy and its own anchor: %+v", r)
	}
	if r := verify(logged); r.code != exitFailure || !strings.Contains(r.stderr, "older copy") {
		t.Errorf("an older copy put back: %+v", r)
	}
}

// A restore takes events away that an anchor remembers. It is on record itself, and verify names it: whoever restored is not left
// to look for a thief.
func TestAuditVerifyAfterRestore(t *testing.T) {
	inHousehold(t)
	for _, args := range [][]string{{"backup", "b.db"}, {"user", "edit", "sari", "--name", "S"}, {"user", "edit", "sari", "--name", "T"}} {
		if r := latchkey(t, "", args...); r.code != exitOK {
			t.Fatalf("%+v", r)
		}
	}
	log := latchkey(t, "", "audit", "verify").stdout
	if r := latchkey(t, "", "restore", "b.db", "--yes"); r.code != exitOK {
		t.Fatalf("%+v", r)
	}
	for range 2 { // fewer events than the anchor remembers, then as many others
		r := latchkey(t, log, "audit", "verify", "--anchors", "-")
		if r.code != exitFailure || !regexp.MustCompile(`audit event \d+ is .*Event \d+ \(restore\.done, 20.*\) put an older copy back`).MatchString(r.stderr) {
			t.Errorf("%+v", r)
		}
		for _, name := range []string{"U", "V"} {
			latchkey(t, "", "user", "edit", "sari", "--name", name)
		}
	}
}

func TestAuditQuery(t *testing.T) {
	inHousehold(t)
	signedIn(t, "sari")
	signedIn(t, "tio")
	take(t,
		step{"", "audit query --user sari --kind token.issued", exitOK, `^20\S+Z \d+ token.issued user=sari client=wiki ip=192.0.2.7 request=req_sari family=gsari.f scope=openid\n$`, `^$`},
		step{"", "audit query --user sary", exitNotFound, `^$`, `did you mean sari`},
		step{"", "audit query --user usr_gone", exitOK, `^$`, `No event matches`},
		step{"", "audit query --client wiki --limit 1", exitOK, `^\S+ \d+ token.refresh user=tio[^\n]*\n$`, `newest 1; there may be more`},
		step{"", "audit query --request req_tio --since 1h --until 2999-01-01", exitOK, `^(.*user=tio.*\n){3}$`, `^$`},
		step{"", "audit query --request err_tio --since 1h --until 2999-01-01", exitOK, `^(.*user=tio.*\n){3}$`, `^$`},
		step{"", "audit query --until 2020-01-01T00:00:00Z", exitOK, `^$`, `No event matches`},
		step{"", "audit query --refused", exitOK, `^$`, `No event matches`},
		step{"", "audit query --kind auth.login.fial", exitUsage, `^$`, `no kind "auth.login.fial": did you mean auth.login.fail\?`},
		step{"", "audit tail --kind login.ok --kind consent", exitUsage, `^$`, `2 things[^$]*write one of auth.login.ok\n[^$]*one of consent.grant, consent.deny\n`},
		step{"", "audit export --kind everything", exitUsage, `^$`, `one of auth.interaction.start, .*, master_key.rotated\n`},
		step{"", "audit query --since yesterday --limit 0 --until x", exitUsage, `^$`, `3 things[^$]*"0" is not[^$]*`},
		step{"", "audit tail -n 2", exitOK, `^.*token.issued.*\n.*token.refresh.*\n$`, `^$`},
		step{"", "audit tail -n 1 --json", exitOK, `^{"seq":\d+,"at":"20.*"sub":"usr_.*"mac":"[0-9a-f]{64}"}\n$`, `^$`},
		step{"", "audit tail -n x", exitUsage, `^$`, `"x" is not a number`},
	)
}

// WB-07 for exports: what a caller sent commands neither a terminal nor a spreadsheet, and comes back unchanged from JSON.
func TestAuditExport(t *testing.T) {
	inHousehold(t)
	signedIn(t, "sari")
	r := latchkey(t, "", "audit", "export", "--user", "sari", "--since", "1d")
	lines := strings.Split(strings.TrimSuffix(r.stdout, "\n"), "\n")
	if r.code != exitOK || len(lines) != 4 || strings.ContainsAny(r.stdout, "\x1b") {
		t.Fatalf("%+v", r)
	}
	var e eventRecord
	if err := json.Unmarshal([]byte(lines[3]), &e); err != nil || e.UserAgent != "=cmd()\x1b[2J" || e.Kind != "token.refresh" || e.Facts["scope"] != "openid" {
		t.Errorf("%v: %+v", err, e)
	}
	r = latchkey(t, "", "audit", "export", "--user", "sari", "--csv")
	rows, err := csv.NewReader(strings.NewReader(r.stdout)).ReadAll()
	if err != nil || len(rows) != 5 || rows[0][0] != "seq" || rows[4][5] != `'=cmd()\u001b[2J` {
		t.Errorf("%v: %s", err, r.stdout)
	}
	for _, formula := range []string{"=1", "+1", "-1", "@SUM(1)"} {
		if cell := csvRow(audit.Event{Caller: audit.Caller{UserAgent: formula}})[5]; cell != "'"+formula {
			t.Errorf("a spreadsheet would compute %q", cell)
		}
	}
}

// A follower prints what happens after it began, and ends with Ctrl-C as it is meant to.
func TestAuditTailFollows(t *testing.T) {
	inHousehold(t)
	s := &server{t: t, ended: make(chan int, 1)}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		s.ended <- run(ctx, []string{"audit", "tail", "-n", "1", "--follow"}, strings.NewReader(""), s, s, nil)
	}()
	wait := func(want string) {
		t.Helper()
		for begun := time.Now(); !strings.Contains(s.text(), want); time.Sleep(10 * time.Millisecond) {
			if time.Since(begun) > 20*time.Second {
				t.Fatalf("no %q in %s", want, s.text())
			}
		}
	}
	wait("client.created")
	if r := latchkey(t, "", "user", "unlock", "sari"); r.code != exitOK {
		t.Fatalf("%+v", r)
	}
	wait("user.unlocked user=sari")
	cancel()
	if code := <-s.ended; code != exitOK || strings.Count(s.text(), "\n") != 2 {
		t.Errorf("exit code %d:\n%s", code, s.text())
	}
}

func TestParseTime(t *testing.T) {
	now := time.Date(2026, 3, 31, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]string{
		"2026-01-31": "2026-01-31T00:00:00Z", "2026-01-31T08:00:00+07:00": "2026-01-31T01:00:00Z", "90m": "2026-03-31T10:30:00Z", "7d": "2026-03-24T12:00:00Z",
		"": "", "0d": "", "-1h": "", "yesterday": "", "d": "",
	} {
		got, err := parseTime(text, now)
		if (err == nil) != (want != "") || (err == nil && got.Format(time.RFC3339) != want) {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}
