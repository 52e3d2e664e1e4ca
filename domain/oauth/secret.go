package oauth

import (
	"crypto/sha256"
	"encoding/base64"
	"log/slog"
)

// Secret is a bearer credential in the clear: a code, a token, a client secret. It prints as "[secret]"; only its
// Digest is stored.
type Secret string

func (Secret) String() string       { return "[secret]" }
func (Secret) GoString() string     { return "[secret]" }
func (Secret) LogValue() slog.Value { return slog.StringValue("[secret]") }

// Reveal returns the value, for the one place that must send it.
func (s Secret) Reveal() string { return string(s) }

// Digest returns what is stored of the secret. Our secrets carry 128 random bits or more, so a plain hash cannot be
// searched and a slow one would only help an attacker to keep us busy.
func (s Secret) Digest() Digest { return sha256.Sum256([]byte(s)) }

// Digest identifies a Secret without revealing it.
type Digest [sha256.Size]byte

func (d Digest) String() string { return base64.RawURLEncoding.EncodeToString(d[:]) }

// IsZero reports whether there is no secret behind the digest.
func (d Digest) IsZero() bool { return d == Digest{} }
