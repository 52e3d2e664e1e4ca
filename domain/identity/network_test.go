package identity

import (
	"net/netip"
	"testing"
)

// RL-03: one caller, however its address is written.
func TestNetwork(t *testing.T) {
	for _, c := range []struct{ ip, want string }{
		{"192.0.2.1", "192.0.2.1"},
		{"::ffff:192.0.2.1", "192.0.2.1"},
		{"::ffff:c000:201", "192.0.2.1"},
		{"2001:db8::1", "2001:db8::/64"},
		{"2001:db8:0:0:ffff:ffff:ffff:ffff", "2001:db8::/64"},
		{"2001:DB8::2%eth0", "2001:db8::/64"},
		{"2001:db8:0:1::1", "2001:db8:0:1::/64"},
		{"::1", "::/64"},
		{"", "unknown"},
		{"192.0.2.01", "unknown"},
		{"@", "unknown"},
	} {
		if got := Network(c.ip); got != c.want {
			t.Errorf("%q counts as %q, want %q", c.ip, got, c.want)
		}
	}
}

// RL-03: what may count as many networks counts as one site too.
func TestSite(t *testing.T) {
	for _, c := range []struct{ ip, want string }{
		{"192.0.2.1", ""},
		{"::ffff:192.0.2.1", ""},
		{"@", ""},
		{"2001:db8:7:0:ffff::1", "2001:db8:7::/48"},
		{"2001:DB8:7:ffff::2%eth0", "2001:db8:7::/48"},
		{"2001:db8:8::1", "2001:db8:8::/48"},
	} {
		if got := Site(c.ip); got != c.want {
			t.Errorf("%q belongs to %q, want %q", c.ip, got, c.want)
		}
	}
}

// Counting what was counted changes nothing for IPv4, and nothing that is no address becomes one.
func FuzzNetwork(f *testing.F) {
	f.Add("192.0.2.1")
	f.Add("2001:db8::1")
	f.Add("::ffff:10.0.0.1")
	f.Fuzz(func(t *testing.T, ip string) {
		got := Network(ip)
		addr, err := netip.ParseAddr(ip)
		if (err != nil) != (got == "unknown") {
			t.Fatalf("%q counts as %q", ip, got)
		}
		if err != nil {
			return
		}
		if p, err := netip.ParsePrefix(got); err == nil {
			if p.Bits() != 64 || !p.Contains(addr.WithZone("")) {
				t.Fatalf("%q counts as %q", ip, got)
			}
		} else if a, err := netip.ParseAddr(got); err != nil || a != addr.Unmap() {
			t.Fatalf("%q counts as %q", ip, got)
		}
	})
}
