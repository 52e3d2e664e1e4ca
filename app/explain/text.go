package explain

import (
	"fmt"
	"strings"
	"unicode"

	"latchkey/domain/oauth"
)

// words are what is said of a cause, in one language. {client}, {received} and {expected} stand for what was recorded.
type words struct {
	Summary string // one line: what was wrong
	Rule    string // what is asked, and why
	Mistake string // what usually leads here
	Fix     string // what to change, and where
}

// texts is every cause in every language; "en" stands in for a language that is not there.
var texts = map[string]map[Cause]words{"en": english, "id": indonesian}

// phrases are the other sentences, by name: a difference of a redirect URI under its kind.
var phrases = map[string]map[string]string{"en": englishPhrases, "id": indonesianPhrases}

// commands are what an administrator of this provider runs, where there is one command for a cause.
var commands = map[Cause]string{
	"redirect_mismatch":       edit + "--add redirect_uris=URL",
	"logout_redirect":         edit + "--add post_logout_redirect_uris=URL",
	"scope_unregistered":      edit + "--add scope=SCOPE",
	"response_type":           edit + "--add response_types=code",
	"grant_type_unregistered": edit + "--add grant_types=GRANT_TYPE",
	"state_missing":           edit + "--set require_state=false",
	"nonce_missing":           edit + "--set require_nonce=false",
	"pkce_missing":            edit + "--set require_pkce=false",
	"pkce_plain":              edit + "--set allow_plain_pkce=true",
	"auth_method":             edit + "--set token_endpoint_auth_method=",
	"auth_no_secret":          edit + "--set token_endpoint_auth_method=none",
	"auth_public_secret":      "latchkey apply FILE",
	"logout_no_channel":       edit + "--set backchannel_logout_uri=URL",

	"client_unknown":  "latchkey client add {client} --redirect-uri URL",
	"client_disabled": "latchkey client enable {client}",
	"secret_wrong":    "latchkey client rotate-secret {client}",
	"user_disabled":   "latchkey user enable USERNAME",
	"refresh_revoked": "latchkey family show {family}", "refresh_replayed": "latchkey family show {family}", "bearer_revoked": "latchkey family show {family}",
	"code_expired": "latchkey doctor", "from_future": "latchkey doctor", "cookie_missing": "latchkey doctor", "form_foreign": "latchkey doctor",
}

// edit changes one member of a registration. What strangers sent is not filled in: whoever runs it reads what was received
// first, and decides whether it is theirs.
const edit = "latchkey client edit {client} "

// fill puts what was recorded into a sentence, each value so that it can be seen.
func fill(sentence string, values ...string) string {
	pairs := make([]string, len(values))
	for i, v := range values {
		if pairs[i] = v; i%2 == 1 {
			pairs[i] = visible(v)
		}
	}
	return strings.NewReplacer(pairs...).Replace(sentence)
}

// visible writes what strangers sent so that it neither commands a terminal nor reorders a page, and hides nothing: a line
// break at the end of a URI is what somebody may be looking for (WB-07).
func visible(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r != ' ' && (!unicode.IsPrint(r) || unicode.Is(unicode.Bidi_Control, r)):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// argument is a client_id as it may stand in a command that somebody copies: whoever sends requests chooses client_ids, and a
// shell would run what is in them. Any other is left for the reader to fill in, as placeholder.
func argument(client, placeholder string) string {
	const safe = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._~"
	if client == "" || strings.Trim(client, safe+"-") != "" || client[0] == '-' {
		return placeholder
	}
	return client
}

// say puts a difference into words.
func say(language string, d oauth.URIDifference) string {
	name := "diff." + string(d.Kind)
	switch {
	case d.Kind == oauth.DiffCharacter && d.Received == "":
		name += ".missing"
	case d.Kind == oauth.DiffCharacter && d.Expected == "":
		name += ".extra"
	case d.Kind == oauth.DiffPort && d.Received == "":
		name += ".missing"
	case d.Kind == oauth.DiffPort && d.Expected == "", d.Kind == oauth.DiffUsualPort && d.Expected == "":
		name += ".extra"
	}
	return fill(phrases[language][name], "{received}", d.Received, "{expected}", d.Expected, "{at}", fmt.Sprint(d.At))
}
