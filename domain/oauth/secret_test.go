package oauth_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"latchkey/domain/oauth"
)

func TestSecretsDoNotPrint(t *testing.T) {
	const s oauth.Secret = "hunter2-hunter2"
	type holder struct {
		Token  oauth.Secret
		Nested []oauth.Secret
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "direct", s, "held", holder{s, []oauth.Secret{s}}, "group", slog.GroupValue(slog.Any("token", s)))
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "direct", s)
	for name, text := range map[string]string{
		"%v": fmt.Sprintf("%v", s), "%s": fmt.Sprintf("%s", s), "%q": fmt.Sprintf("%q", s), "%x": fmt.Sprintf("%x", s), "%#v": fmt.Sprintf("%#v", s),
		"%+v of a struct": fmt.Sprintf("%+v", holder{s, []oauth.Secret{s}}), "%#v of a struct": fmt.Sprintf("%#v", holder{s, []oauth.Secret{s}}),
		"an error": fmt.Errorf("bad: %w, %v", fmt.Errorf("inner %v", s), s).Error(), "a log": log.String(),
	} {
		if strings.Contains(text, "hunter2") || strings.Contains(text, fmt.Sprintf("%x", "hunter2")) || text == "" {
			t.Errorf("%s prints %s", name, text)
		}
	}
	if s.Reveal() != "hunter2-hunter2" {
		t.Error("Reveal hides the secret")
	}
}

func TestDigest(t *testing.T) {
	// The empty message and "abc" of FIPS 180-2.
	for s, want := range map[oauth.Secret]string{
		"":    "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU",
		"abc": "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0",
	} {
		if got := s.Digest().String(); got != want {
			t.Errorf("Digest(%q) = %s; want %s", s.Reveal(), got, want)
		}
	}
	if !(oauth.Digest{}).IsZero() || oauth.Secret("").Digest().IsZero() {
		t.Error("only the digest of nothing at all is zero")
	}
}
