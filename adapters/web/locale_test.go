package web

import (
	"slices"
	"strings"
	"testing"
)

func TestChooseLocale(t *testing.T) {
	tests := []struct {
		name, uiLocales, cookie, accept string
		want                            locale
	}{
		{"nothing said", "", "", "", english},
		{"ui_locales wins over all", "id", "en", "en", indonesian},
		{"ui_locales in order of preference", "fr id en", "", "", indonesian},
		{"ui_locales with a region", "id-ID", "en", "en-GB", indonesian},
		{"ui_locales in capitals", "ID-id", "", "", indonesian},
		{"ui_locales with a script", "id-Latn-ID", "", "", indonesian},
		{"ui_locales we do not have", "fr-CA de", "id", "en", indonesian},
		{"ui_locales that only begins alike", "idx english", "", "id", indonesian},
		{"old code for Indonesian", "in-ID", "", "", indonesian},
		{"cookie before the browser", "", "id", "en", indonesian},
		{"cookie with rubbish", "", "\x00;id", "id-ID,id;q=0.9", indonesian},
		{"browser in Britain", "", "", "en-GB,en;q=0.9,id;q=0.8", english},
		{"browser in Jakarta", "", "", "id-ID,id;q=0.9,en-US;q=0.8,en;q=0.7", indonesian},
		{"quality decides, not order", "", "", "en;q=0.3, id;q=0.8", indonesian},
		{"first of equals", "", "", "id;q=0.5,en;q=0.5", indonesian},
		{"quality zero refuses", "", "", "id;q=0", english},
		{"quality above one is no quality", "", "", "id;q=7,en;q=0.1", english},
		{"quality that is not a number", "", "", "id;q=NaN", english},
		{"another parameter", "", "", "id;level=1", english},
		{"any language", "", "", "*", english},
		{"unknown before known", "", "", "jv,su;q=0.9,id;q=0.1", indonesian},
		{"beyond the bound", "", "", strings.Repeat("fr,", maxLanguageRanges) + "id", english},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := chooseLocale(test.uiLocales, test.cookie, test.accept); got != test.want {
				t.Errorf("chooseLocale(%q, %q, %q) = %q, want %q", test.uiLocales, test.cookie, test.accept, got, test.want)
			}
		})
	}
}

// Whatever arrives, the answer is a language we have, and asking again for that answer gives it back.
func FuzzChooseLocale(f *testing.F) {
	f.Add("id-ID en", "id", "id-ID,id;q=0.9,en;q=0.8")
	f.Add("", "", "*;q=0.5, in;q=1.000")
	f.Add("\xff", "-", ";;q==,,q")
	f.Fuzz(func(t *testing.T, uiLocales, cookie, accept string) {
		got := chooseLocale(uiLocales, cookie, accept)
		if !slices.Contains(locales, got) {
			t.Fatalf("chose %q, which has no pages", got)
		}
		if again := chooseLocale(string(got), cookie, accept); again != got {
			t.Fatalf("asked for %q by name, got %q", got, again)
		}
		if again := chooseLocale(uiLocales, cookie, accept); again != got {
			t.Fatalf("the same request chose %q, then %q", got, again)
		}
	})
}
