package oauth

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"strconv"
	"strings"
)

// CodeChallenge is a code challenge with its method (RFC 7636 §4.2): "S256:…" or "plain:…"; empty: none was sent.
type CodeChallenge string

// ParseCodeChallenge reads the two PKCE parameters. A challenge without a method would mean plain (RFC 7636 §4.3), so it
// is refused like plain itself unless the client may use that.
func ParseCodeChallenge(challenge, method string, allowPlain bool) (CodeChallenge, *Error) {
	switch method {
	case "S256":
		// What was sent may be the verifier, which is a secret: only its length is kept.
		if raw, err := base64.RawURLEncoding.Strict().DecodeString(challenge); err != nil || len(raw) != sha256.Size ||
			strings.ContainsAny(challenge, "\r\n") {
			return "", Refuse(InvalidRequest, "code_challenge must be the base64url form of a SHA-256 digest, 43 characters without padding").
				With("received", strconv.Itoa(len(challenge))+" characters")
		}
	case "plain", "":
		if !allowPlain {
			return "", Refuse(InvalidRequest, "code_challenge_method must be S256").With("received", method).With("expected", "S256")
		}
		if !isVerifier(challenge) {
			return "", Refuse(InvalidRequest, "code_challenge must be 43 to 128 unreserved characters")
		}
		method = "plain"
	default:
		return "", Refuse(InvalidRequest, "code_challenge_method must be S256").With("received", method).With("expected", "S256")
	}
	return CodeChallenge(method + ":" + challenge), nil
}

// Verify reports whether verifier answers the challenge (RFC 7636 §4.6). Without a challenge there must be no verifier:
// a client that sends one believes it is protected, so its challenge was stripped on the way (RFC 9700 §4.8.2).
func (c CodeChallenge) Verify(verifier string) bool {
	method, challenge, found := strings.Cut(string(c), ":")
	if !found {
		return verifier == ""
	}
	if !isVerifier(verifier) {
		return false
	}
	derived := verifier
	if method == "S256" {
		sum := sha256.Sum256([]byte(verifier))
		derived = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	return subtle.ConstantTimeCompare([]byte(challenge), []byte(derived)) == 1
}

// mismatch says, for the operator, how a verifier fails that does not answer the challenge.
func (c CodeChallenge) mismatch(verifier string) string {
	switch {
	case c == "":
		return "unexpected"
	case verifier == "":
		return "missing"
	case !isVerifier(verifier):
		return "malformed"
	}
	return "wrong"
}

// isVerifier checks the syntax of RFC 7636 §4.1.
func isVerifier(s string) bool {
	if len(s) < 43 || len(s) > 128 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~", c) >= 0) {
			return false
		}
	}
	return true
}
