package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// result is what a run of the program did.
type result struct {
	code           int
	stdout, stderr string
}

// latchkey runs the program in the folder of the test.
func latchkey(t *testing.T, stdin string, args ...string) result {
	t.Helper()
	return latchkeyIn(t.Context(), nil, stdin, args...)
}

func latchkeyIn(ctx context.Context, env map[string]string, stdin string, args ...string) result {
	var out, err bytes.Buffer
	code := run(ctx, args, strings.NewReader(stdin), &out, &err, env)
	return result{code, out.String(), err.String()}
}

// template is a database that is made once, because making keys is slow.
var template = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "latchkey-test-")
	if err != nil {
		return "", err
	}
	if r := latchkeyIn(context.Background(), nil, "", "init", "--db", filepath.Join(dir, "latchkey.db")); r.code != exitOK {
		return dir, io.ErrUnexpectedEOF
	}
	return dir, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if dir, err := template(); err == nil {
		os.RemoveAll(dir)
	}
	os.Exit(code)
}

// inEmptyFolder makes a new folder the current one.
func inEmptyFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	t.Chdir(dir)
	return dir
}

// inFolder makes a new folder with a database the current one.
func inFolder(t *testing.T) string {
	t.Helper()
	from, err := template()
	if err != nil {
		t.Fatal(err)
	}
	dir := inEmptyFolder(t)
	for _, name := range []string{"latchkey.db", "latchkey.db.key"} {
		b, err := os.ReadFile(filepath.Join(from, name))
		if err == nil {
			err = os.WriteFile(name, b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

const (
	goodPassword = "a river runs past the school"
	goodSecret   = "01234567890123456789012345678901"
	document     = `{"users": [{"username": "sari", "password": "` + goodPassword + `"}],
 "clients": [{"client_id": "wiki", "client_secret": "` + goodSecret + `", "redirect_uris": ["https://wiki.example/cb"]}]}`
)

func TestCommands(t *testing.T) {
	type step struct {
		stdin  string
		args   string
		code   int
		stdout string // regular expressions
		stderr string
	}
	tests := []struct {
		name  string
		steps []step
	}{
		{"nothing", []step{{"", "", exitUsage, `^$`, `Commands:\n  init`}}},
		{"help", []step{{"", "help", exitOK, `latchkey quickstart`, `^$`}, {"", "--help", exitOK, `Exit codes:`, `^$`}, {"", "-h", exitOK, `Commands`, `^$`}}},
		{"help of a command", []step{{"", "help user add", exitOK, `--password-stdin`, `^$`}, {"", "help file", exitOK, `redirect_uris`, `^$`}, {"", "help nothing", exitUsage, `^$`, `no command "nothing"`}}},
		{"unknown command", []step{{"", "sevre", exitUsage, `^$`, `there is no command "sevre": did you mean serve\?`}, {"", "frobnicate", exitUsage, `^$`, `latchkey help lists them`}}},
		{"half a command", []step{{"", "user", exitUsage, `^$`, `use latchkey user add`}, {"", "user ad x", exitUsage, `^$`, `no command "user ad": use latchkey user add`},
			{"", "user --help", exitOK, `latchkey user add`, `^$`}, {"", "client -h", exitOK, `latchkey client add`, `^$`}, {"", "help user", exitOK, `latchkey user add`, `^$`}}},
		{"unknown flag", []step{{"", "init --dbb x", exitUsage, `^$`, `no flag --dbb: did you mean --db\?`}, {"", "init --frobnicate", exitUsage, `^$`, `no flag --frobnicate`}}},
		{"every wrong flag at once", []step{{"", "serve --isuer x --lisen y --db", exitUsage, `^$`, `3 things[^$]*--issuer\?[^$]*--listen\?[^$]*--db needs a value: --db FILE[^$]*latchkey serve --help`}}},
		{"flag given twice", []step{{"", "init --db a --db b", exitUsage, `^$`, `--db is given twice`}}},
		{"value for a switch", []step{{"", "version --json=maybe", exitUsage, `^$`, `--json takes no value`}}},
		{"too many arguments", []step{{"", "version now", exitUsage, `^$`, `"now" is one too many`}, {"", "apply a b", exitUsage, `^$`, `"b" is one too many`}}},
		{"too few arguments", []step{{"", "apply", exitUsage, `^$`, `apply needs its argument: latchkey apply FILE`}}},
		{"version", []step{{"", "version", exitOK, `^latchkey .+\ngo go1\..+\nsqlite 3\..+\n$`, `^$`}, {"", "--version", exitOK, `^latchkey`, `^$`}, {"", "version --json", exitOK, `"sqlite": "3\.`, `^$`}}},

		{"init twice", []step{
			{"", "init --db new.db --issuer https://id.example.org", exitOK, `^$`, `Created the database new.db[^$]*latchkey serve --db new.db --issuer https://id.example.org`},
			{"", "init --db new.db", exitConflict, `^$`, `^latchkey: the database new.db exists already .* latchkey serve --db new.db`},
			{"", "init --db other.db --master-key new.db.key", exitConflict, `^$`, `new.db.key: file already exists`}}},
		{"init in JSON", []step{{"", "init --json --db new.db", exitOK, `"master_key": "new.db.key"`, `^$`}}},
		{"init with a wrong issuer", []step{{"", "init --db new.db --issuer http://id.example.org/", exitUsage, `^$`, `use https`}, {"", "apply - --db new.db", exitNotFound, `^$`, `new.db does not exist`}}},

		{"apply", []step{
			{document, "apply - --plan", exitOK, `^\+ user "sari"\n\+ client "wiki"\n$`, `Plan only: 2 to create, 0 to change, 0 unchanged`},
			{document, "apply -", exitOK, `^\+ user "sari"\n\+ client "wiki"\n$`, `Applied: 2 to create`},
			{document, "apply -", exitOK, `^= user "sari" unchanged\n= client "wiki" unchanged\n$`, `Nothing to change`},
			{document, "apply --json -", exitOK, `"action": "unchanged"`, `^$`}}},
		{"apply makes a secret", []step{
			{`{"clients": [{"client_id": "a", "redirect_uris": ["https://a.example/"]}]}`, "apply -", exitOK, `client_secret of "a", shown only now: [A-Z2-7]{52}\n`, `Applied`},
			{`{"clients": [{"client_id": "b", "redirect_uris": ["https://a.example/"]}]}`, "apply - --json", exitOK, `"client_secret": "[A-Z2-7]{52}"`, `^$`}}},
		{"apply what is wrong", []step{
			{`{"users": [{"username": "a b"}], "x": 1}`, "apply -", exitRefused, `^$`, `2 things have to be put right:\n  - document: unknown member "x"[^$]*users\[0\].username`},
			{"{", "apply -", exitUsage, `^$`, `^latchkey: stdin: no document that can be read: line 1, column 2: `},
			{"", "apply latchkey.db", exitUsage, `^$`, `^latchkey: latchkey.db: no document that can be read: line 1, column \d+: not UTF-8\n$`},
			{"[]", "apply -", exitRefused, `^$`, `must be an object`},
			{`{"users": [{"username": "sari", "admin": 1, "email": "x"}], "groups": [{"name": "g", "members": ["nobody"]}]}`, "apply -", exitRefused, `^$`, `3 things[^$]*admin[^$]*email "x"[^$]*no user "nobody"`},
			{"", "apply missing.json", exitNotFound, `^$`, `missing.json`},
			{document, "apply - --db missing.db", exitNotFound, `^$`, `missing.db does not exist.*latchkey init`},
			{document, "apply - --issuer http://x", exitUsage, `^$`, `issuer`}}},

		{"user add", []step{
			{goodPassword + "\n", "user add sari --email sari@example.org --name Sari --group a --group b --password-stdin", exitOK, `^$`, `User sari added. Next: latchkey client add`},
			{goodPassword, "user add --password-stdin --admin -- tio", exitOK, `^$`, `Administrator tio added`},
			{goodPassword, "user add --password-stdin --json BUDI", exitOK, `"username": "budi"`, `^$`},
			{goodPassword, "user add sari --password-stdin", exitConflict, `^$`, `user "sari" exists already`},
			{"short", "user add eko/ --password-stdin --email x", exitUsage, `^$`, `3 things[^$]*USERNAME "eko/"[^$]*at least 15[^$]*--email "x"`},
			{"", "user add eko --password-stdin", exitUsage, `^$`, `the secret is empty`},
			{"", "user add eko", exitUsage, `^$`, `no terminal.*--password-stdin or --password-file`},
			{"", "user add eko --password-file missing", exitNotFound, `^$`, `missing`},
			{"", "user add eko --password-file a --password-stdin", exitUsage, `^$`, `not both`},
			{"", "user add a/b --password-stdin", exitUsage, `^$`, `1 to 64 characters`},
			{goodPassword, "user add eko --password-stdin --db missing.db", exitNotFound, `^$`, `missing.db`}}},
		{"client add", []step{
			{"", "client add wiki --name Wiki --redirect-uri https://wiki.example/cb", exitOK, `^client_id      wiki\nclient_secret  [A-Z2-7]{52}\n$`, `shown only now[^$]*Client added`},
			{"", "client add wiki --redirect-uri https://wiki.example/cb", exitConflict, `^$`, `client "wiki" exists already`},
			{"", "client add spa --public --json --redirect-uri https://spa.example/cb", exitOK, `^{\n  "client_id": "spa"\n}\n$`, `^$`},
			{goodSecret, "client add own --client-secret-stdin --redirect-uri https://own.example/cb --scope openid", exitOK, `^client_id      own\n$`, `Client added`},
			{"short", "client add own2 --client-secret-stdin --redirect-uri https://own.example/cb", exitUsage, `^$`, `needs 32 to 512`},
			{"", "client add bad --redirect-uri http://bad.example/cb --profile lax", exitUsage, `^$`, `2 things[^$]*--profile "lax"[^$]*--redirect-uri "http://bad`},
			{"", "client add bare", exitUsage, `^$`, `^latchkey: --redirect-uri is missing`}}},

		{"secrets in arguments", []step{
			{"", "user add sari --password hunter2hunter2", exitUsage, `^$`, `every user of this machine can read arguments`},
			{"", "user add sari --password=hunter2hunter2", exitUsage, `^$`, `--password-stdin or --password-file`},
			{"", "client add a --client-secret hunter2hunter2", exitUsage, `^$`, `--client-secret-stdin or --client-secret-file`}}},

		{"serve with everything wrong", []step{{"", "serve --db missing.db --issuer http://x/ --listen 0.0.0.0:1 --tls-cert c --rate-limit-scale many --trusted-proxies x", exitUsage, `^$`,
			`[^$]*rate-limit-scale: "many"[^$]*trusted-proxies: "x"[^$]*issuer[^$]*tls[^$]*missing.db`}}},
		{"serve without an issuer", []step{{"", "serve", exitUsage, `^$`, `issuer: is missing: give --issuer or LATCHKEY_ISSUER`}}},
		{"serve without a database", []step{{"", "serve --issuer https://id.example.org --db missing.db", exitNotFound, `^$`, `missing.db does not exist.*latchkey init`}}},
		{"quickstart with a key and no database", []step{{"", "quickstart --issuer http://localhost:8080 --listen 127.0.0.1:0 --db new.db --master-key latchkey.db.key", exitConflict, `^$`, `master key latchkey.db.key[^$]*--master-key`}}},
		{"quickstart on a wrong address", []step{{"", "quickstart --issuer http://id.example.org --db new.db", exitUsage, `^$`, `use https`}, {"", "apply - --db new.db", exitNotFound, `^$`, `new.db`}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			inFolder(t)
			for _, s := range test.steps {
				r := latchkey(t, s.stdin, strings.Fields(s.args)...)
				if r.code != s.code || !regexp.MustCompile(s.stdout).MatchString(r.stdout) || !regexp.MustCompile(s.stderr).MatchString(r.stderr) {
					t.Errorf("latchkey %s: exit code %d, want %d\nstdout, want %s:\n%s\nstderr, want %s:\n%s", s.args, r.code, s.code, s.stdout, r.stdout, s.stderr, r.stderr)
				}
				// AD-07: no secret that went in comes out.
				for _, secret := range []string{goodPassword, goodSecret, "hunter2"} {
					if strings.Contains(r.stdout+r.stderr, secret) {
						t.Errorf("latchkey %s prints a secret", s.args)
					}
				}
			}
		})
	}
}

func TestInterrupted(t *testing.T) {
	inFolder(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if r := latchkeyIn(ctx, nil, document, "apply", "-"); r.code != exitInterrupted || !strings.Contains(r.stderr, "interrupted") {
		t.Errorf("%+v", r)
	}
}

// The environment stands in for a flag; the flag wins.
func TestEnvironment(t *testing.T) {
	inEmptyFolder(t)
	env := map[string]string{"LATCHKEY_DB": "env.db", "LATCHKEY_MASTER_KEY": "env.key"}
	if r := latchkeyIn(t.Context(), env, "", "init"); r.code != exitOK || !strings.Contains(r.stderr, "env.db and its master key env.key") {
		t.Errorf("%+v", r)
	}
	if r := latchkeyIn(t.Context(), env, "", "init", "--db", "flag.db"); r.code != exitConflict || !strings.Contains(r.stderr, "env.key") {
		t.Errorf("%+v", r)
	}
	if r := latchkeyIn(t.Context(), map[string]string{"LATCHKEY_ISSUER": "http://x", "LATCHKEY_LISTEN": "y"}, "", "serve", "--issuer", "https://id.example.org"); r.code != exitUsage ||
		strings.Contains(r.stderr, "issuer") || !strings.Contains(r.stderr, `"y" is not host:port`) {
		t.Errorf("%+v", r)
	}
}

// AD-09: a setting whose name is misspelt is refused, because the server would run without it; a variable of somebody else is not.
func TestMisspeltEnvironment(t *testing.T) {
	dir := inEmptyFolder(t)
	for name, want := range map[string]string{"LATCHKEY_TRUSTED_PROXY": "LATCHKEY_TRUSTED_PROXIES", "LATCHKEY_ISUER": "LATCHKEY_ISSUER", "LATCHKEY_MASTERKEY": "LATCHKEY_MASTER_KEY",
		"LATCHKEY_BIN": "", "LATCHKEY_IO": "", "LATCHKEY_CUTS": "", "LATCHKEY": "", "LATCHKEY_": "", "ISSUER": ""} {
		r := latchkeyIn(t.Context(), map[string]string{name: "x"}, "", "serve", "--issuer", "https://id.example.org")
		told := strings.Contains(r.stderr, name+" in the environment is no setting: did you mean "+want+"?")
		if told != (want != "") || told != (r.code == exitUsage) {
			t.Errorf("%s: %+v", name, r)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("something was made: %v %v", left, err)
	}
}

// Help is made from the table: each command has examples that the program itself understands, and its flags and exit codes.
func TestHelpOfEveryCommand(t *testing.T) {
	for _, c := range commands() {
		r := latchkey(t, "", append(strings.Fields(c.name), "--help")...)
		if r.code != exitOK || r.stderr != "" || !strings.Contains(r.stdout, "Exit codes:") {
			t.Errorf("%s: %+v", c.name, r)
		}
		if !strings.Contains(r.stdout, "Examples:\n  ") || len(c.examples) == 0 {
			t.Errorf("%s has no example", c.name)
		}
		if strings.Index(r.stdout, "Examples:") > strings.Index(r.stdout, "Usage:") {
			t.Errorf("%s: examples come first", c.name)
		}
		for _, f := range c.flags {
			if !strings.Contains(r.stdout, "--"+f.name) || f.env != strings.Contains(r.stdout, "["+f.twin()+"]") || f.help == "" {
				t.Errorf("%s: help does not tell of --%s and its twin", c.name, f.name)
			}
		}
		for _, e := range c.examples {
			if !strings.Contains(e, "latchkey "+c.name) {
				t.Errorf("%s: example %q is of another command", c.name, e)
			}
			_, line, _ := strings.Cut(e, "latchkey "+c.name)
			line, _, _ = strings.Cut(line, "#")
			args := strings.Fields(regexp.MustCompile(`'[^']*'`).ReplaceAllString(line, "quoted"))
			if _, _, err := parseArguments(c.flags, args, nil); err != nil {
				t.Errorf("%s: example %q: %v", c.name, e, err)
			}
		}
	}
}

// AD-08: whatever the umask, nobody else reads what we make.
func TestFilesAreForTheOwner(t *testing.T) {
	dir := filepath.Join(inEmptyFolder(t), "made")
	defer syscall.Umask(syscall.Umask(0))
	if r := latchkey(t, "", "init", "--db", filepath.Join(dir, "latchkey.db")); r.code != exitOK {
		t.Fatalf("%+v", r)
	}
	if r := latchkey(t, document, "apply", "-", "--db", filepath.Join(dir, "latchkey.db")); r.code != exitOK {
		t.Fatalf("%+v", r)
	}
	files := 0
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %o", path, info.Mode().Perm())
		}
		files++
		return err
	})
	if err != nil || files < 3 {
		t.Errorf("%d files, %v", files, err)
	}
	if err := os.Chmod(filepath.Join(dir, "latchkey.db.key"), 0o644); err != nil {
		t.Fatal(err)
	}
	if r := latchkey(t, document, "apply", "-", "--db", filepath.Join(dir, "latchkey.db")); r.code != exitFailure || !strings.Contains(r.stderr, "chmod 600") {
		t.Errorf("a key that everybody reads: %+v", r)
	}
}

// ST-09: without its key or with another one a database is not used, and no key is made for it.
func TestMasterKeyOfAnotherDatabase(t *testing.T) {
	inFolder(t)
	if r := latchkey(t, "", "init", "--db", "other.db"); r.code != exitOK {
		t.Fatalf("%+v", r)
	}
	if r := latchkey(t, document, "apply", "-", "--master-key", "other.db.key"); r.code != exitFailure || !strings.Contains(r.stderr, "does not belong") {
		t.Errorf("another key: %+v", r)
	}
	if err := os.Remove("latchkey.db.key"); err != nil {
		t.Fatal(err)
	}
	if r := latchkey(t, document, "apply", "-"); r.code != exitNotFound || !strings.Contains(r.stderr, "cannot be made anew") {
		t.Errorf("no key: %+v", r)
	}
	if _, err := os.Stat("latchkey.db.key"); err == nil {
		t.Error("a key was made")
	}
}

// WB-07: what a name holds does not command the terminal. JSON keeps the value by escaping it.
func TestTerminalEscapes(t *testing.T) {
	const evil = "a\x1b[2J\u009b31m\x07\u202eb\rc\td\n"
	var out bytes.Buffer
	if n, err := (&printable{Writer: &out}).Write([]byte(evil)); n != len(evil) || err != nil || out.String() != "a[2J31mbc\td\n" {
		t.Errorf("printed %q, %d, %v", out.String(), n, err)
	}
	for r := range rune(0x2100) { // alone, so that none is looked at for the sake of another
		out.Reset()
		(&printable{Writer: &out}).Write([]byte(string(r)))
		if want := !unprintable(r) || r == '\n' || r == '\t'; (out.Len() > 0) != want {
			t.Errorf("%U printed: %v, want %v", r, out.Len() > 0, want)
		}
	}
	out.Reset()
	if err := printJSON(&out, map[string]string{"name": evil}); err != nil {
		t.Fatal(err)
	}
	var back map[string]string
	if err := json.Unmarshal(out.Bytes(), &back); err != nil || back["name"] != evil {
		t.Errorf("JSON %s read back as %q, %v", out.String(), back["name"], err)
	}
	if strings.ContainsFunc(strings.ReplaceAll(out.String(), "\n", ""), unprintable) {
		t.Errorf("JSON holds control characters: %q", out.String())
	}
	if r := latchkey(t, "", "user", "add", "\x1b]0;evil\x07", "--password-stdin"); strings.ContainsAny(r.stderr, "\x1b\x07") || r.code == exitOK {
		t.Errorf("%+v", r)
	}
	if r := latchkey(t, "", "\x1b[31mserve"); strings.ContainsAny(r.stderr, "\x1b") {
		t.Errorf("%+v", r)
	}
}

func FuzzParseArguments(f *testing.F) {
	f.Add("user\x00--email=x\x00--group\x00a\x00--\x00--admin")
	f.Add("--json=true\x00-\x00-json\x00--=\x00---")
	f.Fuzz(func(t *testing.T, line string) {
		args := strings.Split(line, "\x00")
		given, positional, err := parseArguments(userAddCommand.flags, args, nil)
		if err != nil {
			return
		}
		n := len(positional)
		for name, values := range given {
			n += len(values)
			if name == "" || len(values) == 0 {
				t.Errorf("flag %q with %d values", name, len(values))
			}
		}
		if n > len(args) {
			t.Errorf("%d things out of %d arguments", n, len(args))
		}
	})
}

// A master key of another database is told in one line, once, with what to do.
func TestWrongMasterKey(t *testing.T) {
	inFolder(t)
	if r := latchkey(t, "", "init", "--db", "other.db"); r.code != exitOK {
		t.Fatalf("%+v", r)
	}
	r := latchkey(t, document, "apply", "-", "--master-key", "other.db.key")
	if r.code != exitFailure || strings.Count(r.stderr, "\n") != 1 || strings.Count(r.stderr, "master key") != 1 || !strings.Contains(r.stderr, "--master-key") {
		t.Errorf("%+v", r)
	}
}
