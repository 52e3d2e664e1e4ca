package app_test

import (
	"bytes"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/app"
	"latchkey/app/admin"
	"latchkey/app/doctor"
	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/ports"
)

// installation is a provider's files and the flags that serve would get.
type installation struct {
	t   *testing.T
	cfg app.Config
}

const wellKept = `{"users": [{"username": "sari", "password": "a river runs past the school", "admin": true}],
 "clients": [{"client_id": "wiki", "client_secret": "01234567890123456789012345678901", "redirect_uris": ["https://wiki.example/cb"]}]}`

// newInstallation makes a provider at the time of now, in a folder of its own, with an administrator who has a second factor, a
// client and a verified backup.
func newInstallation(t *testing.T, dir string, now ports.Clock) *installation {
	t.Helper()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	i := &installation{t, app.Config{Database: filepath.Join(dir, "latchkey.db"), MasterKey: filepath.Join(dir, "latchkey.db.key"), Now: now,
		RateLimitScale: 1, PasswordIterations: 1000}}
	a, err := app.Create(t.Context(), i.cfg)
	if err == nil {
		err = a.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	i.apply(wellKept)
	i.secondFactor()
	i.moments(now(), now())
	return i
}

func (i *installation) open() *app.App {
	i.t.Helper()
	a, err := app.New(i.t.Context(), i.cfg)
	if err != nil {
		i.t.Fatal(err)
	}
	return a
}

func (i *installation) apply(document string) {
	i.t.Helper()
	a := i.open()
	d, err := admin.ParseDocument([]byte(document))
	if err == nil {
		_, err = a.Admin.Apply(i.t.Context(), audit.Caller{}, d, false)
	}
	if err := errors.Join(err, a.Close()); err != nil {
		i.t.Fatal(err)
	}
}

// moments sets when a backup was made and verified.
func (i *installation) moments(made, verified time.Time) {
	i.t.Helper()
	a := i.open()
	err := a.Store.Update(i.t.Context(), func(tx ports.Tx) error {
		return errors.Join(tx.SaveMoment(ports.BackupMade, made), tx.SaveMoment(ports.BackupVerified, verified))
	})
	if err := errors.Join(err, a.Close()); err != nil {
		i.t.Fatal(err)
	}
}

// secondFactor gives the administrator one.
func (i *installation) secondFactor() {
	i.t.Helper()
	a := i.open()
	err := a.Store.Update(i.t.Context(), func(tx ports.Tx) error {
		sari, err := tx.UserByLogin("sari")
		return errors.Join(err, tx.SaveFactor(identity.Factor{ID: "factor", User: sari.ID, Kind: identity.TOTPFactor, ConfirmedAt: sari.CreatedAt}))
	})
	if err := errors.Join(err, a.Close()); err != nil {
		i.t.Fatal(err)
	}
}

// patch changes bytes of the database as a broken disk or another tool would.
func (i *installation) patch(at int64, b ...byte) {
	i.t.Helper()
	f, err := os.OpenFile(i.cfg.Database, os.O_WRONLY, 0)
	if err == nil {
		_, err = f.WriteAt(b, at)
	}
	if err := errors.Join(err, f.Close()); err != nil {
		i.t.Fatal(err)
	}
}

func (i *installation) chmod(path string, mode os.FileMode) {
	i.t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		i.t.Fatal(err)
	}
	i.t.Cleanup(func() { os.Chmod(path, 0o700) })
}

func (i *installation) write(path, text string) {
	i.t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		i.t.Fatal(err)
	}
}

// answer lets h answer at the issuer.
func (i *installation) answer(h http.HandlerFunc) {
	s := httptest.NewServer(h)
	i.t.Cleanup(s.Close)
	i.cfg.Issuer = s.URL
}

// serve serves the installation at its issuer, through filter.
func (i *installation) serve(filter func(http.Handler) http.Handler) {
	i.t.Helper()
	s := httptest.NewUnstartedServer(nil)
	i.cfg.Issuer = "http://" + s.Listener.Addr().String()
	a := i.open()
	s.Config.Handler = filter(a.Handler)
	s.Start()
	i.t.Cleanup(func() {
		s.Close()
		if err := a.Close(); err != nil {
			i.t.Error(err)
		}
	})
}

func asItIs(h http.Handler) http.Handler { return h }

// Each row is a real misconfiguration on real files and servers, with all that doctor finds that is not right or a note, and a part of
// the command that mends it.
func TestDoctor(t *testing.T) {
	long := 100 * 24 * time.Hour
	tests := []struct {
		name string
		harm func(t *testing.T, i *installation)
		want string
		mend string
	}{
		{"nothing", func(t *testing.T, i *installation) { i.serve(asItIs) }, "", ""},
		{"nothing, stopped", func(t *testing.T, i *installation) {}, "", ""},
		{"AD-08 database for all", func(t *testing.T, i *installation) { i.chmod(i.cfg.Database, 0o644) }, "error file.database.mode", "chmod 600 DB"},
		{"AD-08 master key for all", func(t *testing.T, i *installation) { i.chmod(i.cfg.MasterKey, 0o604) }, "error masterkey.mode", "chmod 600 DB.key"},
		{"AD-08 backup for the group", func(t *testing.T, i *installation) {
			i.write(i.cfg.Database+".backup", "x")
			i.chmod(i.cfg.Database+".backup", 0o640)
		}, "warning file.backup.mode", "chmod 600 DB.backup"},
		{"AD-08 folder for all to read", func(t *testing.T, i *installation) { i.chmod(filepath.Dir(i.cfg.Database), 0o755) }, "warning folder.mode", "chmod 700"},
		{"AD-08 folder for all to write", func(t *testing.T, i *installation) { i.chmod(filepath.Dir(i.cfg.Database), 0o777) }, "error folder.mode", "chmod 700"},
		{"ST-05 read-only folder", func(t *testing.T, i *installation) { i.chmod(filepath.Dir(i.cfg.Database), 0o500) }, "error folder.readonly", "chmod 700"},
		{"ST-05 read-only file", func(t *testing.T, i *installation) { i.chmod(i.cfg.Database, 0o400) }, "error file.database.readonly", "chmod 600 DB"},
		{"ST-09 no master key", func(t *testing.T, i *installation) { os.Remove(i.cfg.MasterKey) }, "error masterkey.missing", "install -m 600 FILE DB.key"},
		{"master key is something else", func(t *testing.T, i *installation) { i.write(i.cfg.MasterKey, "hello") }, "error masterkey.unusable", "install -m 600 FILE DB.key"},
		{"ST-09 master key of another database", func(t *testing.T, i *installation) {
			i.cfg.MasterKey = newInstallation(t, t.TempDir(), i.cfg.Now).cfg.MasterKey
		}, "error masterkey.foreign", "latchkey doctor --db DB --master-key FILE"},

		{"ST-06 no database", func(t *testing.T, i *installation) { os.Remove(i.cfg.Database) }, "error database.missing", "latchkey restore FILE --db DB"},
		{"ST-06 zero length", func(t *testing.T, i *installation) { os.Truncate(i.cfg.Database, 0) }, "error database.empty", "latchkey restore FILE --db DB"},
		{"ST-06 not a database", func(t *testing.T, i *installation) {
			i.write(i.cfg.Database, strings.Repeat("dear diary ", 1000))
		}, "error database.damaged", "latchkey restore FILE --db DB"},
		{"ST-06 a broken page", func(t *testing.T, i *installation) { i.patch(3*4096, make([]byte, 4096)...) }, "error database.damaged", "latchkey restore FILE --db DB --yes"},
		{"ST-06 a changed byte that no check of SQLite sees", func(t *testing.T, i *installation) {
			a, err := app.New(t.Context(), i.cfg)
			if err == nil {
				err = a.Close()
			}
			if err != nil {
				t.Fatal(err)
			}
			i.expect("", "") // and the sum is there
			i.patch(27, 0xA5)
		}, "error database.changed", "rm DB.sum"},
		{"a folder in its place", func(t *testing.T, i *installation) {
			os.Remove(i.cfg.Database)
			os.Mkdir(i.cfg.Database, 0o700)
		}, "error database.kind", "ls -ld DB"},
		{"another application's database", func(t *testing.T, i *installation) { i.patch(68, 1, 2, 3, 4) }, "error database.foreign", "ls -l DB"},
		{"OP-04 newer schema", func(t *testing.T, i *installation) { i.patch(60, 0, 0, 0, 99) }, "error database.newer", "latchkey rollback --db DB"},
		{"OP-03 older schema", func(t *testing.T, i *installation) { i.patch(60, 0, 0, 0, 1) }, "warning database.pending", "latchkey upgrade --db DB"},
		{"AD-10 audit event changed", func(t *testing.T, i *installation) {
			b, err := os.ReadFile(i.cfg.Database)
			at := bytes.Index(b, []byte("user.created"))
			if err != nil || at < 0 {
				t.Fatal(at, err)
			}
			i.patch(int64(at), []byte("user.changed")...)
		}, "error audit.broken", "latchkey audit verify --db DB"},
		{"key past its rotation", func(t *testing.T, i *installation) {
			past := func() time.Time { return time.Now().UTC().Truncate(time.Millisecond).Add(-long) }
			*i = *newInstallation(t, t.TempDir(), past)
			i.moments(time.Now(), time.Now())
			i.cfg.Now = time.Now
		}, "warning signing.overdue, warning signing.overdue", "latchkey key rotate --db DB"},
		{"OP-05 clock set back", func(t *testing.T, i *installation) {
			i.cfg.Now = func() time.Time { return time.Now().Add(-time.Hour) }
		}, "error clock.back", "timedatectl set-ntp true"},
		{"no backup", func(t *testing.T, i *installation) { i.moments(time.Time{}, time.Time{}) }, "warning backup.never", "latchkey backup FILE --db DB && latchkey backup verify FILE"},
		{"backup never verified", func(t *testing.T, i *installation) { i.moments(time.Now(), time.Time{}) }, "warning backup.unverified", "latchkey backup verify FILE"},
		{"backup of last month", func(t *testing.T, i *installation) {
			i.moments(time.Now().Add(-long), time.Now().Add(-long))
		}, "warning backup.old", "latchkey backup FILE --db DB"},
		{"no administrator", func(t *testing.T, i *installation) {
			i.apply(`{"users": [{"username": "sari", "admin": false}]}`)
		}, "warning admin.none", "latchkey user add admin --admin --db DB"},
		{"every administrator disabled", func(t *testing.T, i *installation) {
			i.apply(`{"users": [{"username": "sari", "admin": true, "disabled": true}]}`)
		}, "warning admin.none", "latchkey recover-admin sari --db DB"},
		{"relaxed client", func(t *testing.T, i *installation) {
			i.apply(`{"clients": [{"client_id": "old", "profile": "legacy2012", "redirect_uris": ["https://old.example/cb"], "rotate_refresh_tokens": false,
			 "refresh_token_grace": 60, "access_token_lifetime": 86400, "allow_plain_pkce": true}]}`)
		}, "warning client.binding, warning client.grace, warning client.lifetime, warning client.plain, warning client.rotation", "latchkey client edit old --set dangerously_allow_neither_pkce_nor_nonce=false --db DB"},

		{"AD-09 issuer with a slash", func(t *testing.T, i *installation) { i.cfg.Issuer = "https://127.0.0.1:1/" }, "error issuer.syntax, warning discovery.unreachable", "--issuer https://127.0.0.1:1 "},
		{"AD-09 the right server with a slash", func(t *testing.T, i *installation) {
			i.serve(asItIs)
			i.cfg.Issuer += "/"
		}, "error issuer.syntax", "latchkey serve --db DB --issuer http://127.0.0.1:"},
		{"AD-09 http issuer", func(t *testing.T, i *installation) { i.cfg.Issuer = "http://id.invalid" }, "error issuer.syntax, warning discovery.unreachable", "--issuer https://id.invalid "},
		{"AD-09 issuer with a query", func(t *testing.T, i *installation) { i.cfg.Issuer = "https://id.invalid?tenant=1" }, "error issuer.syntax", "--issuer https://id.invalid "},
		{"AD-09 plain HTTP for everybody", func(t *testing.T, i *installation) { i.cfg.Listen = "0.0.0.0:8080" }, "error config.invalid", "latchkey serve --help"},
		{"AD-09 every address is a proxy", func(t *testing.T, i *installation) { i.proxies("0.0.0.0/0") }, "error config.invalid, warning proxy.wide", "latchkey serve --help"},
		{"port closed", func(t *testing.T, i *installation) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			l.Close()
			i.cfg.Issuer = "http://" + l.Addr().String()
		}, "warning discovery.unreachable", "latchkey serve --db DB --issuer http://127.0.0.1:"},
		{"OP-06 another issuer answers", func(t *testing.T, i *installation) {
			i.answer(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(`{"issuer": "https://other.example"}`)) })
		}, "error discovery.issuer", "latchkey serve --db DB --issuer http://127.0.0.1:"},
		{"redirecting issuer", func(t *testing.T, i *installation) {
			i.answer(func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "https://www.example.org"+r.URL.Path, http.StatusMovedPermanently)
			})
		}, "error discovery.redirect", "--issuer https://www.example.org "},
		{"a web site answers", func(t *testing.T, i *installation) {
			i.answer(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("<h1>It works!</h1>")) })
		}, "error discovery.json", "curl -i http://127.0.0.1:"},
		{"a proxy without its provider", func(t *testing.T, i *installation) {
			i.answer(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
		}, "error discovery.status", "curl -i http://127.0.0.1:"},
		{"a proxy that passes the discovery document only", func(t *testing.T, i *installation) {
			i.serve(func(h http.Handler) http.Handler {
				mux := http.NewServeMux()
				mux.Handle("/.well-known/openid-configuration", h)
				return mux
			})
		}, "error discovery.keys", "curl -i http://127.0.0.1:"},
		{"another database is served under the name", func(t *testing.T, i *installation) {
			other := newInstallation(t, t.TempDir(), i.cfg.Now)
			other.serve(asItIs)
			i.cfg.Issuer = other.cfg.Issuer
		}, "error discovery.foreign", "latchkey serve --db DB --issuer http://127.0.0.1:"},
		{"clock of the proxy differs", func(t *testing.T, i *installation) {
			i.serve(func(h http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("Date", time.Now().Add(-2*time.Minute).UTC().Format(http.TimeFormat))
					h.ServeHTTP(w, r)
				})
			})
		}, "warning clock.skew", "timedatectl status"},
		{"no proxy is trusted", func(t *testing.T, i *installation) { i.cfg.Issuer = "https://id.invalid" }, "warning discovery.unreachable, warning proxy.none", "getent hosts id.invalid"},
		{"RL-03 wide proxies", func(t *testing.T, i *installation) { i.proxies("10.0.0.0/8,127.0.0.1") }, "warning proxy.wide", "--trusted-proxies 127.0.0.1/32"},
		{"rate limits off", func(t *testing.T, i *installation) { i.cfg.RateLimitScale = 0 }, "warning limits.off", "latchkey serve --db DB"},
		{"rate limits raised", func(t *testing.T, i *installation) { i.cfg.RateLimitScale = 500 }, "warning limits.high", "latchkey serve --db DB"},
	}
	template := newInstallation(t, t.TempDir(), func() time.Time { return time.Now().UTC().Truncate(time.Millisecond) })
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			i := template.copy(t)
			tt.harm(t, i)
			i.expect(tt.want, tt.mend)
		})
	}
}

// The issuer that doctor proposes in the place of a wrong one is right (AD-09).
func TestDoctorProposesAnIssuer(t *testing.T) {
	for _, wrong := range []string{"https://127.0.0.1:1/", "HTTPS://127.0.0.1:1", "https://127.0.0.1:1/a//b/", "https://u:p@127.0.0.1:1", "https://127.0.0.1:443", "http://127.0.0.1:80/x/",
		"https://127.0.0.1:1#f", "https://127.0.0.1:", "id.example.org", "", "https://LOCALHOST.:1", "http://[::1]:80/", "ftp://127.0.0.1:1"} {
		cfg := app.Config{Database: filepath.Join(t.TempDir(), "latchkey.db"), Issuer: wrong, RateLimitScale: 1}
		findings, err := app.Doctor(t.Context(), cfg, false)
		if err != nil {
			t.Fatal(err)
		}
		found := wrong == ""
		for _, f := range findings {
			for _, line := range f.Commands {
				_, rest, given := strings.Cut(line, "--issuer ")
				proposed := strings.Trim(strings.SplitN(rest, " --", 2)[0], "'")
				if err := app.CheckIssuer(proposed); given && err != nil {
					t.Errorf("%q: %s: %v", wrong, line, err)
				}
				found = found || given && f.ID == "issuer.syntax"
			}
		}
		if !found {
			t.Errorf("%q: no issuer is proposed", wrong)
		}
	}
}

func (i *installation) proxies(networks string) {
	i.t.Helper()
	parsed, err := app.ParseProxies(networks)
	if err != nil {
		i.t.Fatal(err)
	}
	i.cfg.TrustedProxies = append([]netip.Prefix{}, parsed...)
}

// copy returns the installation in a folder of its own.
func (i *installation) copy(t *testing.T) *installation {
	t.Helper()
	dir := t.TempDir()
	c := &installation{t, i.cfg}
	c.cfg.Database, c.cfg.MasterKey = filepath.Join(dir, "latchkey.db"), filepath.Join(dir, "latchkey.db.key")
	for from, to := range map[string]string{i.cfg.Database: c.cfg.Database, i.cfg.MasterKey: c.cfg.MasterKey} {
		b, err := os.ReadFile(from)
		if err == nil {
			err = os.WriteFile(to, b, 0o600)
		}
		if err := errors.Join(err, os.Chmod(dir, 0o700)); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// expect examines the installation. mend has to be in the commands of the first finding that is wanted, with DB for the database.
func (i *installation) expect(want, mend string) {
	i.t.Helper()
	before, _ := os.ReadFile(i.cfg.Database)
	findings, err := app.Doctor(i.t.Context(), i.cfg, false)
	if err != nil {
		i.t.Fatal(err)
	}
	if after, _ := os.ReadFile(i.cfg.Database); !bytes.Equal(before, after) {
		i.t.Error("doctor changed the database")
	}
	check(i.t, findings, want, strings.ReplaceAll(mend, "DB", i.cfg.Database))
}

func check(t *testing.T, findings []doctor.Finding, want, mend string) {
	t.Helper()
	var got []string
	commands := ""
	for _, f := range findings {
		if f.Severity != doctor.Error && f.Severity != doctor.Warning {
			continue
		}
		if id := string(f.Severity) + " " + f.ID; strings.HasPrefix(want, id) && commands == "" {
			commands = strings.Join(f.Commands, "\n")
		}
		got = append(got, string(f.Severity)+" "+f.ID)
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, strings.Join(got, ", ")); diff != "" {
		t.Errorf("findings (-want +got):\n%s\n%+v", diff, findings)
	}
	if !strings.Contains(commands, mend) {
		t.Errorf("commands do not hold %q:\n%s", mend, commands)
	}
}
