package oauth_test

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"latchkey/domain/oauth"
)

func TestError(t *testing.T) {
	cause := errors.New("disk full")
	e := oauth.Refuse(oauth.InvalidGrant, "the code has expired").With("reason", "expired")
	e.Cause = cause
	if !errors.Is(e, cause) || e.Error() != "invalid_grant: the code has expired: disk full" {
		t.Errorf("%v", e)
	}
	want := map[string]string{"error": "invalid_grant", "description": "the code has expired", "reason": "expired"}
	if diff := cmp.Diff(want, e.Report()); diff != "" {
		t.Error(diff)
	}
	e.Report()["reason"] = "changed"
	if e.Facts["reason"] != "expired" {
		t.Error("a report is not a copy")
	}
	if got := oauth.Refuse(oauth.InvalidGrant, "x").Error(); got != "invalid_grant: x" {
		t.Errorf("%q", got)
	}
}

// What a stranger sends is kept in bounded size, and stays text.
func TestFactsAreBounded(t *testing.T) {
	for _, s := range []string{strings.Repeat("a", 10_000), "a" + strings.Repeat("é", 10_000), "ab" + strings.Repeat("😀", 10_000)} {
		got := oauth.Refuse(oauth.InvalidRequest, "x").With("received", s).Facts["received"]
		if len(got) > 260 || !utf8.ValidString(got) || !strings.HasSuffix(got, "…") || !strings.HasPrefix(s, strings.TrimSuffix(got, "…")) {
			t.Errorf("kept %d bytes: %q", len(got), got)
		}
	}
	if got := oauth.Refuse(oauth.InvalidRequest, "x").With("received", "short").Facts["received"]; got != "short" {
		t.Errorf("kept %q", got)
	}
}
