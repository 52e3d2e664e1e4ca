// Package read owns what strangers send to the endpoints: it turns forms, queries and Authorization headers into values of
// the domain, within bounds, and refuses what could be understood in two ways. It knows no endpoint, no cookie and no store:
// whether the values are worth anything is decided behind the ports, and a refusal is answered and recorded by package web.
//
//	form.go        the bounds, and application/x-www-form-urlencoded
//	credentials.go how a client authenticates
//	bearer.go      how an access token is presented
//	token.go       the requests of the token, revocation and introspection endpoints
package read
