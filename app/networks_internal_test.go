package app

import (
	"net"
	"net/netip"
	"testing"
)

// RL-09: one network has its share of the connections and no more; what it closes it may open again, and nobody else notices.
func TestNetworksHaveAShare(t *testing.T) {
	peer := func(ip string) net.Addr {
		return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(net.JoinHostPort(ip, "50000")))
	}
	var n networks
	var leave func()
	for i := range shareOfNetwork {
		ip := "2001:db8::1"
		if i%2 == 1 {
			ip = "2001:db8::2" // of the same network
		}
		var ok bool
		if leave, ok = n.enter(peer(ip)); !ok {
			t.Fatalf("refused with %d open", i)
		}
	}
	if _, ok := n.enter(peer("2001:db8::3")); ok {
		t.Error("more than its share")
	}
	for _, ip := range []string{"2001:db8:0:1::1", "192.0.2.1", "127.0.0.1"} {
		if _, ok := n.enter(peer(ip)); !ok {
			t.Errorf("%s waits behind another network", ip)
		}
	}
	leave()
	if _, ok := n.enter(peer("2001:db8::3")); !ok {
		t.Error("a place that was given back is not free")
	}
	for range 2 * shareOfNetwork {
		if _, ok := n.enter(peer("127.0.0.1")); !ok {
			t.Fatal("this machine has a share")
		}
	}
	gone, _ := n.enter(peer("198.51.100.1"))
	before := len(n.open)
	if gone(); len(n.open) != before-1 {
		t.Error("a network that has left is remembered")
	}
}

// A connection beyond the share is closed at once, and its place serves the next.
func TestConnectionsBeyondTheShareAreClosed(t *testing.T) {
	f := &floods{networks: networks{open: map[string]int{"192.0.2.1": shareOfNetwork}}}
	crowd := &acceptor{peers: []string{"192.0.2.1", "192.0.2.1", "192.0.2.2"}}
	l := bound([]net.Listener{crowd}, make(chan struct{}, 1), f)[0]
	c, err := l.Accept()
	if err != nil || c.RemoteAddr().String() != "192.0.2.2:50000" {
		t.Fatal(c, err)
	}
	if crowd.closed != 2 || f.count() != 2 {
		t.Errorf("%d closed, %d counted", crowd.closed, f.count())
	}
	c.Close()
	c.Close()
	if f.networks.open["192.0.2.2"] != 0 || f.networks.open["192.0.2.1"] != shareOfNetwork {
		t.Errorf("%v", f.networks.open)
	}
}

// acceptor has connections from the peers, one after another.
type acceptor struct {
	net.Listener
	peers  []string
	closed int
}

func (a *acceptor) Accept() (net.Conn, error) {
	peer := a.peers[0]
	a.peers = a.peers[1:]
	return &peerConn{a: a, peer: peer}, nil
}

type peerConn struct {
	net.Conn
	a    *acceptor
	peer string
}

func (c *peerConn) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(c.peer + ":50000"))
}

func (c *peerConn) Close() error { c.a.closed++; return nil }
