package oauth

import "net/netip"

// IsLoopbackHost reports whether a host, without its port, is one of this machine's own: what is sent there passes no network.
// What may be registered is narrower, see CheckRedirectURI.
func IsLoopbackHost(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}
