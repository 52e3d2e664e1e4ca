package jose

import (
	"encoding/base64"
	"errors"
	"strings"

	"latchkey/domain/oidc"
)

// maxToken bounds the tokens read, in bytes. Ours are far smaller, and nothing is computed for a larger one.
const maxToken = 16 << 10

var (
	errForm      = errors.New("malformed token: not three segments of canonical base64url within 16 KB")
	errHeader    = errors.New("malformed token: the header is not one of ours")
	errKey       = errors.New("the token names a key that this server does not have, or another algorithm than the key's")
	errType      = errors.New("the token is of another type")
	errSignature = errors.New("the signature of the token is not ours")
)

// compact is a token in the compact serialization (RFC 7515 §7.1), decoded and not yet believed.
type compact struct {
	signed             string // what the signature is over
	header             object
	payload, signature []byte
}

// parseCompact reads the form of a token. Each token has exactly one text.
func parseCompact(token string) (compact, error) {
	if len(token) > maxToken {
		return compact{}, errForm
	}
	header, rest, _ := strings.Cut(token, ".")
	payload, signature, ok := strings.Cut(rest, ".")
	if !ok {
		return compact{}, errForm
	}
	c := compact{signed: token[:len(header)+1+len(payload)]}
	head, ok1 := decode(header)
	var ok2, ok3 bool
	c.payload, ok2 = decode(payload)
	c.signature, ok3 = decode(signature) // a fourth segment would bring a dot, which base64url has not
	if !ok1 || !ok2 || !ok3 {
		return compact{}, errForm
	}
	var err error
	if c.header, err = parseObject(head); err != nil {
		return compact{}, err
	}
	return c, nil
}

// decode reads a segment of canonical base64url: not empty, no padding, no line break (which Go's decoder skips, strict or
// not), no bits left over. Writing it again must give the same text.
func decode(segment string) ([]byte, bool) {
	data, err := base64.RawURLEncoding.DecodeString(segment)
	if err != nil || len(data) == 0 {
		return nil, false
	}
	again := base64.RawURLEncoding.AppendEncode(make([]byte, 0, len(segment)), data)
	return data, string(again) == segment
}

// verify returns the payload of a token that one of our keys signed as the type (RFC 8725 §3.1, §3.11). The algorithm is
// the key's: a header only has to agree, and whatever keys it brings along or points to are not looked at.
func (s *keySet) verify(token, typ string) (members, error) {
	c, err := parseCompact(token)
	if err != nil {
		return members{}, err
	}
	h := members{object: c.header}
	kid, alg, is := h.text("kid"), h.text("alg"), h.text("typ")
	_, critical := c.header["crit"] // extensions we must understand, and know none of (RFC 7515 §4.1.11)
	if h.err != nil || critical {
		return members{}, errHeader
	}
	k, ok := s.keys[oidc.KeyID(kid)]
	switch {
	case !ok || alg != string(k.record.Algorithm):
		return members{}, errKey
	case !strings.EqualFold(is, typ):
		return members{}, errType
	case !k.verified(c.signed, c.signature):
		return members{}, errSignature
	}
	payload, err := parseObject(c.payload)
	return members{object: payload}, err
}
