// Package ports is the edge of the hexagon. It holds interfaces both ways: provider.go is what the world may ask of us,
// store.go and services.go are what we ask of the world. It has no behaviour but Decide.
//
// A refusal is an *oauth.Error and may be shown to whoever asked. Any other error is a fault: it is logged and answered as
// server_error without its text, except ErrUnavailable, which is answered as temporarily_unavailable.
package ports
