package webauthn

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey/domain/identity"
	"latchkey/ports"
	test "latchkey/ports/passkeytest"
)

func verifier(t *testing.T) *Verifier {
	t.Helper()
	v, err := New("https://id.example")
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestSite(t *testing.T) {
	for issuer, want := range map[string]struct{ id, origin string }{
		"https://id.example": {"id.example", "https://id.example"}, "https://id.example:8443/op": {"id.example", "https://id.example:8443"},
		"http://localhost:8080": {"localhost", "http://localhost:8080"}, "http://127.0.0.1:8080": {"", "http://127.0.0.1:8080"}, "https://[::1]": {"", "https://[::1]"},
	} {
		v, err := New(issuer)
		if err != nil || v.Site().ID != want.id || v.origin != want.origin {
			t.Errorf("%s: %+v, %v", issuer, v, err)
		}
	}
	if _, err := New("id.example"); err == nil {
		t.Error("an issuer without a host has a site")
	}
	if d := cmp.Diff([]int64{-7, -8, -257}, verifier(t).Site().Algorithms); d != "" {
		t.Error(d)
	}
}

// Every algorithm and every statement that is tolerated, from the making of a key to its use.
func TestCeremonies(t *testing.T) {
	v := verifier(t)
	for _, algorithm := range []int{test.ES256, test.EdDSA, test.RS256} {
		for format, statement := range map[string][]byte{"none": nil, "packed": nil, "fido-u2f": test.Map(test.Text("sig"), test.Bytes([]byte{1})), "apple": test.Map(),
			"packed with a certificate": test.Map(test.Text("alg"), test.Int(-7), test.Text("sig"), test.Bytes([]byte{1}), test.Text("x5c"), test.Array(test.Bytes([]byte{2})))} {
			a := test.New(t, "https://id.example", "id.example", algorithm)
			a.Format, a.Statement, a.Count, a.AAGUID = format, statement, 5, [16]byte{1, 15: 2}
			if format == "packed with a certificate" {
				a.Format = "packed"
			}
			a.Flags = test.Present | test.BackupEligible | test.BackedUp
			made, err := v.Register(challenge, a.Create(t, challenge))
			want := identity.NewPasskey{CredentialID: a.CredentialID, PublicKey: a.PublicKey(t), AAGUID: a.AAGUID,
				PasskeyUse: identity.PasskeyUse{SignCount: 5, BackupEligible: true, BackedUp: true}}
			if d := cmp.Diff(want, made); err != nil || d != "" {
				t.Fatalf("%d, %s: %v (-want +got):\n%s", algorithm, format, err, d)
			}
			a.Flags |= test.Verified
			use, err := v.Authenticate(challenge, made.PublicKey, a.Get(t, challenge))
			if want := (identity.PasskeyUse{SignCount: 6, UserVerified: true, BackupEligible: true, BackedUp: true}); err != nil || use != want {
				t.Errorf("%d, %s: %+v, %v", algorithm, format, use, err)
			}
		}
	}
}

// tampering is one thing that is wrong, done before the authenticator answers or to its answer.
type tampering[A any] struct {
	what  string
	wrong func(*test.Authenticator)
	after func(*A)
	want  error
}

func TestRegisterRefuses(t *testing.T) {
	v := verifier(t)
	for _, c := range []tampering[ports.PasskeyRegistration]{
		{"the ceremony of a use", func(a *test.Authenticator) { a.Type = "webauthn.get" }, nil, errType},
		{"a ceremony of payment", func(a *test.Authenticator) { a.Type = "payment.create" }, nil, errType},
		{"a type in capitals", func(a *test.Authenticator) { a.Type = "WEBAUTHN.CREATE" }, nil, errType},
		{"http", func(a *test.Authenticator) { a.Origin = "http://id.example" }, nil, errOrigin},
		{"a port", func(a *test.Authenticator) { a.Origin = "https://id.example:443" }, nil, errOrigin},
		{"a slash", func(a *test.Authenticator) { a.Origin = "https://id.example/" }, nil, errOrigin},
		{"a subdomain", func(a *test.Authenticator) { a.Origin = "https://evil.id.example" }, nil, errOrigin},
		{"the domain above", func(a *test.Authenticator) { a.Origin = "https://example" }, nil, errOrigin},
		{"an application", func(a *test.Authenticator) { a.Origin = "android:apk-key-hash:x" }, nil, errOrigin},
		{"no origin", func(a *test.Authenticator) { a.Origin = "null" }, nil, errOrigin},
		{"another challenge", func(a *test.Authenticator) { a.Members = map[string]any{"challenge": "xcXF"} }, nil, errChallenge},
		{"a padded challenge", func(a *test.Authenticator) {
			a.Members = map[string]any{"challenge": "xcXFxcXFxcXFxcXFxcXFxcXFxcXFxcXFxcXFxcXFxcU="}
		}, nil, errChallenge},
		{"a challenge with other spare bits", func(a *test.Authenticator) {
			a.Members = map[string]any{"challenge": "xcXFxcXFxcXFxcXFxcXFxcXFxcXFxcXFxcXFxcXFxcV"}
		}, nil, errChallenge},
		{"no challenge", func(a *test.Authenticator) { a.Members = map[string]any{"challenge": ""} }, nil, errChallenge},
		{"a frame", func(a *test.Authenticator) { a.Members = map[string]any{"crossOrigin": true} }, nil, errFramed},
		{"a frame that says whose", func(a *test.Authenticator) { a.Members = map[string]any{"topOrigin": "https://evil.example"} }, nil, errFramed},
		{"another site", func(a *test.Authenticator) { a.Site = "evil.example" }, nil, errSite},
		{"the site above", func(a *test.Authenticator) { a.Site = "example" }, nil, errSite},
		{"nobody present", func(a *test.Authenticator) { a.Flags = test.Verified }, nil, errAbsent},
		{"backed up though it cannot be", func(a *test.Authenticator) { a.Flags |= test.BackedUp }, nil, errBackup},
		{"another credential ID", nil, func(r *ports.PasskeyRegistration) { r.CredentialID = bytes.Repeat([]byte{1}, 32) }, errOtherKey},
		{"a short credential ID", func(a *test.Authenticator) { a.CredentialID = a.CredentialID[:15] }, nil, errAuthenticatorData},
		{"a long credential ID", func(a *test.Authenticator) { a.CredentialID = make([]byte, 1024) }, nil, errAuthenticatorData},
		{"a key for an algorithm nobody asked for", func(a *test.Authenticator) { a.Algorithm = -37 }, nil, errKey},
		{"a key for another algorithm", func(a *test.Authenticator) { a.Algorithm = test.RS256 }, nil, errKey},
		{"a statement that should be none", func(a *test.Authenticator) { a.Statement = test.Map(test.Text("x"), test.Int(1)) }, nil, errAttestation},
		{"self attestation with a wrong signature", func(a *test.Authenticator) { a.Format, a.SignedOther = "packed", true }, nil, errSelfSigned},
		{"self attestation without one", func(a *test.Authenticator) { a.Format, a.Statement = "packed", test.Map() }, nil, errSelfSigned},
		{"self attestation with another algorithm", func(a *test.Authenticator) {
			a.Format, a.Statement = "packed", test.Map(test.Text("alg"), test.Int(-8), test.Text("sig"), test.Bytes(nil))
		}, nil, errSelfSigned},
		{"a byte after the key", func(a *test.Authenticator) { a.ExtraData = []byte{0} }, nil, errAuthenticatorData},
		{"a byte after the attestation", nil, func(r *ports.PasskeyRegistration) { r.Attestation = append(r.Attestation, 0) }, errCBOR},
		{"no attestation", nil, func(r *ports.PasskeyRegistration) { r.Attestation = nil }, errCBOR},
		{"no client data", nil, func(r *ports.PasskeyRegistration) { r.ClientData = nil }, errClientData},
	} {
		a := test.New(t, "https://id.example", "id.example", test.ES256)
		if c.wrong != nil {
			c.wrong(a)
		}
		answer := a.Create(t, challenge)
		if c.after != nil {
			c.after(&answer)
		}
		if made, err := v.Register(challenge, answer); err != c.want {
			t.Errorf("%s: %v (%+v), want %v", c.what, err, made, c.want)
		}
	}
	a := test.New(t, "https://id.example", "id.example", test.ES256)
	if _, err := v.Register(nil, a.Create(t, nil)); err != errChallenge {
		t.Errorf("an empty challenge: %v", err)
	}
	at, _ := New("http://127.0.0.1:8080")
	a.Origin, a.Site = "http://127.0.0.1:8080", ""
	if _, err := at.Register(challenge, a.Create(t, challenge)); err != errNoSite {
		t.Errorf("an issuer at an address: %v", err)
	}
}

func TestAuthenticateRefuses(t *testing.T) {
	v := verifier(t)
	for _, algorithm := range []int{test.ES256, test.EdDSA, test.RS256} {
		other := test.New(t, "https://id.example", "id.example", algorithm)
		for _, c := range []tampering[ports.PasskeyAssertion]{
			{"the ceremony of a new key", func(a *test.Authenticator) { a.Type = "webauthn.create" }, nil, errType},
			{"another origin", func(a *test.Authenticator) { a.Origin = "https://id.example.evil.example" }, nil, errOrigin},
			{"another challenge", func(a *test.Authenticator) { a.Members = map[string]any{"challenge": "xcXF"} }, nil, errChallenge},
			{"a frame", func(a *test.Authenticator) { a.Members = map[string]any{"crossOrigin": true} }, nil, errFramed},
			{"another site", func(a *test.Authenticator) { a.Site = "evil.example" }, nil, errSite},
			{"nobody present", func(a *test.Authenticator) { a.Flags = 0 }, nil, errAbsent},
			{"backed up though it cannot be", func(a *test.Authenticator) { a.Flags |= test.BackedUp }, nil, errBackup},
			{"a new key along with it", func(a *test.Authenticator) {
				a.Flags |= test.Credential
				a.ExtraData = append(append(make([]byte, 16), 0, 16), append(make([]byte, 16), a.PublicKey(t)...)...)
			}, nil, errCredential},
			{"signed by another key", func(a *test.Authenticator) { a.Key = other.Key }, nil, errSignature},
			{"signed over something else", func(a *test.Authenticator) { a.SignedOther = true }, nil, errSignature},
			{"no signature", nil, func(r *ports.PasskeyAssertion) { r.Signature = nil }, errSignature},
			{"a signature of zeros", nil, func(r *ports.PasskeyAssertion) { r.Signature = make([]byte, len(r.Signature)) }, errSignature},
			{"a signature with a byte more", nil, func(r *ports.PasskeyAssertion) { r.Signature = append(r.Signature, 0) }, errSignature},
			{"verified only after it was signed", func(a *test.Authenticator) { a.Flags = test.Present }, func(r *ports.PasskeyAssertion) { r.AuthenticatorData[32] |= test.Verified }, errSignature},
			{"a counter set after it was signed", nil, func(r *ports.PasskeyAssertion) { r.AuthenticatorData[36]++ }, errSignature},
			{"client data with a space more", nil, func(r *ports.PasskeyAssertion) { r.ClientData = append(r.ClientData, ' ') }, errSignature},
			{"no data", nil, func(r *ports.PasskeyAssertion) { r.AuthenticatorData = nil }, errAuthenticatorData},
			{"data with a byte more", nil, func(r *ports.PasskeyAssertion) { r.AuthenticatorData = append(r.AuthenticatorData, 0) }, errAuthenticatorData},
		} {
			a := test.New(t, "https://id.example", "id.example", algorithm)
			key := a.PublicKey(t)
			if c.wrong != nil {
				c.wrong(a)
			}
			answer := a.Get(t, challenge)
			if c.after != nil {
				c.after(&answer)
			}
			if use, err := v.Authenticate(challenge, key, answer); err != c.want {
				t.Errorf("%d, %s: %v (%+v), want %v", algorithm, c.what, err, use, c.want)
			}
		}
		// One answer to a challenge is no answer to the next.
		a := test.New(t, "https://id.example", "id.example", algorithm)
		answer := a.Get(t, challenge)
		if _, err := v.Authenticate(bytes.Repeat([]byte{1}, 32), a.PublicKey(t), answer); err != errChallenge {
			t.Errorf("%d: replayed: %v", algorithm, err)
		}
		// A key of one algorithm does not check signatures of another, nor an unreadable key any.
		for _, confused := range []int{test.ES256, test.EdDSA, test.RS256} {
			if confused != algorithm {
				b := test.New(t, "https://id.example", "id.example", confused)
				if _, err := v.Authenticate(challenge, b.PublicKey(t), answer); err != errSignature {
					t.Errorf("%d as %d: %v", algorithm, confused, err)
				}
			}
		}
		if _, err := v.Authenticate(challenge, nil, answer); err == nil {
			t.Errorf("%d: no key, and yet right", algorithm)
		}
	}
}
