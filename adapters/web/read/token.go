package read

import (
	"net/http"

	"latchkey/domain/oauth"
)

// tokenParameters are the parameters the token endpoint reads.
var tokenParameters = []string{"grant_type", "code", "redirect_uri", "code_verifier", "refresh_token", "scope", "client_id",
	"client_secret", "client_assertion", "client_assertion_type"}

// TokenRequest turns bytes into a token request.
func TokenRequest(r *http.Request) (oauth.TokenRequest, *oauth.Error) {
	f, refusal := machineForm(r, tokenParameters)
	if refusal != nil {
		return oauth.TokenRequest{}, refusal
	}
	req := oauth.TokenRequest{
		GrantType:    f.Get("grant_type"),
		Code:         oauth.Secret(f.Get("code")),
		RedirectURI:  f.Get("redirect_uri"),
		Verifier:     f.Get("code_verifier"),
		RefreshToken: oauth.Secret(f.Get("refresh_token")),
		Scope:        f.Get("scope"),
	}
	req.Credentials, refusal = Credentials(r, f)
	return req, refusal
}

// PresentedToken turns bytes into a request about a token.
func PresentedToken(r *http.Request) (oauth.PresentedToken, *oauth.Error) {
	f, refusal := machineForm(r, []string{"token", "token_type_hint", "client_id", "client_secret", "client_assertion", "client_assertion_type"})
	if refusal != nil {
		return oauth.PresentedToken{}, refusal
	}
	req := oauth.PresentedToken{Token: oauth.Secret(f.Get("token"))}
	req.Credentials, refusal = Credentials(r, f)
	return req, refusal
}

// machineForm reads the form of a client, in which none of the parameters repeats. Parameters in the query are refused
// rather than ignored, so that a client that leaks its secret into logs is told (RFC 6749 §3.2).
func machineForm(r *http.Request, parameters []string) (Form, *oauth.Error) {
	query, refusal := Query(r.URL.RawQuery)
	if refusal != nil {
		return Form{}, refusal
	}
	for _, name := range parameters {
		if len(query.Values[name]) > 0 {
			return Form{}, oauth.Refuse(oauth.InvalidRequest, "send the parameters in the request body, not in the URL").With("received", name)
		}
	}
	f, refusal := Body(r)
	if refusal != nil {
		return Form{}, refusal
	}
	for _, name := range parameters {
		if len(f.Values[name]) > 1 {
			return Form{}, oauth.Refuse(oauth.InvalidRequest, name+" was sent more than once").With("received", name)
		}
	}
	return f, nil
}
