package oidc

import (
	"slices"

	"latchkey/domain/oauth"
)

// Metadata is the discovery document (OIDC Discovery 1.0 §3, RFC 8414 §2). It lists nothing that does not work.
type Metadata struct {
	Issuer                  string   `json:"issuer"`
	AuthorizationEndpoint   string   `json:"authorization_endpoint"`
	TokenEndpoint           string   `json:"token_endpoint"`
	UserInfoEndpoint        string   `json:"userinfo_endpoint"`
	JWKSURI                 string   `json:"jwks_uri"`
	RevocationEndpoint      string   `json:"revocation_endpoint"`
	IntrospectionEndpoint   string   `json:"introspection_endpoint"`
	EndSessionEndpoint      string   `json:"end_session_endpoint"`
	ResponseTypes           []string `json:"response_types_supported"`
	ResponseModes           []string `json:"response_modes_supported"`
	GrantTypes              []string `json:"grant_types_supported"`
	SubjectTypes            []string `json:"subject_types_supported"`
	IDTokenAlgs             []string `json:"id_token_signing_alg_values_supported"`
	TokenAuthMethods        []string `json:"token_endpoint_auth_methods_supported"`
	RevocationAuthMethods   []string `json:"revocation_endpoint_auth_methods_supported"`
	IntrospectAuthMethods   []string `json:"introspection_endpoint_auth_methods_supported"`
	Scopes                  []string `json:"scopes_supported"`
	Claims                  []string `json:"claims_supported"`
	ACRValues               []string `json:"acr_values_supported"`
	PromptValues            []string `json:"prompt_values_supported"`
	CodeChallengeMethods    []string `json:"code_challenge_methods_supported"`
	UILocales               []string `json:"ui_locales_supported"`
	ClaimsParameter         bool     `json:"claims_parameter_supported"`
	RequestParameter        bool     `json:"request_parameter_supported"`
	RequestURIParameter     bool     `json:"request_uri_parameter_supported"`
	IssuerResponseParameter bool     `json:"authorization_response_iss_parameter_supported"`
	CheckSessionIframe      string   `json:"check_session_iframe"`
	BackChannelLogout       bool     `json:"backchannel_logout_supported"`
	BackChannelSession      bool     `json:"backchannel_logout_session_supported"`
	FrontChannelLogout      bool     `json:"frontchannel_logout_supported"`
	FrontChannelSession     bool     `json:"frontchannel_logout_session_supported"`
}

// Endpoints are the paths of the issuer that the metadata names.
type Endpoints struct {
	Authorization, Token, UserInfo, JWKS  string
	Revocation, Introspection, EndSession string
	CheckSession                          string
}

// ACRPassword is the class of a sign-in with a password alone.
const ACRPassword = "urn:sso:loa:pwd"

// ACRMultiFactor is the class of a sign-in with a second factor.
const ACRMultiFactor = "urn:sso:loa:mfa"

// The methods of a sign-in (RFC 8176 §2).
const (
	AMRPassword    = "pwd"
	AMROneTimeCode = "otp"
	AMRMultiFactor = "mfa"
	AMRHardwareKey = "hwk" // proof of possession of a key that does not leave its device
	AMRSoftwareKey = "swk" // of one that may be copied
	AMRPresence    = "user"
)

// MetadataFor returns the metadata of the issuer. plainPKCE says whether some client may use code_challenge_method plain.
func MetadataFor(issuer string, e Endpoints, plainPKCE bool) Metadata {
	m := Metadata{
		Issuer:                issuer,
		AuthorizationEndpoint: issuer + e.Authorization,
		TokenEndpoint:         issuer + e.Token,
		UserInfoEndpoint:      issuer + e.UserInfo,
		JWKSURI:               issuer + e.JWKS,
		RevocationEndpoint:    issuer + e.Revocation,
		IntrospectionEndpoint: issuer + e.Introspection,
		EndSessionEndpoint:    issuer + e.EndSession,
		ResponseTypes:         []string{oauth.ResponseTypeCode},
		ResponseModes:         []string{string(oauth.ModeQuery), string(oauth.ModeFragment), string(oauth.ModeFormPost)},
		GrantTypes:            []string{oauth.GrantTypeCode, oauth.GrantTypeRefresh, oauth.GrantTypeClient},
		SubjectTypes:          []string{"public"},
		IDTokenAlgs:           []string{string(oauth.ES256), string(oauth.RS256)},
		TokenAuthMethods:      []string{string(oauth.AuthBasic), string(oauth.AuthPost), string(oauth.AuthNone)},
		RevocationAuthMethods: []string{string(oauth.AuthBasic), string(oauth.AuthPost), string(oauth.AuthNone)},
		IntrospectAuthMethods: []string{string(oauth.AuthBasic), string(oauth.AuthPost)},
		Scopes:                oauth.StandardScopes,
		Claims:                []string{"sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "sid", "at_hash"},
		ACRValues:             []string{ACRPassword, ACRMultiFactor},
		PromptValues:          []string{"none", "login", "consent", "select_account"},
		CodeChallengeMethods:  []string{"S256"},
		UILocales:             []string{"en", "id"},

		IssuerResponseParameter: true,
		CheckSessionIframe:      issuer + e.CheckSession,
		BackChannelLogout:       true,
		BackChannelSession:      true,
		FrontChannelLogout:      true,
		FrontChannelSession:     true,
	}
	for _, s := range scopeClaims {
		m.Claims = slices.Concat(m.Claims, s.claims)
	}
	if plainPKCE {
		m.CodeChallengeMethods = append(m.CodeChallengeMethods, "plain")
	}
	return m
}
