package identity_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"latchkey/domain/identity"
)

// rfcSeed is the secret of RFC 6238 appendix B.
var rfcSeed = []byte("12345678901234567890")

// RFC 6238 appendix B, SHA-1: the vectors have eight digits, of which an app shows the last six.
func TestTOTPVectors(t *testing.T) {
	for seconds, want := range map[int64]string{59: "94287082", 1111111109: "07081804", 1111111111: "14050471", 1234567890: "89005924",
		2000000000: "69279037", 20000000000: "65353130"} {
		now := time.Unix(seconds, 0)
		if got := identity.TOTPCode(rfcSeed, identity.TOTPStep(now)); got != want[2:] {
			t.Errorf("at %d: %s, want %s", seconds, got, want[2:])
		}
	}
	// RFC 4226 appendix D: the counter of the first codes.
	for step, want := range []string{"755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"} {
		if got := identity.TOTPCode(rfcSeed, int64(step)); got != want {
			t.Errorf("counter %d: %s, want %s", step, got, want)
		}
	}
}

func TestFindTOTPStep(t *testing.T) {
	now := time.Unix(1234567890, 0)
	at := identity.TOTPStep(now)
	code := func(offset int64) string { return identity.TOTPCode(rfcSeed, at+offset) }
	spaced := code(0)[:3] + " " + code(0)[3:]
	wide := strings.Map(func(r rune) rune { return r - '0' + '０' }, code(0))
	for name, c := range map[string]struct {
		typed string
		step  int64
		found bool
	}{
		"now": {code(0), at, true}, "a step late": {code(-1), at - 1, true}, "a step early": {code(1), at + 1, true},
		"two steps late": {code(-2), 0, false}, "two steps early": {code(2), 0, false},
		"in groups": {spaced, at, true}, "with spaces around": {" " + code(0) + "\u00a0", at, true}, "with a hyphen": {code(0)[:3] + "-" + code(0)[3:], at, true},
		"of another keyboard": {wide, at, true}, "too short": {code(0)[:5], 0, false}, "too long": {code(0) + "0", 0, false},
		"nothing": {"", 0, false}, "letters": {"abcdef", 0, false},
		"all but the first digit": {digitOff(code(0), 0), 0, false}, "all but the last digit": {digitOff(code(0), 5), 0, false},
	} {
		if step, found := identity.FindTOTPStep(rfcSeed, c.typed, now); step != c.step || found != c.found {
			t.Errorf("%s: step %d, %v; want %d, %v", name, step, found, c.step, c.found)
		}
	}
}

// digitOff returns the code with another digit at one place.
func digitOff(code string, at int) string {
	return code[:at] + string('0'+(code[at]-'0'+1)%10) + code[at+1:]
}

func TestTOTPURI(t *testing.T) {
	uri := identity.TOTPURI("Kopi: Bersama & co", "sari+1@x", rfcSeed)
	u, err := url.Parse(uri)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	if u.Scheme != "otpauth" || u.Host != "totp" || u.Path != "/Kopi  Bersama & co:sari+1@x" || q.Get("issuer") != "Kopi  Bersama & co" ||
		q.Get("secret") != "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ" || q.Get("digits") != "6" || q.Get("period") != "30" || q.Get("algorithm") != "SHA1" || strings.Contains(uri, "+") {
		t.Errorf("%s", uri)
	}
	if got := identity.TOTPSecret(rfcSeed); got != "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ" {
		t.Errorf("secret %q", got)
	}
}

func FuzzFindTOTPStep(f *testing.F) {
	now := time.Unix(1234567890, 0)
	for _, seed := range []string{"005924", "005 924", "", "００５９２４", "\xff", "12345678901234567890"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		step, found := identity.FindTOTPStep(rfcSeed, typed, now)
		if found && (identity.TOTPDigits(typed) != identity.TOTPCode(rfcSeed, step) || step < identity.TOTPStep(now)-1 || step > identity.TOTPStep(now)+1) {
			t.Errorf("%q is taken for step %d", typed, step)
		}
		digest, ok := identity.RecoveryDigest("usr_1", typed)
		if again, same := identity.RecoveryDigest("usr_1", " "+strings.ToUpper(typed)+"-"); ok && (!same || again != digest) {
			t.Errorf("%q is another code in capitals", typed)
		}
	})
}
