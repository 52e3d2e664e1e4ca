package app_test

import (
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"latchkey/app/apptest"
	"latchkey/domain/audit"
	"latchkey/domain/oauth"
	"latchkey/ports"
)

// SS-08: whoever copies the database finds nothing in it that opens anything: TestSecretsOfAWholeLife shows that no secret is
// there, and here digests do not work in the place of what they were made from.
func TestStolenDatabase(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	b, web := p.Browser(), p.Client("web")
	code := web.Code(b, "alice")
	tokens := web.SignIn(b, "alice")
	cookie := b.Cookies()["latchkey-session"]
	for name, value := range map[string]string{"session cookie": cookie, "browser cookie": b.Cookies()["latchkey-browser"], "code": code,
		"access token": tokens.Get("access_token"), "refresh token": tokens.Get("refresh_token"), "id token": tokens.Get("id_token"),
		"client secret": apptest.Secret, "password": apptest.Password} {
		if value == "" {
			t.Errorf("there is no %s", name)
		}
		digest := oauth.Secret(value).Digest()
		for _, found := range []string{digest.String(), hex.EncodeToString(digest[:]), string(digest[:])} {
			if r := web.Exchange(found); r.Status == 200 {
				t.Errorf("the digest of the %s redeems", name)
			}
			if r := web.Refresh(found); r.Status == 200 {
				t.Errorf("the digest of the %s refreshes", name)
			}
		}
		for _, found := range []string{digest.String(), hex.EncodeToString(digest[:])} {
			if r := web.UserInfo(found); r.Status == 200 {
				t.Errorf("the digest of the %s opens userinfo", name)
			}
			thief := p.Browser()
			thief.SetCookie("latchkey-session", found)
			if page := web.Authorize(thief); !page.IsLogin() {
				t.Errorf("the digest of the %s is a session: %s", name, page.URL)
			}
		}
	}
	if page := web.Authorize(b); page.Answer().Get("code") == "" {
		t.Errorf("the owner lost the session: %s", page.URL)
	}
}

// What is found in the file, in any spelling, opens nothing, and trying it harms nobody.
func TestFindingsInTheFileOpenNothing(t *testing.T) {
	t.Parallel()
	t.Run("SS-08", func(t *testing.T) {
		p := apptest.New(t)
		web, b := p.Client("web"), p.Browser()
		update(t, p, func(tx ports.Tx) error { // without an administrator there are set-up links
			carol, err := tx.UserByLogin("carol")
			carol.Admin = false
			return errors.Join(err, tx.SaveUser(carol))
		})
		link, err := p.Admin.Offer(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		tokens := web.SignIn(b, "alice")
		code := web.Code(b, "alice")

		sum := sha256.Sum256([]byte(code))
		if !slices.Contains(found(t, p), hex.EncodeToString(sum[:])) {
			t.Fatal("the digest of the code is not among what was found, so that refusing that shows nothing")
		}
		for _, value := range found(t, p) {
			wantError(t, web.Exchange(value), http.StatusBadRequest, "invalid_grant")
			wantError(t, web.Refresh(value), http.StatusBadRequest, "invalid_grant")
			dead(t, web, value)
			thief := p.Browser()
			for name := range b.Cookies() {
				thief.SetCookie(name, value)
			}
			if isSignedIn(thief) {
				t.Errorf("%q of the database is a session", value)
			}
			wantPage(t, thief.Get("/setup?"+url.Values{"token": {value}}.Encode()), http.StatusBadRequest)
		}

		// And what is not in the file works, so that the refusals mean something; nor did they harm anybody.
		thief := p.Browser()
		for name, value := range b.Cookies() {
			thief.SetCookie(name, value)
		}
		if !isSignedIn(thief) {
			t.Error("the cookie of the browser opens nothing")
		}
		if page := thief.Get("/setup?" + url.Values{"token": {link.Reveal()}}.Encode()); page.Status != http.StatusOK {
			t.Errorf("set-up link: %d", page.Status)
		}
		alive(t, web, tokens.Get("access_token"))
		wantTokens(t, web.Refresh(tokens.Get("refresh_token")))
		wantTokens(t, web.Exchange(code))
	})
}

// found returns what of the database may look like a secret to its thief, in every spelling, and refresh tokens made up
// of it.
func found(t *testing.T, p *apptest.Provider) []string {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+p.File()+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var values []string
	for _, table := range []string{"session", "code", "token_family", "ticket", "interaction"} {
		rows, err := db.QueryContext(t.Context(), `SELECT * FROM "`+table+`"`)
		if err != nil {
			t.Fatal(err)
		}
		columns, _ := rows.Columns()
		n := 0
		for ; rows.Next(); n++ {
			row, places := make([]any, len(columns)), make([]any, len(columns))
			for i := range row {
				places[i] = &row[i]
			}
			if err := rows.Scan(places...); err != nil {
				t.Fatal(err)
			}
			for _, v := range row {
				switch v := v.(type) {
				case []byte:
					values = append(values, hex.EncodeToString(v), base64.RawURLEncoding.EncodeToString(v), base64.StdEncoding.EncodeToString(v))
				case string:
					values = append(values, v)
				}
			}
		}
		if err := rows.Err(); err != nil || n == 0 {
			t.Fatalf("%s: %d rows, %v", table, n, err)
		}
	}
	var family oauth.TokenFamily
	err = p.Store.View(t.Context(), func(r ports.Reader) error {
		code, err := r.Events(audit.Query{Limit: 1 << 20})
		for _, e := range code {
			if e.Family != "" {
				family, err = r.TokenFamily(oauth.FamilyID(e.Family))
			}
		}
		return err
	})
	if err != nil || family.ID == "" {
		t.Fatalf("no family: %v", err)
	}
	var tag [32]byte
	copy(tag[:], family.Salt[:])
	salted := sha256.Sum256(fmt.Appendf(nil, "%s.%d.%s", family.ID, family.Generation, family.Salt[:]))
	for _, tag := range [][32]byte{tag, salted} {
		values = append(values, oauth.RefreshToken{Family: family.ID, Generation: family.Generation, Tag: tag}.Secret().Reveal())
	}
	slices.Sort(values)
	return slices.DeleteFunc(slices.Compact(values), func(v string) bool {
		return len(v) < 8 || strings.ContainsFunc(v, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`",;\`, r) })
	})
}
