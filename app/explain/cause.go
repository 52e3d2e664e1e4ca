package explain

import (
	"strings"

	"latchkey/domain/audit"
)

// Cause names why something was refused, finer than any error code. Causes never change their meaning once released.
type Cause string

// other is the cause of a refusal that no rule below knows, such as one an older version recorded.
const other Cause = "other"

// recognition leads from what was recorded to a cause. The first row that fits counts.
type recognition struct {
	begins string // of the description
	fact   string // name of a fact that must have the value; empty: none
	value  string
	cause  Cause
}

var recognitions = []recognition{
	{"redirect_uri is not registered", "", "", "redirect_mismatch"},
	{"redirect_uri is missing", "", "", "redirect_missing"},
	{"client_id is missing", "", "", "client_id_missing"},
	{"client_id is not registered", "reason", "the client is disabled", "client_disabled"},
	{"client_id is not registered", "", "", "client_unknown"},
	{"a parameter was sent more than once", "", "", "parameter_repeated"},
	{"request objects are not supported", "", "", "request_object"},
	{"request_uri is not supported", "", "", "request_object"},
	{"the registration parameter", "", "", "request_object"},
	{"response_mode must be", "", "", "response_mode"},
	{"response_type is missing", "", "", "response_type_missing"},
	{"response_type must be", "", "", "response_type"},
	{"this client may not use this response_type", "", "", "response_type"},
	{"scope has a value that this client may not ask for", "", "", "scope_unregistered"},
	{"scope must contain openid", "", "", "scope_openid"},
	{"scope has more than 64", "", "", "scope_syntax"},
	{"scope has a character", "", "", "scope_syntax"},
	{"state is missing", "", "", "state_missing"},
	{"nonce is missing", "", "", "nonce_missing"},
	{"code_challenge is missing", "", "", "pkce_missing"},
	{"code_challenge_method must be", "", "", "pkce_plain"},
	{"code_challenge must be", "", "", "pkce_challenge"},
	{"send code_challenge (PKCE, S256) or nonce", "", "", "binding_missing"},
	{"prompt ", "", "", "prompt"},
	{"max_age must be", "", "", "max_age"},
	{"id_token_hint is not an ID token", "", "", "id_token_hint"},
	{"nobody is signed in", "", "", "login_required"},
	{"another user is signed in than id_token_hint", "", "", "login_required"},
	{"another user has signed in since", "", "", "login_required"},
	{"another account was asked for", "", "", "login_required"},
	{"a new sign-in was asked for", "", "", "login_required"},
	{"the sign-in is older than max_age", "", "", "login_required"},
	{"the user has to choose an account", "", "", "login_required"},
	{"the second factor was asked for", "", "", "factor_required"},
	{"a second factor was asked for", "", "", "factor_required"},
	{"the user has not agreed", "", "", "consent_required"},
	{"the user did not agree", "", "", "user_denied"},

	{"send the parameters as application/x-www-form-urlencoded", "", "", "form_type"},
	{"a request body with Content-Encoding", "", "", "form_type"},
	{"the request is not properly form-encoded", "", "", "form_encoding"},
	{"a parameter is longer", "", "", "too_large"},
	{"the request has more than 100 parameters", "", "", "too_large"},
	{"the request is larger", "", "", "too_large"},
	{"the request body could not be read", "", "", "form_encoding"},
	{"send the parameters in the request body", "", "", "parameters_in_url"},
	{"this path does not answer the method", "", "", "method"},

	{"client authentication is missing", "", "", "auth_missing"},
	{"use one way of client authentication", "", "", "auth_two_ways"},
	{"client_id differs from the one in the Authorization header", "", "", "auth_two_ways"},
	{"the Authorization header was sent more than once", "", "", "auth_two_ways"},
	{"client assertions are not supported", "", "", "auth_assertion"},
	{"the Authorization header", "", "", "auth_basic"},
	{"client authentication failed", "reason", "client_id is not registered", "client_unknown"},
	{"client authentication failed", "reason", "the client is disabled", "client_disabled"},
	{"client authentication failed", "reason", "a public client sent a secret", "auth_public_secret"},
	{"client authentication failed", "reason", "a confidential client sent no secret", "auth_no_secret"},
	{"client authentication failed", "reason", "wrong method", "auth_method"},
	{"client authentication failed", "surplus", "white space or quotes", "secret_surplus"},
	{"client authentication failed", "reason", "wrong secret", "secret_wrong"},
	{"client_credentials needs", "", "", "auth_public_machine"},
	{"introspection needs", "", "", "auth_public_machine"},
	{"grant_type is missing", "", "", "grant_type_missing"},
	{"grant_type must be", "reason", "not registered for it", "grant_type_unregistered"},
	{"grant_type must be", "", "", "grant_type_unknown"},
	{"this client is not registered for the grant_type", "", "", "grant_type_unregistered"},

	{"code is missing", "", "", "code_missing"},
	{"the code is unknown or expired", "", "", "code_unknown"},
	{"the code has expired", "", "", "code_expired"},
	{"the code was already used", "", "", "code_replayed"},
	{"the code was issued to another client", "", "", "code_other_client"},
	{"redirect_uri differs from the authorization request", "", "", "code_redirect"},
	{"code_verifier does not match", "verifier", "missing", "verifier_missing"},
	{"code_verifier does not match", "verifier", "unexpected", "verifier_unexpected"},
	{"code_verifier does not match", "", "", "verifier_wrong"},
	{"the user has withdrawn the permission", "", "", "grant_revoked"},
	{"the user can no longer sign in", "", "", "user_disabled"},
	{"the user has signed out", "", "", "session_ended"},
	{"the code was issued while the clock", "", "", "from_future"},

	{"refresh_token is missing", "", "", "refresh_missing"},
	{"the refresh token was already used", "", "", "refresh_replayed"},
	{"the refresh token is revoked", "", "", "refresh_revoked"},
	{"the refresh token was issued to another client", "", "", "refresh_other_client"},
	{"the refresh token is unknown or expired", "reason", "expired", "refresh_expired"},
	{"the refresh token is unknown or expired", "reason", "from the future", "from_future"},
	{"the refresh token is unknown or expired", "", "", "refresh_unknown"},
	{"scope exceeds what the user granted", "", "", "scope_exceeds"},
	{"scope has a value that this client may no longer", "", "", "scope_unregistered"},
	{"token is missing", "", "", "token_missing"},

	{"the access token is not valid here", "reason", "an ID token", "bearer_id_token"},
	{"the access token is not valid here", "reason", "expired", "bearer_expired"},
	{"the access token is not valid here", "reason", "issued in the future", "from_future"},
	{"the access token is not valid here", "", "", "bearer_foreign"},
	{"the access token lacks the scope openid", "", "", "bearer_scope"},
	{"the access token was revoked", "", "", "bearer_revoked"},
	{"send the access token", "", "", "bearer_place"},

	{"post_logout_redirect_uri", "", "", "logout_redirect"},
	{"id_token_hint was issued to another client", "", "", "id_token_hint"},
	{"the access token is about no user", "", "", "logout_no_user"},
	{"the access token belongs to no session", "", "", "logout_no_session"},
	{"the client has no channel for logout", "", "", "logout_no_channel"},
	{"send the browser of the user here", "", "", "logout_browser"},
	{"the user has to confirm this in a browser", "", "", "logout_browser"},

	{"the form did not come from a page", "reason", "no browser cookie", "cookie_missing"},
	{"the form did not come from a page", "", "", "form_foreign"},
	{"this page is for administrators", "", "", "admin_only"},
	{"this link was used", "", "", "link_dead"},
	{"this set-up link was used", "", "", "link_dead"},
	{"too many requests", "", "", "too_many"},
}

// causeOf names the cause of a refusal.
func causeOf(e audit.Event) Cause {
	description := e.Facts["description"]
	for _, r := range recognitions {
		if strings.HasPrefix(description, r.begins) && (r.fact == "" || e.Facts[r.fact] == r.value) {
			return r.cause
		}
	}
	for _, ends := range []string{"was sent more than once", "differ: send one of them"} { // they begin with names of parameters
		if strings.HasSuffix(description, ends) {
			return "parameter_repeated"
		}
	}
	return other
}

// sections says where the rule stands that a cause breaks.
var sections = map[Cause]string{
	"redirect_mismatch": "RFC 6749 §3.1.2.3, RFC 9700 §4.1.3", "redirect_missing": "OpenID Connect Core §3.1.2.1", "client_id_missing": "RFC 6749 §4.1.1",
	"client_unknown": "RFC 6749 §2.2", "client_disabled": "RFC 6749 §5.2", "parameter_repeated": "RFC 6749 §3.1", "request_object": "OpenID Connect Core §6",
	"response_mode": "OAuth 2.0 Multiple Response Types §2.1", "response_type_missing": "RFC 6749 §3.1.1", "response_type": "RFC 9700 §2.1.2",
	"scope_unregistered": "RFC 6749 §3.3", "scope_openid": "OpenID Connect Core §3.1.2.1", "scope_syntax": "RFC 6749 §3.3", "state_missing": "RFC 6749 §10.12",
	"nonce_missing": "OpenID Connect Core §15.5.2", "pkce_missing": "RFC 9700 §2.1.1", "pkce_plain": "RFC 7636 §4.2", "pkce_challenge": "RFC 7636 §4.2",
	"binding_missing": "RFC 9700 §4.5.3", "prompt": "OpenID Connect Core §3.1.2.1", "max_age": "OpenID Connect Core §3.1.2.1",
	"id_token_hint": "OpenID Connect Core §3.1.2.1", "login_required": "OpenID Connect Core §3.1.2.6", "factor_required": "OpenID Connect Core §3.1.2.6", "consent_required": "OpenID Connect Core §3.1.2.6",
	"user_denied": "RFC 6749 §4.1.2.1",

	"form_type": "RFC 6749 §4.1.3", "form_encoding": "RFC 6749 appendix B", "too_large": "RFC 9110 §15.5.14", "parameters_in_url": "RFC 6749 §2.3.1, §3.2",
	"method": "RFC 6749 §3.2", "auth_missing": "RFC 6749 §3.2.1", "auth_two_ways": "RFC 6749 §2.3", "auth_assertion": "RFC 7523 §2.2",
	"auth_basic": "RFC 6749 §2.3.1", "auth_public_secret": "RFC 6749 §2.1", "auth_no_secret": "RFC 6749 §3.2.1", "auth_method": "RFC 7591 §2",
	"secret_surplus": "RFC 6749 §2.3.1", "secret_wrong": "RFC 6749 §2.3.1", "auth_public_machine": "RFC 6749 §4.4, RFC 7662 §2.1",
	"grant_type_missing": "RFC 6749 §4.1.3", "grant_type_unknown": "RFC 6749 §5.2", "grant_type_unregistered": "RFC 7591 §2",

	"code_missing": "RFC 6749 §4.1.3", "code_unknown": "RFC 6749 §4.1.3", "code_expired": "RFC 6749 §4.1.2", "code_replayed": "RFC 6749 §4.1.2",
	"code_other_client": "RFC 6749 §4.1.3", "code_redirect": "RFC 6749 §4.1.3", "verifier_missing": "RFC 7636 §4.5", "verifier_unexpected": "RFC 9700 §4.8.2",
	"verifier_wrong": "RFC 7636 §4.6", "grant_revoked": "RFC 6749 §5.2", "user_disabled": "RFC 6749 §5.2", "session_ended": "RFC 6749 §5.2",
	"from_future": "RFC 7519 §4.1.6",

	"refresh_missing": "RFC 6749 §6", "refresh_replayed": "RFC 9700 §4.14.2", "refresh_revoked": "RFC 6749 §5.2", "refresh_other_client": "RFC 6749 §6",
	"refresh_expired": "RFC 9700 §4.14.2", "refresh_unknown": "RFC 6749 §5.2", "scope_exceeds": "RFC 6749 §6", "token_missing": "RFC 7009 §2.1",

	"bearer_id_token": "RFC 9068 §4", "bearer_expired": "RFC 6750 §3.1", "bearer_foreign": "RFC 6750 §3.1", "bearer_scope": "OpenID Connect Core §5.3",
	"bearer_revoked": "RFC 6750 §3.1", "bearer_place": "RFC 6750 §2, RFC 9700 §4.3.2",

	"logout_redirect": "OpenID Connect RP-Initiated Logout §3", "logout_browser": "OpenID Connect RP-Initiated Logout §2",
	"logout_no_user": "RFC 6750 §3.1", "logout_no_session": "OpenID Connect Back-Channel Logout §2.1", "logout_no_channel": "OpenID Connect Back-Channel Logout §2.2",
	"form_foreign": "RFC 6749 §10.12", "cookie_missing": "RFC 6265 §5.4", "admin_only": "RFC 9110 §15.5.4", "link_dead": "RFC 9110 §15.5.1",
	"too_many": "RFC 6585 §4", other: "RFC 6749 §5.2",
}
