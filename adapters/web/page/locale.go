package page

import (
	"strconv"
	"strings"
)

// Locale is a language the pages exist in, as a BCP 47 primary language subtag. It is what the `lang` attribute says.
type Locale string

const (
	English    Locale = "en"
	Indonesian Locale = "id"
)

// Locales lists every language in the order the page footer offers them.
var Locales = []Locale{English, Indonesian}

// maxLanguageRanges bounds how much of Accept-Language is looked at: real browsers send fewer than ten ranges, and a
// header of many thousands should not buy work before anyone is signed in.
const maxLanguageRanges = 32

// ChooseLocale picks the language of a page. What the application asked for (ui_locales, OpenID Connect Core 1.0
// section 3.1.2.1: tags in order of preference, separated by spaces) comes first, then the person's earlier choice in
// the cookie, then the browser's Accept-Language (RFC 9110 section 12.5.4), then English. Language is a courtesy, so
// nothing here fails: a tag that cannot be read is passed over.
func ChooseLocale(uiLocales, cookie, acceptLanguage string) Locale {
	for tag := range strings.FieldsSeq(uiLocales) {
		if l, ok := matchLocale(tag); ok {
			return l
		}
	}
	if l, ok := matchLocale(cookie); ok {
		return l
	}
	if l, ok := acceptedLocale(acceptLanguage); ok {
		return l
	}
	return English
}

// matchLocale finds the language of one tag by its primary subtag, so that id-ID is id and en-GB is en (the lookup of
// RFC 4647 section 3.4 comes to this while we have no regional variants). "in" is what Java and old Android still
// call Indonesian.
func matchLocale(tag string) (Locale, bool) {
	primary, _, _ := strings.Cut(strings.TrimSpace(tag), "-")
	switch strings.ToLower(primary) {
	case "en":
		return English, true
	case "id", "in":
		return Indonesian, true
	}
	return "", false
}

// acceptedLocale is the language with the highest quality value; of equals, the first named. A quality of 0 means
// "not this one".
func acceptedLocale(header string) (best Locale, ok bool) {
	bestQuality, seen := 0.0, 0
	for part := range strings.SplitSeq(header, ",") {
		if seen++; seen > maxLanguageRanges {
			break
		}
		tag, parameters, _ := strings.Cut(part, ";")
		l, known := matchLocale(tag)
		quality, valid := languageQuality(parameters)
		if known && valid && quality > bestQuality {
			best, bestQuality, ok = l, quality, true
		}
	}
	return best, ok
}

// languageQuality reads the weight of RFC 9110 section 12.4.2: `q=` and a number from 0 to 1. No weight means 1.
func languageQuality(parameters string) (float64, bool) {
	parameters = strings.TrimSpace(parameters)
	if parameters == "" {
		return 1, true
	}
	name, value, _ := strings.Cut(parameters, "=")
	if !strings.EqualFold(strings.TrimSpace(name), "q") {
		return 0, false
	}
	quality, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
	if err != nil || !(quality >= 0 && quality <= 1) {
		return 0, false
	}
	return quality, true
}
