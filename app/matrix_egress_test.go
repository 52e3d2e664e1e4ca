package app_test

import (
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"latchkey/app"
	"latchkey/app/apptest"
	"latchkey/domain/audit"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

// inward are the forms of addresses and URLs that lead, or might lead, to a port of this machine or of the network around
// it, each with PORT where that stands. What names and redirects lead to is in the tests of package outbound, which may
// answer for the DNS.
var inward = strings.Fields(`
	https://127.0.0.1:PORT/ https://127.0.0.1.:PORT/ https://127.0.0.2:PORT/ https://127.1:PORT/ https://127.0.1:PORT/ https://0177.0.0.1:PORT/ https://0x7f.1:PORT/
	https://0x7f000001:PORT/ https://2130706433:PORT/ https://017700000001:PORT/ https://00000177.0.0.1:PORT/ https://127.000.000.001:PORT/ https://127.0.0.1%00:PORT/
	https://0:PORT/ https://0.0.0.0:PORT/ https://0x0:PORT/ https://0.0.0.1:PORT/ https://255.255.255.255:PORT/ https://10.0.0.1:PORT/ https://172.16.0.1:PORT/
	https://192.168.0.1:PORT/ https://169.254.0.1:PORT/ https://169.254.169.254/latest/meta-data/ https://169.254.169.254:PORT/ https://100.64.0.1:PORT/
	https://100.100.100.200:PORT/ https://168.63.129.16:PORT/ https://198.18.0.1:PORT/ https://192.0.0.192:PORT/ https://224.0.0.1:PORT/ https://240.0.0.1:PORT/
	https://localhost:PORT/ https://LOCALHOST:PORT/ https://localhost.:PORT/ https://LocalHost:PORT/ https://ip6-localhost:PORT/ https://localhost.localdomain:PORT/
	https://[::1]:PORT/ https://[::]:PORT/ https://[0:0:0:0:0:0:0:1]:PORT/ https://[::ffff:127.0.0.1]:PORT/ https://[::ffff:7f00:1]:PORT/ https://[::127.0.0.1]:PORT/
	https://[::7f00:1]:PORT/ https://[::ffff:0:127.0.0.1]:PORT/ https://[64:ff9b::127.0.0.1]:PORT/ https://[64:ff9b:1::127.0.0.1]:PORT/ https://[64:ff9b::a9fe:a9fe]:PORT/
	https://[2002:7f00:1::]:PORT/ https://[2002:7f00:1::1]:PORT/ https://[2001:0:7f00:1::]:PORT/ https://[2001::80ff:fffe]:PORT/ https://[fe80::1]:PORT/ https://[fe80::1%25lo]:PORT/
	https://[fe80::5efe:127.0.0.1]:PORT/ https://[fc00::1]:PORT/ https://[fd00::1]:PORT/ https://[fd00:ec2::254]:PORT/ https://[fec0::1]:PORT/ https://[ff02::1]:PORT/
	https://[::1%25lo]:PORT/ https://[::ffff:169.254.169.254]:PORT/ https://[::ffff:10.0.0.1]:PORT/ https://[100::1]:PORT/ https://[3fff::1]:PORT/ https://[5f00::1]:PORT/
	http://127.0.0.1:PORT/ http://localhost:PORT/ http://[::1]:PORT/ http://127.0.0.2:PORT/ http://0.0.0.0:PORT/ http://[::]:PORT/ http://10.0.0.1:PORT/ http://169.254.169.254/
	https://app.test@127.0.0.1:PORT/ https://app.test:x@127.0.0.1:PORT/ https://127.0.0.1:PORT#@app.test/ https://127.0.0.1:PORT\@app.test/ https://127.0.0.1:PORT?@app.test/
	https:127.0.0.1:PORT/ https:/127.0.0.1:PORT/ https:///127.0.0.1:PORT/ https:\\127.0.0.1:PORT/ //127.0.0.1:PORT/ 127.0.0.1:PORT HTTPS://127.0.0.1:PORT/
	ftp://127.0.0.1:PORT/ gopher://127.0.0.1:PORT/ file:///etc/passwd unix:///run/latchkey.sock ws://127.0.0.1:PORT/ jar:https://127.0.0.1:PORT/ data:text/html,x javascript:x
	dict://127.0.0.1:PORT/ ldap://127.0.0.1:PORT/ https://①②⑦.0.0.1:PORT/ https://127。0。0。1:PORT/ https://ⓛocalhost:PORT/ https://%31%32%37.0.0.1:PORT/
	https://[::1]PORT/ https://127.0.0.1:PORT:443/ https://127.0.0.1:0PORT/ https://127.0.0.1:+PORT/ https://127.0.0.1:99999/ https://8.8.8.8:PORT/ https://[2606:4700::1111]:PORT/`)

// RG-06: none of them reaches a sink on every address of this machine, by any field that makes the server connect. What may
// be registered is known to have failed, with words for the operator, and is recorded.
func TestMatrixEgress(t *testing.T) {
	t.Parallel()
	var seen atomic.Int32
	sink, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer sink.Close()
	go func() {
		for {
			conn, err := sink.Accept()
			if err != nil {
				return
			}
			seen.Add(1)
			conn.Close()
		}
	}()
	_, port, _ := net.SplitHostPort(sink.Addr().String())
	p := apptest.New(t)
	p.Restart(func(c *app.Config) { c.EgressAllow = nil })
	b := p.Browser()
	registered := map[string]string{}
	for i, form := range inward {
		uri, id := strings.Replace(form, "PORT", port, 1), "app"+string(rune('a'+i/26))+string(rune('a'+i%26))
		if p.TryApply(clients(id, `"backchannel_logout_uri": `+quote(uri))) == nil {
			registered[id] = uri
			p.Client(id).SignIn(b, "alice", set("scope", "openid"))
		}
	}
	web := p.Client("web")
	if r := central(web, web.SignIn(b, "alice").Get("access_token"), ""); r.Status != 200 {
		t.Fatalf("%d %s", r.Status, r.Text)
	}
	for range 1 + len(registered)/32 {
		p.Deliver()
	}
	blocked := map[string]bool{}
	for _, e := range p.Events(audit.OutboundBlocked) {
		blocked[e.Client] = true
	}
	for _, n := range notices(t, p) {
		uri := registered[string(n.Client)]
		delete(registered, string(n.Client))
		switch {
		case n.State() != oidc.Pending || n.Attempts != 1:
			t.Errorf("%s: %s after %d attempts", uri, n.State(), n.Attempts)
		case n.LastError == ports.ErrNoAnswer.Error(): // no such name, or no such number
		case n.LastError != ports.ErrAddressDenied.Error() && n.LastError != ports.ErrPortDenied.Error():
			t.Errorf("%s: %s", uri, n.LastError)
		case !blocked[string(n.Client)]:
			t.Errorf("%s: nothing was recorded", uri)
		}
	}
	if len(registered) > 0 || len(inward) < 80 || len(blocked) < 40 || seen.Load() > 0 {
		t.Errorf("of %d forms %d were blocked; %d connections reached the sink; never tried: %v", len(inward), len(blocked), seen.Load(), registered)
	}
	t.Logf("%d forms, %d of them blocked when the server was to connect, the others refused or no address: %d connections", len(inward), len(blocked), seen.Load())
}
