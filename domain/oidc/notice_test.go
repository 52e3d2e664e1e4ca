package oidc_test

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
)

// LO-06: attempts follow one another less and less often, none while the one before may still be under way, and end.
func TestNoticeBackOff(t *testing.T) {
	begin := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	n := oidc.NewLogoutNotice(identity.Session{ID: "sid_1", User: "u"}, "web", begin)
	if !n.Due(begin) || n.Due(begin.Add(-time.Millisecond)) || n.State() != oidc.Pending {
		t.Errorf("a new notice: %+v", n)
	}
	var waits []time.Duration
	now := begin
	for n.State() == oidc.Pending {
		if len(waits) > 100 {
			t.Fatal("it never ends")
		}
		n.Begin(now)
		if n.Due(now.Add(oidc.NoticeTimeout)) {
			t.Fatal("due again while the attempt may be under way")
		}
		waits = append(waits, n.NextAt.Sub(now))
		next := n.NextAt
		n.Failed("status 500", false, now.Add(time.Second))
		now = next
	}
	want := []time.Duration{10 * time.Second, time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 2 * time.Hour}
	if diff := cmp.Diff(want, waits[:6]); diff != "" {
		t.Error(diff)
	}
	if n.State() != oidc.Failed || !n.NextAt.IsZero() || n.FailedAt.Sub(begin) > oidc.NoticeLifetime || n.FailedAt.Sub(begin) < 21*time.Hour || n.Attempts != len(waits) {
		t.Errorf("given up: %+v after %v", n, n.FailedAt.Sub(begin))
	}

	refused := oidc.NewLogoutNotice(identity.Session{ID: "sid_1", User: "u"}, "web", begin)
	refused.Begin(begin)
	refused.Failed("status 400", true, begin)
	if refused.State() != oidc.Failed || refused.Due(begin.Add(time.Hour)) {
		t.Errorf("refused for good: %+v", refused)
	}
	late := oidc.NewLogoutNotice(identity.Session{ID: "sid_1", User: "u"}, "web", begin)
	late.Begin(begin)
	late.Failed("status 500", false, begin)
	late.Begin(begin.Add(10 * time.Second))
	late.Delivered(begin.Add(11 * time.Second))
	if late.State() != oidc.Delivered || late.Due(begin.Add(time.Hour)) || late.LastError != "" || late.Attempts != 2 {
		t.Errorf("delivered: %+v", late)
	}
	if a, b := oidc.NewLogoutNotice(identity.Session{ID: "s"}, "a", begin), oidc.NewLogoutNotice(identity.Session{ID: "s"}, "b", begin); a.ID == b.ID {
		t.Error("two notices share a name")
	}
}

// LO-05: a logout token lives for two minutes at most, from when it is sent.
func TestLogoutTokenOfANotice(t *testing.T) {
	begin, sent := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC), time.Date(2030, 1, 2, 5, 0, 0, 0, time.UTC)
	n := oidc.NewLogoutNotice(identity.Session{ID: "sid_1", User: "u"}, "web", begin)
	want := oidc.LogoutToken{ID: "j", Issuer: "https://op.test", Audience: "web", Subject: "u", Session: "sid_1", IssuedAt: sent, ExpiresAt: sent.Add(2 * time.Minute)}
	if diff := cmp.Diff(want, n.Token("j", "https://op.test", sent)); diff != "" {
		t.Error(diff)
	}
}

// LO-07: issuer and session are added once, to clients that asked for them.
func TestFrontChannelURI(t *testing.T) {
	for _, c := range []struct {
		uri    string
		needed bool
		want   string
	}{
		{"", true, ""},
		{"https://app.test/out", false, "https://app.test/out"},
		{"https://app.test/out", true, "https://app.test/out?iss=https%3A%2F%2Fop.test%2Fa&sid=sid+1"},
		{"https://app.test/out?x=1", true, "https://app.test/out?x=1&iss=https%3A%2F%2Fop.test%2Fa&sid=sid+1"},
	} {
		client := oauth.Client{FrontChannelLogoutURI: c.uri, FrontChannelLogoutSession: c.needed}
		if got := oidc.FrontChannelURI(client, "https://op.test/a", "sid 1"); got != c.want {
			t.Errorf("%q: %s, want %s", c.uri, got, c.want)
		}
	}
}

// OIDC Session Management 1.0 §3: a relying party and its origin, the browser's state and a salt make the session state.
func TestSessionState(t *testing.T) {
	salt := [16]byte{1, 2, 3}
	got := oidc.SessionState("web", "https://App.test:443/cb?x=1", "cookie", salt)
	hash, text, _ := strings.Cut(got, ".")
	sum := sha256.Sum256([]byte("web https://app.test " + oidc.BrowserState("cookie") + " " + text))
	if base64.RawURLEncoding.EncodeToString(sum[:]) != hash || text != base64.RawURLEncoding.EncodeToString(salt[:]) {
		t.Errorf("session state %s", got)
	}
	for name, other := range map[string]string{
		"another client":  oidc.SessionState("spa", "https://app.test/cb", "cookie", salt),
		"another origin":  oidc.SessionState("web", "https://app.test:8443/cb", "cookie", salt),
		"another session": oidc.SessionState("web", "https://app.test/cb", "cookie2", salt),
		"another salt":    oidc.SessionState("web", "https://app.test/cb", "cookie", [16]byte{9}),
	} {
		if other == got || other == "" {
			t.Errorf("%s has the session state %q too", name, other)
		}
	}
	for name, none := range map[string]string{
		"nobody signed in":   oidc.SessionState("web", "https://app.test/cb", "", salt),
		"native application": oidc.SessionState("native", "com.example.app:/cb", "cookie", salt),
	} {
		if none != "" {
			t.Errorf("%s: session state %q", name, none)
		}
	}
	// SS-08: neither what opens the session nor what the database knows it by can be read from it, however it is written.
	state := oidc.BrowserState("cookie")
	read, err := base64.RawURLEncoding.DecodeString(state)
	digest := oauth.Secret("cookie").Digest()
	if err != nil || len(read) != 16 || strings.Contains(state+string(read), "cookie") || string(read) == string(digest[:16]) || oidc.BrowserState("") != "" {
		t.Errorf("the browser state %s shows what opens the session", state)
	}
}
