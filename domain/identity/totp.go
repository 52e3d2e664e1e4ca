package identity

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// Time-based one-time passwords (RFC 6238) in the one form that every authenticator app knows: SHA-1, six digits, steps of
// thirty seconds.
const (
	TOTPSeedSize = 20 // bytes, as RFC 4226 §4 recommends
	totpStep     = 30 * time.Second
	totpDigits   = 6
	totpModulus  = 1_000_000
	// totpWindow is how many steps a clock may be off, either way (RFC 6238 §5.2).
	totpWindow = 1
)

// TOTPStep returns the time step of an instant.
func TOTPStep(now time.Time) int64 { return now.Unix() / int64(totpStep/time.Second) }

// TOTPCode returns the code of a step (RFC 4226 §5.3).
func TOTPCode(seed []byte, step int64) string {
	mac := hmac.New(sha1.New, seed)
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(step)))
	sum := mac.Sum(nil)
	offset := sum[len(sum)-1] & 0xF
	number := binary.BigEndian.Uint32(sum[offset:]) & 0x7FFFFFFF
	return fmt.Sprintf("%0*d", totpDigits, number%totpModulus)
}

// FindTOTPStep returns the step whose code was typed, among those a clock may be at; spaces in the code make no difference.
// The step may be one that was used: see Factor.LastStep.
func FindTOTPStep(seed []byte, typed string, now time.Time) (step int64, found bool) {
	code := TOTPDigits(typed)
	if len(code) != totpDigits {
		return 0, false
	}
	// Every step is looked at, so that the time taken says nothing about which one it was.
	for s := TOTPStep(now) - totpWindow; s <= TOTPStep(now)+totpWindow; s++ {
		if hmac.Equal([]byte(TOTPCode(seed, s)), []byte(code)) {
			step, found = s, true
		}
	}
	return step, found
}

// TOTPDigits returns a code as it is compared: without spaces, with the digits of other keyboards as ASCII.
func TOTPDigits(typed string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case ' ', '\t', '-', '\u00A0', '\u202F':
			return -1
		}
		return r
	}, CanonicalLogin(typed))
}

var base32Text = base32.StdEncoding.WithPadding(base32.NoPadding)

// TOTPSecret returns the seed as people type it into an app: base32 in groups of four.
func TOTPSecret(seed []byte) string { return InFours(base32Text.EncodeToString(seed)) }

// InFours puts spaces between groups of four letters, which are read aloud and typed without a slip.
func InFours(text string) string {
	var b strings.Builder
	for i, r := range text {
		if i > 0 && i%4 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// TOTPURI returns the otpauth URI that an app reads from a QR code. The label is escaped with %20, because apps show a plus
// sign as it is.
func TOTPURI(site, account string, seed []byte) string {
	escape := func(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
	site = strings.ReplaceAll(site, ":", " ") // the colon ends the issuer in a label
	return fmt.Sprintf("otpauth://totp/%s:%s?secret=%s&issuer=%s&algorithm=SHA1&digits=%d&period=%d", escape(site), escape(account),
		base32Text.EncodeToString(seed), escape(site), totpDigits, int(totpStep/time.Second))
}
