package app_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"latchkey/app/apptest"
)

// disk is where the server's file lies, and how it fills up.
type disk struct {
	fill, free func(*testing.T)
	files      func(*testing.T) map[string][]byte // the database and its log, also after the server has ended
}

// ST-04: on a full disk everything that writes answers 503 and everything that reads goes on. Once there is room the same
// requests work, without a restart, and nothing that was acknowledged is missing.
func TestFaultFullDisk(t *testing.T) {
	t.Parallel()
	for n := range size(t, "FILLS", 1) {
		t.Run(fmt.Sprint("ENOSPC ", n+1), func(t *testing.T) { testFullDisk(t, smallDisk) })
		t.Run(fmt.Sprint("EFBIG ", n+1), func(t *testing.T) { testFullDisk(t, boundedFiles) })
	}
}

// ST-05: so it is with a file system that becomes read-only beneath the server, as after an error of the disk.
func TestFaultReadOnly(t *testing.T) {
	t.Parallel()
	testFullDisk(t, readOnlyFiles)
}

// readOnlyFiles starts the server on a file that cannot be written any more once the disk is full.
func readOnlyFiles(t *testing.T, p *apptest.Process) disk {
	shim := shimmed(t, p)
	p.Start("quickstart")
	return disk{
		fill:  func(*testing.T) { shim.arm(failWrite, 1, syscall.EROFS, true) },
		free:  func(*testing.T) { shim.arm(failWrite, 0, 0, false) },
		files: func(t *testing.T) map[string][]byte { return left(t, p.File()) },
	}
}

// smallDisk starts the server on a file system of 16 megabytes that nobody else sees: in a mount namespace, which ends with
// the server and needs no privilege beyond a user namespace.
func smallDisk(t *testing.T, p *apptest.Process) disk {
	mounted := t.TempDir()
	seed := p.Dir
	p.Dir = mounted
	p.Prepare = func(cmd *exec.Cmd) {
		script := `mount -t tmpfs -o size=16m,mode=700 tmpfs "$0" && cp -p "$1"/latchkey.db "$1"/latchkey.db.key "$0" && shift && exec "$@"`
		cmd.Args = append([]string{"sh", "-c", script, mounted, seed}, append([]string{cmd.Path}, cmd.Args[1:]...)...)
		cmd.Path = "/bin/sh"
		cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
		if os.Geteuid() != 0 {
			cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
				UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
				GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}}
		}
	}
	probe := exec.Command("true")
	p.Prepare(probe)
	if out, err := probe.CombinedOutput(); err != nil {
		t.Skipf("this machine lets us mount no file system of our own, as root or in a user namespace (%v: %s); the EFBIG case runs anywhere", err, out)
	}
	p.Start("quickstart")
	root, err := os.OpenRoot(fmt.Sprintf("/proc/%d/root%s", p.Pid(), mounted)) // stays open when the server has ended
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return disk{
		fill: func(t *testing.T) {
			f, err := root.Create("ballast")
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			for size := 1 << 20; size > 0; {
				if _, err := f.Write(make([]byte, size)); errors.Is(err, syscall.ENOSPC) {
					size /= 2
				} else if err != nil {
					t.Fatal(err)
				}
			}
		},
		free: func(t *testing.T) {
			if err := root.Remove("ballast"); err != nil {
				t.Fatal(err)
			}
		},
		files: func(t *testing.T) map[string][]byte {
			files := map[string][]byte{}
			for _, suffix := range []string{"", "-wal"} {
				content, err := fs.ReadFile(root.FS(), "latchkey.db"+suffix)
				if err == nil {
					files[suffix] = content
				} else if suffix == "" {
					t.Fatal(err)
				}
			}
			return files
		},
	}
}

// boundedFiles starts the server on an ordinary disk. It is full when the kernel lets no file of this process grow, which
// SQLite takes for an I/O error.
func boundedFiles(t *testing.T, p *apptest.Process) disk {
	p.Start("quickstart")
	limit := func(t *testing.T, bytes uint64) {
		want := syscall.Rlimit{Cur: bytes, Max: ^uint64(0)}
		_, _, errno := syscall.RawSyscall6(syscall.SYS_PRLIMIT64, uintptr(p.Pid()), syscall.RLIMIT_FSIZE, uintptr(unsafe.Pointer(&want)), 0, 0, 0)
		if errno != 0 {
			t.Fatal(errno)
		}
	}
	return disk{
		fill:  func(t *testing.T) { limit(t, 4096) },
		free:  func(t *testing.T) { limit(t, ^uint64(0)) },
		files: func(t *testing.T) map[string][]byte { return left(t, p.File()) },
	}
}

// attempt is a request that can be made again.
type attempt struct {
	name    string
	machine bool
	send    func() apptest.Reply
	done    func(apptest.Reply) bool // what it answers when there is room
}

var setupLink = regexp.MustCompile(`/setup\?token=\S+`)

func testFullDisk(t *testing.T, start func(*testing.T, *apptest.Process) disk) {
	p := apptest.NewProcess(t, faultDocument(2))
	d := start(t, p)
	browser := p.Browser()
	tokens := enter(t, p, browser)
	attempts := writes(t, p, browser)
	load := refreshUntilStopped(t, p, browser)

	d.fill(t)
	for range 3 {
		for _, a := range attempts {
			wantUnavailable(t, a, a.send())
		}
		wantReads(t, p, browser, tokens.Get("access_token"))
		// A page or two may still find room in what the file has; each look takes some of it.
		if took, ok := within(10*time.Second, func() bool {
			r := p.Client("web").Send("GET", "/readyz", "", nil)
			return r.Status == http.StatusServiceUnavailable && r.Text == `{"status":"unavailable","reasons":["storage"]}`
		}); !ok {
			t.Errorf("it says to be ready on a full disk, for %v", took)
		}
	}
	if size := len(d.files(t)["-wal"]); size >= 4<<20 {
		t.Errorf("the log has %d bytes: it may have started over, which needs no room", size)
	}
	if !p.Running() {
		t.Fatalf("the server ended on the full disk:\n%s", p.Log.Tail())
	}
	d.free(t)
	took, ok := within(10*time.Second, func() bool { return p.Client("web").Authorize(sameSession(p, browser)).Answer().Has("code") })
	if !ok {
		t.Fatalf("nothing is written although there is room:\n%s", p.Log.Tail())
	}
	if _, ok := within(10*time.Second, func() bool { return p.Client("web").Send("GET", "/readyz", "", nil).Status == http.StatusOK }); !ok {
		t.Error("not ready although there is room")
	}
	refreshed, refused := load()
	for _, a := range attempts {
		if r := a.send(); r.Err != nil || !a.done(r) {
			t.Errorf("%s, when there is room again: %d %v %.300s", a.name, r.Status, r.Header, r.Text)
		}
	}
	p.Terminate()
	if code := p.Wait(); code != 0 {
		t.Errorf("exit code %d:\n%s", code, p.Log.Tail())
	}
	if strings.Contains(p.Log.String(), "panic") {
		t.Errorf("the log speaks of a panic:\n%s", p.Log.Tail())
	}
	sound(t, d.files(t))
	t.Logf("%d kinds of writes refused and then done; beside them %d refreshes acknowledged, %d refused, 0 lost; writes work %v after there was room",
		len(attempts), refreshed, refused, took.Round(time.Millisecond))
}

// wantUnavailable checks the answer of a write on a full disk: JSON for programs, a page for people.
func wantUnavailable(t *testing.T, a attempt, r apptest.Reply) {
	t.Helper()
	if r.Err != nil || r.Status != http.StatusServiceUnavailable || r.Header.Get("Retry-After") == "" || r.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%s, on a full disk: %d %v %.300s %v", a.name, r.Status, r.Header, r.Text, r.Err)
		return
	}
	if a.machine {
		wantError(t, r, http.StatusServiceUnavailable, "temporarily_unavailable")
	} else if !strings.HasPrefix(r.Header.Get("Content-Type"), "text/html") || !strings.Contains(r.Text, "Request error") ||
		!strings.Contains(r.Text, "temporarily_unavailable") {
		t.Errorf("%s: no error page: %.300s", a.name, r.Text)
	}
	if strings.Contains(r.Text, "disk") || strings.Contains(r.Text, "SQL") {
		t.Errorf("%s tells strangers about the inside: %s", a.name, r.Text)
	}
}

// wantReads checks that what only reads goes on.
func wantReads(t *testing.T, p *apptest.Process, browser *apptest.Browser, accessToken string) {
	t.Helper()
	rp := p.Client("web")
	if r := rp.UserInfo(accessToken); r.Status != http.StatusOK || r.Get("email") != "alice@example.com" {
		t.Errorf("userinfo: %d %.200s", r.Status, r.Text)
	}
	for _, path := range []string{"/.well-known/openid-configuration", "/.well-known/oauth-authorization-server", apptest.Alias("/jwks"), "/", "/login", "/errors"} {
		if r := rp.Send("GET", path, "", nil); r.Status != http.StatusOK {
			t.Errorf("%s: %d %.200s", path, r.Status, r.Text)
		}
	}
	wantAccount(t, browser.Get("/account"))
}

// writes are requests to every route that writes, in an order in which each still works when the ones before it are done.
// What they need was got while there was room.
func writes(t *testing.T, p *apptest.Process, browser *apptest.Browser) []attempt {
	t.Helper()
	web, app := p.Client("web"), p.Client("app0")
	form := func(b *apptest.Browser, action string, fields url.Values) func() apptest.Reply {
		return func() apptest.Reply { return reply(b.Do("POST", action, fields, nil)) }
	}
	filled := func(b *apptest.Browser, page apptest.Page, more url.Values) func() apptest.Reply {
		action, fields := b.Form(page)
		for name, values := range more {
			fields[name] = values
		}
		return form(b, action, fields)
	}
	get := func(b *apptest.Browser, target string) func() apptest.Reply {
		return func() apptest.Reply { return reply(b.Do("GET", target, nil, nil)) }
	}
	status := func(want int) func(apptest.Reply) bool {
		return func(r apptest.Reply) bool { return r.Status == want }
	}
	leads := func(prefix string) func(apptest.Reply) bool {
		return func(r apptest.Reply) bool {
			return r.Status == http.StatusSeeOther && strings.HasPrefix(r.Header.Get("Location"), prefix)
		}
	}
	password := set("username", "alice", "password", apptest.Password)
	code, replayed, old := web.Code(browser, "alice"), web.Code(browser, "alice"), web.SignIn(browser, "alice")
	wantTokens(t, web.Exchange(replayed))
	newer := wantTokens(t, web.Refresh(old.Get("refresh_token")))
	first, second, asked := p.Browser(), p.Browser(), sameSession(p, browser)
	request, loginPage, consentPage := "/authorize?"+web.Request().Encode(), web.Authorize(first), app.Authorize(asked)
	if !loginPage.IsLogin() || !consentPage.IsConsent() {
		t.Fatalf("no login or consent page: %d, %d", loginPage.Status, consentPage.Status)
	}
	connected := p.Client("app1")
	connected.Code(browser, "alice")
	link := setupLink.FindString(p.Log.String())
	for deadline := time.Now().Add(10 * time.Second); link == "" && time.Now().Before(deadline); link = setupLink.FindString(p.Log.String()) {
		time.Sleep(10 * time.Millisecond)
	}
	admin, program, third := p.Browser(), p.Browser(), p.Browser()
	program.Header.Set("Accept", "application/json")
	account := signedIn(t, second, "alice", apptest.Password)
	others := formOn(t, account, "/account/sessions", "")
	others.Del("session")
	others.Set("others", "true")
	disconnect := formOn(t, account, "/account/applications", "Application 1.")
	return []attempt{
		{"authorize of a new browser", false, get(p.Browser(), request), leads("/login?")},
		{"authorize with a session", false, get(browser, request), leads("https://app.test/cb?code=")},
		{"authorize without a page", true, get(program, request), leads("/login?")},
		{"authorize of nobody's client", false, get(browser, "/authorize?client_id=nobody"), status(http.StatusBadRequest)},
		{"login in an interaction", false, filled(first, loginPage, password), leads("https://app.test/cb?code=")},
		{"login to the provider", false, filled(third, third.Get("/login"), password), leads("/")},
		{"consent", false, filled(asked, consentPage, set("approved", "true")), leads("https://app0.test/cb?code=")},
		{"set-up", false, filled(admin, admin.Get(link), set("username", "root", "email", "root@example.com", "password", "a password of the administrator",
			"password_again", "a password of the administrator")), func(r apptest.Reply) bool {
			return r.Status == http.StatusOK && !strings.Contains(r.Text, "<form") && strings.Contains(r.Text, "root")
		}},
		{"token for a code", true, func() apptest.Reply { return web.Exchange(code) }, status(http.StatusOK)},
		{"token for a code again", true, func() apptest.Reply { return web.Exchange(replayed) }, status(http.StatusBadRequest)},
		{"token for an old refresh token", true, func() apptest.Reply { return web.Refresh(old.Get("refresh_token")) }, status(http.StatusBadRequest)},
		{"refresh after the replay", true, func() apptest.Reply { return web.Refresh(newer.Get("refresh_token")) }, status(http.StatusBadRequest)},
		{"token with a wrong secret", true, func() apptest.Reply {
			return web.Post("/token", set("grant_type", "refresh_token", "client_id", "web", "client_secret", "wrong"), nil)
		}, status(http.StatusUnauthorized)},
		{"e-mail address", false, filled(second, second.Get("/account/email"), set("email", "new@example.com")), leads("/account?done=email")},
		{"disconnect", false, form(second, "/account/applications", disconnect), leads("/account?done=application")},
		{"end other sessions", false, form(second, "/account/sessions", others), leads("/account?done=sessions")},
		{"new password", false, filled(second, second.Get("/account/password"), set("current", apptest.Password, "password", "another password of alice",
			"password_again", "another password of alice")), leads("/account?done=password")},
		{"sign-out", false, form(second, "/logout", formOn(t, account, "/logout", "")), status(http.StatusOK)},
	}
}

// reply makes the answer to a browser comparable to that of a program.
func reply(p apptest.Page) apptest.Reply {
	r := apptest.Reply{Status: p.Status, Header: p.Header, Text: p.Body, Err: p.Err}
	json.Unmarshal([]byte(p.Body), &r.JSON) // what is no JSON has no members
	return r
}

// refreshUntilStopped refreshes in four lines until the returned function is called. A refresh is acknowledged, or refused
// with 503 and then possible again: none is lost.
func refreshUntilStopped(t *testing.T, p *apptest.Process, browser *apptest.Browser) (stop func() (refreshed, refused int64)) {
	t.Helper()
	var running sync.WaitGroup
	var done, no atomic.Int64
	ended := make(chan struct{})
	for range 4 {
		l := &line{rp: p.Client("web")}
		l.got(l.rp.SignIn(browser, "alice"))
		running.Go(func() {
			for over := false; ; {
				r := l.rp.Refresh(l.head)
				switch r.Status {
				case http.StatusOK:
					done.Add(1)
					l.got(r)
					if over {
						return
					}
				case http.StatusServiceUnavailable:
					no.Add(1)
				default:
					t.Errorf("a refresh token that was acknowledged is refused: %d %.200s %v", r.Status, r.Text, r.Err)
					return
				}
				select {
				case <-ended:
					over = true
				case <-time.After(5 * time.Millisecond):
				}
			}
		})
	}
	return func() (int64, int64) {
		close(ended)
		running.Wait()
		return done.Load(), no.Load()
	}
}
