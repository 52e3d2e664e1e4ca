package doctor

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
)

// private are the networks whose addresses strangers do not have.
var private = []netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"),
	netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("169.254.0.0/16"), netip.MustParsePrefix("fc00::/7"), netip.MustParsePrefix("fe80::/10"),
}

// proxies judges whose word about the visitor's address is taken.
func (j *judge) proxies() {
	s := j.Subject
	local := []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
	if strings.HasPrefix(s.Issuer, "https:") && len(s.IssuerProblems) == 0 && !s.usesTLS() && len(s.TrustedProxies) == 0 {
		j.add(Warning, "proxy.none", "The issuer is https and this server speaks plain HTTP, so a proxy stands in front, and none is trusted.",
			"Every visitor counts as the proxy: one who guesses passwords locks everybody out, and the audit log names nobody's address.",
			"Name the address that the proxy connects from.", s.serve(func(s *Subject) { s.TrustedProxies = local }))
		return
	}
	narrow := true
	for _, p := range s.TrustedProxies {
		if reason := tooWide(p); reason != "" {
			narrow = false
			j.add(Warning, "proxy.wide", fmt.Sprintf("%s is trusted as a proxy: %s.", p, reason),
				"Whoever connects from there can claim any address, and so escapes rate limits and puts others' addresses into the audit log.",
				"Name the addresses of the proxies alone.", s.serve(func(s *Subject) { s.TrustedProxies = local }))
		}
	}
	if narrow && len(s.TrustedProxies) > 0 {
		j.ok("proxy", "Networks of proxies that are trusted: %d, none too wide.", len(s.TrustedProxies))
	}
}

// tooWide says why a network is larger than proxies need, or "".
func tooWide(p netip.Prefix) string {
	if !p.IsValid() || p.Addr().IsLoopback() {
		return ""
	}
	own := false
	for _, network := range private {
		own = own || network.Bits() <= p.Bits() && network.Contains(p.Addr())
	}
	bits := map[bool]int{true: 24, false: 48}[p.Addr().Is4()]
	switch {
	case own && p.Addr().Is4() && p.Bits() <= 8, own && p.Addr().Is6() && p.Bits() < 16:
		return "every address of the private network"
	case !own && p.Bits() < bits:
		return "that many public addresses belong to more people than you"
	}
	return ""
}

// highScale is where limits that are meant for people no longer slow a machine down.
const highScale = 10

func (j *judge) limits() {
	s := j.Subject
	usual := s.serve(func(s *Subject) { s.RateLimitScale = 1 })
	switch {
	case s.RateLimitScale == 0:
		j.add(Warning, "limits.off", "Rate limits are switched off.", "Anybody can guess passwords and secrets as fast as the machine answers.", "Leave --rate-limit-scale away, and LATCHKEY_RATE_LIMIT_SCALE.", usual)
	case s.RateLimitScale > highScale:
		j.add(Warning, "limits.high", fmt.Sprintf("Rate limits are raised to %g times.", s.RateLimitScale), "Guessing passwords and secrets is as many times faster.",
			"Go back to 1, or name the proxies if many people share one address.", usual)
	default:
		j.ok("limits", "Rate limits are on (scale %g), as doctor was told; a server that runs has what it was told itself.", s.RateLimitScale)
	}
}

// authority returns the host and port of a URL.
func authority(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}
