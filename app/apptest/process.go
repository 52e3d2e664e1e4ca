package apptest

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Process is the program as it is shipped, on a file of its own: for what only a process can show, such as its death. Its
// clock is the machine's, no rate is limited, and its Site is Lossy.
type Process struct {
	Site
	Dir     string          // where its files are
	Log     *Log            // what every run of the server printed
	Env     []string        // added to the environment of the server and of every command
	Flags   []string        // more arguments of the server: no rate is limited, unless a test says otherwise
	Prepare func(*exec.Cmd) // changes how the server is started; nil: as it is

	listen string
	cmd    *exec.Cmd // nil: never started
	ended  chan struct{}
}

// patience is how long the provider may take for anything. No working machine is that slow.
const patience = 20 * time.Second

// program is the command, built once for all tests of a run.
var program struct {
	once sync.Once
	dir  string
	path string
	err  error
}

// Main runs the tests, removes the command if one of them had it built, and returns the exit code.
func Main(m *testing.M) int {
	code := m.Run()
	if program.dir != "" {
		os.RemoveAll(program.dir)
	}
	return code
}

// Scratch is a directory that lives as long as the tests of the run.
func Scratch(t testing.TB) string {
	t.Helper()
	build(t)
	return program.dir
}

func build(t testing.TB) string {
	t.Helper()
	program.once.Do(func() {
		if program.dir, program.err = os.MkdirTemp("", "latchkey-test-"); program.err != nil {
			return
		}
		program.path = filepath.Join(program.dir, "latchkey")
		cmd := exec.Command("go", "build", "-tags", "sqlite_omit_load_extension", "-trimpath", "-o", program.path, "latchkey/cmd/latchkey")
		cmd.Env = append(os.Environ(), "CGO_CFLAGS=") // as it is shipped, however the tests were compiled
		out, err := cmd.CombinedOutput()
		if err != nil {
			program.err = fmt.Errorf("%w: %s", err, out)
		}
	})
	if program.err != nil {
		t.Fatal(program.err)
	}
	return program.path
}

// NewProcess makes a provider with init and gives it the documents with apply. Start serves it.
func NewProcess(t testing.TB, documents ...string) *Process {
	t.Helper()
	p := &Process{Dir: t.TempDir(), Log: &Log{}, Flags: []string{"--rate-limit-scale", "0"}, listen: freeAddress(t)}
	p.Site = Site{Issuer: "http://" + p.listen, Transport: &http.Transport{MaxIdleConnsPerHost: 64, ResponseHeaderTimeout: patience}, Lossy: true, t: t}
	if r := p.Command(t.Context(), "", "init"); r.Code != 0 {
		t.Fatalf("init: %+v", r)
	}
	for _, d := range documents {
		if r := p.Command(t.Context(), d, "apply", "-"); r.Code != 0 {
			t.Fatalf("apply: %+v", r)
		}
	}
	t.Cleanup(p.Kill)
	return p
}

// freeAddress finds a port that no outgoing connection takes while the server is down: those are above 32767.
func freeAddress(t testing.TB) string {
	t.Helper()
	var l net.Listener
	err := error(nil)
	for range 100 {
		if l, err = net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(20000+rand.N(12000)))); err == nil {
			l.Close()
			return l.Addr().String()
		}
	}
	t.Fatal(err)
	return ""
}

// File is the path of the database.
func (p *Process) File() string { return filepath.Join(p.Dir, "latchkey.db") }

// Output is what a command did. Code is -1 when it was killed.
type Output struct {
	Code           int
	Stdout, Stderr string
}

// Command runs a command on the provider's file until it ends or ctx is done, which kills it.
func (p *Process) Command(ctx context.Context, stdin string, args ...string) Output {
	p.t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, build(p.t), append(args, "--db", p.File())...)
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = append(environment(), p.Env...), strings.NewReader(stdin), &stdout, &stderr
	if err := cmd.Run(); cmd.ProcessState == nil && ctx.Err() == nil {
		p.t.Error(err)
	}
	if cmd.ProcessState == nil {
		return Output{Code: -1}
	}
	return Output{Code: cmd.ProcessState.ExitCode(), Stdout: stdout.String(), Stderr: stderr.String()}
}

// environment is that of the test without what the program reads from it.
func environment() (kept []string) {
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "LATCHKEY_") {
			kept = append(kept, v)
		}
	}
	return kept
}

// ServeArgs are the arguments that serve the provider.
func (p *Process) ServeArgs() []string {
	return append([]string{"serve", "--issuer", p.Issuer, "--listen", p.listen}, p.Flags...)
}

// Start serves the provider and returns how long it took to be ready. A command that has serve's flags may stand in for it.
func (p *Process) Start(command ...string) time.Duration {
	p.t.Helper()
	args := append(p.ServeArgs(), "--db", p.File())
	if len(command) > 0 {
		args[0] = command[0]
	}
	cmd := exec.Command(build(p.t), args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = append(environment(), p.Env...), p.Log, p.Log
	if p.Prepare != nil {
		p.Prepare(cmd)
	}
	client := http.DefaultClient
	if strings.HasPrefix(p.Issuer, "https:") {
		client = &http.Client{Transport: p.Transport} // which trusts the certificate
	}
	begun, ended := time.Now(), make(chan struct{})
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.cmd, p.ended = cmd, ended
	go func() {
		cmd.Wait()
		close(ended)
	}()
	for time.Since(begun) < patience {
		if resp, err := client.Get(p.Issuer + "/.well-known/jwks.json"); err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return time.Since(begun)
			}
		}
		select {
		case <-ended:
			p.t.Fatalf("the server ended with %d:\n%s", cmd.ProcessState.ExitCode(), p.Log.Tail())
		case <-time.After(10 * time.Millisecond):
		}
	}
	p.t.Fatalf("the server is not ready:\n%s", p.Log.Tail())
	return 0
}

// Pid is the process id of the server.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Running reports whether the server has not ended.
func (p *Process) Running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// Kill ends the server as a crash would: it can do nothing about it.
func (p *Process) Kill() {
	if p.cmd != nil {
		p.cmd.Process.Kill()
		<-p.ended
	}
}

// Terminate asks the server to end.
func (p *Process) Terminate() { p.cmd.Process.Signal(syscall.SIGTERM) }

// Wait waits until the server has ended and returns its exit code.
func (p *Process) Wait() int {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		p.t.Fatalf("the server does not end:\n%s", p.Log.Tail())
	}
	return p.cmd.ProcessState.ExitCode()
}

// Tail returns the end of the log.
func (l *Log) Tail() string {
	text := l.String()
	return text[max(0, len(text)-4000):]
}
