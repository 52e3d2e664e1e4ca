package admin

import (
	"errors"
	"fmt"
	"strings"
	"sync"

	"latchkey/domain/audit"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

// Service carries out what an administrator asks for.
type Service struct {
	Store     ports.Store
	Secrets   ports.Secrets
	Passwords ports.Passwords
	Signer    ports.Signer
	Keys      ports.KeyMaker
	Now       ports.Clock
	Chain     audit.Tagger // of the audit trail
	Issuer    string       // may be empty where nothing is served

	rotating sync.Mutex
	inUse    oidc.KeyRing // what the signer was last given
}

// Errors that a caller tells apart.
var (
	ErrExists      = errors.New("exists already")
	ErrAdminExists = errors.New("an administrator exists already")
)

// UnknownError says that nothing has the name. It is ports.ErrNotFound.
type UnknownError struct {
	Object string // user, client, signing key, session, token family
	Name   string
	Known  []string // names that exist, for a suggestion; it may be cut
}

func (e *UnknownError) Error() string { return fmt.Sprintf("there is no %s %q", e.Object, e.Name) }

func (e *UnknownError) Unwrap() error { return ports.ErrNotFound }

// Problems is everything that is wrong with what was asked. Nothing was changed.
type Problems []string

func (p Problems) Error() string { return strings.Join(p, "\n") }
