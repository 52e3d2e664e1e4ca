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

// translated are the networks whose addresses end in an IPv4 address, to which a gateway takes what is sent to them:
// IPv4-compatible (RFC 4291 §2.5.5.1), IPv4-translated (RFC 7915), and where IPv6-only networks keep the IPv4 internet
// (RFC 6052 §2.1, RFC 8215). tunnelled are those whose addresses hold one elsewhere: 6to4 (RFC 3056) and Teredo (RFC 4380).
var (
	translated = prefixes("::/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48")
	localNAT64 = netip.MustParsePrefix("64:ff9b:1::/48")
	sixToFour  = netip.MustParsePrefix("2002::/16")
	teredo     = netip.MustParsePrefix("2001::/32")
)

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

// httpsPort is where strangers are talked to: what answers at other ports of a public address may be no web server.
const httpsPort = 443

// mayReach says why a connection may not be made, or nil. Plain HTTP goes to this machine only, where nobody is in between.
func (c *Client) mayReach(to netip.AddrPort, plain bool) error {
	addr := to.Addr().Unmap()
	named := within(c.allow, addr)
	switch {
	case to.Addr().Zone() != "": // an address of the link, whatever it looks like
		return ports.ErrAddressDenied
	case !addr.IsValid(), within(metadata, addr), plain && !addr.IsLoopback(), !named && within(denied, addr):
		return ports.ErrAddressDenied
	case !named && to.Port() != httpsPort:
		return ports.ErrPortDenied
	case !named:
		return nil
	case localNAT64.Contains(addr) && !slices.ContainsFunc(c.allow, func(p netip.Prefix) bool { return p.Bits() >= 96 && p.Contains(addr) }):
		return ports.ErrAddressDenied // a shorter prefix does not say where the IPv4 address is (RFC 6052 §2.2)
	}
	for _, end := range ends(addr) { // what is allowed is the way, not everything at its end
		if err := c.mayReach(netip.AddrPortFrom(end, to.Port()), plain); err != nil {
			return err
		}
	}
	return nil
}

// ends returns the IPv4 addresses that an IPv6 address holds, to which what is sent there goes on.
func ends(addr netip.Addr) []netip.Addr {
	b := addr.As16()
	at := func(i int, mask byte) netip.Addr {
		return netip.AddrFrom4([4]byte{b[i] ^ mask, b[i+1] ^ mask, b[i+2] ^ mask, b[i+3] ^ mask})
	}
	switch {
	case addr.IsLoopback() || addr.IsUnspecified():
		return nil
	case within(translated, addr):
		return []netip.Addr{at(12, 0)}
	case sixToFour.Contains(addr):
		return []netip.Addr{at(2, 0)}
	case teredo.Contains(addr):
		return []netip.Addr{at(4, 0), at(12, 0xff)} // the server, and the client behind it, written inverted
	}
	return nil
}

// control is called with the final address of every connection before its first packet, so that neither names, nor
// redirects, nor answers of the DNS that change between two questions lead anywhere else.
func (c *Client) control(plain bool) func(context.Context, string, string, syscall.RawConn) error {
	return func(_ context.Context, _, address string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(address)
		if err != nil {
			return ports.ErrAddressDenied
		}
		return c.mayReach(to, plain)
	}
}
