package app_test

import (
	"net/http/httptest"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"latchkey/app/apptest"
)

// figure reads one line of the metrics.
func figure(t *testing.T, p *apptest.Provider, line string) float64 {
	t.Helper()
	w := operations(p, "/metrics")
	m := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(line) + ` (\S+)$`).FindStringSubmatch(w.Body.String())
	if m == nil {
		return 0
	}
	v, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		t.Fatalf("%s: %v", m[0], err)
	}
	return v
}

func operations(p *apptest.Provider, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	r := httptest.NewRequest("GET", path, nil)
	r.Host = "127.0.0.1:9464"
	p.Operations.ServeHTTP(w, r)
	return w
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	web := p.Client("web")
	b := p.Browser()
	b.Login(web.Authorize(b), "alice", "a wrong password")
	tokens := web.SignIn(b, "alice")
	web.Refresh(tokens.Get("refresh_token"))
	web.Refresh("a-token-nobody-made")
	web.UserInfo(tokens.Get("access_token"))
	for line, want := range map[string]float64{
		`latchkey_http_requests_total{endpoint="token",class="2xx"}`:        2,
		`latchkey_http_request_duration_seconds_count{endpoint="userinfo"}`: 1,
		`latchkey_refusals_total{endpoint="token",code="invalid_grant"}`:    1,
		`latchkey_refusals_total{endpoint="login",code="login_failed"}`:     1,
		`latchkey_tokens_issued_total{type="access"}`:                       2,
		`latchkey_tokens_issued_total{type="refresh"}`:                      2,
		`latchkey_signing_keys{algorithm="ES256",state="active"}`:           1,
		`latchkey_database_readable`:                                        1,
	} {
		if got := figure(t, p, line); got != want {
			t.Errorf("%s is %v, want %v", line, got, want)
		}
	}
	commits := figure(t, p, "latchkey_commits_total")
	if units := figure(t, p, "latchkey_commit_group_size_sum"); commits < 5 || units < commits {
		t.Errorf("%v units in %v commits", units, commits)
	}
	for _, line := range []string{"latchkey_database_bytes", "latchkey_wal_bytes", "latchkey_password_hashing_slots", "go_goroutines",
		`latchkey_signing_key_rotation_seconds{algorithm="ES256"}`} {
		if figure(t, p, line) <= 0 {
			t.Errorf("%s is not there", line)
		}
	}
	if _, err := os.Stat("/proc/self/statm"); err == nil && figure(t, p, "process_resident_memory_bytes") <= 0 {
		t.Error("no process_resident_memory_bytes")
	}
}

// OP-08: whatever is sent where, no figure repeats it.
func TestMetricsTellNoSecret(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	web := p.Client("web")
	b := p.Browser()
	tokens := web.SignIn(b, "alice")
	web.Send("GET", "/sentinel-path?access_token=sentinel-query", "", nil)
	web.Post("/token", wrongSecret("sentinel-client"), nil)
	web.UserInfo("sentinel-token")
	text := operations(p, "/metrics").Body.String()
	for _, secret := range []string{"sentinel", "alice", "127.0.0.1", "a guess", tokens.Get("access_token"), tokens.Get("refresh_token"), apptest.Secret} {
		if strings.Contains(text, secret) {
			t.Errorf("the figures hold %q", secret)
		}
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	web := p.Client("web")
	if r := web.Send("GET", "/healthz", "", nil); r.Status != 200 || r.Text != "ok" || r.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("/healthz: %d %q %v", r.Status, r.Text, r.Header)
	}
	if r := web.Send("GET", "/readyz", "", nil); r.Status != 200 || strings.TrimSpace(r.Text) != `{"status":"ok"}` || r.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("/readyz: %d %q %v", r.Status, r.Text, r.Header)
	}
	if w := operations(p, "/readyz"); w.Code != 200 {
		t.Errorf("/readyz for operators: %d", w.Code)
	}
	if log := p.Log.String(); strings.Contains(log, "healthz") || strings.Contains(log, "readyz") {
		t.Error("probes are logged")
	}
}
