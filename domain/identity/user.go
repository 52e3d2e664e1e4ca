package identity

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
)

// UserID is the stable subject of a user: the "sub" of every token about them. It never changes and is never reused.
type UserID string

// User is a person who can sign in.
type User struct {
	ID            UserID
	Username      string // canonical, see ParseUsername
	Password      string // PHC string made by ports.Passwords; empty: no password sign-in
	Email         string
	EmailVerified bool
	Claims        Claims
	Groups        []string
	Admin         bool

	CreatedAt         time.Time
	UpdatedAt         time.Time // last change of a claim, becomes updated_at
	PasswordChangedAt time.Time
	DisabledAt        time.Time // zero: may sign in
}

// Disabled reports whether the user may not sign in and holds no live token.
func (u User) Disabled() bool { return !u.DisabledAt.IsZero() }

// DisplayName is how pages address the user: the name claim, else the username.
func (u User) DisplayName() string {
	if u.Claims.Name != "" {
		return u.Claims.Name
	}
	return u.Username
}

// Claims are the standard claims of OpenID Connect Core 1.0 section 5.1 that an administrator may set, under their
// registered names. Email, username and groups live on the User because they carry rules of their own.
type Claims struct {
	Name                string   `json:"name,omitempty"`
	GivenName           string   `json:"given_name,omitempty"`
	FamilyName          string   `json:"family_name,omitempty"`
	MiddleName          string   `json:"middle_name,omitempty"`
	Nickname            string   `json:"nickname,omitempty"`
	PreferredUsername   string   `json:"preferred_username,omitempty"`
	Profile             string   `json:"profile,omitempty"`
	Picture             string   `json:"picture,omitempty"`
	Website             string   `json:"website,omitempty"`
	Gender              string   `json:"gender,omitempty"`
	Birthdate           string   `json:"birthdate,omitempty"`
	Zoneinfo            string   `json:"zoneinfo,omitempty"`
	Locale              string   `json:"locale,omitempty"`
	PhoneNumber         string   `json:"phone_number,omitempty"`
	PhoneNumberVerified bool     `json:"phone_number_verified,omitempty"`
	Address             *Address `json:"address,omitempty"`
}

// Address is the address claim (OpenID Connect Core 1.0 section 5.1.1).
type Address struct {
	Formatted     string `json:"formatted,omitempty"`
	StreetAddress string `json:"street_address,omitempty"`
	Locality      string `json:"locality,omitempty"`
	Region        string `json:"region,omitempty"`
	PostalCode    string `json:"postal_code,omitempty"`
	Country       string `json:"country,omitempty"`
}

// MaxUsername is the longest username, in bytes.
const MaxUsername = 64

// ErrUsername says which usernames exist.
var ErrUsername = errors.New("a username has 1 to 64 characters: letters a-z, digits and . _ - + @, beginning with a letter or digit")

// ParseUsername returns the canonical form of a username. Usernames are ASCII, so that no two look alike and every
// spelling of one shares its attempt counter.
func ParseUsername(s string) (string, error) {
	name := CanonicalLogin(s)
	if name == "" || len(name) > MaxUsername {
		return "", ErrUsername
	}
	for i := range len(name) {
		c := name[i]
		switch {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
		case i > 0 && strings.IndexByte("._-+@", c) >= 0:
		default:
			return "", ErrUsername
		}
	}
	return name, nil
}

// CanonicalLogin folds what was typed as a username or e-mail address: outer space, letter case and the fullwidth
// forms of ASCII make no difference. Anything else that is not ASCII matches no user.
func CanonicalLogin(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 0xFF01 && r <= 0xFF5E {
			r -= 0xFF01 - '!'
		}
		return unicode.ToLower(r)
	}, strings.TrimSpace(strings.ToValidUTF8(s, "\uFFFD")))
}

// MaxEmail is the longest e-mail address, in bytes (RFC 5321 section 4.5.3.1.3 less the angle brackets).
const MaxEmail = 254

// ErrEmail says which e-mail addresses are accepted.
var ErrEmail = errors.New("an e-mail address has the form name@host, in ASCII, at most 254 characters")

// ParseEmail checks the shape of an e-mail address and keeps its spelling. Whether it receives mail, only mail can tell.
func ParseEmail(s string) (string, error) {
	local, host, found := strings.Cut(s, "@")
	if !found || local == "" || host == "" || len(s) > MaxEmail || strings.Contains(host, "@") ||
		strings.HasPrefix(host, ".") || strings.HasSuffix(host, ".") {
		return "", ErrEmail
	}
	if strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7F || strings.ContainsRune(`"(),:;<>[\]`, r) }) {
		return "", ErrEmail
	}
	return s, nil
}

// Password lengths. Fifteen characters is the floor for a password that stands alone (NIST SP 800-63B-4); the ceiling,
// in bytes, bounds what a sign-in attempt can cost before hashing.
const (
	MinPasswordRunes = 15
	MaxPasswordBytes = 1024
)

// Reasons a new password is refused.
var (
	ErrPasswordShort  = errors.New("a password has at least 15 characters")
	ErrPasswordLong   = errors.New("a password has at most 1024 bytes")
	ErrPasswordNUL    = errors.New("a password has no NUL character")
	ErrPasswordCommon = errors.New("this password is easily guessed: choose one without repeated or well-known words")
)

// CheckPassword applies the policy for new passwords. Nothing is trimmed or cut: every byte counts. site holds words an
// attacker would try first, such as the username and the host of the issuer.
func CheckPassword(password string, site ...string) error {
	switch {
	case len(password) > MaxPasswordBytes:
		return ErrPasswordLong
	case strings.ContainsRune(password, 0):
		return ErrPasswordNUL
	case len([]rune(password)) < MinPasswordRunes:
		return ErrPasswordShort
	}
	if guessable(strings.ToLower(password), site) {
		return ErrPasswordCommon
	}
	return nil
}

// SiteWords returns what a guesser knows of the provider with this issuer: its host, then the parts of it, so that the
// whole is recognised before its parts are.
func SiteWords(issuer string) []string {
	u, err := url.Parse(issuer)
	if err != nil || u.Hostname() == "" {
		return nil
	}
	return append([]string{u.Hostname()}, strings.Split(u.Hostname(), ".")...)
}

// guessable reports whether a password is little more than well-known words, site words and runs of digits, repeats one
// short block, or has fewer than five distinct characters: what a guesser tries before anything else at this length.
func guessable(lower string, site []string) bool {
	distinct := map[rune]bool{}
	for _, r := range lower {
		distinct[r] = true
	}
	if len(distinct) < 5 {
		return true
	}
	for n := 1; n <= MinPasswordRunes/2; n++ {
		if strings.HasPrefix(lower, lower[n:]) { // it has the period n
			return true
		}
	}
	rest := lower
	for _, w := range slices.Concat(site, commonWords) {
		if len(w) >= 3 {
			rest = strings.ReplaceAll(rest, strings.ToLower(w), "")
		}
	}
	left := strings.IndexFunc(rest, unicode.IsLetter)
	return left < 0 && len([]rune(rest)) < MinPasswordRunes/2
}

// commonWords are the stems of the most common passwords; at fifteen characters and more, people repeat and join them.
var commonWords = []string{
	"password", "passw0rd", "p@ssword", "p@ssw0rd", "passwort", "katasandi", "sandi", "rahasia", "secret", "qwertyuiop",
	"qwerty", "qwertz", "azerty", "asdfghjkl", "asdfgh", "zxcvbnm", "zxcvbn", "1qaz2wsx", "1q2w3e4r", "q1w2e3r4",
	"abcdefghijklmnopqrstuvwxyz", "abcdefg", "abcdef", "abcd", "abc", "iloveyou", "letmein", "welcome", "selamat",
	"dragon", "monkey", "master", "superman", "batman", "football", "baseball", "sunshine", "princess", "shadow",
	"trustno1", "whatever", "starwars", "michael", "jennifer", "jordan", "hunter", "charlie", "freedom", "admin",
	"administrator", "root", "login", "user", "guest", "test", "demo", "changeme", "default", "indonesia", "jakarta",
	"sayang", "bismillah", "latchkey", "qazwsxedc", "3edc4rfv", "5tgb6yhn", "5t6y7u8i",
	"1234567890", "0123456789", "123456789", "12345678", "1234567", "123456", "12345", "987654321", "654321",
}

// Line returns the address on one line.
func (a Address) Line() string {
	if a.Formatted != "" {
		return strings.Join(strings.Fields(a.Formatted), " ")
	}
	parts := []string{a.StreetAddress, a.Locality, a.Region, a.PostalCode, a.Country}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), ", ")
}
