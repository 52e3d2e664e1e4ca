package oidc

// Settings are what an administrator decides for the whole provider.
type Settings struct {
	// OrganisationName is shown at the top of every page; empty: Latchkey.
	OrganisationName string
	// Support is where people turn when they cannot go on: an https or mailto URI linked on every page; empty: none.
	Support string
}
