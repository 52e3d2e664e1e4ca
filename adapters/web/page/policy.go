package page

import (
	"net/url"
	"slices"
	"strings"
	"unicode"

	"latchkey/domain/oauth"
)

// contentSecurityPolicy allows our style sheet, our images and those of the given origins, frames of given origins, and
// nothing else.
// Pages whose form can end at an application carry no form-action: Chromium holds it against every later redirect, and
// an application may send the browser on to an origin we cannot know.
func contentSecurityPolicy(images, frames []string, leaves bool) string {
	var policy strings.Builder
	policy.WriteString("default-src 'none'; style-src 'self'; img-src 'self' data:")
	writeOrigins(&policy, images)
	if len(frames) > 0 {
		policy.WriteString("; frame-src")
		writeOrigins(&policy, frames)
	}
	policy.WriteString("; base-uri 'none'; frame-ancestors 'none'")
	if !leaves {
		policy.WriteString("; form-action 'self'")
	}
	return policy.String()
}

// writeOrigins writes the origins of the links, each once.
func writeOrigins(policy *strings.Builder, links []string) {
	var written []string
	for _, link := range links {
		if origin := linkOrigin(link); origin != "" && !slices.Contains(written, origin) {
			written = append(written, origin)
			policy.WriteString(" " + origin)
		}
	}
}

// linkOrigin is the origin of a link. The host is held to the characters of names and addresses, because Go's parser
// lets through the semicolon and the star, with which a registered logo could write its own policy.
func linkOrigin(raw string) string {
	if WebLink(raw) == "" {
		return ""
	}
	u, err := url.Parse(raw)
	if err != nil || strings.Trim(strings.ToLower(u.Host), "abcdefghijklmnopqrstuvwxyz0123456789.-:[]") != "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// WebLink gives back an address that may be shown as a link or an image: https, or http on a loopback host while an
// application is being built. Anything else is dropped, which is what templates test for.
func WebLink(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.User != nil || strings.ContainsFunc(raw, unfitForLink) {
		return ""
	}
	if u.Scheme == "https" || u.Scheme == "http" && oauth.IsLoopbackHost(u.Hostname()) {
		return raw
	}
	return ""
}

// pageLink is a path on this server or a WebLink. "//host" and "/\host" are read by browsers as another server.
func pageLink(raw string) string {
	if !strings.HasPrefix(raw, "/") {
		return WebLink(raw)
	}
	if strings.HasPrefix(raw, "//") || strings.Contains(raw, `\`) || strings.ContainsFunc(raw, unfitForLink) {
		return ""
	}
	return raw
}

func unfitForLink(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsControl(r) || r == unicode.ReplacementChar
}
