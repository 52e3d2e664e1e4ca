package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"latchkey/domain/oauth"
	"latchkey/domain/oidc"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden answers")

// wireAnswer writes an answer as it stands on the wire: status, headers, body. JSON is broken into lines for the reader.
func wireAnswer(t *testing.T, w *httptest.ResponseRecorder) string {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "%d %s\n", w.Code, http.StatusText(w.Code))
	if err := w.Header().Write(&b); err != nil {
		t.Fatal(err)
	}
	b.WriteString("\n")
	body := w.Body.Bytes()
	if w.Header().Get("Content-Type") == "application/json" {
		var lines bytes.Buffer
		if err := json.Indent(&lines, body, "", "  "); err != nil {
			t.Fatal(err)
		}
		body = lines.Bytes()
	}
	b.Write(body)
	return strings.ReplaceAll(b.String(), "\r", "") + "\n"
}

// wantGolden compares an answer with testdata/wire, so that a change of what clients see is seen in review.
func wantGolden(t *testing.T, name string, w *httptest.ResponseRecorder) {
	t.Helper()
	path, got := filepath.Join("testdata", "wire", name+".golden"), wireAnswer(t, w)
	if *update {
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(got), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (go test -update rewrites it): %s", name, diff)
	}
}

func TestErrorGolden(t *testing.T) {
	wantGolden(t, "error", newBench(t).post("/token?code=x", "client_id=web"))
	b := newBench(t)
	b.onToken = func(oauth.TokenRequest) (oauth.TokenResponse, error) {
		return oauth.TokenResponse{}, oauth.Refuse(oauth.InvalidClient, "client authentication failed")
	}
	wantGolden(t, "unauthorized_client", b.post("/token", "client_id=web&client_secret=wrong"))
	b = newBench(t)
	b.onUserInfo = func(oauth.Secret) (oidc.Claims, error) {
		return nil, oauth.Refuse(oauth.InvalidToken, "the access token is not valid here or has expired")
	}
	wantGolden(t, "unauthorized_bearer", b.get("/userinfo", "Authorization: Bearer old"))
}
