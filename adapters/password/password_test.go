package password

import (
	"context"
	"crypto/pbkdf2"
	"crypto/sha256"
	"errors"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"latchkey/domain/identity"
	"latchkey/ports"
)

// keychain counts the passwords computed: each ends with one MAC under the pepper.
type keychain struct {
	ports.Keychain
	pepper byte
	macs   *atomic.Int64
}

func (k keychain) MAC(purpose string, message []byte) [32]byte {
	if purpose != ports.PurposePepper {
		panic("another purpose than the pepper")
	}
	k.macs.Add(1)
	return sha256.Sum256(append([]byte{k.pepper}, message...))
}

// LG-10: the least that OWASP asks for. Tests are told another number; a server is not.
func TestNewHashesAreDear(t *testing.T) {
	if Iterations < 600_000 || Iterations > maxIterations {
		t.Errorf("%d iterations", Iterations)
	}
}

func newHasher(iterations int) (*Hasher, *atomic.Int64) {
	computed := new(atomic.Int64)
	return New(keychain{macs: computed}, iterations), computed
}

func hash(t *testing.T, h *Hasher, password string) string {
	t.Helper()
	stored, err := h.Hash(t.Context(), password)
	if err != nil {
		t.Fatal(err)
	}
	return stored
}

func verify(t *testing.T, h *Hasher, stored, password string) (match, outdated bool) {
	t.Helper()
	match, outdated, err := h.Verify(t.Context(), stored, password, ports.Beside{})
	if err != nil {
		t.Fatal(err)
	}
	return match, outdated
}

func TestHashedPasswordMatches(t *testing.T) {
	h, _ := newHasher(3)
	for _, password := range []string{"", "correct horse battery", "🔑🔑 kunci gudang 🔑🔑", " spaces around ", strings.Repeat("x", identity.MaxPasswordBytes)} {
		stored := hash(t, h, password)
		if !strings.HasPrefix(stored, "$pbkdf2-sha256-pepper$i=3$") {
			t.Errorf("stored as %q", stored)
		}
		if match, outdated := verify(t, h, stored, password); !match || outdated {
			t.Errorf("%.20q: match %v, outdated %v, want true, false", password, match, outdated)
		}
		if match, _ := verify(t, h, stored, password+"x"); match {
			t.Errorf("%.20q matches with a letter more", password)
		}
		if hash(t, h, password) == stored {
			t.Errorf("%.20q: a salt was used twice", password)
		}
	}
}

// LG-08: nothing is cut or trimmed.
func TestEveryByteMatters(t *testing.T) {
	h, _ := newHasher(3)
	password := strings.Repeat("abcdefgh", 128)
	stored := hash(t, h, password)
	for _, i := range []int{0, 1, 15, 63, 64, 71, 72, 73, 127, 128, 199, 200, 255, 256, 512, 1023} {
		twin := []byte(password)
		twin[i] ^= 1
		if match, _ := verify(t, h, stored, string(twin)); match {
			t.Errorf("byte %d does not matter", i)
		}
	}
	short := hash(t, h, password[:72])
	for _, other := range []string{password[:71], password[:73], password[:200], " " + password[:72], password[:72] + " ", password[:72] + "\n", password[:72] + "\x00"} {
		if match, _ := verify(t, h, short, other); match {
			t.Errorf("%d bytes match the first 72", len(other))
		}
	}
	brief := hash(t, h, "short")
	if match, _ := verify(t, h, brief, "short\x00"); match {
		t.Error("a password matches with a NUL more")
	}
}

// LG-09: what no password can be costs nothing.
func TestOverlongPasswordIsNotHashed(t *testing.T) {
	h, computed := newHasher(3)
	stored := hash(t, h, "correct horse battery")
	computed.Store(0)
	for _, password := range []string{strings.Repeat("x", identity.MaxPasswordBytes+1), strings.Repeat("x", 1<<20)} {
		for _, phc := range []string{stored, ""} {
			if match, _ := verify(t, h, phc, password); match {
				t.Errorf("%d bytes match", len(password))
			}
		}
		if _, err := h.Hash(t.Context(), password); !errors.Is(err, identity.ErrPasswordLong) {
			t.Errorf("Hash of %d bytes: error %v, want ErrPasswordLong", len(password), err)
		}
	}
	if _, err := h.Hash(t.Context(), "nul\x00inside"); !errors.Is(err, identity.ErrPasswordNUL) {
		t.Errorf("Hash with NUL: error %v, want ErrPasswordNUL", err)
	}
	if n := computed.Load(); n != 0 {
		t.Errorf("%d passwords were hashed, want none", n)
	}
}

// LG-10: a hash made at another cost still matches, and says that it should be made again.
func TestOldParametersAreOutdated(t *testing.T) {
	old, _ := newHasher(2)
	h, _ := newHasher(5)
	stored := hash(t, old, "correct horse battery")
	if match, outdated := verify(t, h, stored, "correct horse battery"); !match || !outdated {
		t.Errorf("old hash: match %v, outdated %v, want both", match, outdated)
	}
	if match, outdated := verify(t, h, stored, "wrong"); match || outdated {
		t.Errorf("wrong password: match %v, outdated %v, want neither", match, outdated)
	}
	stored = hash(t, h, "correct horse battery")
	if match, outdated := verify(t, old, stored, "correct horse battery"); !match || !outdated {
		t.Errorf("a hash of higher cost: match %v, outdated %v, want both", match, outdated)
	}
}

func TestUnknownUserCostsTheSame(t *testing.T) {
	h, computed := newHasher(3)
	for _, password := range []string{"", "anything"} {
		if match, outdated := verify(t, h, "", password); match || outdated {
			t.Errorf("no hash, password %q: match %v, outdated %v", password, match, outdated)
		}
	}
	if computed.Load() != 2 {
		t.Errorf("%d passwords were hashed, want 2", computed.Load())
	}
}

// zeros makes every hash the one that no hash at all is compared with.
type zeros struct{ ports.Keychain }

func (zeros) MAC(string, []byte) [32]byte { return [32]byte{} }

func TestNoHashNeverMatches(t *testing.T) {
	if match, _ := verify(t, New(zeros{}, 3), "", "password"); match {
		t.Error("a user without a password signs in")
	}
}

func TestPepperMatters(t *testing.T) {
	a, b := New(keychain{pepper: 1, macs: new(atomic.Int64)}, 3), New(keychain{pepper: 2, macs: new(atomic.Int64)}, 3)
	stored := hash(t, a, "correct horse battery")
	if match, _ := verify(t, b, stored, "correct horse battery"); match {
		t.Error("a hash matches under another master key")
	}
}

func TestMalformedHashIsAFault(t *testing.T) {
	h, _ := newHasher(3)
	if _, _, err := h.Verify(t.Context(), "$2b$10$something", "password", ports.Beside{}); err == nil || strings.Contains(err.Error(), "something") {
		t.Errorf("error %v, want one without the hash", err)
	}
}

// The standard library is the reference.
func TestDeriveIsPBKDF2(t *testing.T) {
	for _, password := range []string{"", "passwd", strings.Repeat("long", 40)} {
		for _, iterations := range []int{1, 2, slice - 1, slice, slice + 1, 3 * slice} {
			salt := [saltSize]byte{1, 2, 3, byte(iterations)}
			want, err := pbkdf2.Key(sha256.New, password, salt[:], iterations, hashSize)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := derive(t.Context(), password, salt, iterations, runtime.Gosched); err != nil || string(got[:]) != string(want) {
				t.Errorf("derive(%.10q, %d) differs from PBKDF2: %v", password, iterations, err)
			}
		}
	}
}

func TestDeriveStopsWhenNobodyWaits(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := derive(ctx, "password", [saltSize]byte{}, maxIterations, runtime.Gosched); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
}

func TestPHC(t *testing.T) {
	const salt, sum = "AAECAwQFBgcICQoLDA0ODw", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
	for _, i := range []string{"1", "600000", "5000000"} {
		if _, err := parsePHC(phcPrefix + i + "$" + salt + "$" + sum); err != nil {
			t.Errorf("i=%s: %v", i, err)
		}
	}
	for name, s := range map[string]string{
		"zero iterations":   phcPrefix + "0$" + salt + "$" + sum,
		"negative":          phcPrefix + "-1$" + salt + "$" + sum,
		"plus sign":         phcPrefix + "+1$" + salt + "$" + sum,
		"leading zero":      phcPrefix + "01$" + salt + "$" + sum,
		"above the bound":   phcPrefix + "5000001$" + salt + "$" + sum,
		"overflow":          phcPrefix + "99999999999999999999$" + salt + "$" + sum,
		"space":             phcPrefix + "1 $" + salt + "$" + sum,
		"no iterations":     phcPrefix + "$" + salt + "$" + sum,
		"another algorithm": "$pbkdf2-sha256$i=1$" + salt + "$" + sum,
		"short salt":        phcPrefix + "1$" + salt[:20] + "$" + sum,
		"no salt":           phcPrefix + "1$$" + sum,
		"short hash":        phcPrefix + "1$" + salt + "$" + sum[:42],
		"no hash":           phcPrefix + "1$" + salt,
		"fifth part":        phcPrefix + "1$" + salt + "$" + sum + "$",
		"padding":           phcPrefix + "1$" + salt + "==$" + sum,
		"trailing bits":     phcPrefix + "1$" + salt[:21] + "x$" + sum,
		"newline":           phcPrefix + "1$" + salt + "$" + sum + "\n",
		"newline inside":    phcPrefix + "1$" + salt[:4] + "\n" + salt[4:] + "$" + sum,
		"empty":             "",
		"large":             phcPrefix + strings.Repeat("1", 1<<20),
		"many dollars":      phcPrefix + strings.Repeat("$", 1<<20),
	} {
		if p, err := parsePHC(s); err == nil {
			t.Errorf("%s: read as %+v", name, p)
		}
	}
}

func FuzzPHC(f *testing.F) {
	f.Add("")
	f.Add(phc{iterations: Iterations}.String())
	f.Add(phc{iterations: maxIterations, salt: [saltSize]byte{255, 254}, hash: [hashSize]byte{251}}.String())
	f.Add("$pbkdf2-sha256-pepper$i=01$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
	f.Add("$pbkdf2-sha256-pepper$i=9$AAAAAAAAAAAAAAAAAAAAAB$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
	f.Fuzz(func(t *testing.T, s string) {
		p, err := parsePHC(s)
		if err != nil {
			return
		}
		if p.String() != s {
			t.Errorf("%q is written as %q", s, p)
		}
		if p.iterations < 1 || p.iterations > maxIterations {
			t.Errorf("%q costs %d iterations", s, p.iterations)
		}
	})
}

func BenchmarkHash(b *testing.B) {
	h := New(keychain{macs: new(atomic.Int64)}, Iterations)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := h.Hash(b.Context(), "correct horse battery"); err != nil {
			b.Fatal(err)
		}
	}
}
