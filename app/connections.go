package app

import (
	"net"
	"sync"
)

// maxConnections is how many connections are served at once, on all listeners. The kernel's queue holds those beyond.
const maxConnections = 4096

// bound returns the listeners with places that they share.
func bound(listeners []net.Listener, places chan struct{}) []net.Listener {
	all := make([]net.Listener, len(listeners))
	for i, l := range listeners {
		all[i] = &bounded{Listener: l, places: places, closed: make(chan struct{})}
	}
	return all
}

// bounded accepts as many connections at once as there are places.
type bounded struct {
	net.Listener
	places chan struct{}
	closed chan struct{}
	once   sync.Once
}

func (b *bounded) Accept() (net.Conn, error) {
	select {
	case b.places <- struct{}{}:
	case <-b.closed:
		return nil, net.ErrClosed
	}
	c, err := b.Listener.Accept()
	if err != nil {
		<-b.places
		return nil, err
	}
	return &boundedConn{Conn: c, leave: sync.OnceFunc(func() { <-b.places })}, nil
}

func (b *bounded) Close() error {
	b.once.Do(func() { close(b.closed) })
	return b.Listener.Close()
}

type boundedConn struct {
	net.Conn
	leave func()
}

func (c *boundedConn) Close() error {
	defer c.leave()
	return c.Conn.Close()
}
