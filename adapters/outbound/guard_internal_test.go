package outbound

import (
	"net/netip"
	"strings"
	"testing"

	"latchkey/ports"
)

// What no test may connect to: public addresses, at the one port and at others, and IPv4 addresses inside IPv6 ones whose
// network is allowed, which are judged as what they are (RG-06).
func TestMayReach(t *testing.T) {
	denied, port := ports.ErrAddressDenied, ports.ErrPortDenied
	for _, c := range []struct {
		allow, to string
		want      error
	}{
		{"", "8.8.8.8:443", nil},
		{"", "[2606:4700::1111]:443", nil},
		{"", "[::ffff:8.8.8.8]:443", nil},
		{"", "8.8.8.8:8443", port},
		{"", "8.8.8.8:80", port},
		{"", "8.8.8.8:0", port},
		{"", "[2606:4700::1111]:22", port},
		{"", "[::ffff:8.8.8.8]:25", port},
		{"10.0.0.0/8", "8.8.8.8:8443", port},
		{"8.8.8.8/32", "8.8.8.8:8443", nil},
		{"8.8.8.8/32", "8.8.4.4:8443", port},
		{"10.0.0.0/8", "10.1.2.3:6379", nil},
		{"", "10.1.2.3:443", denied},
		{"", "10.1.2.3:8443", denied},

		{"64:ff9b::/96", "[64:ff9b::8.8.8.8]:443", nil},
		{"64:ff9b::/96", "[64:ff9b::8.8.8.8]:8443", port},
		{"64:ff9b::/96", "[64:ff9b::127.0.0.1]:443", denied},
		{"64:ff9b::/96", "[64:ff9b::10.0.0.1]:443", denied},
		{"64:ff9b::/96", "[64:ff9b::169.254.169.254]:443", denied},
		{"64:ff9b:1::/48", "[64:ff9b:1::8.8.8.8]:443", denied},
		{"64:ff9b:1:fffe::/96", "[64:ff9b:1:fffe::8.8.8.8]:443", nil},
		{"64:ff9b:1:fffe::/96", "[64:ff9b:1:fffe::192.168.0.1]:443", denied},
		{"64:ff9b:1::/48", "[64:ff9b:1:7f00:0:100::]:443", denied},
		{"2002::/16", "[2002:808:808::1]:443", nil},
		{"2002::/16", "[2002:808:808::1]:8443", port},
		{"2002::/16", "[2002:7f00:1::1]:443", denied},
		{"2002::/16", "[2002:a00:1::1]:443", denied},
		{"2002::/16", "[2002:a9fe:a9fe::]:443", denied},
		{"2000::/3", "[2002:c0a8:1::1]:443", denied},
		{"2001::/32", "[2001:0:808:808:0:0:f7f7:f7f7]:443", nil},
		{"2001::/32", "[2001:0:808:808:0:0:80ff:fffe]:443", denied}, // a client at 127.0.0.1
		{"2001::/32", "[2001:0:7f00:1:0:0:f7f7:f7f7]:443", denied},  // a server at 127.0.0.1
		{"::/1", "[::8.8.8.8]:443", nil},
		{"::/1", "[::127.0.0.1]:443", denied},
		{"::/1", "[::10.0.0.1]:443", denied},
		{"::/1", "[::ffff:0:127.0.0.1]:443", denied},
		{"::/1", "[::ffff:127.0.0.1]:443", denied},
		{"::/1", "[2002:a00:1::1]:443", denied},
		{"::/1", "[::1]:8443", nil},
		{"2002::/16,10.0.0.0/8", "[2002:a00:1::1]:8443", nil}, // both the way and its end
		{"fe80::/10", "[fe80::1%lo]:443", denied},
		{"fd00::/8", "[fd00:ec2::254]:443", denied},
	} {
		client := &Client{allow: prefixes(fields(c.allow)...)}
		if got := client.mayReach(netip.MustParseAddrPort(c.to), false); got != c.want {
			t.Errorf("%s with %q allowed: %v, want %v", c.to, c.allow, got, c.want)
		}
		if got := client.mayReach(netip.MustParseAddrPort(c.to), true); got == nil && c.to != "[::1]:8443" {
			t.Errorf("%s with %q allowed is reached by plain HTTP", c.to, c.allow)
		}
	}
}

func fields(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' })
}
