package app_test

import (
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"latchkey/app/apptest"
)

var printedLink = regexp.MustCompile(`http://\S+/setup\?token=(\S+)`)

// AD-01 on the program as it is shipped: nobody is there before somebody was made, under no name that others ship with, and no
// page of administration or set-up opens to whoever has no link.
func TestNobodyIsThereAtFirst(t *testing.T) {
	t.Parallel()
	p := apptest.NewProcess(t)
	p.Start("serve")
	if users := strings.TrimSpace(command(t, p, "", "user", "list", "--json")); users != "[]" {
		t.Errorf("users of a new database: %s", users)
	}
	for _, tried := range [][2]string{{"admin", "admin"}, {"admin", "password"}, {"admin", "changeme"}, {"admin", ""}, {"root", "root"}, {"latchkey", "latchkey"}, {"demo", "demo"}} {
		b := p.Browser()
		page := b.Login(b.Get("/login"), tried[0], tried[1])
		if !page.IsLogin() || strings.Contains(page.Body, `id="sign-out"`) {
			t.Errorf("%q: %d %.300s", tried, page.Status, page.Body)
		}
		for _, path := range []string{"/admin", "/admin/explain", "/admin/logout", "/account"} {
			if page := b.Get(path); !page.IsLogin() {
				t.Errorf("%s after %q: %d %s", path, tried, page.Status, page.URL)
			}
		}
	}
	for _, path := range []string{"/setup", "/setup?token=", "/setup?token=admin", "/demo"} {
		if page := p.Browser().Get(path); page.Status < 400 || strings.Contains(page.Body, "password_again") {
			t.Errorf("%s: %d", path, page.Status)
		}
	}
	if signIns := command(t, p, "", "audit", "query", "--kind", "auth.login.ok", "--kind", "user.created", "--json"); strings.Contains(signIns, "kind") {
		t.Errorf("on record: %s", signIns)
	}
}

// AD-02 on the program as it is shipped: of ten browsers that send the form of one set-up link at once, one makes an
// administrator; the link is dead then, and no file holds it.
func TestSetupLinkRace(t *testing.T) {
	p := apptest.NewProcess(t)
	p.Start("quickstart")
	link := printedLink.FindStringSubmatch(p.Log.String())
	for link == nil && p.Running() {
		link = printedLink.FindStringSubmatch(p.Log.String())
	}
	if link == nil {
		t.Fatalf("no link:\n%s", p.Log.Tail())
	}
	type contestant struct {
		browser *apptest.Browser
		page    apptest.Page
	}
	var all []contestant
	for range 10 {
		b := p.Browser()
		page := b.Get(link[0])
		if !strings.Contains(page.Body, "password_again") {
			t.Fatalf("the link shows %d %.600s", page.Status, page.Body)
		}
		all = append(all, contestant{b, page})
	}
	var won []string
	var mu sync.Mutex
	var running sync.WaitGroup
	for i, c := range all {
		running.Go(func() {
			name := "admin" + strconv.Itoa(i)
			after := c.browser.Submit(c.page, url.Values{"username": {name}, "email": {name + "@example.com"},
				"password": {apptest.Password}, "password_again": {apptest.Password}})
			mu.Lock()
			defer mu.Unlock()
			if after.Status == 200 && strings.Contains(after.Body, `href="/login"`) {
				won = append(won, name)
			}
		})
	}
	running.Wait()
	if len(won) != 1 {
		t.Fatalf("%d browsers made an administrator: %q", len(won), won)
	}
	if page := p.Browser().Get(link[0]); page.Status != 400 || strings.Contains(page.Body, "password_again") {
		t.Errorf("the used link shows %d", page.Status)
	}
	for i := range all {
		name := "admin" + strconv.Itoa(i)
		b := p.Browser()
		signedIn := strings.Contains(b.Login(b.Get("/login"), name, apptest.Password).Body, `id="sign-out"`)
		if signedIn != (name == won[0]) {
			t.Errorf("%s signed in: %v; %s won", name, signedIn, won[0])
		}
	}
	p.Terminate()
	p.Wait()
	files, err := filepath.Glob(filepath.Join(p.Dir, "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, file := range files {
		if text, err := os.ReadFile(file); err == nil && strings.Contains(string(text), link[1]) {
			t.Errorf("%s holds the link", file)
		}
	}
	if n := strings.Count(p.Log.String(), link[1]); n != 1 {
		t.Errorf("the link is in the log %d times", n)
	}
}
