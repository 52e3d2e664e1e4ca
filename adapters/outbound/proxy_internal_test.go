package outbound

import (
	"net/netip"
	"testing"
)

// RG-08: a proxy named in the environment would connect wherever it is told, unseen by the guard, which sees the proxy's address
// only. net/http reads the environment once for a process, so a test cannot set it: it asks that nobody reads it.
func TestNoProxyIsAsked(t *testing.T) {
	c, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	if c.secure.Proxy != nil || c.plain.Proxy != nil {
		t.Error("a proxy may be asked")
	}
}

// RG-06: the decision itself, at both ends of each network. That nothing answers where a test runs says nothing about the guard.
func TestEveryNetworkInsideIsDenied(t *testing.T) {
	c, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"0.0.0.0", "0.255.255.255", "10.0.0.0", "10.255.255.255", "100.64.0.0", "100.127.255.255", "127.0.0.1", "127.255.255.255",
		"169.254.0.0", "169.254.255.255", "172.16.0.0", "172.31.255.255", "192.0.0.0", "192.0.2.255", "192.88.99.1", "192.168.0.0", "192.168.255.255",
		"198.18.0.0", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.0", "239.255.255.255", "240.0.0.0", "255.255.255.255", "168.63.129.16",
		"::", "::1", "64:ff9b::1", "64:ff9b::808:808", "fc00::", "fdff::1", "fe80::1", "ff02::1", "2001::1", "2001:db8::1", "2002::1", "3fff::1", "4000::1", "8000::1",
		"::ffff:127.0.0.1", "::ffff:10.0.0.1", "2606:4700::1%eth0"} {
		if c.mayReach(netip.AddrPortFrom(netip.MustParseAddr(text), 443), false) == nil {
			t.Errorf("%s is reached", text)
		}
	}
	for _, text := range []string{"1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "172.15.255.255", "172.32.0.0", "2606:4700::1", "::ffff:1.1.1.1"} {
		addr := netip.AddrPortFrom(netip.MustParseAddr(text), 443)
		if c.mayReach(addr, false) != nil {
			t.Errorf("%s is not reached", text)
		}
		if c.mayReach(addr, true) == nil {
			t.Errorf("%s is reached in plain HTTP", text)
		}
	}
}
