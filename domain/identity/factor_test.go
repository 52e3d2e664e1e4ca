package identity_test

import (
	"strings"
	"testing"
	"time"

	"latchkey/domain/identity"
)

func TestRecoveryDigest(t *testing.T) {
	const code = "abcdefghijklmno2"
	want, ok := identity.RecoveryDigest("usr_1", code)
	if !ok {
		t.Fatal("not a code")
	}
	for _, same := range []string{"ABCD EFGH IJKL MNO2", " abcd-efgh-ijkl-mno2 ", "abcdefghijk1mn02", "abcd\u00a0efgh\u2013ijklmno2"} {
		if got, ok := identity.RecoveryDigest("usr_1", same); !ok || got != want {
			t.Errorf("%q is another code", same)
		}
	}
	for _, other := range []string{"", code[1:], code + "a", "abcdefghijklmno8", "abcdefghijklmno!", "äbcdefghijklmno2", strings.Repeat(" ", 16)} {
		if _, ok := identity.RecoveryDigest("usr_1", other); ok {
			t.Errorf("%q is taken for a code", other)
		}
	}
	if got, _ := identity.RecoveryDigest("usr_2", code); got == want {
		t.Error("the code of one user is that of another")
	}
}

func TestRecoveryCodesAreUsedOnce(t *testing.T) {
	c := identity.RecoveryCodes{Digests: [][32]byte{{1}, {2}, {3}}}
	before := c.Digests
	if !c.Use([32]byte{2}) || c.Use([32]byte{2}) || c.Use([32]byte{9}) || !c.Has([32]byte{3}) || c.Has([32]byte{2}) || len(c.Digests) != 2 {
		t.Errorf("left %v", c.Digests)
	}
	if before[1] != ([32]byte{2}) {
		t.Error("what was read from the store was changed in place")
	}
}

var factorsAt = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

func TestChallenge(t *testing.T) {
	user := identity.User{ID: "usr_1", PasswordChangedAt: factorsAt.Add(-time.Hour)}
	disabled, changed := user, user
	disabled.DisabledAt, changed.PasswordChangedAt = factorsAt, factorsAt
	c := identity.NewChallenge([32]byte{1}, user, factorsAt)
	for _, row := range []struct {
		name  string
		c     identity.Challenge
		user  identity.User
		after time.Duration
		want  bool
	}{
		{"open", c, user, 0, true},
		{"last instant", c, user, identity.ChallengeLifetime - time.Millisecond, true},
		{"expired", c, user, identity.ChallengeLifetime, false},
		{"OP-05 from the future", c, user, -time.Minute - time.Millisecond, false},
		{"of another user", c, identity.User{ID: "usr_2", PasswordChangedAt: user.PasswordChangedAt}, 0, false},
		{"the user is disabled", c, disabled, 0, false},
		{"the password changed since", c, changed, 0, false},
		{"none", identity.Challenge{}, identity.User{}, 0, false},
	} {
		if got := row.c.Open(row.user, factorsAt.Add(row.after)); got != row.want {
			t.Errorf("%s: %v", row.name, got)
		}
	}
	for n := range identity.ChallengeAttempts + 2 { // MF-02
		if heard := c.Answer(); heard != (n < identity.ChallengeAttempts) {
			t.Errorf("answer %d is heard: %v", n+1, heard)
		}
	}
}

func TestFactor(t *testing.T) {
	offered := identity.Factor{ID: "f", CreatedAt: factorsAt}
	confirmed := offered
	confirmed.ConfirmedAt = factorsAt
	for _, row := range []struct {
		name             string
		f                identity.Factor
		after            time.Duration
		waits, confirmed bool
	}{
		{"offered", offered, 0, true, false},
		{"last instant", offered, identity.EnrolLifetime - time.Millisecond, true, false},
		{"too late", offered, identity.EnrolLifetime, false, false},
		{"from the future", offered, -2 * time.Minute, false, false},
		{"confirmed", confirmed, 0, false, true},
		{"none", identity.Factor{}, 0, false, false},
	} {
		if row.f.Offered(factorsAt.Add(row.after)) != row.waits || row.f.Confirmed() != row.confirmed {
			t.Errorf("%s: offered %v, confirmed %v", row.name, row.f.Offered(factorsAt.Add(row.after)), row.f.Confirmed())
		}
	}
	if got := identity.ConfirmedFactors([]identity.Factor{offered, confirmed}); len(got) != 1 || !got[0].Confirmed() {
		t.Errorf("confirmed: %v", got)
	}
	for typed, want := range map[string]string{"  My\tphone\n": "My phone", "": "", strings.Repeat("é", 50): strings.Repeat("é", 40), "a\xff": "a"} {
		if got := identity.FactorName(typed); got != want {
			t.Errorf("%q is kept as %q", typed, got)
		}
	}
}
