package app_test

import (
	"database/sql"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"latchkey/app"
	"latchkey/app/apptest"
	"latchkey/domain/audit"
	"latchkey/ports"
)

const releases = "../adapters/sqlite/testdata/"

// released is a provider of the release that had schema 1, an hour of whose users is on file, and what its clients hold.
func released(t *testing.T) (cfg app.Config, held map[string]string) {
	t.Helper()
	read := func(name string) []byte {
		b, err := os.ReadFile(releases + name)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	if err := json.Unmarshal(read("schema1.json"), &held); err != nil {
		t.Fatal(err)
	}
	at, err := time.Parse(time.RFC3339, held["at"])
	if err != nil {
		t.Fatal(err)
	}
	cfg = app.Config{Database: filepath.Join(t.TempDir(), "latchkey.db"), Issuer: held["issuer"], PasswordIterations: 1000,
		Now: func() time.Time { return at.Add(time.Minute) }}.WithDefaults()
	if err := os.WriteFile(cfg.MasterKey, read("schema1.key"), 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite3", "file:"+cfg.Database)
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.Exec("PRAGMA journal_mode = wal;\n" + string(read("schema1.sql")))
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	return cfg, held
}

// served opens the provider as a server and asks it without a network.
func served(t *testing.T, cfg app.Config, held map[string]string) (ask func(method, path string, form url.Values) *httptest.ResponseRecorder, done func()) {
	t.Helper()
	a, err := app.NewServer(t.Context(), cfg, silent)
	if err != nil {
		t.Fatal(err)
	}
	ask = func(method, path string, form url.Values) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, cfg.Issuer+path, strings.NewReader(form.Encode()))
		r.RemoteAddr = "127.0.0.1:1"
		switch path, _, _ := strings.Cut(path, "?"); path {
		case "/token":
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.SetBasicAuth("web", apptest.Secret)
		case "/userinfo":
			r.Header.Set("Authorization", "Bearer "+held["access_token"])
		default:
			for name, value := range held {
				if name, ok := strings.CutPrefix(name, "cookie "); ok {
					r.AddCookie(&http.Cookie{Name: name, Value: value})
				}
			}
		}
		w := httptest.NewRecorder()
		a.Handler.ServeHTTP(w, r)
		return w
	}
	return ask, func() {
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func authorizePath() string {
	return "/authorize?" + url.Values{"client_id": {"web"}, "redirect_uri": {"https://app.test/cb"}, "response_type": {"code"}, "scope": {"openid"}, "state": {"s"}, "nonce": {"n"},
		"code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, "code_challenge_method": {"S256"}}.Encode()
}

func refreshForm(token string) url.Values {
	return url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}}
}

func codeForm(code string) url.Values {
	return url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {"https://app.test/cb"}, "code_verifier": {apptest.Verifier}}
}

// OP-03: after an upgrade everything that was issued goes on: sessions, codes, access tokens, and refresh tokens with the
// memory of those that were used. Only the start of a server, or upgrade, does it.
func TestUpgradeGoesOn(t *testing.T) {
	t.Parallel()
	cfg, held := released(t)
	before := hashes(t, filepath.Dir(cfg.Database))
	if _, err := app.New(t.Context(), cfg); !errors.Is(err, ports.ErrUpgradePending) || !strings.Contains(err.Error(), "latchkey upgrade") {
		t.Errorf("a command before the upgrade: %v", err)
	}
	if after := hashes(t, filepath.Dir(cfg.Database)); len(after) != len(before) || after["latchkey.db"] != before["latchkey.db"] {
		t.Error("it changed something")
	}
	wrong := cfg
	wrong.MasterKey = filepath.Join(t.TempDir(), "wrong.key")
	if err := os.WriteFile(wrong.MasterKey, []byte("latchkey-master-key-v1:"+strings.Repeat("A", 43)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := app.Upgrade(t.Context(), wrong, silent); err == nil || !strings.Contains(err.Error(), "does not belong") {
		t.Errorf("with a wrong master key: %v", err)
	}
	if hashes(t, filepath.Dir(cfg.Database))["latchkey.db"] != before["latchkey.db"] {
		t.Error("a wrong master key chained the trail")
	}

	ask, done := served(t, cfg, held)
	if r := ask("GET", authorizePath(), nil); !strings.HasPrefix(r.Header().Get("Location"), "https://app.test/cb?") || !strings.Contains(r.Header().Get("Location"), "code=") {
		t.Errorf("the session: %d %s", r.Code, r.Header().Get("Location"))
	}
	if r := ask("GET", "/userinfo", nil); r.Code != http.StatusOK || !strings.Contains(r.Body.String(), "Alice Adams") {
		t.Errorf("the access token: %d %s", r.Code, r.Body)
	}
	if r := ask("POST", "/token", codeForm(held["code"])); r.Code != http.StatusOK {
		t.Errorf("the code: %d %s", r.Code, r.Body)
	}
	r := ask("POST", "/token", refreshForm(held["refresh_token"]))
	var next struct {
		RefreshToken string `json:"refresh_token"`
	}
	if err := json.Unmarshal(r.Body.Bytes(), &next); err != nil || r.Code != http.StatusOK || next.RefreshToken == "" {
		t.Errorf("the refresh token: %d %s", r.Code, r.Body)
	}
	if r := ask("POST", "/token", refreshForm(held["old_refresh_token"])); r.Code != http.StatusBadRequest {
		t.Errorf("a refresh token that was used before: %d %s", r.Code, r.Body)
	}
	if r := ask("POST", "/token", refreshForm(next.RefreshToken)); r.Code != http.StatusBadRequest {
		t.Errorf("its family after the replay: %d %s", r.Code, r.Body)
	}
	done()
	if up, err := app.Upgrade(t.Context(), cfg, silent); err != nil || up.From != up.To {
		t.Errorf("the second time: %+v, %v", up, err)
	}
	if v, err := app.VerifyBackup(t.Context(), cfg, cfg.Database+".schema-1", silent); err != nil || v.Schema != 1 || v.Users != 4 {
		t.Errorf("the snapshot: %+v, %v", v, err)
	}
}

// ST-19, OP-03: rollback says what is lost, returns to the schema of before and voids what a restore voids; the upgrade
// can be done again.
func TestRollback(t *testing.T) {
	t.Parallel()
	cfg, held := released(t)
	if _, _, err := app.LostByRollback(cfg); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a snapshot: %v", err)
	}
	if _, err := app.Rollback(t.Context(), cfg, silent); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a snapshot: %v", err)
	}
	ask, done := served(t, cfg, held)
	var next struct {
		RefreshToken string `json:"refresh_token"`
	}
	r := ask("POST", "/token", refreshForm(held["refresh_token"]))
	if err := json.Unmarshal(r.Body.Bytes(), &next); err != nil || next.RefreshToken == "" {
		t.Fatalf("refresh: %d %s", r.Code, r.Body)
	}
	done()

	lost, snapshot, err := app.LostByRollback(cfg)
	if err != nil || snapshot != cfg.Database+".schema-1" || !lost.Related || lost.Events[audit.TokenRefreshed] != 1 || lost.Events[audit.Upgraded] != 1 {
		t.Errorf("lost: %+v of %s, %v", lost, snapshot, err)
	}
	back, err := app.Rollback(t.Context(), cfg, silent)
	if err != nil || back.Schema != 1 || !strings.Contains(back.Kept, ".before-rollback-") {
		t.Fatalf("%+v, %v", back, err)
	}
	if _, err := app.New(t.Context(), cfg); !errors.Is(err, ports.ErrUpgradePending) {
		t.Errorf("this release on the older schema: %v", err)
	}
	if v, err := app.VerifyBackup(t.Context(), cfg, back.Kept, silent); err != nil || v.Schema < 2 {
		t.Errorf("what is kept: %+v, %v", v, err)
	}
	if _, _, err := app.LostByRollback(cfg); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("there is nothing older to go back to: %v", err)
	}

	ask, done = served(t, cfg, held) // upgrades again
	defer done()
	for name, form := range map[string]url.Values{"code": codeForm(held["code"]), "refresh token": refreshForm(held["refresh_token"]), "its successor": refreshForm(next.RefreshToken)} {
		if r := ask("POST", "/token", form); r.Code != http.StatusBadRequest {
			t.Errorf("%s: %d %s", name, r.Code, r.Body)
		}
	}
	if r := ask("GET", "/userinfo", nil); r.Code != http.StatusUnauthorized {
		t.Errorf("access token: %d", r.Code)
	}
	if r := ask("GET", authorizePath(), nil); strings.Contains(r.Header().Get("Location"), "code=") {
		t.Errorf("the session: %s", r.Header().Get("Location"))
	}
}

// OP-04: a file of a newer release is refused, byte for byte as it was, by the server, by upgrade and by rollback.
func TestNewerSchemaIsUntouched(t *testing.T) {
	t.Parallel()
	cfg, _ := released(t)
	db, err := sql.Open("sqlite3", "file:"+cfg.Database)
	if err == nil {
		_, err = db.Exec("PRAGMA user_version = 99")
	}
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	before := hashes(t, filepath.Dir(cfg.Database))["latchkey.db"]
	for name, err := range map[string]error{
		"server":   second(app.NewServer(t.Context(), cfg, silent)),
		"command":  second(app.New(t.Context(), cfg)),
		"upgrade":  second(app.Upgrade(t.Context(), cfg, silent)),
		"rollback": second(app.Rollback(t.Context(), cfg, silent)),
	} {
		if err == nil || name != "rollback" && !strings.Contains(err.Error(), "start the newer release") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if hashes(t, filepath.Dir(cfg.Database))["latchkey.db"] != before {
		t.Error("it was changed")
	}
}
