package app_test

import (
	"cmp"
	"database/sql"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"latchkey/app"
	"latchkey/app/admin"
	"latchkey/app/apptest"
	"latchkey/domain/audit"
	"latchkey/domain/oauth"
	"latchkey/ports"
)

// sentinels are the secrets of a life, by what they are.
type sentinels map[string]string

func (s sentinels) keep(t *testing.T, what, value string) string {
	t.Helper()
	if len(value) < 8 {
		t.Fatalf("%s: %q is too short to be told from other text", what, value)
	}
	for name := what; ; name += "'" { // the second of a kind, and so on
		if known, ok := s[name]; !ok || known == value {
			s[name] = value
			return value
		}
	}
}

// csrfField is up to the full stop: what the page relied on comes after it, and is no secret.
var csrfField = regexp.MustCompile(`name="csrf" value="([^".]+)`)

// see keeps what a browser has in hand: its cookies and the CSRF tokens of the page.
func (s sentinels) see(t *testing.T, b *apptest.Browser, page apptest.Page) apptest.Page {
	t.Helper()
	for name, value := range b.Cookies() {
		if name != "latchkey-lang" {
			s.keep(t, "cookie "+name, value)
		}
	}
	for _, m := range csrfField.FindAllStringSubmatch(page.Body, -1) {
		s.keep(t, "CSRF token", m[1])
	}
	return page
}

// tokens keeps what a token response gives.
func (s sentinels) tokens(t *testing.T, r apptest.Reply) apptest.Reply {
	t.Helper()
	for _, name := range []string{"access_token", "refresh_token", "id_token"} {
		s.keep(t, name, wantTokens(t, r).Get(name))
	}
	return r
}

var unpadded = base32.StdEncoding.WithPadding(base32.NoPadding)

// spellings are the ways in which text gives a secret away: as it is, escaped, in hex, and in base64 wherever in a longer
// text it stands; the same of the bytes that it stands for, and of the signature of a JWT.
func spellings(secret string) (all []string) {
	values := []string{secret, secret[strings.LastIndexByte(secret, '.')+1:], strings.NewReplacer("-", "", " ", "").Replace(secret)}
	for _, text := range values[1:] {
		for _, decode := range []func(string) ([]byte, error){base64.RawURLEncoding.DecodeString, base64.StdEncoding.DecodeString, hex.DecodeString,
			func(s string) ([]byte, error) { return unpadded.DecodeString(strings.ToUpper(s)) }} {
			if raw, err := decode(text); err == nil && len(raw) >= 8 {
				values = append(values, string(raw))
			}
		}
	}
	for _, v := range values {
		if len(v) < 8 {
			continue
		}
		quoted, _ := json.Marshal(v)
		all = append(all, v, url.QueryEscape(v), url.PathEscape(v), strings.Trim(string(quoted), `"`), hex.EncodeToString([]byte(v)),
			strings.ToUpper(hex.EncodeToString([]byte(v))), strings.ToLower(v), unpadded.EncodeToString([]byte(v)), fmt.Sprint([]byte(v)))
		for before := range 3 { // the letters at both ends depend on what stands beside them
			encoded := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("x", before) + v))
			middle := encoded[(before*8+5)/6 : len(encoded)-1]
			all = append(all, middle, strings.NewReplacer("+", "-", "/", "_").Replace(middle))
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// OP-08, SS-08, MF-07: a provider lives through everything that has a secret, right and wrong. Afterwards none of them
// stands in anything that it wrote or tells.
func TestSecretsOfAWholeLife(t *testing.T) {
	t.Parallel()
	p, told := liveWhole(t)
	live := p.Browser()
	told.see(t, live, signedIn(t, live, "bob", apptest.Password)) // and some that work until the end
	told.keep(t, "code", p.Client("web").Code(live, "bob"))
	told.tokens(t, p.Client("evil").SignIn(live, "bob"))
	link, err := p.Admin.OfferReset(t.Context(), audit.Caller{}, "bob")
	if err != nil {
		t.Fatal(err)
	}
	told.keep(t, "reset link", link.Secret.Reveal())

	marks := map[string]string{"the log": "method=POST", "metrics": "latchkey_refusals_total", "doctor": "limits", "user show": "alice@example.com"}
	for where, text := range written(t, p) {
		if mark := cmp.Or(marks[where], "web"); !strings.Contains(text, mark) {
			t.Errorf("%s does not hold %q, so that the secrets missing there show nothing: %.200q", where, mark, text)
		}
		for what, secret := range told {
			for _, spelling := range spellings(secret) {
				if at := strings.Index(text, spelling); at >= 0 {
					t.Errorf("%s holds the %s: %q", where, what, text[max(0, at-100):min(len(text), at+len(spelling)+20)])
					break
				}
			}
		}
	}
}

// liveWhole runs a provider through everything and returns what it must not have kept.
func liveWhole(t *testing.T) (*apptest.Provider, sentinels) {
	t.Helper()
	h := newHearer(t)
	p := apptest.New(t, channels(h))
	web, told := p.Client("web"), sentinels{"client secret": apptest.Secret, "password": apptest.Password, "verifier": apptest.Verifier}
	key, err := os.ReadFile(p.Config().MasterKey)
	if err != nil {
		t.Fatal(err)
	}
	words := strings.FieldsFunc(string(key), func(r rune) bool { return r <= ' ' || r == ':' })
	told.keep(t, "master key", words[len(words)-1])

	// Without an administrator there are set-up links: one is replaced, one is used.
	update(t, p, func(tx ports.Tx) error {
		carol, err := tx.UserByLogin("carol")
		carol.Admin = false
		return errors.Join(err, tx.SaveUser(carol))
	})
	var offer oauth.Secret
	for range 2 {
		if offer, err = p.Admin.Offer(t.Context()); err != nil {
			t.Fatal(err)
		}
		told.keep(t, "set-up link", offer.Reveal())
	}
	first := p.Browser()
	page := told.see(t, first, first.Get("/setup?token="+offer.Reveal()))
	chosen := told.keep(t, "password", "nine herons over the rice field")
	wantStatus(t, told.see(t, first, first.Submit(page, set("username", "erin", "email", "erin@example.com", "password", chosen, "password_again", chosen))), http.StatusOK)

	// Signing in, wrongly and rightly, and a second step with its own mistakes.
	b := p.Browser()
	page = told.see(t, b, web.Authorize(b))
	page = told.see(t, b, b.Login(page, "alice", told.keep(t, "wrong password", "nobody has this password")))
	page = told.see(t, b, b.Login(page, "alice", apptest.Password))
	code := told.keep(t, "code", told.see(t, b, b.Allow(page)).Answer().Get("code"))
	told.see(t, b, b.Get("/account"))
	told.see(t, b, b.Get("/account/totp"))
	phone := p.Enrol(b)
	told.keep(t, "TOTP seed", string(phone.Seed))
	told.keep(t, "TOTP seed in base32", unpadded.EncodeToString(phone.Seed))
	for _, r := range phone.Recovery {
		told.keep(t, "recovery code", r)
	}
	for _, typed := range [][]string{{wrongCode, phone.Code()}, {"ABCDE-FGHJK-MNPQR-TUVWX", phone.Recovery[0]}} {
		c := p.Browser()
		page := told.see(t, c, tryLogin(c, "alice", apptest.Password))
		if strings.Contains(typed[0], "-") {
			page = told.see(t, c, c.Get("/second-factor?recovery=1"))
		}
		for _, try := range typed {
			page = told.see(t, c, c.Factor(page, try))
		}
		if !isSignedIn(c) {
			t.Fatalf("the second step: %d %s %.300s", page.Status, page.URL, page.Body)
		}
	}

	// The secrets of applications: used, used wrongly, used again, and in the wrong place.
	tokens := told.tokens(t, web.Exchange(code))
	access, old := tokens.Get("access_token"), tokens.Get("refresh_token")
	alive(t, web, access)
	web.Post(apptest.Alias("/introspect"), set("token", old), nil)
	told.tokens(t, web.Refresh(old))
	lost := told.tokens(t, web.SignIn(b, "alice"))
	guess := *web
	guess.Secret = told.keep(t, "wrong client secret", "the-secret-of-another-application-00")
	refused := []apptest.Reply{web.Refresh(old), web.Exchange(code), web.UserInfo(access), web.Exchange(access), web.Refresh(lost.Get("id_token")),
		guess.Exchange(code), web.Exchange(code, set("client_secret", guess.Secret)),
		web.Exchange(told.keep(t, "code", web.Code(b, "alice")), set("code_verifier", told.keep(t, "wrong verifier", strings.Repeat("wrong-verifier", 4)))),
		web.Exchange(told.keep(t, "code", web.Code(b, "alice")), set("redirect_uri", "https://app.test/other")),
		web.Post(apptest.Alias("/token"), set("grant_type", "password", "username", "alice", "password", apptest.Password), nil),
		web.Send("GET", apptest.Alias("/userinfo")+"?access_token="+lost.Get("access_token"), "", nil),
		web.Send("POST", apptest.Alias("/token")+"?client_secret="+apptest.Secret, "", nil),
		p.Client("evil").Refresh(lost.Get("refresh_token"))}
	for i, r := range refused {
		if r.Status < 400 {
			t.Errorf("refusal %d was none: %d %s", i, r.Status, r.Text)
		}
	}
	web.Authorize(p.Browser(), set("code_challenge", apptest.Verifier, "client_secret", apptest.Secret))
	misplaceSecret(t, p)
	web.Post(apptest.Alias("/revoke"), set("token", told.tokens(t, web.SignIn(b, "alice")).Get("refresh_token")), nil)

	// The account: a wrong password and a new one, a reset link, and the end of a session, which the application hears.
	page = told.see(t, b, b.Get("/account/password"))
	for _, current := range []string{told["wrong password"], apptest.Password} {
		changed := told.keep(t, "password", "six kites over the harbour wall")
		page = told.see(t, b, b.Submit(page, set("current", current, "password", changed, "password_again", changed)))
	}
	wantAccount(t, page)
	link, err := p.Admin.OfferReset(t.Context(), audit.Caller{}, "bob")
	if err != nil {
		t.Fatal(err)
	}
	reset := p.Browser()
	page = told.see(t, reset, reset.Get("/reset?token="+told.keep(t, "reset link", link.Secret.Reveal())))
	wantStatus(t, told.see(t, reset, reset.Submit(page, set("password", apptest.Password, "password_again", apptest.Password))), http.StatusOK)
	reset.Get("/reset?token=" + link.Secret.Reveal())
	hint := told.tokens(t, web.SignIn(b, "alice")).Get("id_token")
	told.see(t, b, logout(b, set("id_token_hint", hint, "post_logout_redirect_uri", byePage)))
	p.Deliver()
	heard := h.told()
	if len(heard) == 0 {
		t.Fatal("the application heard of no sign-out")
	}
	for _, form := range heard {
		told.keep(t, "logout token", form.Get("logout_token"))
	}
	return p, told
}

// misplaceSecret sends the secret of a client where its client_id belongs, at every endpoint that reads one.
func misplaceSecret(t *testing.T, p *apptest.Provider) {
	t.Helper()
	web := p.Client("web")
	swapped := *web
	swapped.ID, swapped.Secret = web.Secret, web.ID
	swapped.Authorize(p.Browser())
	logout(p.Browser(), set("client_id", apptest.Secret))
	form := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	both := http.Header{"Authorization": {basicHeader(&swapped)}}
	for _, path := range []string{"/token", "/revoke", "/introspect"} {
		path = apptest.Alias(path)
		for _, r := range []apptest.Reply{
			web.Send("POST", path, url.Values{"client_id": {apptest.Secret}, "client_secret": {"web"}, "grant_type": {"refresh_token"}}.Encode(), form),
			web.Send("POST", path, url.Values{"client_id": {apptest.Secret}}.Encode(), form),
			web.Send("POST", path, "grant_type=refresh_token", http.Header{"Content-Type": form["Content-Type"], "Authorization": both["Authorization"]}),
			web.Send("GET", path+"?client_id="+apptest.Secret, "", nil),
			web.Send("POST", path, "{}", both), // refused before its client is looked at
		} {
			if r.Status < 400 && r.Text != "{}" { // an alias of revocation says so whatever was sent
				t.Errorf("%s took a secret for a client_id: %d %s", path, r.Status, r.Text)
			}
		}
	}
}

func wantStatus(t *testing.T, page apptest.Page, status int) {
	t.Helper()
	if page.Status != status {
		t.Fatalf("%s: %d, want %d: %.600s", page.URL, page.Status, status, page.Body)
	}
}

// written is everything that a provider wrote or tells operators, by where it stands.
func written(t *testing.T, p *apptest.Provider) map[string]string {
	t.Helper()
	all := map[string]string{"the log": p.Log.String(), "metrics": operations(p, "/metrics").Body.String()}
	backup := filepath.Join(t.TempDir(), "backup.db")
	if err := p.Backup(t.Context(), backup, silent); err != nil {
		t.Fatal(err)
	}
	// The files as they are, for pages that were freed, and every row, for what continues on another page.
	all["the database file"] = read(t, p.File()) + read(t, p.File()+"-wal")
	all["the backup file"] = read(t, backup)
	all["the database"], all["the backup"] = rows(t, p.File()), rows(t, backup)
	all["the audit trail"] = jsonOf(t, p.Events()) + fmt.Sprintf("%+v", p.Events())

	refusals, err := p.Explain.Refusals(t.Context(), "", 1000, "en")
	if err != nil || len(refusals) < 10 {
		t.Fatalf("%d refusals, %v", len(refusals), err)
	}
	for _, r := range refusals {
		for _, language := range []string{"en", "id"} {
			x, err := p.Explain.Explain(t.Context(), r.Ref, language)
			if err != nil {
				t.Fatal(err)
			}
			all["explain"] += jsonOf(t, x)
		}
	}
	all["explain"] += jsonOf(t, refusals)
	findings, err := app.Doctor(t.Context(), p.Config(), true)
	if err != nil {
		t.Fatal(err)
	}
	all["doctor"] = jsonOf(t, findings)
	clients, err := p.Admin.Clients(t.Context())
	all["client show"] = jsonOf(t, clients)
	for _, c := range clients {
		shown, e := p.Admin.Client(t.Context(), c.ID)
		all["client show"], err = all["client show"]+jsonOf(t, shown), errors.Join(err, e)
	}
	err = errors.Join(err, p.Admin.Users(t.Context(), func(u admin.UserInfo) error {
		shown, err := p.Admin.User(t.Context(), u.Username)
		all["user show"] += jsonOf(t, shown)
		return err
	}))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// rows is every value of every table of a database file.
func rows(t *testing.T, path string) string {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+path+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var text strings.Builder
	each := func(query string, row func(values []any)) {
		found, err := db.QueryContext(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		defer found.Close()
		columns, _ := found.Columns()
		for found.Next() {
			values, places := make([]any, len(columns)), make([]any, len(columns))
			for i := range values {
				places[i] = &values[i]
			}
			if err := found.Scan(places...); err != nil {
				t.Fatal(err)
			}
			row(values)
		}
		if err := found.Err(); err != nil {
			t.Fatal(err)
		}
	}
	each(`SELECT name FROM sqlite_schema WHERE type = 'table'`, func(table []any) {
		each(fmt.Sprintf(`SELECT * FROM "%s"`, table[0]), func(values []any) {
			for _, v := range values {
				if b, ok := v.([]byte); ok {
					v = string(b)
				}
				fmt.Fprintln(&text, v)
			}
		})
	})
	return text.String()
}
