package outbound_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"latchkey/adapters/outbound"
	"latchkey/ports"
)

// sink listens on every address of this machine, so that a packet to any address that leads here is seen, and counts.
func sink(t *testing.T) (port string, seen *atomic.Int32) {
	t.Helper()
	seen = new(atomic.Int32)
	l, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	server := &httptest.Server{Listener: counting{l, seen}, Config: &http.Server{Handler: http.NotFoundHandler()}}
	server.Start()
	t.Cleanup(server.Close)
	_, port, _ = net.SplitHostPort(l.Addr().String())
	return port, seen
}

type counting struct {
	net.Listener
	seen *atomic.Int32
}

func (c counting) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	if err == nil {
		c.seen.Add(1)
	}
	return conn, err
}

// RG-06: no address of a private network is reached, however it is written.
func TestDeniedAddresses(t *testing.T) {
	port, seen := sink(t)
	c := newClient(t, outbound.Config{})
	hosts := []string{
		// IPv4, by range
		"127.0.0.1", "127.0.0.2", "127.1.2.3", "127.255.255.254", "10.0.0.1", "10.255.255.254", "172.16.0.1", "172.31.255.254", "192.168.0.1",
		"192.168.255.254", "169.254.0.1", "169.254.169.254", "169.254.170.2", "100.64.0.1", "100.127.255.254", "100.100.100.200", "0.0.0.0", "0.1.2.3",
		"198.18.0.1", "198.19.255.254", "192.0.0.1", "192.0.0.192", "192.0.2.1", "198.51.100.1", "203.0.113.1", "192.88.99.1", "224.0.0.1",
		"239.255.255.255", "240.0.0.1", "255.255.255.255", "168.63.129.16",
		// IPv4 in other writings
		"0177.0.0.1", "0x7f.0.0.1", "0x7f000001", "2130706433", "017700000001", "127.1", "127.0.1", "127.0.0.1.", "0", "0x0", "00000177.0.0.1", "127.000.000.001",
		// IPv6, by range
		"[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[fc00::1]", "[fd00::1]", "[fdff:ffff::1]", "[fe80::1]", "[fe80::1%25lo]", "[fe80::1%25eth0]", "[febf::1]", "[fec0::1]",
		"[ff02::1]", "[ff05::2]", "[100::1]", "[2001:db8::1]", "[3fff::1]", "[5f00::1]", "[fd00:ec2::254]", "[fd20:ce::254]", "[4000::1]", "[8000::1]",
		// IPv4 inside IPv6
		"[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::ffff:10.0.0.1]", "[::ffff:169.254.169.254]", "[::ffff:0:127.0.0.1]", "[::127.0.0.1]", "[::7f00:1]",
		"[64:ff9b::127.0.0.1]", "[64:ff9b::a00:1]", "[64:ff9b::a9fe:a9fe]", "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]", "[2002:a00:1::1]", "[2002:a9fe:a9fe::]",
		"[2001:0:7f00:1::]", "[2001::1]", "[fe80::5efe:127.0.0.1]",
		// names of this machine
		"localhost", "LOCALHOST", "localhost.", "ip6-localhost",
	}
	if len(hosts) < 80 {
		t.Fatalf("only %d forms", len(hosts))
	}
	for _, host := range hosts {
		for _, scheme := range []string{"https", "http"} {
			uri := scheme + "://" + host + ":" + port + "/bc"
			if status, err := c.Post(t.Context(), uri, token); err == nil || status != 0 {
				t.Errorf("%s: %d, %v", uri, status, err)
			}
		}
	}
	for _, uri := range []string{"file:///etc/passwd", "gopher://127.0.0.1:" + port + "/", "ftp://127.0.0.1:" + port, "unix:///run/x.sock", "//127.0.0.1:" + port,
		"127.0.0.1:" + port, "https:///bc", "https://app.test@127.0.0.1:" + port + "/", "https://127.0.0.1:" + port + "#@app.test/", "https://127.0.0.1:" + port + "\\@app.test/",
		"HTTPS://127.0.0.1:" + port, "http://[::ffff:127.0.0.1%25lo]:" + port, "jar:https://127.0.0.1", "", " https://127.0.0.1:" + port, "https://127.0.0.1:99999/"} {
		if status, err := c.Post(t.Context(), uri, token); err == nil || status != 0 {
			t.Errorf("%q: %d, %v", uri, status, err)
		}
	}
	if n := seen.Load(); n > 0 {
		t.Errorf("%d connections reached the sink", n)
	}
}

// The operator's networks are reached, and nothing beside them: no metadata, no plain HTTP to other machines, and no network
// through a gateway that is allowed.
func TestAllowedNetworks(t *testing.T) {
	port, seen := sink(t)
	for _, c := range []struct {
		allow, uri string
		reached    bool
	}{
		{"127.0.0.0/8", "http://127.0.0.1:" + port, true},
		{"127.0.0.0/8", "http://[::ffff:127.0.0.1]:" + port, true},
		{"127.0.0.2/32", "http://127.0.0.1:" + port, false},
		{"10.0.0.0/8", "http://127.0.0.1:" + port, false},
		{"::1/128", "http://[::1]:" + port, true},
		{"64:ff9b::/96", "https://[64:ff9b::7f00:1]:" + port, false},
		{"0.0.0.0/1", "http://0.0.0.0:" + port, false}, // another name of this machine, and plain HTTP
		{"169.254.0.0/16", "https://169.254.169.254:" + port, false},
		{"100.64.0.0/10", "https://100.100.100.200:" + port, false},
	} {
		before := seen.Load()
		_, err := newClient(t, outbound.Config{Allow: networks(c.allow)}).Post(t.Context(), c.uri, token)
		if reached := seen.Load() > before; reached != c.reached || errors.Is(err, ports.ErrAddressDenied) == c.reached {
			t.Errorf("%s with %s allowed: reached %v, %v", c.uri, c.allow, reached, err)
		}
	}
}

// names answers questions for addresses of every name: the n-th question about a name with the n-th answer, and from then
// on with the last.
type names struct {
	asked   atomic.Int32
	answers [][]string
}

func (n *names) resolver(t *testing.T) *net.Resolver {
	t.Helper()
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	go func() {
		b := make([]byte, 1024)
		for {
			size, from, err := server.ReadFrom(b)
			if err != nil {
				return
			}
			server.WriteTo(n.answer(b[:size]), from)
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", server.LocalAddr().String())
	}}
}

// answer writes the answer to one DNS question (RFC 1035 §4).
func (n *names) answer(query []byte) []byte {
	end := 12
	for query[end] != 0 {
		end += int(query[end]) + 1
	}
	kind := binary.BigEndian.Uint16(query[end+1:])
	question := query[12 : end+5]
	given := n.answers[min(int(n.asked.Load())/2, len(n.answers)-1)] // A and AAAA are asked together
	n.asked.Add(1)
	var records []byte
	count := uint16(0)
	for _, text := range given {
		ip := net.ParseIP(text)
		data, own := []byte(ip.To4()), uint16(1)
		if strings.Contains(text, ":") {
			data, own = ip.To16(), 28
		}
		if own != kind {
			continue
		}
		count++
		records = append(records, 0xC0, 12)
		records = binary.BigEndian.AppendUint16(records, kind)
		records = append(records, 0, 1, 0, 0, 0, 0)
		records = binary.BigEndian.AppendUint16(records, uint16(len(data)))
		records = append(records, data...)
	}
	head := append([]byte{}, query[:2]...)
	head = append(head, 0x84, 0, 0, 1)
	head = binary.BigEndian.AppendUint16(head, count)
	head = append(head, 0, 0, 0, 0)
	return append(append(head, question...), records...)
}

// RG-08, RG-14: a name that leads to a private address, at once, later, or beside a public one, leads nowhere.
func TestNamesThatLeadInside(t *testing.T) {
	port, seen := sink(t)
	for name, answers := range map[string][][]string{
		"private":                  {{"127.0.0.1"}},
		"private IPv6":             {{"::1"}},
		"mapped":                   {{"::ffff:127.0.0.1"}},
		"private first":            {{"127.0.0.1", "192.0.2.1"}},
		"both families":            {{"::1", "127.0.0.1"}},
		"private by the other one": {{"192.0.2.1", "::1"}},
		"rebinding":                {{"192.0.2.1"}, {"127.0.0.1"}},
		"metadata":                 {{"169.254.169.254"}},
		"many":                     {{"10.0.0.1", "127.0.0.1", "192.168.0.1", "::1", "fd00::1"}},
	} {
		c := newClient(t, outbound.Config{Resolver: (&names{answers: answers}).resolver(t)})
		for i := range 12 {
			uri := fmt.Sprintf("https://app%d.example.org:%s/bc", i, port)
			if _, err := c.Post(t.Context(), uri, token); !errors.Is(err, ports.ErrAddressDenied) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if n := seen.Load(); n > 0 {
		t.Errorf("%d connections reached the sink", n)
	}
	// The names do lead to the sink where that is allowed.
	c := newClient(t, outbound.Config{Allow: loopback, Resolver: (&names{answers: [][]string{{"127.0.0.1"}}}).resolver(t)})
	c.Post(t.Context(), "http://app.example.org:"+port, token)
	if seen.Load() != 1 {
		t.Errorf("%d connections, want 1", seen.Load())
	}
}
