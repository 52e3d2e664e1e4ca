// Package oauthtest owns what tests of redirect URIs share: what attackers make of a registered one, and which of it is the
// registered one after all. Who compares them, and what follows, is left to the tests.
package oauthtest

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// Mutations returns what the URI becomes by one small change: every character left out, doubled, in the other case,
// percent-encoded or replaced, characters put in everywhere, and the host, port and path games attackers play.
func Mutations(uri string) []string {
	var all []string
	for i := range uri {
		c, before, after := uri[i:i+1], uri[:i], uri[i+1:]
		all = append(all, before+after, before+c+c+after, before+strings.ToUpper(c)+after, before+strings.ToLower(c)+after,
			before+fmt.Sprintf("%%%02x", c[0])+after, before+fmt.Sprintf("%%%02X", c[0])+after)
		for _, x := range []string{"/", ".", "@", ":", "?", "#", "\\", "%", "*", " ", "\t", "\n", "\x00", "é", "\u200b", "x", ";", "&", "%2f", ":80", ":8080"} {
			all = append(all, before+x+c+after, before+x+after)
		}
	}
	scheme, rest, _ := strings.Cut(uri, ":")
	for _, s := range []string{"http", "https", "ftp", "javascript", "data", "vbscript", "file", "blob", strings.ToUpper(scheme)} {
		all = append(all, s+":"+rest)
	}
	if host, path, ok := strings.Cut(strings.TrimPrefix(rest, "//"), "/"); ok && strings.HasPrefix(rest, "//") {
		for _, h := range []string{host + ".", host + ":443", host + ":80", host + ":", host + ".evil.test", "evil.test/" + host, "evil." + host,
			host + "@evil.test", host + ":x@evil.test", "evil.test@" + host, `evil.test\@` + host, "evil.test#@" + host, "evil.test?@" + host,
			host + "%00.evil.test", host + "%2eevil.test", "[" + host + "]", strings.ToUpper(host), "xn--" + host, "0x7f000001", "2130706433",
			"127.1", "127.0.0.1", "127.0.0.2", "localhost", "localhost.", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", ""} {
			all = append(all, scheme+"://"+h+"/"+path)
		}
		for _, p := range []string{"", "/" + path, "./" + path, "../" + path, "a/../" + path, "%2e%2e/" + path, path + "/", path + "/..", path + "/..;/x",
			path + ";x", path + "?x=1", path + "&x=1", path + "#f", path + "%00", path + "%20", path + "/../../evil", "*", "?" + path, "#" + path} {
			all = append(all, scheme+"://"+host+"/"+p)
		}
	}
	return append(all, uri+" ", " "+uri, uri+"\r\n", uri+uri, uri+","+uri, uri+" "+uri, "//"+rest, rest, url.QueryEscape(uri), "*", ".*", uri+".*")
}

// Loopback is RFC 8252 §7.3 said once more, from the other end: it reports whether given is the registered URI with a port written
// after its loopback host.
func Loopback(registered, given string) bool {
	for _, host := range []string{"http://127.0.0.1", "http://[::1]", "http://localhost"} {
		rest, ok := strings.CutPrefix(registered, host)
		if !ok || rest != "" && rest[0] != '/' && rest[0] != '?' {
			continue
		}
		n, _ := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(given, host+":"), rest))
		return n >= 1 && n <= 65535 && given == fmt.Sprintf("%s:%d%s", host, n, rest)
	}
	return false
}
