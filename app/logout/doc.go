// Package logout owns single logout: telling the applications of a session that it has ended, and ending one when an
// application asks with an access token. That a session ends, and what has to be told with it, is left to package session;
// how a request goes out to adapters/outbound; frames and pages to adapters/web.
//
//	deliver.go   the back channel: notices that are due, sent a few at a time until each is delivered or given up
//	service.go   what the applications of a session are, and the endpoints for access tokens
package logout
