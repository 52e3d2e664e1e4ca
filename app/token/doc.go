// Package token owns the token endpoint and what is done with its tokens at our own doors: client authentication once for
// every grant_type, redeeming codes, rotating refresh tokens, issuing, and UserInfo. Which answer a request gets is decided
// by package oauth; signatures are left to ports.Signer.
package token
