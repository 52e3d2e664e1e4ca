package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"latchkey/app"
	"latchkey/ports"
)

// refuse serves one request on the database of the folder, and returns the reference of its refusal.
func refuse(t *testing.T, method, target string) string {
	t.Helper()
	a, err := app.New(t.Context(), app.Config{Issuer: "http://127.0.0.1:1", Listen: "127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	w := httptest.NewRecorder()
	r := httptest.NewRequest(method, "http://127.0.0.1:1"+target, http.NoBody)
	r.Header.Set("User-Agent", "evil\x1b]0;owned\x07")
	a.Handler.ServeHTTP(w, r)
	if w.Code < 400 {
		t.Fatalf("%s was not refused: %d", target, w.Code)
	}
	return "err_" + strings.TrimPrefix(w.Header().Get("X-Request-Id"), "req_")
}

func TestExplain(t *testing.T) {
	inFolder(t)
	if r := latchkey(t, "", "client", "add", "grafana", "--redirect-uri", "https://grafana.example.org/login/generic_oauth"); r.code != exitOK {
		t.Fatalf("%+v", r)
	}
	ref := refuse(t, "GET", "/authorize?client_id=grafana&redirect_uri=http://grafana.example.org/login/generic_oauth%1b%5b2J%e2%80%ae")

	r := latchkey(t, "", "explain", ref)
	for _, want := range []string{ref, "Received    http://grafana.example.org/login/generic_oauth", "Expected    https://grafana.example.org/login/generic_oauth",
		"the scheme is http instead of https", "root_url", "RFC 6749 §3.1.2.3", "latchkey client edit"} {
		if !strings.Contains(r.stdout, want) {
			t.Errorf("%q is not said:\n%s%s", want, r.stdout, r.stderr)
		}
	}
	if r.code != exitOK || r.stderr != "" || strings.ContainsAny(r.stdout, "\x1b\x07\u202e") {
		t.Errorf("WB-07: %+v", r)
	}
	if r := latchkey(t, "", "explain", ref, "--lang", "id"); r.code != exitOK || !strings.Contains(r.stdout, "skemanya http, seharusnya https") || !strings.Contains(r.stdout, "Diterima") {
		t.Errorf("%+v", r)
	}
	var x ports.Explanation
	if r := latchkey(t, "", "explain", "req_"+strings.TrimPrefix(ref, "err_"), "--json"); json.Unmarshal([]byte(r.stdout), &x) != nil || x.Cause != "redirect_mismatch" ||
		x.Ref != ref || x.Client != "grafana" || len(x.Differences) == 0 || strings.ContainsAny(r.stdout, "\x1b\x07\u202e") {
		t.Errorf("%+v", r)
	}

	second := refuse(t, "GET", "/token?client_id=grafana")
	r = latchkey(t, "", "explain", "--client", "grafana")
	first, rest, _ := strings.Cut(r.stdout, "\n")
	if r.code != exitOK || !strings.Contains(first, second) || !strings.Contains(rest, ref) || !strings.Contains(r.stderr, "latchkey explain "+second) {
		t.Errorf("%+v", r)
	}
	var list []ports.Refusal
	if r := latchkey(t, "", "explain", "--client", "grafana", "--limit", "1", "--json"); json.Unmarshal([]byte(r.stdout), &list) != nil || len(list) != 1 || list[0].Cause != "method" {
		t.Errorf("%+v", r)
	}
	if r := latchkey(t, "", "client", "add", "quiet", "--redirect-uri", "https://quiet.example.org/cb"); r.code != exitOK {
		t.Fatalf("%+v", r)
	}
	if r := latchkey(t, "", "explain", "--client", "quiet"); r.code != exitOK || r.stdout != "" || !strings.Contains(r.stderr, "No request of quiet was refused") {
		t.Errorf("%+v", r)
	}
	for _, c := range []struct {
		args string
		code int
		says string
	}{
		{"err_aaaaaaaaaaaaaaaa", exitNotFound, "no refusal is on record"},
		{"nonsense", exitNotFound, "is no reference"},
		{"--client nobody", exitNotFound, "no client has the client_id nobody"},
		{"", exitUsage, "needs a reference or --client"},
		{ref + " --client grafana", exitUsage, "not both"},
		{ref + " " + second, exitUsage, "one too many"},
		{ref + " --limit 3", exitUsage, "--limit goes with --client"},
		{"--client grafana --limit none", exitUsage, "not a number"},
		{"--client grafana --limit 0", exitUsage, "not a number from 1 to 1000"},
		{ref + " --lang fr", exitUsage, "use en or id"},
	} {
		if r := latchkey(t, "", append([]string{"explain"}, strings.Fields(c.args)...)...); r.code != c.code || !strings.Contains(r.stderr, c.says) || r.stdout != "" {
			t.Errorf("explain %s: %+v", c.args, r)
		}
	}
}

// Every command that an explanation advises exists, with these flags and as many arguments.
func TestExplainAdvisesWhatExists(t *testing.T) {
	text, err := os.ReadFile("../../app/explain/testdata/commands.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		cmd, rest, err := find(strings.Fields(line)[1:])
		if err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		var c call
		if err := c.parse(cmd, rest, nil); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
}

// And those that change a registration do, with the members and values that they name.
func TestExplainAdvisesEditsThatWork(t *testing.T) {
	text, err := os.ReadFile("../../app/explain/testdata/commands.txt")
	if err != nil {
		t.Fatal(err)
	}
	fill := strings.NewReplacer("CLIENT_ID", "wiki", "=URL", "=https://wiki.example/new", "=SCOPE", "=groups", "=GRANT_TYPE", "=client_credentials")
	tried := 0
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "latchkey client edit ") {
			continue
		}
		tried++
		t.Run(strings.TrimSpace(line), func(t *testing.T) {
			inHousehold(t)
			if r := latchkey(t, "", append(strings.Fields(fill.Replace(line))[1:], "--yes")...); r.code != exitOK {
				t.Errorf("%+v", r)
			}
		})
	}
	if tried < 10 {
		t.Errorf("%d edits are advised", tried)
	}
}
