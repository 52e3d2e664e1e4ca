package app_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"latchkey/app/apptest"
)

// raw sends bytes that no HTTP client would send and returns the status of the answer.
func raw(t *testing.T, p *apptest.Provider, request string) int {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(p.Issuer, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	r, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	return r.StatusCode
}

// AD-10: whatever bytes a stranger sends, what is recorded of them is what is read again. Otherwise one request would make the
// trail look forged for ever.
func TestHostileBytesKeepTheTrailWhole(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	before := len(p.Events())
	for _, header := range []string{
		"Content-Type: application/\xff\xfe", "Content-Type: a\xc3\x28b; q=\xed\xa0\x80",
		"Content-Type: application/x-www-form-urlencoded\r\nContent-Encoding: \xff", "Content-Type: " + strings.Repeat("x", 255) + "\xc3\xa9",
		"User-Agent: \xff\xfe\r\nContent-Type: x", "Authorization: Basic \xff", "Authorization: B\xff x", "Authorization: Bearer \xff",
		"Origin: \xff\r\nContent-Type: x", "X-Forwarded-For: \xff\r\nContent-Type: x", "Cookie: latchkey-session=\xff\r\nContent-Type: x",
	} {
		for _, path := range []string{"/token", "/revoke", "/introspect", "/userinfo", "/connect/logout", "/authorize", "/login", "/reset", "/setup"} {
			raw(t, p, "POST "+path+" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\n"+header+"\r\n\r\n")
			raw(t, p, "GET "+path+"?client_id=%ff&token=%ff&x=\xff HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"+header+"\r\n\r\n")
		}
	}
	if len(p.Events()) == before {
		t.Fatal("nothing of it was recorded")
	}
	if _, err := p.Admin.VerifyTrail(t.Context(), nil, func(int64, int64) {}); err != nil {
		t.Error(err)
	}
}
