package doctor

import (
	"net/url"
	"strconv"
	"strings"

	"latchkey/domain/oauth"
)

// quote writes a word so that a POSIX shell takes it as it is.
func quote(s string) string {
	plain := s != "" && s[0] != '-' && strings.IndexFunc(s, func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+:,@%=[]", r)
	}) < 0 && !strings.ContainsAny(s, "[]")
	if plain {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// on returns a command of ours on the database of the subject.
func (s Subject) on(command string) string {
	return "latchkey " + command + " --db " + quote(s.Database)
}

// withKey returns a command of ours that needs the master key as well.
func (s Subject) withKey(command string) string { return s.on(command) + s.key() }

func (s Subject) key() string {
	if s.MasterKey == s.Database+".key" {
		return ""
	}
	return " --master-key " + quote(s.MasterKey)
}

// serve returns the command that serves the subject, after change.
func (s Subject) serve(change func(*Subject)) string {
	if change != nil {
		change(&s)
	}
	switch {
	case s.Issuer == "":
		s.Issuer = "https://id.example.org"
	case len(s.IssuerProblems) > 0: // no command of ours starts with such a one
		s.Issuer = betterIssuer(s.Issuer)
	}
	if strings.HasPrefix(s.Issuer, "http:") { // no proxy is in between, so nobody finds a server at another address
		s.Listen = authority(s.Issuer)
	}
	line := s.withKey("serve") + " --issuer " + quote(s.Issuer) + " --listen " + quote(s.Listen)
	if s.TLSCert != "" {
		line += " --tls-cert " + quote(s.TLSCert)
	}
	if s.TLSKey != "" {
		line += " --tls-key " + quote(s.TLSKey)
	}
	if len(s.TrustedProxies) > 0 {
		var all []string
		for _, p := range s.TrustedProxies {
			all = append(all, p.String())
		}
		line += " --trusted-proxies " + quote(strings.Join(all, ","))
	}
	if s.RateLimitScale != 1 {
		line += " --rate-limit-scale " + strconv.FormatFloat(s.RateLimitScale, 'g', -1, 64)
	}
	if s.ClientRateLimit != 0 {
		line += " --client-rate-limit " + strconv.Itoa(s.ClientRateLimit)
	}
	if s.Metrics != "" {
		line += " --metrics " + quote(s.Metrics)
	}
	return line
}

func (s Subject) usesTLS() bool { return s.TLSCert != "" }

// betterIssuer writes an issuer as it may have been meant.
func betterIssuer(issuer string) string {
	u, err := url.Parse(strings.TrimSpace(issuer))
	if err != nil || u.Host == "" {
		return "https://id.example.org"
	}
	host, port := strings.TrimSuffix(strings.ToLower(u.Hostname()), "."), u.Port()
	scheme := "https"
	if u.Scheme == "http" && oauth.IsLoopbackHost(host) {
		scheme = "http"
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port != "" && !(scheme == "https" && (port == "443" || port == "80")) && !(scheme == "http" && port == "80") {
		host += ":" + port
	}
	path := strings.TrimRight(u.EscapedPath(), "/")
	for strings.Contains(path, "//") {
		path = strings.ReplaceAll(path, "//", "/")
	}
	return scheme + "://" + host + path
}

// fileName is where the file of a command goes: the reader knows a better place than we do.
const fileName = "FILE"

func (s Subject) backup() []string {
	return []string{s.withKey("backup "+fileName) + " && " + s.withKey("backup verify "+fileName)}
}

// restored are the steps from a database that cannot be used to one that can: the first says what would be lost. What was there
// before is kept.
func (s Subject) restored() []string {
	return []string{s.withKey("restore " + fileName), s.withKey("restore "+fileName) + " --yes"}
}

func (s Subject) rolledBack() []string {
	return []string{s.withKey("rollback"), s.withKey("rollback") + " --yes"}
}

// issued returns a command that prints a link under the issuer.
func (s Subject) issued(command string) string {
	if s.Issuer == "" || len(s.IssuerProblems) > 0 {
		s.Issuer = betterIssuer(s.Issuer)
	}
	return s.withKey(command) + " --issuer " + quote(s.Issuer)
}
