package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestLoadConfig(t *testing.T) {
	path := filepath.Join(t.TempDir(), "op.json")
	for name, c := range map[string]struct {
		file string
		ok   bool
	}{
		"smallest":       {`{"issuer":"http://127.0.0.1:1"}`, true},
		"public client":  {`{"issuer":"http://127.0.0.1:1","clients":{"code":{"id":"a","auth":"none"}}}`, true},
		"unknown member": {`{"issuers":"http://127.0.0.1:1"}`, false},
		"unknown auth":   {`{"clients":{"code":{"id":"a","auth":"digest"}}}`, false},
		"bad expression": {`{"accept":"("}`, false},
		"no JSON":        {`issuer: x`, false},
	} {
		if err := os.WriteFile(path, []byte(c.file), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := loadConfig(path); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := loadConfig(""); err == nil {
		t.Error("no file accepted")
	}
}

// A provider that names another issuer is not the one meant (OpenID Connect
// Discovery 1.0, section 4.3).
func TestDiscoverRefusesOtherIssuer(t *testing.T) {
	f := fakeFlow(t, "")
	f.cfg.Issuer += "/"
	if _, err := f.cfg.discover(); err == nil {
		t.Error("accepted")
	}
}

// Credentials are form-encoded before they go into Basic (RFC 6749, section
// 2.3.1), and travel in one place only.
func TestClientCredentialsPlacement(t *testing.T) {
	for _, c := range []struct{ auth, header, body string }{
		{"", "Basic YTpiJTNBYw==", ""},
		{"basic", "Basic YTpiJTNBYw==", ""},
		{"post", "", "client_id=a&client_secret=b%3Ac"},
		{"none", "", "client_id=a"},
	} {
		cl := OAuthClient{ID: "a", Secret: "b:c", Auth: c.auth}
		if h, b := cl.authHeader(), cl.form(map[string][]string{}).Encode(); h != c.header || b != c.body {
			t.Errorf("%q: %q %q", c.auth, h, b)
		}
	}
}
