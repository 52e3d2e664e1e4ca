package admin

import (
	"errors"
	"strings"
	"sync"

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
	Issuer    string // may be empty where nothing is served

	rotating sync.Mutex
	inUse    oidc.KeyRing // what the signer was last given
}

// Errors that a caller tells apart.
var (
	ErrExists      = errors.New("exists already")
	ErrAdminExists = errors.New("an administrator exists already")
)

// Problems is everything that is wrong with what was asked. Nothing was changed.
type Problems []string

func (p Problems) Error() string { return strings.Join(p, "\n") }
