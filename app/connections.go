package app

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// maxConnections is how many connections are served at once, on all listeners. The kernel's queue holds those beyond.
const maxConnections = 4096

// bound returns the listeners with places that they share. Connections that send far more than their requests explain are
// closed and counted, and so are those beyond the share of their network.
func bound(listeners []net.Listener, places chan struct{}, floods *floods) []net.Listener {
	all := make([]net.Listener, len(listeners))
	for i, l := range listeners {
		all[i] = &bounded{Listener: l, places: places, floods: floods, closed: make(chan struct{})}
	}
	return all
}

// bounded accepts as many connections at once as there are places.
type bounded struct {
	net.Listener
	places chan struct{}
	floods *floods
	closed chan struct{}
	once   sync.Once
}

func (b *bounded) Accept() (net.Conn, error) {
	select {
	case b.places <- struct{}{}:
	case <-b.closed:
		return nil, net.ErrClosed
	}
	for {
		c, err := b.Listener.Accept()
		if err != nil {
			<-b.places
			return nil, err
		}
		if b.floods.proxied(c.RemoteAddr()) {
			return &boundedConn{Conn: c, leave: sync.OnceFunc(func() { <-b.places }), floods: b.floods}, nil
		}
		if leave, ok := b.floods.networks.enter(c.RemoteAddr()); ok {
			return &boundedConn{Conn: c, leave: sync.OnceFunc(func() { leave(); <-b.places }), floods: b.floods,
				unexplained: &unexplained{forgiven: time.Now()}}, nil
		}
		b.floods.add(c.RemoteAddr())
		c.Close()
	}
}

func (b *bounded) Close() error {
	b.once.Do(func() { close(b.closed) })
	return b.Listener.Close()
}

type boundedConn struct {
	net.Conn
	leave       func()
	floods      *floods
	unexplained *unexplained // nil: of a proxy
}

func (c *boundedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.unexplained == nil || !c.unexplained.read(n, time.Now) {
		return n, err
	}
	// Requests may have arrived faster than the processors could begin with them. Nothing more is read until they have.
	for range explainedWithin / explainedEvery {
		time.Sleep(explainedEvery)
		if !c.unexplained.read(0, time.Now) {
			return n, err
		}
	}
	c.floods.add(c.RemoteAddr())
	c.Close()
	return 0, net.ErrClosed
}

func (c *boundedConn) Close() error {
	defer c.leave()
	return c.Conn.Close()
}

// connContext lets the requests of a connection explain what it sent.
func connContext(ctx context.Context, c net.Conn) context.Context {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	if b, ok := c.(*boundedConn); ok && b.unexplained != nil {
		return context.WithValue(ctx, unexplainedKey{}, b.unexplained)
	}
	return ctx
}

// floods counts the connections that were closed for what they sent, or for how many there were.
type floods struct {
	proxies  []netip.Prefix // one of their connections carries many people, of whom one may not have it closed for all
	networks networks

	mu              sync.Mutex
	total, reported uint64
	last            string // address
}

func (f *floods) proxied(peer net.Addr) bool {
	address, err := netip.ParseAddrPort(peer.String())
	return err == nil && slices.ContainsFunc(f.proxies, func(p netip.Prefix) bool { return p.Contains(address.Addr().Unmap()) })
}

func (f *floods) add(from net.Addr) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.total++
	f.last = from.String()
}

// count returns how many there were since the start.
func (f *floods) count() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.total
}

// report logs those that were not reported yet, in one line however many they are.
func (f *floods) report(log *slog.Logger) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.total > f.reported {
		log.Warn("connections were closed that sent far more than their requests explain, or were more than one network may have open", "connections", f.total-f.reported, "last", f.last)
		f.reported = f.total
	}
}
