package outbound

import (
	"context"
	"net/netip"
	"slices"
	"syscall"

	"latchkey/ports"
)

// denied are the networks that nobody outside reaches, and those that lead to them by another name. Of IPv6 only the part
// that is given out to the public is not denied.
var denied = prefixes(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
	"192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
	"::/3", "4000::/2", "8000::/1",
	"2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20") // 2001::/32 is Teredo, 2002::/16 is 6to4: both hold an IPv4 address

// metadata are the addresses at which cloud machines give out their credentials. No network that is allowed opens them.
var metadata = prefixes("169.254.169.254/32", "169.254.170.2/32", "169.254.170.23/32", "100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32",
	"fd00:ec2::254/128", "fd00:ec2::23/128", "fd20:ce::254/128")

// nat64 is where IPv6-only networks keep the IPv4 internet (RFC 6052 §2.1, RFC 8215).
var nat64 = prefixes("64:ff9b::/96", "64:ff9b:1::/48")

func prefixes(texts ...string) []netip.Prefix {
	var all []netip.Prefix
	for _, t := range texts {
		all = append(all, netip.MustParsePrefix(t))
	}
	return all
}

func within(networks []netip.Prefix, addr netip.Addr) bool {
	return slices.ContainsFunc(networks, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// mayReach reports whether a connection to the address may be made. Plain HTTP goes to this machine only, where nobody is
// in between.
func (c *Client) mayReach(addr netip.Addr, plain bool) bool {
	if addr.Zone() != "" { // an address of the link, whatever it looks like
		return false
	}
	addr = addr.Unmap()
	allowed := within(c.allow, addr)
	switch {
	case !addr.IsValid(), within(metadata, addr), plain && !addr.IsLoopback():
		return false
	case allowed && within(nat64, addr): // what is allowed is the way, not everything at its end
		last := addr.As16()
		return c.mayReach(netip.AddrFrom4([4]byte(last[12:])), plain)
	}
	return allowed || !within(denied, addr)
}

// control is called with the final address of every connection before its first packet, so that neither names, nor
// redirects, nor answers of the DNS that change between two questions lead anywhere else.
func (c *Client) control(plain bool) func(context.Context, string, string, syscall.RawConn) error {
	return func(_ context.Context, _, address string, _ syscall.RawConn) error {
		if to, err := netip.ParseAddrPort(address); err != nil || !c.mayReach(to.Addr(), plain) {
			return ports.ErrAddressDenied
		}
		return nil
	}
}
