package ports

import (
	"context"
	"io"
	"time"

	"latchkey/domain/oauth"
)

// Endpoint names a part of the provider, however many paths lead to it. Budgets and figures belong to endpoints, so that
// an alias is no way round a limit and nothing that a caller wrote becomes a label.
type Endpoint string

// The endpoints.
const (
	EndpointDiscovery       Endpoint = "discovery"
	EndpointJWKS            Endpoint = "jwks"
	EndpointAuthorize       Endpoint = "authorize"
	EndpointToken           Endpoint = "token"
	EndpointUserInfo        Endpoint = "userinfo"
	EndpointRevocation      Endpoint = "revocation"
	EndpointIntrospection   Endpoint = "introspection"
	EndpointLogout          Endpoint = "logout" // of relying parties and of people
	EndpointFrontChannel    Endpoint = "frontchannel"
	EndpointRegisterSession Endpoint = "register_session"
	EndpointLogin           Endpoint = "login"   // forms that take a password somebody may be guessing
	EndpointConsent         Endpoint = "consent" // and the choice of an account
	EndpointAccount         Endpoint = "account"
	EndpointSetup           Endpoint = "setup" // and every other link that works once
	EndpointAdmin           Endpoint = "admin"
	EndpointPage            Endpoint = "page"   // what only shows something
	EndpointDemo            Endpoint = "demo"   // of quickstart
	EndpointStatic          Endpoint = "static" // style sheets
	EndpointHealth          Endpoint = "health"
	EndpointNone            Endpoint = "none" // a path that does not exist
)

// Endpoints are all endpoints.
var Endpoints = []Endpoint{EndpointDiscovery, EndpointJWKS, EndpointAuthorize, EndpointToken, EndpointUserInfo, EndpointRevocation,
	EndpointIntrospection, EndpointLogout, EndpointFrontChannel, EndpointRegisterSession, EndpointLogin, EndpointConsent, EndpointAccount,
	EndpointSetup, EndpointAdmin, EndpointPage, EndpointDemo, EndpointStatic, EndpointHealth, EndpointNone}

// RateLimiter takes requests out of budgets. It forgets them when the process ends.
type RateLimiter interface {
	// Address charges a request at the endpoint to an address; IPv6 counts by /64, and by /48 with a larger budget.
	Address(e Endpoint, ip string, now time.Time) Admission
	// Client charges a request to a client that proved who it is, whatever address it came from.
	Client(e Endpoint, id oauth.ClientID, now time.Time) Admission
}

// Admission says whether a request is heard.
type Admission struct {
	RetryAfter time.Duration // 0: it is heard; else when the next one would be
	// Unrecorded is how many requests were refused since the last record of it, this one included, when another record is
	// due; else 0. Somebody who goes on for hours makes the audit trail grow by one event a minute.
	Unrecorded int
}

// TokenType is a kind of token, for Metrics.
type TokenType string

// The types of tokens.
const (
	AccessToken  TokenType = "access"
	IDToken      TokenType = "id"
	RefreshToken TokenType = "refresh"
)

// Metrics counts what happens. No label ever holds what a caller sent.
type Metrics interface {
	Answered(e Endpoint, status int, took time.Duration)
	Refused(e Endpoint, code oauth.ErrorCode)
	Issued(TokenType)
	// Expose writes all figures in the Prometheus text format, version 0.0.4.
	Expose(context.Context, io.Writer) error
}

// StoreFigures describe a store since it was opened.
type StoreFigures struct {
	Commits   uint64                       // that wrote something
	Units     uint64                       // of work in them
	Groups    [len(GroupBounds) + 1]uint64 // commits by how many units they had; the last is beyond every bound
	FileBytes int64
	LogBytes  int64 // of the write-ahead log
}

// GroupBounds are the upper bounds of StoreFigures.Groups.
var GroupBounds = [...]int{1, 2, 4, 8, 16, 32, 64}

// HashingFigures describe the queue of passwords at an instant.
type HashingFigures struct{ Slots, Running, Waiting int }

// Health tells whether the provider can do its work.
type Health interface {
	// Unready says why not, in words of this package; none: it can.
	Unready(context.Context) []Ailment
}

// Ailment is a reason for which the provider cannot do its work. It tells a stranger nothing about the machine.
type Ailment string

// The ailments.
const (
	AilingStorage Ailment = "storage"      // nothing can be saved
	AilingKeys    Ailment = "signing_keys" // none is loaded
	AilingEnd     Ailment = "stopping"     // the process is about to end
)
