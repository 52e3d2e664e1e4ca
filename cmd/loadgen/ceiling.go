package main

import (
	"bufio"
	"context"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"time"
)

// serveConstant answers every request with one document: what net/http can do
// at most. The document comes as one line of base64; the end of in ends the
// process, so that it never outlives the one that started it.
func serveConstant(addr string, in io.Reader, out io.Writer) error {
	r := bufio.NewReader(in)
	line, err := r.ReadString('\n')
	if err != nil {
		return fmt.Errorf("no document on standard input: %w", err)
	}
	document, err := base64.StdEncoding.DecodeString(strings.TrimSpace(line))
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	if !l.Addr().(*net.TCPAddr).IP.IsLoopback() {
		l.Close()
		return fmt.Errorf("%s is no loopback address", addr)
	}
	go func() {
		io.Copy(io.Discard, r)
		l.Close()
	}()
	fmt.Fprintf(out, "http://%s/\n", l.Addr())
	err = http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Write(document)
	}))
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// constantServer is serveConstant in a process of its own, as the server under
// test is one.
type constantServer struct {
	cmd *exec.Cmd
	in  io.Closer
	url string
}

func startConstant(ctx context.Context, document []byte) (*constantServer, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := &constantServer{cmd: exec.CommandContext(ctx, self, "-constant", "127.0.0.1:0")}
	in, err := c.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	c.in = in
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.cmd.Stderr = os.Stderr
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	fmt.Fprintln(in, base64.StdEncoding.EncodeToString(document))
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		c.stop()
		return nil, fmt.Errorf("the constant handler did not start: %w", err)
	}
	c.url = strings.TrimSpace(line)
	return c, nil
}

func (c *constantServer) stop() {
	c.in.Close()
	c.cmd.Wait()
}

// pbkdf2Rounds is the cost at which latchkey hashes a new password.
const pbkdf2Rounds = 600_000

// hashRate is how many password hashes a second this machine computes with
// nothing else to do: the ceiling of every full login. Each goroutine divides by
// its own time, because a hash is long against d.
func hashRate(rounds int, d time.Duration) float64 {
	rates := make([]float64, runtime.GOMAXPROCS(0))
	var wg sync.WaitGroup
	for i := range rates {
		wg.Go(func() {
			n, begin := 0, time.Now()
			for ; n == 0 || time.Since(begin) < d; n++ {
				if _, err := pbkdf2.Key(sha256.New, "correct horse battery staple", []byte("0123456789abcdef"), rounds, 32); err != nil {
					panic(err) // the arguments are constant
				}
			}
			rates[i] = float64(n) / time.Since(begin).Seconds()
		})
	}
	wg.Wait()
	var sum float64
	for _, r := range rates {
		sum += r
	}
	return sum
}
