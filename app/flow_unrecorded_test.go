package app_test

import (
	"database/sql"
	"net/http"
	"strings"
	"testing"

	"latchkey/app/admin"
	"latchkey/app/apptest"
	"latchkey/domain/audit"
)

// AD-16: what cannot be recorded does not happen: the deed is undone with its event and answered as a fault, nothing that was
// sent is used up, and reading goes on. The second half shows that each deed was refused for the trail alone.
func TestUnrecordedDeedsAreUndone(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	web, browser, own := p.Client("web"), p.Browser(), p.Browser()
	first := web.SignIn(browser, "alice")
	code, doomed := web.Code(browser, "alice"), web.SignIn(browser, "alice").Get("refresh_token")
	loginPage := own.Get("/login")
	disable, err := admin.ParseDocument([]byte(`{"users": [{"username": "bob", "email": "bob@example.com", "disabled": true}]}`))
	if err != nil {
		t.Fatal(err)
	}

	db, err := sql.Open("sqlite3", p.File())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	execute := func(statement string) {
		t.Helper()
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	token := func(s string) func() int { return func() int { return web.Refresh(s).Status } }
	deeds := []struct {
		name string
		do   func() (status int)
		want int // when it can be recorded
	}{
		{"redeem a code", func() int { return web.Exchange(code).Status }, http.StatusOK},
		{"refresh", token(first.Get("refresh_token")), http.StatusOK},
		{"revoke", func() int {
			return web.Post("/revoke", set("client_id", "web", "client_secret", apptest.Secret, "token", doomed), nil).Status
		}, http.StatusOK},
		{"refuse a wrong secret", func() int { return web.Post("/token", wrongSecret("web"), nil).Status }, http.StatusUnauthorized},
		{"issue a code", func() int {
			return browser.Do("GET", "/authorize?"+web.Request().Encode(), nil, nil).Status
		}, http.StatusSeeOther},
		{"sign in", func() int { return own.Login(loginPage, "alice", apptest.Password).Status }, http.StatusOK},
		{"disable a user", func() int {
			plan, err := p.Admin.Apply(t.Context(), audit.Caller{}, disable, false)
			if err != nil {
				return http.StatusInternalServerError
			} else if !plan.Applied {
				return 0
			}
			return http.StatusOK
		}, http.StatusOK},
	}

	events := len(p.Events())
	execute("CREATE TRIGGER full BEFORE INSERT ON event BEGIN SELECT RAISE(ABORT, 'the trail takes no more'); END")
	for _, deed := range deeds {
		if got := deed.do(); got < 500 {
			t.Errorf("%s: %d while nothing can be recorded", deed.name, got)
		}
	}
	if n := len(p.Events()); n != events {
		t.Errorf("%d events were recorded", n-events)
	}
	if r := web.UserInfo(first.Get("access_token")); r.Status != http.StatusOK {
		t.Errorf("reading: %d %s", r.Status, r.Text)
	}
	if r := web.Send("GET", "/.well-known/openid-configuration", "", nil); r.Status != http.StatusOK || strings.Contains(p.Log.String(), apptest.Secret) {
		t.Errorf("discovery: %d", r.Status)
	}

	execute("DROP TRIGGER full")
	for _, deed := range deeds {
		if got := deed.do(); got != deed.want {
			t.Errorf("%s: %d afterwards, want %d", deed.name, got, deed.want)
		}
	}
	if r := web.Refresh(doomed); r.Status != http.StatusBadRequest {
		t.Errorf("revoked in the end: %d %s", r.Status, r.Text)
	}
}
