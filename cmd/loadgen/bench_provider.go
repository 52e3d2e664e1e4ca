package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"debug/elf"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// provider is a latchkey in the folder of the bench.
type provider struct {
	binary, db, addr string
	cfg              *Config
	log              *os.File // standard output and error of the running server
	cmd              *exec.Cmd
	exited           chan struct{} // closed when the server has ended
}

const redirectURI = "http://127.0.0.1:9/callback" // nothing listens: the generator stops there

// newProvider makes the database and declares users and clients in it.
func newProvider(ctx context.Context, binary, dir string, users int) (*provider, error) {
	binary, err := filepath.Abs(binary)
	if err != nil {
		return nil, err
	}
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	p := &provider{binary: binary, db: filepath.Join(dir, "latchkey.db"), addr: addr, cfg: &Config{
		Name: "latchkey", Issuer: "http://" + addr,
		Durability: Durability{Durable: true, Storage: "SQLite WAL synchronous=FULL"},
		Clients: map[string]OAuthClient{
			"cc":      {ID: "bench-cc", Secret: secret(), Scope: "openid reports:read", RedirectURI: redirectURI},
			"code":    {ID: "bench-code", Secret: secret(), Scope: "openid profile email", RedirectURI: redirectURI},
			"refresh": {ID: "bench-refresh", Secret: secret(), Scope: "openid profile email offline_access", RedirectURI: redirectURI},
		},
		// OpenID Connect Core 1.0, section 11: offline_access comes with prompt=consent.
		RefreshParams: map[string]string{"prompt": "consent"},
		Accept:        `^(login-submit|consent-allow)$`,
	}}
	for i := range users {
		p.cfg.Users = append(p.cfg.Users, User{Name: fmt.Sprintf("user%04d", i), Password: rand.Text()})
	}
	if err := p.cfg.complete(); err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "bench.json")
	b, err := json.MarshalIndent(p.declaration(), "", " ")
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(file, b, 0o600); err != nil {
		return nil, err
	}
	if err := p.command(ctx, "init", "--db", p.db, "--issuer", p.cfg.Issuer); err != nil {
		return nil, err
	}
	if err := p.command(ctx, "apply", file, "--db", p.db); err != nil {
		return nil, err
	}
	// O_APPEND lets the file be truncated under the running server.
	p.log, err = os.OpenFile(filepath.Join(dir, "serve.log"), os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600)
	return p, err
}

// declaration is the file for `latchkey apply`. Client members have their names
// from RFC 7591, section 2.
func (p *provider) declaration() any {
	type user struct {
		Username      string         `json:"username"`
		Password      string         `json:"password"`
		Email         string         `json:"email"`
		EmailVerified bool           `json:"email_verified"`
		Claims        map[string]any `json:"claims"`
	}
	type client struct {
		ID            string   `json:"client_id"`
		Secret        string   `json:"client_secret"`
		RedirectURIs  []string `json:"redirect_uris"`
		GrantTypes    []string `json:"grant_types"`
		ResponseTypes []string `json:"response_types"`
		Scope         string   `json:"scope"`
		AuthMethod    string   `json:"token_endpoint_auth_method"`
	}
	var d struct {
		Users   []user   `json:"users"`
		Clients []client `json:"clients"`
	}
	for _, u := range p.cfg.Users {
		d.Users = append(d.Users, user{u.Name, u.Password, u.Name + "@example.com", true,
			map[string]any{"name": "Bench " + u.Name, "given_name": "Bench", "family_name": u.Name, "locale": "en"}})
	}
	for _, role := range []string{"cc", "code", "refresh"} {
		c, grantTypes := p.cfg.Clients[role], []string{"authorization_code", "refresh_token"}
		if role == "cc" {
			grantTypes = append(grantTypes, "client_credentials")
		}
		d.Clients = append(d.Clients, client{c.ID, c.Secret, []string{c.RedirectURI}, grantTypes, []string{"code"}, c.Scope, "client_secret_basic"})
	}
	return d
}

func secret() string { return rand.Text() + rand.Text() }

// command runs a subcommand to its end.
func (p *provider) command(ctx context.Context, args ...string) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, p.binary, args...)
	c.Env = cleanEnv()
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("latchkey %s: %w\n%s", args[0], err, tail(out))
	}
	return nil
}

// start runs the server on the existing file and returns the time from exec to
// the first answer of discovery.
func (p *provider) start(ctx context.Context) (time.Duration, error) {
	p.cmd = exec.CommandContext(ctx, p.binary, "serve", "--db", p.db, "--issuer", p.cfg.Issuer, "--listen", p.addr, "--rate-limit-scale", "0")
	p.cmd.Env = cleanEnv()
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	begin := time.Now()
	if err := p.cmd.Start(); err != nil {
		return 0, err
	}
	p.exited = make(chan struct{})
	go func() {
		p.cmd.Wait() // the outcome is in ProcessState
		close(p.exited)
	}()
	var last error
	for time.Since(begin) < 15*time.Second {
		if _, last = p.cfg.discover(); last == nil {
			return time.Since(begin), nil
		}
		select {
		case <-p.exited:
			return 0, p.alive()
		case <-time.After(time.Millisecond):
		}
	}
	out := p.logTail()
	p.stop()
	return 0, fmt.Errorf("latchkey serve does not answer after 15 s: %w\n%s", last, out)
}

func (p *provider) pid() int { return p.cmd.Process.Pid }

// alive is an error with the end of the log when the server has ended.
func (p *provider) alive() error {
	select {
	case <-p.exited:
		return fmt.Errorf("latchkey serve ended by itself (%v)\n%s", p.cmd.ProcessState, p.logTail())
	default:
		return nil
	}
}

// stop ends the server, by force when it does not within ten seconds.
func (p *provider) stop() {
	p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.exited:
	case <-time.After(10 * time.Second):
		p.cmd.Process.Kill()
		<-p.exited
	}
}

func (p *provider) logTail() []byte {
	b, _ := os.ReadFile(p.log.Name())
	return tail(b)
}

func tail(b []byte) []byte { return bytes.TrimSpace(b[max(0, len(b)-2000):]) }

// cleanEnv leaves out the environment twins of flags: what is measured is what
// the command lines here say.
func cleanEnv() []string {
	var out []string
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "LATCHKEY_") {
			out = append(out, kv)
		}
	}
	return out
}

func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// strippedSize is the size of an ELF binary without the sections that strip(1)
// removes, and of any other binary as it is.
func strippedSize(path string) (int64, error) {
	st, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	size := st.Size()
	f, err := elf.Open(path)
	if err != nil {
		return size, nil
	}
	defer f.Close()
	for _, s := range f.Sections {
		if s.Name == ".symtab" || s.Name == ".strtab" || strings.HasPrefix(s.Name, ".debug_") || strings.HasPrefix(s.Name, ".zdebug_") {
			size -= int64(s.FileSize)
		}
	}
	return size, nil
}
