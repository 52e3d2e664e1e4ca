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

// Site is what a caller with IPv6 may have 65,536 networks of: limits that count networks alone would be none for it. Of
// IPv4, and of what is no address, there is no site.
func Site(ip string) string {
	addr, err := netip.ParseAddr(ip)
	if err != nil || addr.Unmap().Is4() {
		return ""
	}
	prefix, _ := addr.WithZone("").Prefix(48)
	return prefix.String()
}
