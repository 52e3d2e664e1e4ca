package identity

import "net/netip"

// Network is what limits count an address as. IPv6 counts by /64, because one customer has that many addresses to come
// from; an IPv4 address written as IPv6 is itself. Whatever is no address is one caller, never none: a proxy that sends
// nonsense must not lift the limits.
func Network(ip string) string {
	addr, err := netip.ParseAddr(ip)
	switch {
	case err != nil:
		return "unknown"
	case addr.Is4():
		return ip // which has one spelling
	}
	if addr = addr.Unmap(); addr.Is4() {
		return addr.String()
	}
	prefix, _ := addr.WithZone("").Prefix(64)
	return prefix.String()
}
