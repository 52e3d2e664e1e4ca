package oauth_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/domain/oauth"
)

func family() oauth.TokenFamily {
	return oauth.TokenFamily{ID: "gr1.fm1", Grant: "gr1", Client: "web", User: "usr_1", Scope: "openid offline_access", Refresh: true,
		Salt: [16]byte{1, 2, 3}, Generation: 1, CreatedAt: start, RotatedAt: start, ExpiresAt: start.Add(oauth.RefreshAbsolute)}
}

func present(t *testing.T, s oauth.Secret) oauth.RefreshToken {
	t.Helper()
	token, refusal := oauth.ParseRefreshToken(s)
	wantError(t, refusal, "")
	return token
}

// use is one presentation of the refresh token of a generation, so long after the family began.
type use struct {
	generation int
	after      time.Duration
	want       oauth.Rotation
	reason     string
}

func TestRotate(t *testing.T) {
	const day = 24 * time.Hour
	rotated := func(n int, every time.Duration) (uses []use) {
		for i := range n {
			uses = append(uses, use{i + 1, every * time.Duration(i+1), oauth.Rotated, ""})
		}
		return uses
	}
	for _, c := range []struct {
		name       string
		grace      time.Duration
		keep       bool // no rotation
		uses       []use
		generation int
		revoked    bool
	}{
		{"RF-01 each use brings the next", 0, false, rotated(3, time.Hour), 4, false},
		{"RF-02 the one before the newest comes back", 0, false, append(rotated(1, time.Hour), use{1, 2 * time.Hour, oauth.Replayed, "replayed"},
			use{2, 3 * time.Hour, oauth.Refused, "revoked"}), 2, true},
		{"RF-03 a much older one comes back", 0, false, append(rotated(4, time.Hour), use{2, 9 * time.Hour, oauth.Replayed, "replayed"},
			use{5, 9 * time.Hour, oauth.Refused, "revoked"}), 5, true},
		{"RF-04 at the same instant", 0, false, []use{{1, time.Hour, oauth.Rotated, ""}, {1, time.Hour, oauth.Replayed, "replayed"}}, 2, true},
		{"RF-04 the second read its clock before the first", 0, false, []use{{1, time.Hour, oauth.Rotated, ""},
			{1, time.Hour - time.Millisecond, oauth.Replayed, "replayed"}}, 2, true},
		{"a replay after a clock was set back", 0, false, []use{{1, time.Hour, oauth.Rotated, ""}, {1, -time.Hour, oauth.Replayed, "replayed"}}, 2, true},
		{"OP-05 a clock set back before the family began", 0, false, []use{{1, -time.Minute, oauth.Rotated, ""}, {2, -time.Minute - time.Millisecond, oauth.Refused, "from the future"},
			{2, 0, oauth.Rotated, ""}}, 3, false},
		{"RF-07 unused to the last instant", 0, false, []use{{1, oauth.RefreshIdle - time.Millisecond, oauth.Rotated, ""}}, 2, false},
		{"RF-07 unused too long", 0, false, []use{{1, oauth.RefreshIdle, oauth.Refused, "expired"}}, 1, false},
		{"RF-07 rotation never extends the absolute limit", 0, false, append(rotated(8, 11*day), use{9, oauth.RefreshAbsolute - time.Second, oauth.Rotated, ""},
			use{10, oauth.RefreshAbsolute, oauth.Refused, "expired"}), 10, false},
		{"RF-11 the same one within the grace window", 10 * time.Second, false, []use{{1, time.Hour, oauth.Rotated, ""},
			{1, time.Hour + 3*time.Second, oauth.Repeated, ""}, {1, time.Hour + 10*time.Second - time.Millisecond, oauth.Repeated, ""}}, 2, false},
		{"RF-11 the same one as the grace window ends", 10 * time.Second, false, []use{{1, time.Hour, oauth.Rotated, ""},
			{1, time.Hour + 10*time.Second, oauth.Replayed, "replayed"}}, 2, true},
		{"RF-11 repeating does not extend the window", 10 * time.Second, false, []use{{1, time.Hour, oauth.Rotated, ""},
			{1, time.Hour + 6*time.Second, oauth.Repeated, ""}, {1, time.Hour + 11*time.Second, oauth.Replayed, "replayed"}}, 2, true},
		{"RF-11 two requests at once, in the order of neither's clock", 10 * time.Second, false, []use{{1, time.Hour, oauth.Rotated, ""},
			{1, time.Hour - 5*time.Millisecond, oauth.Repeated, ""}}, 2, false},
		{"RF-11 only the one before the newest has grace", 10 * time.Second, false, []use{{1, time.Hour, oauth.Rotated, ""},
			{2, time.Hour + time.Second, oauth.Rotated, ""}, {1, time.Hour + 2*time.Second, oauth.Replayed, "replayed"}}, 3, true},
		{"RF-11 a clock set back opens no window", 10 * time.Second, false, []use{{1, time.Hour, oauth.Rotated, ""},
			{1, 0, oauth.Replayed, "replayed"}}, 2, true},
		{"without rotation the token stays", 0, true, []use{{1, time.Hour, oauth.Repeated, ""}, {1, 2 * time.Hour, oauth.Repeated, ""}}, 1, false},
		{"RF-07 without rotation, use keeps the family alive", 0, true, []use{{1, 20 * day, oauth.Rotated, ""}, {1, 20*day + time.Hour, oauth.Repeated, ""},
			{1, 40 * day, oauth.Rotated, ""}, {1, 60 * day, oauth.Rotated, ""}, {1, 80 * day, oauth.Rotated, ""}, {1, oauth.RefreshAbsolute, oauth.Refused, "expired"}}, 1, false},
		{"RF-07 without rotation, unused too long", 0, true, []use{{1, 20 * day, oauth.Rotated, ""}, {1, 50 * day, oauth.Refused, "expired"}}, 1, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, web, tag := family(), client(t, oauth.Strict), tagger("server")
			web.Rules.RefreshGrace, web.Rules.RotateRefreshTokens = c.grace, !c.keep
			line := map[int]oauth.Secret{1: f.RefreshToken(tag)}
			for i, u := range c.uses {
				before := f
				got, refusal := f.Rotate(web, present(t, line[u.generation]), tag, start.Add(u.after))
				if got != u.want {
					t.Fatalf("use %d: %v (%v); want %v", i, got, refusal, u.want)
				}
				if u.reason == "" {
					wantError(t, refusal, "")
				} else {
					wantError(t, refusal, oauth.InvalidGrant)
					if refusal.Facts["reason"] != u.reason {
						t.Errorf("use %d: reason %q; want %q", i, refusal.Facts["reason"], u.reason)
					}
				}
				if (got == oauth.Refused || got == oauth.Repeated) && !cmp.Equal(f, before) {
					t.Errorf("use %d: %v, but the family changed: %+v", i, got, f)
				}
				if f.Scope != before.Scope || !f.ExpiresAt.Equal(before.ExpiresAt) {
					t.Errorf("use %d: scope or absolute end changed: %+v", i, f)
				}
				if next := f.RefreshToken(tag); line[f.Generation] != "" && line[f.Generation] != next {
					t.Errorf("use %d: the newest token has another text than before", i)
				} else {
					line[f.Generation] = next
				}
			}
			if f.Generation != c.generation || f.RevokedAt.IsZero() == c.revoked {
				t.Errorf("generation %d, revoked at %v (%s)", f.Generation, f.RevokedAt, f.RevokeReason)
			}
			if len(line) != c.generation {
				t.Errorf("%d tokens for %d generations", len(line), c.generation)
			}
		})
	}
}

// A forged token changes nothing, whatever it names: whoever knows only what is in the database or in a log can neither
// refresh nor revoke.
func TestRotateForged(t *testing.T) {
	tag := tagger("server")
	other := family()
	other.ID = "gr1.fm2"
	salted := family()
	salted.Salt[0]++
	ahead := family()
	ahead.Generation = 7
	none := family()
	none.Refresh = false
	for _, c := range []struct {
		name   string
		token  oauth.Secret
		family oauth.TokenFamily
	}{
		{"another key of the server", other.RefreshToken(tagger("another")), family()},
		{"the tag of another family", swapFamily(other.RefreshToken(tag), other.ID, family().ID), family()},
		{"the tag of another salt", salted.RefreshToken(tag), family()},
		{"the tag of another generation", oauth.Secret(strings.Replace(string(first(tag)), ".1.", ".2.", 1)), at(family(), 2)},
		{"a generation not reached yet", ahead.RefreshToken(tag), family()},
		{"a family without refresh tokens", none.RefreshToken(tag), none},
		{"no tag", oauth.RefreshToken{Family: "gr1.fm1", Generation: 1}.Secret(), family()},
		{"a tag whose first byte differs", otherTag(t, first(tag), 0), family()},
		{"a tag whose last byte differs", otherTag(t, first(tag), 31), family()},
	} {
		t.Run("RF-02 "+c.name, func(t *testing.T) {
			f := c.family
			got, refusal := f.Rotate(client(t, oauth.Strict), present(t, c.token), tag, start.Add(time.Hour))
			wantError(t, refusal, oauth.InvalidGrant)
			if got != oauth.Refused || !cmp.Equal(f, c.family) || refusal.Facts["reason"] != "forged" {
				t.Errorf("%v, %v, %+v", got, refusal.Facts, f)
			}
		})
	}
}

// otherTag returns the token with another byte in its tag.
func otherTag(t *testing.T, s oauth.Secret, i int) oauth.Secret {
	token := present(t, s)
	token.Tag[i] ^= 1
	return token.Secret()
}

func first(tag oauth.Tagger) oauth.Secret {
	f := family()
	return f.RefreshToken(tag)
}

func swapFamily(s oauth.Secret, from, to oauth.FamilyID) oauth.Secret {
	return oauth.Secret(strings.Replace(string(s), string(from), string(to), 1))
}

func at(f oauth.TokenFamily, generation int) oauth.TokenFamily {
	f.Generation = generation
	return f
}

func TestRotateOtherClient(t *testing.T) {
	for _, old := range []bool{false, true} {
		t.Run(fmt.Sprintf("RF-05 an old token: %v", old), func(t *testing.T) {
			f, tag, evil := family(), tagger("server"), client(t, oauth.Strict)
			evil.ID = "evil"
			token := present(t, f.RefreshToken(tag))
			if old {
				f.Generation = 2
			}
			before := f
			got, refusal := f.Rotate(evil, token, tag, start.Add(time.Hour))
			wantError(t, refusal, oauth.InvalidGrant)
			if got != oauth.Refused || !cmp.Equal(f, before) || refusal.Facts["reason"] != "other client" {
				t.Errorf("%v, %v, %+v", got, refusal.Facts, f)
			}
		})
	}
}

func TestRevokeFamily(t *testing.T) {
	f := family()
	f.Revoke("first", start)
	f.Revoke("second", start.Add(time.Hour))
	if !f.RevokedAt.Equal(start) || f.RevokeReason != "first" {
		t.Errorf("revoked at %v: %s", f.RevokedAt, f.RevokeReason)
	}
}

func TestParseRefreshToken(t *testing.T) {
	f := family()
	good := f.RefreshToken(tagger("server"))
	tag := string(good[strings.LastIndexByte(string(good), '.')+1:])
	for _, c := range []struct{ name, text string }{
		{"empty", ""}, {"prefix only", "rt_"}, {"no prefix", string(good[3:])}, {"another prefix", "RT_" + string(good[3:])},
		{"no generation", "rt_gr1." + tag}, {"no family", "rt_.1." + tag}, {"generation 0", "rt_gr1.fm1.0." + tag},
		{"generation -1", "rt_gr1.fm1.-1." + tag}, {"generation +1", "rt_gr1.fm1.+1." + tag}, {"generation 01", "rt_gr1.fm1.01." + tag},
		{"generation in hex", "rt_gr1.fm1.0x1." + tag}, {"generation with a mark", "rt_gr1.fm1.1_0." + tag},
		{"generation beyond a number", "rt_gr1.fm1.99999999999999999999." + tag}, {"short tag", "rt_gr1.fm1.1." + tag[1:]},
		{"long tag", "rt_gr1.fm1.1." + tag + "A"}, {"padded", string(good) + "="}, {"line break in the tag", string(good[:len(good)-3]) + "\n" + string(good[len(good)-3:])},
		{"space after", string(good) + " "}, {"stray bits", string(good[:len(good)-1]) + "B"}, {"too long", "rt_" + strings.Repeat("a", 300) + ".1." + tag},
		{"a JWT", "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIxIn0." + tag},
	} {
		t.Run(c.name, func(t *testing.T) {
			token, refusal := oauth.ParseRefreshToken(oauth.Secret(c.text))
			wantError(t, refusal, oauth.InvalidGrant)
			if token != (oauth.RefreshToken{}) {
				t.Errorf("refused, but read as %+v", token)
			}
		})
	}
	if got := present(t, good); got.Family != "gr1.fm1" || got.Generation != 1 || got.Secret() != good {
		t.Errorf("read as %+v", got)
	}
}

// Each token has one text: whatever is accepted prints as it was.
func FuzzParseRefreshToken(f *testing.F) {
	fam := family()
	good := string(fam.RefreshToken(tagger("server")))
	for _, s := range []string{good, good + "=", good + "\n", strings.Replace(good, ".1.", ".01.", 1), strings.Replace(good, ".1.", ".+1.", 1),
		"rt_", "rt_...", "rt_a.1." + strings.Repeat("A", 43)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		token, refusal := oauth.ParseRefreshToken(oauth.Secret(s))
		if refusal != nil {
			wantError(t, refusal, oauth.InvalidGrant)
			return
		}
		if token.Secret() != oauth.Secret(s) || token.Family == "" || token.Generation < 1 || len(s) > 256 {
			t.Errorf("%q was read as %+v", s, token)
		}
		again, refusal := oauth.ParseRefreshToken(token.Secret())
		if refusal != nil || again != token {
			t.Errorf("%q reads back as %+v (%v)", s, again, refusal)
		}
	})
}
