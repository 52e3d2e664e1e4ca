package main

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// server is a run of the program that goes on until stop.
type server struct {
	t     *testing.T
	mu    sync.Mutex
	log   bytes.Buffer
	ended chan int
	stop  context.CancelFunc
}

func (s *server) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.Write(b)
}

func (s *server) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String()
}

// startServer runs the program until it says that it is ready.
func startServer(t *testing.T, args ...string) *server {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s := &server{t: t, ended: make(chan int, 1), stop: cancel}
	go func() { s.ended <- run(ctx, args, strings.NewReader(""), s, s, nil) }()
	t.Cleanup(cancel)
	for !strings.Contains(s.text(), "Ready") {
		select {
		case code := <-s.ended:
			t.Fatalf("exit code %d:\n%s", code, s.text())
		case <-time.After(5 * time.Millisecond):
		}
	}
	return s
}

// end stops the program and returns its exit code.
func (s *server) end() int {
	s.stop()
	return <-s.ended
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func status(t *testing.T, resp *http.Response, err error) int {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

func TestServe(t *testing.T) {
	inFolder(t)
	address := freeAddress(t)
	issuer := "http://" + address
	s := startServer(t, "serve", "--issuer", issuer, "--listen", address)
	for _, want := range []string{"issuer      " + issuer, "listening   " + issuer, "database    latchkey.db", "synchronous=FULL", "Ready."} {
		if !strings.Contains(s.text(), want) {
			t.Errorf("the start says nothing of %q:\n%s", want, s.text())
		}
	}
	get := func(path string) int {
		resp, err := http.Get(issuer + path)
		return status(t, resp, err)
	}
	if got := get("/.well-known/openid-configuration"); got != http.StatusOK {
		t.Errorf("discovery: %d", got)
	}

	// AD-01: nobody can sign in before somebody was added.
	for _, user := range []string{"admin", "root", "latchkey"} {
		if r := latchkey(t, `{"groups": [{"name": "x", "members": ["`+user+`"]}]}`, "apply", "-", "--plan"); r.code != exitRefused || !strings.Contains(r.stderr, "there is no user") {
			t.Errorf("%s: %+v", user, r)
		}
	}

	// ST-07, and a taken port: neither disturbs who is there.
	if r := latchkey(t, "", "serve", "--issuer", issuer, "--listen", freeAddress(t)); r.code != exitConflict || !strings.Contains(r.stderr, "stop the server first") {
		t.Errorf("a second server: %+v", r)
	}
	if r := latchkey(t, "", "init", "--db", "other.db"); r.code != exitOK {
		t.Fatalf("%+v", r)
	}
	if r := latchkey(t, "", "serve", "--db", "other.db", "--issuer", issuer, "--listen", address); r.code != exitConflict || !strings.Contains(r.stderr, "--listen") {
		t.Errorf("a taken port: %+v", r)
	}

	// A client that is added beside the running server can authenticate soon.
	answer := func() int {
		form := url.Values{"grant_type": {"authorization_code"}, "code": {"x"}, "client_id": {"wiki"}, "client_secret": {goodSecret}}
		resp, err := http.PostForm(issuer+"/token", form)
		return status(t, resp, err)
	}
	if got := answer(); got != http.StatusUnauthorized {
		t.Errorf("an unknown client: %d", got)
	}
	if r := latchkey(t, document, "apply", "-"); r.code != exitOK {
		t.Fatalf("%+v", r)
	}
	for answer() == http.StatusUnauthorized {
		time.Sleep(20 * time.Millisecond)
	}
	if code := s.end(); code != exitOK {
		t.Errorf("exit code %d:\n%s", code, s.text())
	}
	for _, secret := range []string{goodPassword, goodSecret} {
		if strings.Contains(s.text(), secret) {
			t.Error("the log holds a secret")
		}
	}
}

var setupLink = regexp.MustCompile(`(http://[^ ]+/setup\?token=)(\S+)`)

// AD-02: the link is printed and nowhere else; what is stored does not hold it.
func TestQuickstart(t *testing.T) {
	dir := inEmptyFolder(t)
	address := freeAddress(t)
	s := startServer(t, "quickstart", "--listen", address)
	link := setupLink.FindStringSubmatch(s.text())
	if link == nil || link[1] != "http://"+address+"/setup?token=" {
		t.Fatalf("no link:\n%s", s.text())
	}
	resp, err := http.Get(link[0])
	if got := status(t, resp, err); got != http.StatusOK {
		t.Errorf("the link: %d", got)
	}
	resp, err = http.Get(link[1] + "guess")
	if got := status(t, resp, err); got == http.StatusOK {
		t.Error("a guess is as good as the link")
	}
	files, _ := filepath.Glob(filepath.Join(dir, "latchkey.db*"))
	if len(files) < 3 {
		t.Errorf("made %v", files)
	}
	for _, f := range files {
		if b, err := os.ReadFile(f); err != nil || bytes.Contains(b, []byte(link[2])) {
			t.Errorf("%s holds the link, or %v", f, err)
		}
	}
	if n := strings.Count(s.text(), link[2]); n != 1 {
		t.Errorf("the link is in the log %d times", n)
	}
	if code := s.end(); code != exitOK {
		t.Errorf("exit code %d", code)
	}

	// The next start makes a new link, and none once there is an administrator.
	s = startServer(t, "quickstart", "--listen", address)
	if again := setupLink.FindStringSubmatch(s.text()); again == nil || again[2] == link[2] {
		t.Errorf("the second start:\n%s", s.text())
	}
	if r := latchkey(t, goodPassword, "user", "add", "sari", "--admin", "--password-stdin"); r.code != exitOK {
		t.Fatalf("%+v", r)
	}
	s.end()
	s = startServer(t, "quickstart", "--listen", address)
	if setupLink.MatchString(s.text()) || !strings.Contains(s.text(), "Ready: open http://"+address) {
		t.Errorf("with an administrator:\n%s", s.text())
	}
	s.end()
}

func TestQuickstartAddress(t *testing.T) {
	for _, test := range [][4]string{
		{"", "", "http://localhost:8080", "localhost:8080"},
		{"", "localhost:9000", "http://localhost:9000", "localhost:9000"},
		{"", "127.0.0.1:80", "http://127.0.0.1", "127.0.0.1:80"},
		{"http://127.0.0.1:9000", "", "http://127.0.0.1:9000", "127.0.0.1:9000"},
		{"http://localhost", "", "http://localhost", "localhost:80"},
		{"https://id.example.org", "", "https://id.example.org", "localhost:8080"},
		{"https://id.example.org", "127.0.0.1:1", "https://id.example.org", "127.0.0.1:1"},
	} {
		if issuer, listen := quickstartAddress(test[0], test[1]); issuer != test[2] || listen != test[3] {
			t.Errorf("%q and %q give %q and %q", test[0], test[1], issuer, listen)
		}
	}
}
