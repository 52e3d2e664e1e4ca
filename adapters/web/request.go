package web

import (
	"encoding/base64"
	"net/http"
	"strings"

	"latchkey/adapters/web/page"
	"latchkey/domain/audit"
	"latchkey/domain/oauth"
)

// request is one HTTP request with what the middleware found out about it.
type request struct {
	*http.Request
	caller audit.Caller
	route  route
	locale page.Locale
	hushed bool // refused like many before it: counted, and neither recorded nor logged
}

// errorRef leads from what a client or person was shown to what was recorded: the record carries the request id.
func errorRef(requestID string) string { return "err_" + strings.TrimPrefix(requestID, "req_") }

// credentials reads how a client authenticates (RFC 6749 §2.3): Basic or form fields, never both.
func credentials(r *http.Request, f form) ([]oauth.Credentials, *oauth.Error) {
	id, secret := f.get("client_id"), oauth.Secret(f.get("client_secret"))
	for _, name := range []string{"client_id", "client_secret"} {
		if len(f.values[name]) > 1 {
			return nil, oauth.Refuse(oauth.InvalidRequest, name+" was sent more than once").With("received", name)
		}
	}
	headers := r.Header.Values("Authorization")
	assertion := f.get("client_assertion") != "" || f.get("client_assertion_type") != ""
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

// bearer reads the access token of a request to a protected resource (RFC 6750 §2.1, §2.2). An empty token with no error
// means that none was sent. Tokens in the query are refused: they end up in logs and histories (RFC 9700 §4.3.2).
func bearer(r *http.Request, f form) (oauth.Secret, *oauth.Error) {
	headers := r.Header.Values("Authorization")
	inBody := f.values["access_token"]
	if strings.Contains(r.URL.RawQuery, "access_token=") {
		return "", oauth.Refuse(oauth.InvalidRequest, "send the access token in the Authorization header, not in the query")
	}
	if len(headers)+len(inBody) > 1 {
		return "", oauth.Refuse(oauth.InvalidRequest, "send the access token once")
	}
	if len(inBody) == 1 {
		return oauth.Secret(inBody[0]), nil
	}
	if len(headers) == 0 {
		return "", nil
	}
	scheme, token, _ := strings.Cut(headers[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", nil
	}
	return oauth.Secret(strings.TrimSpace(token)), nil
}

// wantsPage reports whether the caller is a browser that shows pages.
func wantsPage(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), "text/html")
}
