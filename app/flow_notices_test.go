package app_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"latchkey/app"
	"latchkey/app/apptest"
)

// An administrator reads what became of the logout messages, in the language of the page: of each reason that is put on
// record here there are words.
func TestDeliveriesPage(t *testing.T) {
	t.Parallel()
	h := newHearer(t)
	p := apptest.New(t, channels(h))
	web := p.Client("web")
	carol := p.Browser()
	carol.Login(carol.Get("/login"), "carol", apptest.Password)
	phone := p.Enrol(carol)

	// newest returns what the page says of the newest message once somebody has signed out.
	newest := func(t *testing.T, language string) string {
		t.Helper()
		page := carol.Get("/admin/logout?ui_locales=" + language)
		if page.IsLogin() { // an hour has passed
			page = carol.Login(page, "carol", apptest.Password)
		}
		if page.IsFactor() {
			page = carol.Factor(page, phone.Code())
		}
		_, list, _ := strings.Cut(page.Body, `<ul class="cards">`)
		card, _, found := strings.Cut(list, "</li>")
		if page.Status != http.StatusOK || page.URL.Path != "/admin/logout" || !found {
			t.Fatalf("%d %s %.900s", page.Status, page.URL, page.Body)
		}
		return card
	}
	signOut := func(user string) { central(web, web.SignIn(p.Browser(), user).Get("access_token"), "") }

	for _, c := range []struct {
		name     string
		act      func()
		en, id   string
		en2, id2 string
	}{
		{"delivered", func() { signOut("alice") }, ">Delivered</span>", ">Terkirim</span>", "<bdi>Web application</bdi>", "<bdi>alice</bdi>"},
		{"an answer of 500", func() { h.answer(500, nil); signOut("bob") }, "Tried once", "Dicoba satu kali", "answered with status 500", "dengan status 500"},
		{"tried again", func() { p.Advance(10 * time.Second); p.Deliver() }, "Tried 2 times", "Dicoba 2 kali", "Next try", "Dicoba lagi"},
		{"no more channel", func() {
			p.Apply(clients("web", `"redirect_uris": ["https://app.test/cb"], "client_name": "Web application"`))
			p.Advance(time.Minute)
			p.Deliver()
		}, "Failed for good", "Gagal untuk seterusnya", "no backchannel_logout_uri any more", "tidak lagi memiliki backchannel_logout_uri"},
		{"refused", func() { p.Apply(channels(h)); p.Advance(time.Second); h.answer(400, nil); signOut("alice") },
			"Failed for good", "Gagal untuk seterusnya", "answered with status 400", "dengan status 400"},
		{"down", func() { h.Close(); p.Advance(time.Second); signOut("alice") }, "Tried once", "Dicoba satu kali", "did not answer in time", "tidak menjawab tepat waktu"},
		{"not allowed", func() { p.Restart(func(c *app.Config) { c.EgressAllow = nil }); p.Advance(time.Second); signOut("bob") },
			"Tried once", "Dicoba satu kali", "--egress-allow", "tidak boleh menghubungi"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.act()
			p.Advance(30 * time.Second) // another code of the authenticator
			for language, want := range map[string][]string{"en": {c.en, c.en2}, "id": {c.id, c.id2}} {
				card := newest(t, language)
				for _, words := range want {
					if !strings.Contains(card, words) {
						t.Errorf("%s: no %q in %s", language, words, card)
					}
				}
				if strings.Contains(card, `lang="en"`) {
					t.Errorf("%s: words of the record: %s", language, card)
				}
			}
		})
	}
	if page := p.Browser().Get("/admin/logout"); !page.IsLogin() {
		t.Errorf("%d %s", page.Status, page.URL)
	}
}
