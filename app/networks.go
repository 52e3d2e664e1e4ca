package app

import (
	"net"
	"net/netip"
	"sync"

	"latchkey/domain/identity"
)

// shareOfNetwork is how many connections one network may have open at once. Without a bound one address would take every
// place with connections that ask for next to nothing. It is far more than the browsers of a large office keep open.
const shareOfNetwork = maxConnections / 4

// networks counts the open connections of each network.
type networks struct {
	mu   sync.Mutex
	open map[string]int
}

// enter counts a connection and returns how to give it back. It reports false when its network has its share.
func (n *networks) enter(peer net.Addr) (leave func(), ok bool) {
	address, err := netip.ParseAddrPort(peer.String())
	if err != nil || address.Addr().IsLoopback() { // of this machine: most likely a proxy that nobody told us of
		return func() {}, true
	}
	network := identity.Network(address.Addr().String())
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.open[network] >= shareOfNetwork {
		return nil, false
	}
	if n.open == nil {
		n.open = map[string]int{}
	}
	n.open[network]++
	return func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		if n.open[network]--; n.open[network] == 0 {
			delete(n.open, network) // memory follows what is open
		}
	}, true
}
