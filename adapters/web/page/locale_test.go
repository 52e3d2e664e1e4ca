package page

import (
	"slices"
	"strings"
	"testing"
)

func TestChooseLocale(t *testing.T) {
	tests := []struct {
		name, uiLocales, cookie, accept string
		want                            Locale
	}{
		{"nothing said", "", "", "", English},
		{"ui_locales wins over all", "id", "en", "en", Indonesian},
		{"ui_locales in order of preference", "fr id en", "", "", Indonesian},
		{"ui_locales with a region", "id-ID", "en", "en-GB", Indonesian},
		{"ui_locales in capitals", "ID-id", "", "", Indonesian},
		{"ui_locales with a script", "id-Latn-ID", "", "", Indonesian},
		{"ui_locales we do not have", "fr-CA de", "id", "en", Indonesian},
		{"ui_locales that only begins alike", "idx english", "", "id", Indonesian},
		{"old code for Indonesian", "in-ID", "", "", Indonesian},
		{"cookie before the browser", "", "id", "en", Indonesian},
		{"cookie with rubbish", "", "\x00;id", "id-ID,id;q=0.9", Indonesian},
		{"browser in Britain", "", "", "en-GB,en;q=0.9,id;q=0.8", English},
		{"browser in Jakarta", "", "", "id-ID,id;q=0.9,en-US;q=0.8,en;q=0.7", Indonesian},
		{"quality decides, not order", "", "", "en;q=0.3, id;q=0.8", Indonesian},
		{"first of equals", "", "", "id;q=0.5,en;q=0.5", Indonesian},
		{"quality zero refuses", "", "", "id;q=0", English},
		{"quality above one is no quality", "", "", "id;q=7,en;q=0.1", English},
		{"quality that is not a number", "", "", "id;q=NaN", English},
		{"another parameter", "", "", "id;level=1", English},
		{"any language", "", "", "*", English},
		{"unknown before known", "", "", "jv,su;q=0.9,id;q=0.1", Indonesian},
		{"beyond the bound", "", "", strings.Repeat("fr,", maxLanguageRanges) + "id", English},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := ChooseLocale(test.uiLocales, test.cookie, test.accept); got != test.want {
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
		got := ChooseLocale(uiLocales, cookie, accept)
		if !slices.Contains(Locales, got) {
			t.Fatalf("chose %q, which has no pages", got)
		}
		if again := ChooseLocale(string(got), cookie, accept); again != got {
			t.Fatalf("asked for %q by name, got %q", got, again)
		}
		if again := ChooseLocale(uiLocales, cookie, accept); again != got {
			t.Fatalf("the same request chose %q, then %q", got, again)
		}
	})
}
