// Package oauth owns delegation: who may do what on whose behalf. Its rules are functions of values and now, named after
// the sections that state them.
//
//	error.go     RFC 6749 §4.1.2.1, §5.2; RFC 6750 §3.1   Error, ErrorCode, Refuse
//	secret.go    RFC 6749 §10.10                          Secret, Digest
//	scope.go     RFC 6749 §3.3                            Scope, ParseScope
//	client.go    RFC 6749 §2; RFC 7591 §2                 Client, Profile, Credentials, Authenticate
//	metadata.go  RFC 7591 §2                              Client.Check
//	redirect.go  RFC 6749 §3.1.2; RFC 8252 §7             CheckRedirectURI, MatchRedirectURI
//	request.go   RFC 6749 §4.1.1; OIDC Core §3.1.2.1      Parameters, AuthorizationRequest
//	response.go  RFC 6749 §4.1.2; RFC 9207                ReplyAddress, AuthorizationResponse
//	grant.go                                              Grant
//	code.go      RFC 6749 §4.1.3; RFC 7636 §4.6           AuthorizationCode, Redeem
//	family.go    RFC 6749 §6; RFC 9700 §4.14.2            TokenFamily, Rotate, RefreshToken
//	token.go     RFC 6749 §5; RFC 9068                    TokenRequest, TokenResponse, AccessToken
//
// What OpenID adds on top is left to package oidc; looking up, saving and signing to the rings outside.
package oauth
