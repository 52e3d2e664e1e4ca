package oauth

import (
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// URIDifferenceKind names one way in which a redirect URI differs from a registered one. The words for people are made
// elsewhere, in their language.
type URIDifferenceKind string

const (
	DiffSpace        URIDifferenceKind = "space"         // white space around it
	DiffEncoded      URIDifferenceKind = "encoded"       // percent-encoded once more or once less
	DiffScheme       URIDifferenceKind = "scheme"        // http and https, say
	DiffUserInfo     URIDifferenceKind = "user_info"     // a name before the host
	DiffWWW          URIDifferenceKind = "www"           // www. before one of the hosts
	DiffLoopback     URIDifferenceKind = "loopback"      // two names of this machine
	DiffHost         URIDifferenceKind = "host"          //
	DiffPort         URIDifferenceKind = "port"          // Received and Expected are empty without one
	DiffUsualPort    URIDifferenceKind = "usual_port"    // the scheme's own port is written out in one of them
	DiffCase         URIDifferenceKind = "case"          // capital and small letters, of scheme, host or path
	DiffSlashExtra   URIDifferenceKind = "slash_extra"   // a slash at the end that the registered one lacks
	DiffSlashMissing URIDifferenceKind = "slash_missing" // and the other way round
	DiffSlashDouble  URIDifferenceKind = "slash_double"  // two slashes where the other has one
	DiffPathMissing  URIDifferenceKind = "path_missing"  // only the host was sent
	DiffPath         URIDifferenceKind = "path"          //
	DiffQueryExtra   URIDifferenceKind = "query_extra"   // Received is the query
	DiffQueryMissing URIDifferenceKind = "query_missing" // Expected is the query
	DiffQuery        URIDifferenceKind = "query"         //
	DiffFragment     URIDifferenceKind = "fragment"      // Received is what follows the #
	DiffMark         URIDifferenceKind = "mark"          // a mark such as ? or # with nothing after it
	DiffCharacter    URIDifferenceKind = "character"     // one character: Received instead of Expected at At; empty: none
)

// differenceCost says how far apart a difference puts two URIs, to find the nearest.
var differenceCost = map[URIDifferenceKind]int{DiffSpace: 1, DiffEncoded: 1, DiffUsualPort: 1, DiffCase: 1, DiffSlashExtra: 1, DiffSlashMissing: 1,
	DiffSlashDouble: 1, DiffMark: 1, DiffCharacter: 2, DiffWWW: 2, DiffLoopback: 2, DiffFragment: 2, DiffUserInfo: 3, DiffPort: 3, DiffScheme: 3, DiffQueryExtra: 3,
	DiffQueryMissing: 3, DiffQuery: 3, DiffPathMissing: 5, DiffPath: 6, DiffHost: 12}

// URIDifference is one difference between a URI that was received and a registered one.
type URIDifference struct {
	Kind     URIDifferenceKind
	Received string
	Expected string
	At       int // DiffCharacter: which character of the whole received URI, from 1
}

// NearestRedirectURI returns the registered URI that was most likely meant, and how the received one differs from it; none
// when nothing is registered. It is for the operator: what decides is MatchRedirectURI.
func NearestRedirectURI(registered []string, received string) (nearest string, differences []URIDifference) {
	least := -1
	for _, r := range registered {
		found := RedirectURIDifferences(r, received)
		cost := 0
		for _, d := range found {
			cost += differenceCost[d.Kind]
		}
		// Of two equally far ones, that which begins alike for longer.
		if cost = cost*4096 - commonPrefix(r, received); least == -1 || cost < least {
			nearest, differences, least = r, found, cost
		}
	}
	return nearest, differences
}

// RedirectURIDifferences says how a received URI differs from a registered one, from left to right; nothing when they match.
func RedirectURIDifferences(registered, received string) []URIDifference {
	switch decoded, err := url.PathUnescape(received); {
	case registered == received || matchLoopback(registered, received):
		return nil
	case strings.TrimSpace(received) == registered:
		return []URIDifference{{Kind: DiffSpace}}
	case err == nil && decoded != received && (decoded == registered || sameDecoded(registered, decoded)):
		return []URIDifference{{Kind: DiffEncoded}}
	}
	if d, ok := oneCharacter(registered, received); ok {
		return []URIDifference{d}
	}
	e, g := splitURI(registered), splitURI(received)
	var all []URIDifference
	add := func(kind URIDifferenceKind, received, expected string) {
		all = append(all, URIDifference{Kind: kind, Received: received, Expected: expected})
	}
	switch {
	case g.scheme == e.scheme:
	case strings.EqualFold(g.scheme, e.scheme):
		add(DiffCase, g.scheme, e.scheme)
	default:
		add(DiffScheme, g.scheme, e.scheme)
	}
	if g.user != e.user {
		add(DiffUserInfo, g.user, "")
	}
	switch {
	case g.host == e.host:
	case strings.EqualFold(g.host, e.host):
		add(DiffCase, g.host, e.host)
	case "www."+g.host == e.host, "www."+e.host == g.host:
		add(DiffWWW, g.host, e.host)
	case isLoopback(strings.Trim(g.host, "[]")) && isLoopback(strings.Trim(e.host, "[]")):
		add(DiffLoopback, g.host, e.host)
	default:
		add(DiffHost, g.host, e.host)
	}
	switch anyPort := e.scheme == "http" && e.port == "" && isLoopback(strings.Trim(e.host, "[]")); {
	case g.port == e.port, anyPort && g.port != "":
	case usualPort(g) == usualPort(e) && g.scheme == e.scheme:
		add(DiffUsualPort, g.port, e.port)
	default:
		add(DiffPort, g.port, e.port)
	}
	all = append(all, pathDifference(e.path, g.path)...)
	switch {
	case g.query == e.query:
	case e.query == "":
		add(DiffQueryExtra, g.query, "")
	case g.query == "":
		add(DiffQueryMissing, "", e.query)
	default:
		add(DiffQuery, g.query, e.query)
	}
	if g.fragment != "" {
		add(DiffFragment, g.fragment, "")
	}
	if len(all) == 0 {
		add(DiffMark, "", "")
	}
	return all
}

// sameDecoded reports whether two URIs are the same once the escapes of both are read.
func sameDecoded(registered, decoded string) bool {
	r, err := url.PathUnescape(registered)
	return err == nil && r == decoded
}

func pathDifference(expected, received string) []URIDifference {
	d := URIDifference{Received: received, Expected: expected}
	switch {
	case received == expected:
		return nil
	case strings.EqualFold(received, expected):
		d.Kind = DiffCase
	case received == expected+"/":
		d.Kind = DiffSlashExtra
	case received+"/" == expected:
		d.Kind = DiffSlashMissing
	case strings.ReplaceAll(received, "//", "/") == strings.ReplaceAll(expected, "//", "/"):
		d.Kind = DiffSlashDouble
	case received == "" || received == "/":
		d.Kind = DiffPathMissing
	default:
		d.Kind = DiffPath
	}
	return []URIDifference{d}
}

// oneCharacter finds the one character in which two URIs differ, when no better name for the difference exists.
func oneCharacter(registered, received string) (URIDifference, bool) {
	e, g := []rune(registered), []rune(received)
	at := 0
	for at < min(len(e), len(g)) && e[at] == g[at] {
		at++
	}
	d := URIDifference{Kind: DiffCharacter, At: at + 1}
	switch {
	case len(e) == len(g) && at < len(e) && slices.Equal(e[at+1:], g[at+1:]):
		d.Expected, d.Received = string(e[at]), string(g[at])
	case len(g) == len(e)+1 && slices.Equal(e[at:], g[at+1:]):
		d.Received = string(g[at])
	case len(g)+1 == len(e) && slices.Equal(e[at+1:], g[at:]):
		d.Expected = string(e[at])
	default:
		return d, false
	}
	// The scheme, a port, a slash, the case of a letter, ? and # have names that say more.
	_, afterScheme, _ := strings.Cut(received, "://")
	inScheme := at < utf8.RuneCountInString(received)-utf8.RuneCountInString(afterScheme)
	plain := !inScheme && !strings.EqualFold(d.Expected, d.Received) && !strings.ContainsAny(d.Expected+d.Received, "/:?#@")
	return d, plain && splitURI(registered).port == splitURI(received).port
}

// uriParts are the parts of a URI as it was written: nothing is decoded, and nothing is too malformed to be compared.
type uriParts struct{ scheme, user, host, port, path, query, fragment string }

func splitURI(s string) uriParts {
	var u uriParts
	s, u.fragment, _ = strings.Cut(s, "#")
	s, u.query, _ = strings.Cut(s, "?")
	scheme, rest, found := strings.Cut(s, "://")
	if !found {
		if scheme, rest, found = strings.Cut(s, ":"); found {
			u.scheme, u.path = scheme, rest // com.example.app:/cb
			return u
		}
		u.path = s
		return u
	}
	u.scheme = scheme
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		rest, u.path = rest[:i], rest[i:]
	}
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		u.user, rest = rest[:i], rest[i+1:]
	}
	u.host = rest
	if i := strings.LastIndexByte(rest, ':'); i > strings.LastIndexByte(rest, ']') {
		u.host, u.port = rest[:i], rest[i+1:]
	}
	return u
}

func usualPort(u uriParts) string {
	if u.port == "" {
		return map[string]string{"https": "443", "http": "80"}[u.scheme]
	}
	return u.port
}

func commonPrefix(a, b string) int {
	n := 0
	for n < min(len(a), len(b), 4000) && a[n] == b[n] {
		n++
	}
	return n
}
