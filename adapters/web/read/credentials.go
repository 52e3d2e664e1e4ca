package read

import (
	"cmp"
	"encoding/base64"
	"net/http"
	"strings"

	"latchkey/domain/oauth"
)

// Credentials reads how a client authenticates (RFC 6749 §2.3): Basic or form fields, never both.
func Credentials(r *http.Request, f Form) ([]oauth.Credentials, *oauth.Error) {
	id, secret := f.Get("client_id"), oauth.Secret(f.Get("client_secret"))
	for _, name := range []string{"client_id", "client_secret"} {
		if len(f.Values[name]) > 1 {
			return nil, oauth.Refuse(oauth.InvalidRequest, name+" was sent more than once").With("received", name)
		}
	}
	headers := r.Header.Values("Authorization")
	assertion := f.Get("client_assertion") != "" || f.Get("client_assertion_type") != ""
	switch {
	case len(headers) > 1:
		return nil, oauth.Refuse(oauth.InvalidRequest, "the Authorization header was sent more than once")
	case len(headers) == 1 && (secret != "" || assertion), secret != "" && assertion:
		return nil, oauth.Refuse(oauth.InvalidRequest, "use one way of client authentication, not two")
	case assertion:
		return nil, oauth.Refuse(oauth.InvalidClient, "client assertions are not supported: use client_secret_basic or client_secret_post")
	case len(headers) == 1:
		return basic(headers[0], id)
	case id == "":
		return nil, nil
	case secret != "":
		return []oauth.Credentials{{ID: oauth.ClientID(id), Secret: secret, Method: oauth.AuthPost}}, nil
	}
	return []oauth.Credentials{{ID: oauth.ClientID(id), Method: oauth.AuthNone}}, nil
}

// basic reads a Basic header. RFC 6749 §2.3.1 has both parts form-encoded; many clients send them as they are, so that
// reading is tried second. A public client may send its id with an empty password.
func basic(header, bodyID string) ([]oauth.Credentials, *oauth.Error) {
	malformed := oauth.Refuse(oauth.InvalidClient, "the Authorization header is not a well-formed Basic header")
	scheme, text, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Basic") {
		return nil, oauth.Refuse(oauth.InvalidClient, "the Authorization header must use the Basic scheme").With("expected", "Basic")
	}
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil || len(raw) > maxValue || !isText(string(raw)) {
		return nil, malformed
	}
	id, secret, found := strings.Cut(string(raw), ":")
	if !found {
		return nil, malformed
	}
	var readings []oauth.Credentials
	add := func(id, secret string) {
		c := oauth.Credentials{ID: oauth.ClientID(id), Secret: oauth.Secret(secret), Method: oauth.AuthBasic}
		if secret == "" {
			c.Method = oauth.AuthNone
		}
		if len(readings) == 0 || readings[0] != c {
			readings = append(readings, c)
		}
	}
	decodedID, err := unescape(id)
	decodedSecret, err2 := unescape(secret)
	if err == nil && err2 == nil {
		add(decodedID, decodedSecret)
	}
	add(id, secret)
	if bodyID != "" && bodyID != string(readings[0].ID) && bodyID != id {
		return nil, oauth.Refuse(oauth.InvalidRequest, "client_id differs from the one in the Authorization header")
	}
	return readings, nil
}

// ClaimedClient is who a request says it is from, as far as it was read.
func ClaimedClient(r *http.Request) string {
	named := ""
	if f, _ := Query(r.URL.RawQuery); f.Get("client_id") != "" {
		named = f.Get("client_id")
	}
	if sent := r.PostForm["client_id"]; len(sent) > 0 {
		named = sent[0]
	}
	scheme, text, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil || !strings.EqualFold(scheme, "Basic") || !isText(string(raw)) {
		return named
	}
	id, _, found := strings.Cut(string(raw), ":")
	if decoded, err := unescape(id); err == nil {
		id = decoded
	}
	if !found { // it may be a secret
		return named
	}
	return cmp.Or(id, named)
}
