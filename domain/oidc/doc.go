// Package oidc owns what OpenID Connect adds to OAuth: claims about users, ID tokens, the conversation that ends in an
// answer (NextStep), the provider's metadata and the life of its signing keys. Delegation itself belongs to package oauth,
// people to package identity; signing and pages to the rings outside.
package oidc
