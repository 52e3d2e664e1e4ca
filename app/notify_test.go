package app

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"latchkey/ports"
)

// listenAsSupervisor plays systemd and returns the messages it gets.
func listenAsSupervisor(t *testing.T) (socket string, messages chan string) {
	t.Helper()
	socket = filepath.Join(t.TempDir(), "notify")
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	messages = make(chan string, 100)
	go func() {
		b := make([]byte, 1024)
		for {
			n, err := c.Read(b)
			if err != nil {
				return
			}
			messages <- string(b[:n])
		}
	}()
	return socket, messages
}

// systemd hears of a server once it answers, while it lives, and when it stops.
func TestSupervisorHearsOfTheServer(t *testing.T) {
	socket, messages := listenAsSupervisor(t)
	t.Setenv("NOTIFY_SOCKET", socket)
	t.Setenv("WATCHDOG_USEC", "100000")
	t.Setenv("WATCHDOG_PID", strconv.Itoa(os.Getpid()))
	a, err := Create(t.Context(), newConfig(t))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- a.Run(ctx, func([]string) error { return nil }) }()
	next := func() string {
		select {
		case m := <-messages:
			return m
		case <-time.After(10 * time.Second):
			t.Fatal("no message")
			return ""
		}
	}
	if m := next(); !strings.HasPrefix(m, "READY=1\n") {
		t.Errorf("the first message is %q", m)
	}
	for range 2 {
		if m := next(); m != "WATCHDOG=1" {
			t.Errorf("a sign of life is %q", m)
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	last := ""
	for len(messages) > 0 {
		last = <-messages
	}
	if last != "STOPPING=1" {
		t.Errorf("the last message is %q", last)
	}
}

// stuck is a store that answers nobody.
type stuck struct{ ports.Store }

func (stuck) View(ctx context.Context, _ func(ports.Reader) error) error {
	<-ctx.Done()
	return ctx.Err()
}

// A server whose store hangs gives no sign of life, so that it is started again.
func TestNoSignOfLifeWithoutTheStore(t *testing.T) {
	socket, messages := listenAsSupervisor(t)
	if err := (supervisor{socket, time.Millisecond}).alive(t.Context(), stuck{}); err == nil {
		t.Error("a store that does not answer is no fault")
	}
	if len(messages) > 0 {
		t.Errorf("systemd was told %q", <-messages)
	}
}

func TestSupervisorOf(t *testing.T) {
	pid := strconv.Itoa(os.Getpid())
	for name, c := range map[string]struct {
		env  map[string]string
		want supervisor
	}{
		"none":                      {nil, supervisor{}},
		"no watchdog":               {map[string]string{"NOTIFY_SOCKET": "/x"}, supervisor{socket: "/x"}},
		"a watchdog":                {map[string]string{"NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "2000000", "WATCHDOG_PID": pid}, supervisor{"@x", 2 * time.Second}},
		"of another process":        {map[string]string{"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "2000000", "WATCHDOG_PID": "1"}, supervisor{socket: "/x"}},
		"a watchdog without socket": {map[string]string{"WATCHDOG_USEC": "2000000"}, supervisor{}},
		"nonsense":                  {map[string]string{"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "soon"}, supervisor{socket: "/x"}},
	} {
		if got := supervisorOf(func(name string) string { return c.env[name] }); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}
