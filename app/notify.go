package app

import (
	"context"
	"net"
	"os"
	"strconv"
	"time"

	"latchkey/ports"
)

// supervisor tells systemd how the server is (sd_notify): a unit of Type=notify counts as started only once the server
// answers, and one with WatchdogSec= is started again when the server no longer can. Without systemd nothing is sent.
type supervisor struct {
	socket   string        // empty: nobody listens
	watchdog time.Duration // how long the supervisor waits for a sign of life; 0: it does not
}

// supervisorOf reads what systemd passes in the environment.
func supervisorOf(getenv func(string) string) supervisor {
	s := supervisor{socket: getenv("NOTIFY_SOCKET")}
	us, err := strconv.ParseInt(getenv("WATCHDOG_USEC"), 10, 64)
	if pid := getenv("WATCHDOG_PID"); s.socket != "" && err == nil && us > 0 && (pid == "" || pid == strconv.Itoa(os.Getpid())) {
		s.watchdog = time.Duration(us) * time.Microsecond
	}
	return s
}

// tell sends one message. A supervisor that cannot be reached is no reason to stop serving.
func (s supervisor) tell(message string) error {
	if s.socket == "" {
		return nil
	}
	// A name that begins with @ is in the abstract namespace, which Go writes alike.
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: s.socket, Net: "unixgram"})
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = c.Write([]byte(message))
	return err
}

// alive sends a sign of life while the store answers: a server that hangs is worth starting again.
func (s supervisor) alive(ctx context.Context, store ports.Store) error {
	ctx, cancel := context.WithTimeout(ctx, s.watchdog/2)
	defer cancel()
	if err := store.View(ctx, func(r ports.Reader) error { _, err := r.TrailHead(); return err }); err != nil {
		return err
	}
	return s.tell("WATCHDOG=1")
}

// tell logs what the supervisor could not be told.
func (a *App) tell(s supervisor, message string) {
	if err := s.tell(message); err != nil {
		a.cfg.Log.Warn("systemd was not told", "error", err)
	}
}
