package identity_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"latchkey/domain/identity"
)

func TestParseUsername(t *testing.T) {
	long := strings.Repeat("a", identity.MaxUsername)
	for _, c := range []struct{ name, in, want string }{
		{"as it is", "alice", "alice"},
		{"LG-05 upper case", "ALICE", "alice"},
		{"LG-05 outer space", " alice\t", "alice"},
		{"LG-05 fullwidth", "ａｌｉｃｅ", "alice"},
		{"LG-05 fullwidth upper case", "ＡＬＩＣＥ", "alice"},
		{"LG-05 ideographic space outside", "\u3000alice\u3000", "alice"},
		{"LG-05 the Kelvin sign folds to k", "\u212Aim", "kim"},
		{"digits and marks", "9.a_b-c+d@e", "9.a_b-c+d@e"},
		{"longest", long, long},
		{"too long", long + "a", ""},
		{"empty", "", ""},
		{"only space", " \t ", ""},
		{"space inside", "al ice", ""},
		{"a mark first", ".alice", ""},
		{"an at sign first", "@alice", ""},
		{"not ASCII", "alicé", ""},
		{"LG-05 decomposed", "alice\u0301", ""},
		{"a Cyrillic look-alike", "аlice", ""},
		{"zero width", "ali\u200bce", ""},
		{"right to left", "\u202ealice", ""},
		{"NUL", "alice\x00", ""},
		{"line break inside", "al\nice", ""},
		{"a slash", "alice/bob", ""},
		{"not UTF-8", "alice\xff", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := identity.ParseUsername(c.in)
			if got != c.want || (err == nil) != (c.want != "") {
				t.Errorf("%q is %q, %v; want %q", c.in, got, err, c.want)
			}
			if err != nil && !errors.Is(err, identity.ErrUsername) {
				t.Errorf("%v", err)
			}
		})
	}
}

// A canonical name is its own canonical name, and every spelling that leads to it is looked up under it.
func FuzzParseUsername(f *testing.F) {
	for _, s := range []string{"alice", " ALICE ", "ａｌｉｃｅ", "İ", "\u212A", "a@b.test", "\u3000a", "é", "a\xff", strings.Repeat("a", 65)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		folded := identity.CanonicalLogin(s)
		if again := identity.CanonicalLogin(folded); again != folded {
			t.Errorf("%q folds to %q, which folds to %q", s, folded, again)
		}
		name, err := identity.ParseUsername(s)
		if err != nil {
			if name != "" {
				t.Errorf("refused, but returned %q", name)
			}
			return
		}
		if name != folded {
			t.Errorf("%q is created as %q and looked up as %q", s, name, folded)
		}
		again, err := identity.ParseUsername(name)
		if err != nil || again != name {
			t.Errorf("%q became %q, which is %q (%v)", s, name, again, err)
		}
		if name == "" || len(name) > identity.MaxUsername || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789._-+@") != "" ||
			strings.IndexByte("._-+@", name[0]) >= 0 {
			t.Errorf("%q became %q", s, name)
		}
	})
}

func TestParseEmail(t *testing.T) {
	long := strings.Repeat("a", identity.MaxEmail-len("@app.test")) + "@app.test"
	for _, good := range []string{"a@b", "Alice.Adams+x@App.Test", "o'brien@app.test", long} {
		if got, err := identity.ParseEmail(good); got != good || err != nil {
			t.Errorf("%q: %q, %v", good, got, err)
		}
	}
	for _, bad := range []string{"", "a", "@", "a@", "@b", "a@b@c", "a b@c", "a@b c", "a@b\r\nBcc: x", "a@.b", "a@b.", `"a"@b`, "a@[127.0.0.1]", "a,b@c",
		"<a@b>", "é@b", "a@bücher", "a\x00@b", " a@b", "a@b ", "a" + long} {
		if got, err := identity.ParseEmail(bad); got != "" || !errors.Is(err, identity.ErrEmail) {
			t.Errorf("%q: %q, %v", bad, got, err)
		}
	}
}

func TestCheckPassword(t *testing.T) {
	long := strings.Repeat("correct horse battery ", 60)
	for _, c := range []struct {
		name, password string
		want           error
	}{
		{"LG-08 a passphrase", "correct horse battery staple", nil},
		{"LG-08 fifteen characters", "mj4-Zkqp.wyv!7e", nil},
		{"LG-08 fourteen characters", "mj4-Zkqp.wyv!7", identity.ErrPasswordShort},
		{"LG-08 characters, not bytes", "пароль-из-букв!", nil},
		{"LG-08 fourteen characters of many bytes", "пароль-из-букв", identity.ErrPasswordShort},
		{"LG-08 emoji", "🐢🦊🐙🦉🐝🦋🐞🐳🦈🐊🐘🦒🐎🦔🐿", nil},
		{"LG-08 spaces around count", " mj4-Zkqp.wyv! ", nil},
		{"LG-08 empty", "", identity.ErrPasswordShort},
		{"LG-08 NUL", "mj4-Zkqp.wyv!7e\x00", identity.ErrPasswordNUL},
		{"LG-08 longest", long[:1024], nil},
		{"LG-08 too long", long[:1025], identity.ErrPasswordLong},
		{"LG-08 one character", strings.Repeat("a", 40), identity.ErrPasswordCommon},
		{"LG-08 four characters", strings.Repeat("abcd", 10), identity.ErrPasswordCommon},
		{"LG-08 a block repeated", "xK4!pxK4!pxK4!p", identity.ErrPasswordCommon},
		{"LG-08 a block repeated and cut", "xK4!pzqxK4!pzqx", identity.ErrPasswordCommon},
		{"LG-08 password twice", "passwordpassword", identity.ErrPasswordCommon},
		{"LG-08 password in upper case", "PasswordPASSWORD1!", identity.ErrPasswordCommon},
		{"LG-08 password and a run of digits", "password1234567", identity.ErrPasswordCommon},
		{"LG-08 password and a longer run", "Password1234567890", identity.ErrPasswordCommon},
		{"LG-08 a run of digits", "123456789012345", identity.ErrPasswordCommon},
		{"LG-08 a keyboard walk", "qwertyuiopasdfghjkl", identity.ErrPasswordCommon},
		{"LG-08 another", "1qaz2wsx3edc4rfv", identity.ErrPasswordCommon},
		{"LG-08 Indonesian", "bismillah12345678", identity.ErrPasswordCommon},
		{"LG-08 a site word", "acme-corp-2026!", identity.ErrPasswordCommon},
		{"LG-08 a site word in another case", "ACME-Corp-Acme-Corp", identity.ErrPasswordCommon},
		{"LG-08 the username", "alice.adams.2026", identity.ErrPasswordCommon},
		{"LG-08 a common word inside a long one", "my password is a tiny elephant", nil},
		{"LG-08 sixteen digits without order", "8391584726057193", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := identity.CheckPassword(c.password, "alice.adams", "acme-corp", "", "a"); !errors.Is(got, c.want) {
				t.Errorf("%v; want %v", got, c.want)
			}
		})
	}
}

func TestSiteWords(t *testing.T) {
	for issuer, want := range map[string][]string{
		"https://login.acme.example:8443": {"login.acme.example", "login", "acme", "example"},
		"http://localhost:8080":           {"localhost", "localhost"},
		"":                                nil,
		"%":                               nil,
	} {
		if got := identity.SiteWords(issuer); !slices.Equal(got, want) {
			t.Errorf("%q: %q; want %q", issuer, got, want)
		}
	}
	if err := identity.CheckPassword("Login.Acme.Example1", identity.SiteWords("https://login.acme.example")...); !errors.Is(err, identity.ErrPasswordCommon) {
		t.Errorf("LG-08: the host of the issuer is a password: %v", err)
	}
}

func TestUser(t *testing.T) {
	u := identity.User{Username: "alice"}
	if u.DisplayName() != "alice" || u.Disabled() {
		t.Errorf("%+v", u)
	}
	u.Claims.Name, u.DisabledAt = "Alice Adams", start
	if u.DisplayName() != "Alice Adams" || !u.Disabled() {
		t.Errorf("%+v", u)
	}
}

func TestAddressLine(t *testing.T) {
	for _, c := range []struct {
		address identity.Address
		want    string
	}{
		{identity.Address{}, ""},
		{identity.Address{Formatted: "Jl. Mawar 1\r\nBandung  40115", Country: "ID"}, "Jl. Mawar 1 Bandung 40115"},
		{identity.Address{StreetAddress: "Jl. Mawar 1", Locality: "Bandung", Region: "Jawa Barat", PostalCode: "40115", Country: "ID"}, "Jl. Mawar 1, Bandung, Jawa Barat, 40115, ID"},
		{identity.Address{Locality: "Bandung", Country: "ID"}, "Bandung, ID"},
	} {
		if got := c.address.Line(); got != c.want {
			t.Errorf("%+v: %q; want %q", c.address, got, c.want)
		}
	}
}
