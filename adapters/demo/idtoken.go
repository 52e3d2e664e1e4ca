package demo

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"
)

// jwt is a compact JWS (RFC 7515 §7.1) taken apart; nothing of it is to be believed before its signature is verified.
type jwt struct {
	header, claims map[string]any
	signed         string // what the signature covers
	signature      []byte
}

const maxJWT = 16 << 10

// base64url refuses the second spellings that padding bits allow: a token has one form.
var base64url = base64.RawURLEncoding.Strict()

var errJWT = errors.New("not a signed JWT")

// parseJWT takes a token apart.
func parseJWT(token string) (jwt, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 || len(token) > maxJWT || strings.ContainsAny(token, "\r\n") {
		return jwt{}, errJWT
	}
	header, err1 := base64url.DecodeString(parts[0])
	claims, err2 := base64url.DecodeString(parts[1])
	signature, err3 := base64url.DecodeString(parts[2])
	if err := errors.Join(err1, err2, err3); err != nil {
		return jwt{}, err
	}
	t := jwt{signed: parts[0] + "." + parts[1], signature: signature}
	t.header, err1 = decode(header)
	t.claims, err2 = decode(claims)
	return t, errors.Join(err1, err2)
}

// verify reports whether the key made the signature with ES256 (RFC 7518 §3.4): two numbers of 32 bytes.
func (t jwt) verify(key *ecdsa.PublicKey) bool {
	if key == nil || len(t.signature) != 64 {
		return false
	}
	digest := sha256.Sum256([]byte(t.signed))
	return ecdsa.Verify(key, digest[:], new(big.Int).SetBytes(t.signature[:32]), new(big.Int).SetBytes(t.signature[32:]))
}

// keyNamed finds the one P-256 key for signatures with the kid in a key set (RFC 7517 §5); nil: there is none, or no
// telling which.
func keyNamed(set map[string]any, kid string) *ecdsa.PublicKey {
	var found *ecdsa.PublicKey
	keys, _ := set["keys"].([]any)
	for _, entry := range keys {
		k, _ := entry.(map[string]any)
		if k["kid"] != kid || kid == "" || k["kty"] != "EC" || k["crv"] != "P-256" || k["use"] != nil && k["use"] != "sig" {
			continue
		}
		x, err1 := base64url.DecodeString(textOf(k["x"]))
		y, err2 := base64url.DecodeString(textOf(k["y"]))
		key, err3 := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), slices.Concat([]byte{4}, x, y))
		if found != nil || errors.Join(err1, err2, err3) != nil {
			return nil
		}
		found = key
	}
	return found
}

// expected is what an ID token has to say.
type expected struct {
	issuer, client string
	nonce          string // empty: the token answers a refresh, where none was sent
	subject        string // empty: not known yet
	accessToken    string
	now            time.Time
}

// leeway is how far two clocks may be apart.
const leeway = time.Minute

// checkIDToken checks a token as OpenID Connect Core §3.1.3.7 asks, shows it in the step, and returns its subject; empty
// when it must not be believed. The algorithm is the one we registered, never the one the token names.
func checkIDToken(s *step, token string, keys map[string]any, want expected) (subject string) {
	t, err := parseJWT(token)
	if err != nil {
		s.Problem = &problem{Fault: "fault.not_jwt", Description: err.Error()}
		return ""
	}
	s.Parts = append(s.Parts,
		part{Title: "part.jwt_header", Fields: members(t.header, "jwt", "alg", "kid", "typ")},
		part{Title: "part.claims", Fields: members(t.claims, "claim", claimOrder...)})

	alg, kid := textOf(t.header["alg"]), textOf(t.header["kid"])
	_, critical := t.header["crit"] // RFC 7515 §4.1.11: what is critical and not understood is refused
	s.check("check.alg", "", alg == "ES256" && !critical, alg)
	s.check("check.signature", kid, t.verify(keyNamed(keys, kid)), kid)
	s.check("check.iss", want.issuer, t.claims["iss"] == want.issuer, display("iss", t.claims["iss"]))
	s.check("check.aud", want.client, audience(t.claims["aud"], want.client), display("aud", t.claims["aud"]))
	expires, known := moment(t.claims["exp"])
	s.check("check.exp", span(expires.Sub(want.now)), known && want.now.Before(expires), display("exp", t.claims["exp"]))
	issued, known := moment(t.claims["iat"])
	s.check("check.iat", "", known && !issued.After(want.now.Add(leeway)), display("iat", t.claims["iat"]))
	if want.nonce != "" {
		s.check("check.nonce", "", t.claims["nonce"] == want.nonce, display("nonce", t.claims["nonce"]))
	}
	if hash, sent := t.claims["at_hash"]; sent {
		sum := sha256.Sum256([]byte(want.accessToken))
		s.check("check.at_hash", "", hash == base64url.EncodeToString(sum[:16]), display("at_hash", hash))
	}
	subject = textOf(t.claims["sub"])
	if want.subject != "" || subject == "" {
		s.check("check.sub_same", want.subject, subject != "" && subject == want.subject, display("sub", t.claims["sub"]))
	}
	if s.Failed() {
		return ""
	}
	return subject
}

var claimOrder = []string{"iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "acr", "amr", "sid"}

// audience reports whether the token is for us and for nobody else: others could replay what they also may read.
func audience(aud any, client string) bool {
	if list, ok := aud.([]any); ok && len(list) == 1 {
		aud = list[0]
	}
	return aud == client
}

// moment reads a NumericDate.
func moment(v any) (time.Time, bool) {
	n, _ := v.(json.Number)
	seconds, err := strconv.ParseInt(n.String(), 10, 64)
	return time.Unix(seconds, 0), err == nil && seconds > 0
}

// span is a duration in whole seconds.
func span(d time.Duration) string { return strconv.Itoa(int(d / time.Second)) }

func textOf(v any) string {
	s, _ := v.(string)
	return s
}

func names(object map[string]any) []string { return slices.Sorted(maps.Keys(object)) }
