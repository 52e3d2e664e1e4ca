package web

import (
	_ "embed"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"latchkey/adapters/web/page"
	"latchkey/adapters/web/read"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

// passkeysPath is the page of an account's passkeys. The requests for an authenticator lie below the pages that make them.
const passkeysPath = "/account/passkeys"

var passkeyForm = accountForm{name: "passkey", path: passkeysPath}

// passkeyButtonAt returns a button, or nil where browsers make no passkeys.
func (s *server) passkeyButtonAt(path string, label page.Message) *page.PasskeyButton {
	if !s.Passkeys.OffersPasskeys() {
		return nil
	}
	return &page.PasskeyButton{URL: s.path(path), Label: label}
}

// askSignIn answers the button of the login page. It is asked before anybody has said who they are, and answers the same to
// all (LG-13).
func (s *server) askSignIn(w http.ResponseWriter, r *request) error {
	b := s.browser(r)
	if _, _, err := s.readOwnForm(r, b, "login", "interaction"); err != nil {
		return err
	}
	request, err := s.Passkeys.SignInPasskey(r.Context(), b)
	return s.askPasskey(w, request, err)
}

// askFactor answers the button of the page of the second factor.
func (s *server) askFactor(w http.ResponseWriter, r *request) error {
	b := s.browser(r)
	if _, _, err := s.readOwnForm(r, b, "second-factor", "interaction"); err != nil {
		return err
	}
	request, err := s.Passkeys.FactorPasskey(r.Context(), b)
	return s.askPasskey(w, request, err)
}

// askRemoval answers the button that removes a factor.
func (s *server) askRemoval(w http.ResponseWriter, r *request) error {
	b := s.browser(r)
	if _, _, err := s.readAccountForm(r, b, removeForm); err != nil {
		return err
	}
	b.Challenge = "" // of another tab, and maybe of another user
	request, err := s.Passkeys.FactorPasskey(r.Context(), b)
	return s.askPasskey(w, request, err)
}

// askNew answers the button that adds a passkey.
func (s *server) askNew(w http.ResponseWriter, r *request) error {
	b := s.browser(r)
	_, proof, err := s.readAccountForm(r, b, passkeyForm)
	if err != nil {
		return err
	}
	request, err := s.Passkeys.NewPasskey(r.Context(), b)
	if err != nil {
		return s.askPasskey(w, request, err)
	}
	if request.User.ID != proof.User {
		return errOtherUser
	}
	return s.sendOptions(w, s.creationOptions(request))
}

// askPasskey sends the request for a passkey that is there. What stands against it is told by its status: the script has
// words of its own.
func (s *server) askPasskey(w http.ResponseWriter, request ports.PasskeyRequest, err error) error {
	switch {
	case errors.Is(err, ports.ErrNotFound):
		return errNotFound
	case errors.Is(err, ports.ErrSignedOut), errors.Is(err, ports.ErrNoFactor), errors.Is(err, ports.ErrFactorNeeded):
		return errNoPasskey
	case err != nil:
		return err
	}
	return s.sendOptions(w, requestOptions(request))
}

func (s *server) sendOptions(w http.ResponseWriter, o passkeyOptions) error {
	return writePrivate(w, o)
}

var errNoPasskey = &httpError{http.StatusConflict, page.MsgPasskeyOver, oauth.Refuse(oauth.InvalidRequest, "nobody is asked for a passkey here")}

// Options for navigator.credentials, in the JSON that Web Authentication Level 3 §5.1.8 and §5.1.9 give them.
type (
	passkeyOptions struct {
		Challenge string `json:"challenge"`
		Timeout   int64  `json:"timeout"` // in milliseconds
		// For a passkey that is there.
		Site         string           `json:"rpId,omitempty"`
		Verification string           `json:"userVerification,omitempty"`
		Allow        []credentialName `json:"allowCredentials,omitempty"`
		// For a new one.
		Party      *partyEntity     `json:"rp,omitempty"`
		User       *userEntity      `json:"user,omitempty"`
		Parameters []keyParameter   `json:"pubKeyCredParams,omitempty"`
		Exclude    []credentialName `json:"excludeCredentials,omitempty"`
		Selection  *selection       `json:"authenticatorSelection,omitempty"`
		Attest     string           `json:"attestation,omitempty"`
	}
	partyEntity struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	}
	userEntity struct {
		ID          string `json:"id"`
		Name        string `json:"name"`
		DisplayName string `json:"displayName"`
	}
	keyParameter struct {
		Type      string `json:"type"`
		Algorithm int64  `json:"alg"`
	}
	selection struct {
		ResidentKey  string `json:"residentKey"`
		Verification string `json:"userVerification"`
	}
	credentialName struct {
		Type       string   `json:"type"`
		ID         string   `json:"id"`
		Transports []string `json:"transports,omitempty"`
	}
)

var base64url = base64.RawURLEncoding.EncodeToString

func requestOptions(request ports.PasskeyRequest) passkeyOptions {
	o := passkeyOptions{Challenge: base64url(request.Challenge), Timeout: int64(identity.PasskeyChallengeLifetime / time.Millisecond),
		Site: request.Site.ID, Verification: "preferred", Allow: credentialNames(request.Known)}
	if request.Verify {
		o.Verification = "required"
	}
	return o
}

// creationOptions asks for a passkey that can sign in alone wherever the authenticator can make one; an older security key
// still serves as a second factor. Which maker's it is, is nobody's business here (§5.4.7).
func (s *server) creationOptions(request ports.PasskeyRequest) passkeyOptions {
	o := passkeyOptions{Challenge: base64url(request.Challenge), Timeout: int64(identity.PasskeyChallengeLifetime / time.Millisecond),
		Party: &partyEntity{ID: request.Site.ID, Name: request.Site.ID}, Exclude: credentialNames(request.Known),
		User:      &userEntity{ID: base64url(identity.UserHandle(request.User.ID)), Name: request.User.Username, DisplayName: request.User.DisplayName()},
		Selection: &selection{ResidentKey: "preferred", Verification: "preferred"}, Attest: "none"}
	for _, alg := range request.Site.Algorithms {
		o.Parameters = append(o.Parameters, keyParameter{"public-key", alg})
	}
	return o
}

func credentialNames(keys []identity.Factor) []credentialName {
	var names []credentialName
	for _, f := range keys {
		names = append(names, credentialName{"public-key", base64url(f.CredentialID), f.Transports})
	}
	return names
}

// passkeyOf reads the fields of a form that the script filled in; nil when it did not. What is not base64url was not written
// by it.
func passkeyOf(f read.Form, b ports.Browser) (*ports.PasskeyForm, *oauth.Error) {
	if f.Get("credential") == "" {
		return nil, nil
	}
	p := ports.PasskeyForm{Browser: b.Key}
	refusal := decodeFields(f, map[string]*[]byte{"challenge": &p.Challenge, "credential": &p.CredentialID, "user_handle": &p.UserHandle,
		"client_data": &p.ClientData, "authenticator_data": &p.AuthenticatorData, "signature": &p.Signature})
	return &p, refusal
}

// decodeFields decodes base64url without padding and with no bits to spare, of which every value has one form.
func decodeFields(f read.Form, fields map[string]*[]byte) *oauth.Error {
	for name, value := range fields {
		decoded, err := base64.RawURLEncoding.Strict().DecodeString(f.Get(name))
		if err != nil || strings.ContainsAny(f.Get(name), "\r\n") { // which the decoder skips
			return oauth.Refuse(oauth.InvalidRequest, "the field "+name+" is not base64url")
		}
		*value = decoded
	}
	return nil
}

// showPasskeys shows users their passkeys, and lets them add one.
func (s *server) showPasskeys(w http.ResponseWriter, r *request) error {
	b := s.browser(r)
	a, err := s.Account.Account(r.Context(), b)
	if err != nil {
		return err
	}
	if needsFactor(a) { // to add one would be refused
		redirect(w, s.path(factorPath)+toAccount)
		return nil
	}
	s.giveKey(w, &b)
	return s.show(w, r, http.StatusOK, s.passkeysPage(r, b, a, page.ProblemSet{}))
}

func (s *server) passkeysPage(r *request, b ports.Browser, a ports.Account, problems page.ProblemSet) page.Passkeys {
	p := page.Passkeys{Action: s.path(passkeysPath) + s.onward(r), CSRF: s.accountToken(b, passkeyForm, a.User), Username: a.User.Username,
		Recent: a.Session.Recent(s.Now()), ProblemSet: problems}
	if p.Passkey = s.passkeyButtonAt(passkeysPath+"/challenge", page.MsgAddPasskey); p.Passkey != nil {
		p.Passkey.Create, p.Passkey.Main = true, true
	}
	for _, f := range a.Factors {
		if f.Kind == identity.PasskeyFactor {
			p.Passkeys = append(p.Passkeys, page.PasskeyCard{FactorCard: s.factorCard(f, a.User), Model: modelOf(f.AAGUID), Synced: f.BackedUp, Syncable: f.BackupEligible})
		}
	}
	return p
}

// needsFactor reports whether the session lacks the second factor that its user has.
func needsFactor(a ports.Account) bool {
	return len(a.Factors) > 0 && a.Session.ACR != oidc.ACRMultiFactor
}

// modelOf writes an AAGUID as people find it in lists; authenticators that keep theirs to themselves send zeros.
func modelOf(aaguid [16]byte) string {
	if aaguid == [16]byte{} {
		return ""
	}
	x := hex.EncodeToString(aaguid[:])
	return x[:8] + "-" + x[8:12] + "-" + x[12:16] + "-" + x[16:20] + "-" + x[20:]
}

// passkeysURL is the page that adds a passkey and leads on as this one does; empty where browsers make none.
func (s *server) passkeysURL(r *request) string {
	if !s.Passkeys.OffersPasskeys() {
		return ""
	}
	return s.path(passkeysPath) + s.onward(r)
}

// removalButton shows a passkey in place of a code, to a user who has one.
func (s *server) removalButton(a ports.Account) *page.PasskeyButton {
	if !slices.ContainsFunc(a.Factors, func(f identity.Factor) bool { return f.Kind == identity.PasskeyFactor }) {
		return nil
	}
	return s.passkeyButtonAt(removeForm.path+"/passkey", page.MsgConfirmPasskey)
}

// addPasskey answers the form for a new passkey.
func (s *server) addPasskey(w http.ResponseWriter, r *request) error {
	b := s.browser(r)
	f, proof, err := s.readAccountForm(r, b, passkeyForm)
	if err != nil {
		return err
	}
	enrol := ports.EnrolForm{AccountProof: proof, Name: f.Get("name"), Transports: strings.Fields(f.Get("transports"))}
	refusal := decodeFields(f, map[string]*[]byte{"challenge": &enrol.Challenge, "credential": &enrol.CredentialID,
		"client_data": &enrol.ClientData, "attestation": &enrol.Attestation})
	if refusal != nil {
		return refusal
	}
	a, err := s.Account.Account(r.Context(), b)
	if err != nil {
		return err
	}
	change, err := s.Passkeys.EnrolPasskey(r.Context(), r.caller, b, enrol)
	return s.guardedChange(w, r, change, err, func() error {
		if len(change.Codes) == 0 {
			redirect(w, s.goal(r, "passkey"))
			return nil
		}
		return s.showCodes(w, r, b, change, "passkey")
	}, func(_ identity.User, problems page.ProblemSet) page.Body { return s.passkeysPage(r, b, a, problems) })
}

// passkeyEndpoints tells password managers where people add and remove passkeys (W3C, A Well-Known URL for Relying Party
// Passkey Endpoints).
func (s *server) passkeyEndpoints(w http.ResponseWriter, r *request) error {
	if !s.Passkeys.OffersPasskeys() {
		return errNotFound
	}
	w.Header().Set("Cache-Control", "public, max-age=3600")
	writeJSON(w, http.StatusOK, map[string]string{"enroll": s.Issuer + passkeysPath, "manage": s.Issuer + passkeysPath})
	return nil
}
