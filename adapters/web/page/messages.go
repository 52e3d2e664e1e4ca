package page

import (
	"fmt"
	"maps"
	"strings"
)

// Message names one text of the catalogue. Every id exists in every language; a test fails when one does not.
//
// A message is a short statement of what is so, without a full stop where it can stand as a heading. The same id with
// ".next" is the sentence that says what to do about it, so that no page is a dead end. The same id with ".one" is used
// when its first argument is the number 1.
// Arguments stand in a text as {1}, {2}.
type Message string

// texts are words by language.
type texts map[Locale]map[Message]string

// families are all texts, those of pages that belong together in one file.
var families = []texts{sharedTexts, loginTexts, consentTexts, homeTexts, setupTexts, factorTexts, passkeyTexts,
	accountTexts, activityTexts, logoutTexts, errorTexts, codeTexts, adminTexts}

// catalogue holds all texts.
var catalogue = merged(families)

func merged(families []texts) texts {
	all := texts{}
	for _, l := range Locales {
		all[l] = map[Message]string{}
		for _, family := range families {
			maps.Copy(all[l], family[l])
		}
	}
	return all
}

// Next is the message that says what to do about this one.
func (id Message) Next() Message { return id + ".next" }

// field is the form field a problem is about, or "" when it is not in a field.
func (id Message) field() string {
	switch group, _, _ := strings.Cut(string(id), "."); {
	case id == MsgPasswordMismatch:
		return "password_again"
	case group == "one_time":
		return "code"
	case group == "username" || group == "email" || group == "password" || group == "current":
		return group
	}
	return ""
}

// Text is the message in this language with its arguments in place. Line breaks, other control characters and the
// marks that reorder text are taken out of string arguments: names come from applications and people, and must not
// change how the sentence around them reads. Escaping is left to html/template.
func (l Locale) Text(id Message, args ...any) (string, error) {
	if len(args) > 0 && args[0] == 1 {
		if _, ok := catalogue[l][id+".one"]; ok {
			id += ".one"
		}
	}
	text, ok := catalogue[l][id]
	if !ok {
		return "", fmt.Errorf("message %q does not exist in %q", id, l)
	}
	if len(args) == 0 {
		return text, nil
	}
	pairs := make([]string, 0, 2*len(args))
	for i, arg := range args {
		pairs = append(pairs, fmt.Sprintf("{%d}", i+1), PlainText(fmt.Sprint(arg)))
	}
	return strings.NewReplacer(pairs...).Replace(text), nil
}

// PlainText takes out of a text what would change how those around it read: control characters, line breaks among them, and the
// marks that reorder text.
func PlainText(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r < 0x20 || r >= 0x7f && r < 0xa0: // control characters
			return ' '
		case r == 0x200e || r == 0x200f || r == 0x061c, // direction marks
			r >= 0x202a && r <= 0x202e, // embeddings and overrides
			r >= 0x2066 && r <= 0x2069: // isolates
			return -1
		}
		return r
	}, s)
}
