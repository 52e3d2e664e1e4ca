package identity

import (
	"testing"
	"time"
)

var passkeyMade = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)

func passkeyOf(user UserID) Factor {
	return NewPasskey{CredentialID: []byte("sixteen bytes id"), PublicKey: []byte("key"), AAGUID: [16]byte{7},
		PasskeyUse: PasskeyUse{SignCount: 4, UserVerified: true, BackupEligible: true}}.Factor("fct_1", user, "  my\tphone ", []string{"usb"}, passkeyMade)
}

func TestPasskeyFactor(t *testing.T) {
	f := passkeyOf("usr_bob")
	if !f.Confirmed() || f.Kind != PasskeyFactor || f.Name != "my phone" || f.SignCount != 4 || !f.BackupEligible || f.BackedUp || f.AAGUID != [16]byte{7} {
		t.Errorf("%+v", f)
	}
}

func TestPasskeyOf(t *testing.T) {
	totp := passkeyOf("usr_bob")
	totp.Kind = TOTPFactor
	offered := passkeyOf("usr_bob")
	offered.ConfirmedAt = time.Time{}
	for what, c := range map[string]struct {
		factor Factor
		user   UserID
		handle string
		want   error
	}{
		"of the user":                       {passkeyOf("usr_bob"), "usr_bob", "", nil},
		"of the user, who is named":         {passkeyOf("usr_bob"), "usr_bob", "usr_bob", nil},
		"of whoever it names":               {passkeyOf("usr_bob"), "", "usr_bob", nil},
		"of nobody in particular":           {passkeyOf("usr_bob"), "", "", ErrPasskeyHandle},
		"of another user":                   {passkeyOf("usr_bob"), "usr_carol", "usr_bob", ErrPasskeyOfOther},
		"of another user, unnamed":          {passkeyOf("usr_bob"), "usr_carol", "", ErrPasskeyOfOther},
		"of the user, but another named":    {passkeyOf("usr_bob"), "usr_bob", "usr_carol", ErrPasskeyHandle},
		"of one, but another named":         {passkeyOf("usr_bob"), "", "usr_carol", ErrPasskeyHandle},
		"no passkey":                        {totp, "usr_bob", "usr_bob", ErrPasskeyOfOther},
		"a passkey that was never finished": {offered, "usr_bob", "usr_bob", ErrPasskeyOfOther},
		"nothing":                           {Factor{}, "", "", ErrPasskeyOfOther},
	} {
		if got := c.factor.PasskeyOf(c.user, []byte(c.handle)); got != c.want {
			t.Errorf("%s: %v, want %v", what, got, c.want)
		}
	}
}

func TestUsePasskey(t *testing.T) {
	now := passkeyMade.Add(time.Hour)
	for what, c := range map[string]struct {
		before uint32
		use    PasskeyUse
		alone  bool
		want   error
	}{
		"counts on":                       {4, PasskeyUse{SignCount: 5, UserVerified: true, BackupEligible: true}, true, nil},
		"skips":                           {4, PasskeyUse{SignCount: 1 << 31, UserVerified: true, BackupEligible: true}, true, nil},
		"never counts":                    {0, PasskeyUse{UserVerified: true, BackupEligible: true, BackedUp: true}, true, nil},
		"begins to count":                 {0, PasskeyUse{SignCount: 1, UserVerified: true, BackupEligible: true}, true, nil},
		"only present, beside a password": {4, PasskeyUse{SignCount: 5, BackupEligible: true}, false, nil},
		"only present, alone":             {4, PasskeyUse{SignCount: 5, BackupEligible: true}, true, ErrPasskeyUnverified},
		"only present, alone, backed up":  {0, PasskeyUse{BackupEligible: true, BackedUp: true}, true, ErrPasskeyUnverified},
		"stands still":                    {4, PasskeyUse{SignCount: 4, UserVerified: true, BackupEligible: true}, true, ErrPasskeyCounter},
		"goes back":                       {4, PasskeyUse{SignCount: 3, UserVerified: true, BackupEligible: true}, false, ErrPasskeyCounter},
		"stops counting":                  {4, PasskeyUse{UserVerified: true, BackupEligible: true}, true, ErrPasskeyCounter},
		"cannot be backed up any more":    {4, PasskeyUse{SignCount: 5, UserVerified: true}, true, ErrPasskeyEligible},
	} {
		f := passkeyOf("usr_bob")
		f.SignCount = c.before
		kept := f
		err := f.UsePasskey(c.use, c.alone, now)
		switch {
		case err != c.want:
			t.Errorf("%s: %v, want %v", what, err, c.want)
		case err == nil && (f.SignCount != c.use.SignCount || f.BackedUp != c.use.BackedUp || !f.LastUsedAt.Equal(now)):
			t.Errorf("%s: not noted: %+v", what, f)
		case err != nil && (f.SignCount != kept.SignCount || !f.LastUsedAt.Equal(kept.LastUsedAt)):
			t.Errorf("%s: noted though it was refused: %+v", what, f)
		}
	}
}
