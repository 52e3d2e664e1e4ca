package app_test

import (
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"latchkey/app/apptest"
	"latchkey/domain/audit"
)

// LG-12: what users change about their own account kills a link that was made before, and nothing but a digest of it was
// ever stored.
func TestResetLinkOfAnAccountThatChanged(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	b := p.Browser()
	b.Login(b.Get("/login"), "alice", apptest.Password)
	for path, fields := range map[string]url.Values{
		"/account/email":    {"email": {"new@example.com"}},
		"/account/password": {"current": {apptest.Password}, "password": {"an otter sleeps beneath the bridge"}, "password_again": {"an otter sleeps beneath the bridge"}},
	} {
		link, err := p.Admin.OfferReset(t.Context(), audit.Caller{}, "alice")
		if err != nil {
			t.Fatal(err)
		}
		target := "/reset?token=" + link.Secret.Reveal()
		form := p.Browser()
		page := form.Get(target)
		if page.Status != http.StatusOK || !strings.Contains(page.Body, "alice") {
			t.Fatalf("the link: %d", page.Status)
		}
		if done := b.Submit(b.Get(path), fields); !strings.HasPrefix(done.URL.Path, "/account") || done.Status != http.StatusOK {
			t.Fatalf("%s: %d %s", path, done.Status, done.URL)
		}
		if got := p.Browser().Get(target); got.Status != http.StatusBadRequest {
			t.Errorf("after %s the link still works: %d", path, got.Status)
		}
		late := form.Submit(page, url.Values{"password": {"another otter beneath the bridge"}, "password_again": {"another otter beneath the bridge"}})
		if late.Status != http.StatusBadRequest {
			t.Errorf("after %s the page that was open still works: %d", path, late.Status)
		}
		for _, file := range []string{p.File(), p.File() + "-wal"} {
			if content, err := os.ReadFile(file); err != nil || strings.Contains(string(content), link.Secret.Reveal()) {
				t.Errorf("%s holds the link, or %v", file, err)
			}
		}
		if strings.Contains(p.Log.String(), link.Secret.Reveal()) {
			t.Error("the log holds the link")
		}
	}
	if n := len(p.Events(audit.ResetDenied)); n != 4 {
		t.Errorf("%d refusals were recorded, want 4", n)
	}
}
