package apptest

import (
	"encoding/base32"
	"html"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"latchkey/domain/identity"
)

// App is an authenticator app that holds the seed of one account.
type App struct {
	t    testing.TB
	p    *Provider
	Seed []byte
	// Recovery are the recovery codes that came with it.
	Recovery []string

	shown int64 // the last step of which it showed the code
}

var (
	secretText   = regexp.MustCompile(`id="secret">([^<]*)<`)
	recoveryText = regexp.MustCompile(`<li><code class="copy">([^<]*)</code></li>`)
)

// Enrol adds an authenticator app to the account that the browser is signed in to, by its pages.
func (p *Provider) Enrol(b *Browser) *App {
	p.t.Helper()
	page := b.Get("/account/totp")
	if !strings.Contains(page.Body, `id="secret"`) {
		page = b.Submit(page, nil)
	}
	a := p.Scan(page)
	page = b.Submit(page, url.Values{"code": {a.Code()}, "name": {"Phone"}})
	a.Recovery = RecoveryCodes(page)
	if page.Status != 200 || len(a.Recovery) == 0 && !strings.Contains(page.Body, "The second step is set up") {
		p.t.Fatalf("not enrolled: %d %s %.900s", page.Status, page.URL, page.Body)
	}
	return a
}

// Scan takes the seed of a page over.
func (p *Provider) Scan(page Page) *App {
	p.t.Helper()
	m := secretText.FindStringSubmatch(page.Body)
	if m == nil {
		p.t.Fatalf("no secret on the page: %d %s %.900s", page.Status, page.URL, page.Body)
	}
	seed, err := base32.StdEncoding.DecodeString(strings.ReplaceAll(m[1], " ", ""))
	if err != nil {
		p.t.Fatal(err)
	}
	return &App{t: p.t, p: p, Seed: seed}
}

// RecoveryCodes are the recovery codes on a page.
func RecoveryCodes(page Page) (codes []string) {
	for _, m := range recoveryText.FindAllStringSubmatch(page.Body, -1) {
		codes = append(codes, html.UnescapeString(m[1]))
	}
	return codes
}

// Code returns a code that was not shown before, for which the clock moves on if it has to.
func (a *App) Code() string {
	a.t.Helper()
	for identity.TOTPStep(a.p.Now()) <= a.shown {
		a.p.Advance(30 * time.Second)
	}
	a.shown = identity.TOTPStep(a.p.Now())
	return identity.TOTPCode(a.Seed, a.shown)
}

// IsFactor tells the page that asks for a second factor.
func (p Page) IsFactor() bool { return strings.Contains(p.Body, `id="factor-submit"`) }

// Factor fills in the page of the second factor.
func (b *Browser) Factor(p Page, code string) Page {
	b.t.Helper()
	return b.Submit(p, url.Values{"code": {code}})
}
