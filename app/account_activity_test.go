package app_test

import (
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"latchkey/app/apptest"
	"latchkey/domain/audit"
	"latchkey/ports"
)

var historyLink = regexp.MustCompile(`href="(/account/applications\?grant=[^"]*)"`)

// SS-06: what happened to an account is shown to its user, in words, with where from; nothing of anybody else is.
func TestActivityPage(t *testing.T) {
	p := apptest.New(t)
	web := p.Client("web")
	stranger := device(p, chromeOnAndroid)
	stranger.Login(stranger.Get("/login"), "alice", "not the password of alice")
	stranger.Login(stranger.Get("/login"), "bob", "not the password of bob")
	stranger.Login(stranger.Get("/login"), "nobody.of.this.name", "alice")
	if page := stranger.Get("/account/activity"); !page.IsLogin() {
		t.Errorf("signed out: %d %s", page.Status, page.URL)
	}
	laptop := device(p, firefoxOnLinux)
	signedIn(t, laptop, "alice", apptest.Password)
	tokens := web.SignIn(laptop, "alice")
	wantError(t, web.Refresh("rt_unknown"), http.StatusBadRequest, "invalid_grant")
	newer := web.Refresh(tokens.Get("refresh_token"))
	wantError(t, web.Refresh(tokens.Get("refresh_token")), http.StatusBadRequest, "invalid_grant")
	dead(t, web, newer.Get("access_token"))
	p.Client("spa").SignIn(p.Browser(), "bob")

	page := laptop.Get("/account/activity")
	at := 0
	for _, text := range []string{"An old token of Web application was used again", "You allowed Web application to use your account",
		"Signed in", "Sign-in failed", "Chrome on Android · 127.0.0.1", "Account created", "On the server"} { // newest first
		i := strings.Index(page.Body[at:], text)
		if i < 0 {
			t.Fatalf("%q is missing, or older than what follows it: %s", text, page.Body)
		}
		at += i
	}
	for _, text := range []string{"bob", "nobody", "allowed spa", "not the password", "sid_", tokens.Get("refresh_token")} {
		if strings.Contains(page.Body, text) {
			t.Errorf("the page has %q", text)
		}
	}
	if n := strings.Count(page.Body, "Sign-in failed"); n != 1 {
		t.Errorf("%d failures", n)
	}
	for _, text := range []string{`Went well: <strong>1</strong>`, `Failed: <strong>1</strong>`, `<td class="number">1</td><td class="number">1</td>`} {
		if !strings.Contains(page.Body, text) {
			t.Errorf("the chart lacks %q", text)
		}
	}
	if page := laptop.Get("/account/activity?before=x"); page.Status != http.StatusOK || !strings.Contains(page.Body, "Signed in") {
		t.Errorf("an address that was typed: %d", page.Status)
	}
}

// Whatever kinds of events there are, those that the page picks have words.
func TestActivityHasWords(t *testing.T) {
	source, err := os.ReadFile("../domain/audit/event.go")
	if err != nil {
		t.Fatal(err)
	}
	kinds := regexp.MustCompile(`Kind\s+= "([^"]+)"`).FindAllStringSubmatch(string(source), -1)
	if len(kinds) < 50 {
		t.Fatalf("found %d kinds", len(kinds))
	}
	p := apptest.New(t)
	b := p.Browser()
	signedIn(t, b, "alice", apptest.Password)
	alice := p.Events(audit.LoginSucceeded)[0].User
	for _, kind := range kinds {
		err := p.Store.Update(t.Context(), func(tx ports.Tx) error {
			return tx.Record(audit.Event{At: p.Now(), Kind: audit.Kind(kind[1]), User: alice})
		})
		if err != nil {
			t.Fatal(err)
		}
		if page := b.Get("/account/activity"); page.Status != http.StatusOK || !strings.Contains(page.Body, "<h1>Activity</h1>") {
			t.Fatalf("%s: %d %s", kind[1], page.Status, page.Body)
		}
	}
}

// SS-06, AD-05: the tokens of an application are for the user who allowed it. For anybody else there is no such page, and
// whoever reaches for it is on record; what never existed is answered alike and leaves no record.
func TestApplicationPage(t *testing.T) {
	p := apptest.New(t)
	web := p.Client("web")
	laptop, other := device(p, firefoxOnLinux), p.Browser()
	signedIn(t, laptop, "alice", apptest.Password)
	tokens := web.SignIn(laptop, "alice")
	p.Advance(time.Hour)
	web.Refresh(tokens.Get("refresh_token"))
	p.Advance(time.Minute)
	web.Refresh(tokens.Get("refresh_token"))
	link := historyLink.FindStringSubmatch(laptop.Get("/account").Body)
	if link == nil {
		t.Fatal("the account does not lead to the tokens of an application")
	}

	page := laptop.Get(link[1])
	for _, text := range []string{"<h1><bdi>Web application</bdi></h1>", "Firefox on Linux", `<span class="badge bad">Revoked</span>`, `class="node-replay"`,
		"Renewed once", "An old token of Web application was used again", "Revoked: an old token was used again"} {
		if !strings.Contains(page.Body, text) {
			t.Errorf("the page lacks %q: %s", text, page.Body)
		}
	}
	if strings.Contains(page.Body, tokens.Get("refresh_token")) || strings.Contains(page.Body, "node-newest-number") {
		t.Error("a token, or one that works")
	}

	signedIn(t, other, "bob", apptest.Password)
	var answers []string
	events := recorded(t, p, func() {
		for _, target := range []string{link[1], "/account/applications?grant=none"} {
			got := other.Get(target)
			if got.Status != http.StatusNotFound || strings.Contains(got.Body, "Web application") {
				t.Errorf("%s: %d %s", target, got.Status, got.Body)
			}
			answers = append(answers, strings.Split(got.Body, "<dl")[0])
		}
	}, audit.AccessDenied)
	if events[0].Facts["grant"] == "" || answers[0] != answers[1] {
		t.Errorf("%+v, or two answers: %q", events[0], answers)
	}
	if got := p.Browser().Get(link[1]); !got.IsLogin() {
		t.Errorf("signed out: %d", got.Status)
	}

	// Disconnected from its own page, the application stays to be looked at.
	form := formOn(t, page, "/account/applications", "")
	confirm := laptop.Do("POST", "/account/applications", form, nil)
	if confirm.Location == "" { // the sign-in is more than ten minutes ago
		form.Set("current", apptest.Password)
		confirm = laptop.Do("POST", "/account/applications", form, nil)
	}
	if confirm.Location != "/account?done=application" {
		t.Fatalf("disconnect: %d %s", confirm.Status, confirm.Body)
	}
	if page := laptop.Get(link[1]); page.Status != http.StatusOK || strings.Contains(page.Body, `id="disconnect"`) {
		t.Errorf("after disconnecting: %d %s", page.Status, page.Body)
	}
	if activity := laptop.Get("/account/activity"); !strings.Contains(activity.Body, "You disconnected Web application") || !strings.Contains(activity.Body, link[1]) {
		t.Errorf("activity: %s", activity.Body)
	}
}
