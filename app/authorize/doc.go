// Package authorize owns the authorization endpoint and the pages between a request and its answer. Every entrance
// gathers what is known and asks oidc.NextStep, so there is one decision however often a person is asked something.
// Checking passwords is left to package session, tokens to package token.
package authorize
