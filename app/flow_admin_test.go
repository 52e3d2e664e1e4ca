package app_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"latchkey/app/apptest"
	"latchkey/domain/audit"
)

// AD-03 on the running provider: who may administer, who is asked to sign in first, and where that leads.
func TestAdministration(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	web := p.Client("web")
	carol := p.Browser()
	carol.Login(carol.Get("/login"), "carol", apptest.Password)
	phone := p.Enrol(carol)
	refused := web.Authorize(p.Browser(), set("redirect_uri", "https://app.test/cb/")).Header.Get("X-Request-Id")
	explain := "/admin/explain?ref=err_" + strings.TrimPrefix(refused, "req_")

	t.Run("anonymous, then back to where it was meant to go", func(t *testing.T) {
		b := p.Browser()
		if page := b.Do("GET", explain, nil, nil); page.Status != http.StatusSeeOther || !strings.HasPrefix(page.Location, "/login?next=") {
			t.Fatalf("%d %s", page.Status, page.Location)
		}
		page := b.Get(explain)
		if !page.IsLogin() || strings.Contains(page.Body, "trailing slash") {
			t.Fatalf("%d %.300s", page.Status, page.Body)
		}
		page = b.Login(page, "carol", "a wrong password, twice")
		page = b.Login(page, "carol", apptest.Password)
		if page = b.Factor(page, phone.Code()); page.Status != http.StatusOK || !strings.Contains(page.Body, "it has a trailing slash, the registered one has none") {
			t.Errorf("%d %s %.600s", page.Status, page.URL, page.Body)
		}
		if home := b.Get("/"); !strings.Contains(home.Body, `href="/admin"`) {
			t.Errorf("the start page has no link: %.600s", home.Body)
		}
		if page := b.Get("/admin"); page.Status != http.StatusOK || !strings.Contains(page.Body, explain) {
			t.Errorf("%d %.600s", page.Status, page.Body)
		}
	})
	t.Run("a user", func(t *testing.T) {
		b := p.Browser()
		b.Login(b.Get("/login"), "alice", apptest.Password)
		for _, path := range []string{"/admin", explain} {
			events := recorded(t, p, func() { wantPage(t, b.Get(path), http.StatusForbidden) }, audit.AdminDenied)
			if len(events) == 1 && (events[0].User == "" || events[0].Session == "" || events[0].Facts["error"] != "forbidden") {
				t.Errorf("event %+v", events[0])
			}
		}
		if home := b.Get("/"); strings.Contains(home.Body, "/admin") {
			t.Error("the start page shows administration to a user")
		}
		if page := web.Authorize(b, set("redirect_uri", "https://app.test/cb/")); strings.Contains(page.Body, "trailing slash") || strings.Contains(page.Body, "/admin") {
			t.Errorf("the error page explains to a user: %s", page.Body)
		}
	})
	t.Run("a sign-in of more than an hour ago", func(t *testing.T) {
		b := p.Browser()
		b.Factor(b.Login(b.Get("/login"), "carol", apptest.Password), phone.Code())
		page := web.Authorize(b, set("redirect_uri", "https://app.test/cb/"))
		if !strings.Contains(page.Body, "it has a trailing slash") || !strings.Contains(page.Body, `id="explain"`) {
			t.Errorf("the error page does not explain to an administrator: %s", page.Body)
		}
		for range 3 { // the session lives on, because it is used
			p.Advance(25 * time.Minute)
			web.Code(b, "carol")
		}
		page = web.Authorize(b, set("redirect_uri", "https://app.test/cb/"))
		if strings.Contains(page.Body, "it has a trailing slash") || !strings.Contains(page.Body, `id="explain"`) {
			t.Errorf("an old sign-in is enough to read explanations: %s", page.Body)
		}
		page = b.Get("/admin")
		if !page.IsLogin() {
			t.Fatalf("no step-up: %d %s", page.Status, page.URL)
		}
		if page = b.Factor(b.Login(page, "carol", apptest.Password), phone.Code()); page.Status != http.StatusOK || page.URL.Path != "/admin" {
			t.Errorf("%d %s", page.Status, page.URL)
		}
	})
	t.Run("AD-03 an administrator without a second factor, who adds one on the way", func(t *testing.T) {
		p := apptest.New(t)
		b := p.Browser()
		page := b.Login(b.Get("/admin"), "carol", apptest.Password)
		if page.URL.Path != "/account/totp" || !strings.Contains(page.Body, "Administration needs a second step.") {
			t.Fatalf("%d %s", page.Status, page.URL)
		}
		error := p.Client("web").Authorize(b, set("redirect_uri", "https://app.test/cb/"))
		if strings.Contains(error.Body, "it has a trailing slash") {
			t.Error("a password alone reads explanations")
		}
		page = b.Submit(page, nil)
		page = b.Submit(page, set("code", p.Scan(page).Code()))
		if !strings.Contains(page.Body, `<form class="screen" method="get" action="/admin">`) {
			t.Errorf("the recovery codes do not lead on: %s", page.Body)
		}
		if page = b.Get("/admin"); page.Status != http.StatusOK || page.URL.Path != "/admin" {
			t.Errorf("%d %s", page.Status, page.URL)
		}
		code := p.Client("web").Code(p.Browser(), "alice") // applications ask nobody for more than they want
		if code == "" {
			t.Error("no code")
		}
	})
	t.Run("AD-03 an administrator whose session began without it", func(t *testing.T) {
		p := apptest.New(t)
		b, there := p.Browser(), p.Browser()
		b.Login(b.Get("/login"), "carol", apptest.Password)
		there.Login(there.Get("/login"), "carol", apptest.Password)
		phone := p.Enrol(there)
		page := b.Get("/admin")
		if !page.IsFactor() {
			t.Fatalf("%d %s", page.Status, page.URL)
		}
		if page = b.Factor(page, phone.Code()); page.Status != http.StatusOK || page.URL.Path != "/admin" {
			t.Errorf("%d %s", page.Status, page.URL)
		}
	})
	t.Run("no link leads off this server", func(t *testing.T) {
		for _, next := range []string{"//evil.test", `/\evil.test`, "https://evil.test/admin", "/admin/../logout", "%2f%2fevil.test", "/admin//evil.test", "/administrator"} {
			b := p.Browser()
			page := b.Factor(b.Login(b.Get("/login?next="+url.QueryEscape(next)), "carol", apptest.Password), phone.Code())
			if page.Location != "" || page.URL.Path != "/" || !strings.HasPrefix(page.URL.String(), p.Issuer) {
				t.Errorf("%s leads to %s", next, page.URL)
			}
		}
	})
	t.Run("AD-04", func(t *testing.T) {
		b := p.Browser()
		b.Factor(b.Login(b.Get("/login"), "carol", apptest.Password), phone.Code())
		wrong := p.Client("web")
		wrong.Secret = "a-secret-that-is-wrong-0123456789"
		code := web.Code(b, "carol")
		ref := wrong.Exchange(code).Get("error_ref")
		for _, path := range []string{"/admin", "/admin/explain?ref=" + ref, "/admin/explain?client_id=web"} {
			page := b.Get(path)
			for _, secret := range []string{wrong.Secret, apptest.Secret, apptest.Verifier, apptest.Password, code} {
				if page.Status != http.StatusOK || strings.Contains(page.Body, secret) {
					t.Errorf("%s: %d, or a secret is on the page", path, page.Status)
				}
			}
		}
	})
}
