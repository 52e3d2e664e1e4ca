package oauth

import (
	"crypto/subtle"
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"latchkey/domain/identity"
)

// FamilyID names a token family. It begins with the id of its grant.
type FamilyID string

// How long a family lives: unused, and at most. Rotation never extends the second.
const (
	RefreshIdle     = 30 * 24 * time.Hour
	RefreshAbsolute = 90 * 24 * time.Hour
	// seenEvery bounds how often use without rotation is written down.
	seenEvery = 24 * time.Hour
)

// TokenFamily is everything issued from one authorization code: its access tokens and the line of its refresh tokens, of
// which only the newest may be used. Presenting an older one revokes the family (RFC 9700 §4.14.2).
//
// The family is one row whatever its age. Its refresh tokens are not stored, not even as digests: each is made from the
// family's id, its generation and Salt with a key of the server (see Tagger), so an old token of ours is told from a
// forged one, and the newest can be given again within a grace window.
type TokenFamily struct {
	ID      FamilyID
	Grant   GrantID
	Client  ClientID
	User    identity.UserID
	Session identity.SessionID
	Scope   Scope

	Refresh    bool     // whether it has refresh tokens
	Salt       [16]byte // random: the key alone makes no token
	Generation int      // of the newest refresh token, from 1

	// What refreshed ID tokens say of the sign-in (OIDC Core §12.2).
	Nonce    string
	AuthTime time.Time
	AMR      []string
	ACR      string

	CreatedAt    time.Time
	RotatedAt    time.Time // when the newest refresh token was issued; without rotation, when it was last seen in use
	ExpiresAt    time.Time // absolute
	RevokedAt    time.Time
	RevokeReason string
}

// Tagger makes the unguessable part of a refresh token: a MAC under a key that is not in the database.
type Tagger func(message []byte) [32]byte

// RefreshToken is a refresh token read from its text: <family>.<generation>.<tag>.
type RefreshToken struct {
	Family     FamilyID
	Generation int
	Tag        [32]byte
}

const refreshPrefix = "rt_"

// RefreshToken returns the newest refresh token of the family.
func (f *TokenFamily) RefreshToken(tag Tagger) Secret {
	t := RefreshToken{Family: f.ID, Generation: f.Generation, Tag: f.tag(f.Generation, tag)}
	return t.Secret()
}

func (f *TokenFamily) tag(generation int, tag Tagger) [32]byte {
	message := make([]byte, 0, 64)
	message = append(message, f.ID...)
	message = append(message, '.')
	message = strconv.AppendInt(message, int64(generation), 10)
	message = append(message, '.')
	return tag(append(message, f.Salt[:]...))
}

// Secret returns the text of the token.
func (t RefreshToken) Secret() Secret {
	b := make([]byte, 0, 96)
	b = append(b, refreshPrefix...)
	b = append(b, t.Family...)
	b = append(b, '.')
	b = strconv.AppendInt(b, int64(t.Generation), 10)
	b = append(b, '.')
	b = base64.RawURLEncoding.AppendEncode(b, t.Tag[:])
	return Secret(b)
}

// ParseRefreshToken reads the text of a refresh token. Each token has exactly one text.
func ParseRefreshToken(s Secret) (RefreshToken, *Error) {
	malformed := Refuse(InvalidGrant, "the refresh token is unknown or expired").With("reason", "not a refresh token of this server")
	rest, ok := strings.CutPrefix(string(s), refreshPrefix)
	i := strings.LastIndexByte(rest, '.')
	if !ok || i < 0 || len(s) > 256 {
		return RefreshToken{}, malformed
	}
	head, text := rest[:i], rest[i+1:]
	j := strings.LastIndexByte(head, '.')
	if j <= 0 {
		return RefreshToken{}, malformed
	}
	generation, err := strconv.Atoi(head[j+1:])
	tag, err2 := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || err2 != nil || generation < 1 || len(tag) != 32 {
		return RefreshToken{}, malformed
	}
	t := RefreshToken{Family: FamilyID(head[:j]), Generation: generation, Tag: [32]byte(tag)}
	if t.Secret() != s {
		return RefreshToken{}, malformed
	}
	return t, nil
}

// Issued reports whether the refresh token is one of the family, the newest or an older one, and no forgery.
func (f *TokenFamily) Issued(t RefreshToken, tag Tagger) bool {
	want := f.tag(t.Generation, tag)
	return f.Refresh && subtle.ConstantTimeCompare(want[:], t.Tag[:]) == 1 && t.Generation <= f.Generation
}

// Rotation is what became of a presented refresh token.
type Rotation int

const (
	Refused  Rotation = iota // nothing about the family changed
	Rotated                  // the family changed: it has a newer token or, for a client without rotation, was seen in use
	Repeated                 // the newest token is given again: grace window, or a client without rotation
	Replayed                 // an old token came back: the family is revoked
)

// Rotate answers a presented refresh token (RFC 6749 §6). Save the family unless the answer is Refused or Repeated.
//
// A forged token changes nothing, whatever family it names; a genuine old one means that two parties hold the line, and
// nobody can tell which is the thief.
func (f *TokenFamily) Rotate(client Client, t RefreshToken, tag Tagger, now time.Time) (Rotation, *Error) {
	switch {
	case !f.Issued(t, tag):
		return Refused, Refuse(InvalidGrant, "the refresh token is unknown or expired").With("reason", "forged")
	case f.Client != client.ID:
		return Refused, Refuse(InvalidGrant, "the refresh token was issued to another client").With("reason", "other client")
	case !f.RevokedAt.IsZero():
		return Refused, Refuse(InvalidGrant, "the refresh token is revoked").With("reason", "revoked").With("revoked", f.RevokeReason)
	case !now.Before(f.ExpiresAt) || !now.Before(f.RotatedAt.Add(RefreshIdle)):
		return Refused, Refuse(InvalidGrant, "the refresh token is unknown or expired").With("reason", "expired").
			With("received", "last used "+now.Sub(f.RotatedAt).Truncate(time.Second).String()+" ago, issued "+now.Sub(f.CreatedAt).Truncate(time.Second).String()+" ago").
			With("expected", "used within "+RefreshIdle.String()+", issued within "+f.ExpiresAt.Sub(f.CreatedAt).String())
	case t.Generation == f.Generation && identity.FromFuture(f.CreatedAt, now):
		return Refused, Refuse(InvalidGrant, "the refresh token is unknown or expired").With("reason", "from the future").
			With("received", f.CreatedAt.Format(time.RFC3339)).With("expected", "at most "+now.Format(time.RFC3339))
	case t.Generation == f.Generation && !client.Rules.RotateRefreshTokens:
		if now.Before(f.RotatedAt.Add(seenEvery)) {
			return Repeated, nil
		}
		f.RotatedAt = now
		return Rotated, nil
	case t.Generation == f.Generation:
		f.Generation++
		f.RotatedAt = now
		return Rotated, nil
	// The distance, not the order: of two requests at once, the one that read its clock first may come second. Without a
	// grace window even that one is a replay, and a clock set back opens no window.
	case t.Generation == f.Generation-1 && now.Sub(f.RotatedAt).Abs() < client.Rules.RefreshGrace:
		return Repeated, nil
	}
	f.Revoke("refresh token replayed", now)
	return Replayed, Refuse(InvalidGrant, "the refresh token was already used: its family is now revoked").With("reason", "replayed").
		With("received", "token "+strconv.Itoa(t.Generation)+" of the line").
		With("expected", "token "+strconv.Itoa(f.Generation)+", issued "+now.Sub(f.RotatedAt).Truncate(time.Second).String()+" ago")
}

// EndsAt is when the family ends if nobody uses it any more, revoked or not.
func (f *TokenFamily) EndsAt() time.Time {
	if idle := f.RotatedAt.Add(RefreshIdle); f.Refresh && idle.Before(f.ExpiresAt) {
		return idle
	}
	return f.ExpiresAt
}

// Revoke ends the family and every token of it. Revoking twice keeps the first instant and reason.
func (f *TokenFamily) Revoke(reason string, now time.Time) {
	if f.RevokedAt.IsZero() {
		f.RevokedAt, f.RevokeReason = now, reason
	}
}
