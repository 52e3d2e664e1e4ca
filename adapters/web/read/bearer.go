package read

import (
	"net/http"
	"strings"

	"latchkey/domain/oauth"
)

// Bearer finds the access token. Only a POST with a form has a body to look into; one with the token in its header
// and some other body, as HTTP libraries send by themselves, is answered without reading it.
func Bearer(r *http.Request) (oauth.Secret, *oauth.Error) {
	var f Form
	if r.Method == http.MethodPost && isForm(r) {
		var refusal *oauth.Error
		if f, refusal = Body(r); refusal != nil {
			return "", refusal
		}
	}
	return bearer(r, f)
}

// BearerHeader finds the access token in the header alone, and reads no body.
func BearerHeader(r *http.Request) (oauth.Secret, *oauth.Error) { return bearer(r, Form{}) }

// bearer reads the access token of a request to a protected resource (RFC 6750 §2.1, §2.2). An empty token with no error
// means that none was sent. Tokens in the query are refused: they end up in logs and histories (RFC 9700 §4.3.2).
func bearer(r *http.Request, f Form) (oauth.Secret, *oauth.Error) {
	headers := r.Header.Values("Authorization")
	inBody := f.Values["access_token"]
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

// CarriesBearer reports whether a request speaks for an access token and not for a browser.
func CarriesBearer(r *http.Request) bool {
	scheme, _, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.EqualFold(scheme, "Bearer")
}
