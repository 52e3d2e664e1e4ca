package oauth_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"latchkey/domain/oauth"
)

func TestParseScope(t *testing.T) {
	var most []string
	for i := range oauth.MaxScopeTokens {
		most = append(most, fmt.Sprintf("s%d", i))
	}
	for _, c := range []struct {
		name, in string
		want     oauth.Scope
		code     oauth.ErrorCode
	}{
		{"none", "", "", ""},
		{"spaces only", "   ", "", ""},
		{"one", "openid", "openid", ""},
		{"order is kept", "email openid profile", "email openid profile", ""},
		{"repeated tokens collapse", "openid email openid", "openid email", ""},
		{"case matters", "openid OpenID", "openid OpenID", ""},
		{"runs of spaces", "  openid   email ", "openid email", ""},
		{"every allowed character class", "!#[]~ https://api.test/read:all", "!#[]~ https://api.test/read:all", ""},
		{"quote", `openid "x"`, "", oauth.InvalidScope},
		{"backslash", `a\b`, "", oauth.InvalidScope},
		{"tab is no separator", "openid\temail", "", oauth.InvalidScope},
		{"newline", "openid\nemail", "", oauth.InvalidScope},
		{"NUL", "openid\x00", "", oauth.InvalidScope},
		{"DEL", "openid\x7f", "", oauth.InvalidScope},
		{"not ASCII", "openid é", "", oauth.InvalidScope},
		{"no-break space", "openid\u00a0email", "", oauth.InvalidScope},
		{"not UTF-8", "openid \xff", "", oauth.InvalidScope},
		{"as many tokens as allowed", strings.Join(most, " "), oauth.Scope(strings.Join(most, " ")), ""},
		{"one token more", strings.Join(append(most, "more"), " "), "", oauth.InvalidScope},
		{"one token more, all the same", strings.Repeat("a ", oauth.MaxScopeTokens+1), "", oauth.InvalidScope},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, refusal := oauth.ParseScope(c.in)
			wantError(t, refusal, c.code)
			if got != c.want {
				t.Errorf("got %q; want %q", got, c.want)
			}
		})
	}
}

func TestScopeSets(t *testing.T) {
	const s oauth.Scope = "openid email"
	for _, c := range []struct {
		name      string
		got, want any
	}{
		{"has", s.Has("email"), true},
		{"has no prefix", s.Has("mail"), false},
		{"has nothing empty", s.Has(""), false},
		{"has no two at once", s.Has("openid email"), false},
		{"the empty scope has nothing", oauth.Scope("").Has(""), false},
		{"covers itself", s.Covers(s), true},
		{"covers in any order", s.Covers("email openid"), true},
		{"covers nothing", s.Covers(""), true},
		{"does not cover more", s.Covers("openid profile"), false},
		{"without", s.Without("openid"), oauth.Scope("email")},
		{"without all", s.Without("email openid"), oauth.Scope("")},
		{"only", s.Only("profile email"), oauth.Scope("email")},
		{"plus keeps order and repeats nothing", s.Plus("email profile"), oauth.Scope("openid email profile")},
		{"plus nothing", s.Plus(""), s},
		{"nothing plus", oauth.Scope("").Plus(s), s},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %v; want %v", c.name, c.got, c.want)
		}
	}
	if got := s.List(); !slices.Equal(got, []string{"openid", "email"}) {
		t.Errorf("List: %q", got)
	}
}

// A scope is parsed once: what was printed reads back as itself, in any size.
func FuzzParseScope(f *testing.F) {
	for _, s := range []string{"", " ", "openid", "openid  email openid", "a\tb", "\"", "é", "a b c a b c"} {
		f.Add(s, 1)
		f.Add(s, 100_000/max(len(s), 1)) // hostile in size, small for the fuzzer
	}
	f.Fuzz(func(t *testing.T, block string, times int) {
		s := strings.Repeat(block, min(max(times, 1), 100_000/max(len(block), 1)+1))
		scope, refusal := oauth.ParseScope(s)
		if refusal != nil {
			if scope != "" {
				t.Errorf("refused, but returned %q", scope)
			}
			return
		}
		again, refusal := oauth.ParseScope(string(scope))
		if refusal != nil || again != scope {
			t.Errorf("%d times %q was printed as %q, which reads as %q (%v)", times, block, scope, again, refusal)
		}
		tokens := scope.List()
		if len(tokens) > oauth.MaxScopeTokens || strings.Join(tokens, " ") != string(scope) {
			t.Errorf("%q: %d tokens %q", scope, len(tokens), tokens)
		}
		for i, token := range tokens {
			if !scope.Has(token) || slices.Contains(tokens[:i], token) || !strings.Contains(s, token) {
				t.Errorf("%q: token %q is repeated, missing or made up", scope, token)
			}
		}
		if !scope.Covers(scope) || scope.Without(scope) != "" || scope.Plus(scope) != scope || scope.Only(scope) != scope {
			t.Errorf("%q is not equal to itself", scope)
		}
	})
}

// The cost of a hostile scope grows with its length, not with its square: what is allocated for ten times the input stays
// within ten times, and refusing early keeps it small.
func TestParseScopeIsLinear(t *testing.T) {
	cost := func(n int) float64 {
		s := strings.Repeat("a", n)
		for i := range oauth.MaxScopeTokens - 1 {
			s += fmt.Sprintf(" %d%s", i, strings.Repeat("b", n/oauth.MaxScopeTokens))
		}
		return testing.AllocsPerRun(5, func() { oauth.ParseScope(s) })
	}
	if small, large := cost(100), cost(100_000); large > small+20 {
		t.Errorf("allocations grow with the length: %v for 100 bytes, %v for 100 KB", small, large)
	}
}
