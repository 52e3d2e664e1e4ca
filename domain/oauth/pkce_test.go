package oauth_test

import (
	"strings"
	"testing"

	"latchkey/domain/oauth"
)

func TestParseCodeChallenge(t *testing.T) {
	long := strings.Repeat("a", 128)
	for _, c := range []struct {
		name, challenge, method string
		plain                   bool
		want                    oauth.CodeChallenge
		code                    oauth.ErrorCode
	}{
		{"S256", challenge, "S256", false, "S256:" + challenge, ""},
		{"S256 where plain is allowed", challenge, "S256", true, "S256:" + challenge, ""},
		{"PK-02 plain", verifier, "plain", false, "", oauth.InvalidRequest},
		{"PK-02 no method means plain", verifier, "", false, "", oauth.InvalidRequest},
		{"plain where allowed", verifier, "plain", true, "plain:" + verifier, ""},
		{"no method where plain is allowed", verifier, "", true, "plain:" + verifier, ""},
		{"plain, longest", long, "plain", true, oauth.CodeChallenge("plain:" + long), ""},
		{"plain, too long", long + "a", "plain", true, "", oauth.InvalidRequest},
		{"plain, too short", verifier[1:], "plain", true, "", oauth.InvalidRequest},
		{"plain, wrong alphabet", verifier[1:] + "+", "plain", true, "", oauth.InvalidRequest},
		{"method in another case", challenge, "s256", true, "", oauth.InvalidRequest},
		{"unknown method", challenge, "S512", true, "", oauth.InvalidRequest},
		{"S256, empty", "", "S256", false, "", oauth.InvalidRequest},
		{"S256, one short", challenge[1:], "S256", false, "", oauth.InvalidRequest},
		{"S256, one long", challenge + "A", "S256", false, "", oauth.InvalidRequest},
		{"S256, padded", challenge + "=", "S256", false, "", oauth.InvalidRequest},
		{"S256, standard alphabet", "+" + challenge[1:], "S256", false, "", oauth.InvalidRequest},
		{"S256, line break inside", challenge[:20] + "\n" + challenge[20:], "S256", false, "", oauth.InvalidRequest},
		{"S256, stray bits at the end", challenge[:42] + "N", "S256", false, "", oauth.InvalidRequest},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, refusal := oauth.ParseCodeChallenge(c.challenge, c.method, c.plain)
			wantError(t, refusal, c.code)
			if got != c.want {
				t.Errorf("got %q; want %q", got, c.want)
			}
		})
	}
}

func TestVerify(t *testing.T) {
	for _, c := range []struct {
		name      string
		challenge oauth.CodeChallenge
		verifier  string
		want      bool
	}{
		{"S256, right", "S256:" + challenge, verifier, true},
		{"PK-03 S256, wrong", "S256:" + challenge, verifier[:42] + "l", false},
		{"PK-04 S256, none", "S256:" + challenge, "", false},
		{"S256, the challenge itself", "S256:" + challenge, challenge, false},
		{"S256, trailing space", "S256:" + challenge, verifier + " ", false},
		{"plain, right", "plain:" + verifier, verifier, true},
		{"plain, wrong", "plain:" + verifier, challenge, false},
		{"plain, none", "plain:" + verifier, "", false},
		{"nothing asked, nothing sent", "", "", true},
		{"PK-05 nothing asked, something sent", "", verifier, false},
	} {
		if got := c.challenge.Verify(c.verifier); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func FuzzParseCodeChallenge(f *testing.F) {
	f.Add(challenge, "S256", false)
	f.Add(challenge+"=", "S256", false)
	f.Add(verifier, "plain", true)
	f.Add(verifier, "", true)
	f.Add("S256:"+challenge, "S256", true)
	f.Add(challenge[:42]+"N", "S256", false)
	f.Fuzz(func(t *testing.T, text, method string, plain bool) {
		got, refusal := oauth.ParseCodeChallenge(text, method, plain)
		if refusal != nil {
			wantError(t, refusal, oauth.InvalidRequest)
			if got != "" {
				t.Errorf("refused, but returned %q", got)
			}
			return
		}
		kind, value, _ := strings.Cut(string(got), ":")
		if value != text || kind != "S256" && kind != "plain" {
			t.Errorf("%q with method %q became %q", text, method, got)
		}
		if (kind == "plain") != (method != "S256") || kind == "plain" && !plain {
			t.Errorf("method %q was read as %s (plain allowed: %v)", method, kind, plain)
		}
		if kind == "S256" && len(text) != 43 {
			t.Errorf("S256 with %d characters", len(text))
		}
		if got.Verify("") {
			t.Errorf("%q is answered by no verifier", got)
		}
		if kind == "plain" && !got.Verify(text) {
			t.Errorf("%q is not answered by itself", got)
		}
	})
}
