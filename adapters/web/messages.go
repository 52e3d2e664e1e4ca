package web

import (
	"fmt"
	"maps"
	"strings"
)

// messageID names one text of the catalogue. Every id exists in every language; a test fails when one does not.
//
// A message is a short statement of what is so, without a full stop where it can stand as a heading. The same id with
// ".next" is the sentence that says what to do about it, so that no page is a dead end. The same id with ".one" is used
// when its first argument is the number 1.
// Arguments stand in a text as {1}, {2}.
type messageID string

// Messages that a handler chooses; those used only by templates are named there.
const (
	// Problems with a form or with the browser, for loginPage and errorPage.
	msgLoginFailed     messageID = "login.failed"     // one text for a wrong password and for an unknown user, against enumeration
	msgTooManyAttempts messageID = "login.too_many"   // {1}: minutes until the next attempt is heard
	msgServerBusy      messageID = "problem.busy"     // too many passwords are being checked at once
	msgExpired         messageID = "problem.expired"  // the interaction is over, too old or already answered
	msgCookiesMissing  messageID = "problem.cookies"  // the browser sent no cookie back
	msgForged          messageID = "problem.forged"   // the form did not come from our own page
	msgWrongAccount    messageID = "problem.mismatch" // another person is now signed in than the page was made for

	// Requests that cannot be answered, for errorPage.
	msgUnknownClient        messageID = "error.unknown_client"
	msgRedirectMissing      messageID = "error.redirect_missing"
	msgRedirectUnregistered messageID = "error.redirect_unregistered"
	msgLogoutReturn         messageID = "error.logout_return" // the post_logout_redirect_uri cannot be used
	msgInvalidRequest       messageID = "error.invalid_request"
	msgServerFault          messageID = "error.server_fault"
	msgTooManyRequests      messageID = "error.too_many"
	msgUnavailable          messageID = "error.unavailable" // the database is full or the keys are not ready
	msgNotFound             messageID = "error.not_found"
	msgMethodNotAllowed     messageID = "error.method_not_allowed"
	msgSetupLinkInvalid     messageID = "error.setup_link" // used, expired or never given
	msgAdminOnly            messageID = "error.admin_only"

	msgResetLinkInvalid messageID = "error.reset_link" // used, replaced, expired or never given

	// Problems with the fields of setupPage.
	msgUsernameInvalid  messageID = "username.invalid"
	msgUsernameTaken    messageID = "username.taken"
	msgEmailInvalid     messageID = "email.invalid"
	msgPasswordShort    messageID = "password.short"
	msgPasswordLong     messageID = "password.long"
	msgPasswordInvalid  messageID = "password.invalid" // it has a NUL
	msgPasswordCommon   messageID = "password.common"
	msgPasswordMismatch messageID = "password.mismatch"

	// Problems with the current password, and what it is asked for, for the forms of the account.
	msgCurrentNeeded     messageID = "current.needed"
	msgCurrentWrong      messageID = "current.wrong"
	msgConfirmEmail      messageID = "confirm.email"
	msgConfirmSession    messageID = "confirm.session"
	msgConfirmSessions   messageID = "confirm.sessions"
	msgConfirmDisconnect messageID = "confirm.disconnect"

	// The second factor: what is wrong, and what the current password is asked for.
	msgCodeWrong       messageID = "one_time.wrong"
	msgRecoveryWrong   messageID = "one_time.recovery"
	msgFactorOver      messageID = "login.factor_over"
	msgConfirmFactor   messageID = "confirm.factor"
	msgConfirmRecovery messageID = "confirm.recovery"
	msgFactorAdded     messageID = "changed.factor"
	msgFactorRenamed   messageID = "changed.factor_name"
	msgFactorRemoved   messageID = "changed.factor_removed"
	msgRecoveryMade    messageID = "changed.recovery"

	// What a form of the account did, for accountPage.
	msgPasswordChanged messageID = "changed.password"
	msgEmailChanged    messageID = "changed.email"
	msgSessionEnded    messageID = "changed.session"
	msgSessionsEnded   messageID = "changed.sessions"
	msgDisconnected    messageID = "changed.disconnected"

	// What was done, for donePage.
	msgAdministratorCreated messageID = "done.administrator_created" // {1}: username
	msgPasswordReset        messageID = "done.password_reset"
	msgSignedOut            messageID = "done.signed_out"
	msgAnswered             messageID = "done.answered" // the form was sent twice

	// What became of an application, for signedOutPage.
	msgAppSignedOut messageID = "outcome.done"
	msgAppAsked     messageID = "outcome.asked"   // by a frame, whose answer nobody sees
	msgAppPending   messageID = "outcome.pending" // it has not answered yet, and is told again
	msgAppFailed    messageID = "outcome.failed"
	msgAppSilent    messageID = "outcome.silent" // it has no way to hear of it

	// Passkeys.
	msgPasskeyFailed     messageID = "passkey.failed"
	msgPasskeyOver       messageID = "passkey.over"
	msgPasskeyUnverified messageID = "passkey.unverified"
	msgPasskeyRefused    messageID = "passkey.refused"
	msgPasskeyKnown      messageID = "passkey.registered"
	msgPasskeyMany       messageID = "passkey.many"
	msgPasskeyAdded      messageID = "changed.passkey"
	// On buttons.
	msgUsePasskey     messageID = "link.passkey"
	msgAddPasskey     messageID = "link.passkey_add"
	msgConfirmPasskey messageID = "link.passkey_confirm"

	// A browser in words.
	msgDevice        messageID = "device.both" // {1}: browser, {2}: system
	msgDeviceUnknown messageID = "device.unknown"

	// Texts of the link on donePage.
	msgLinkSignIn   messageID = "link.sign_in"
	msgLinkHome     messageID = "link.home"
	msgLinkContinue messageID = "link.continue"
	msgLinkGoOn     messageID = "link.go_on"
)

// catalogue holds all texts by language.
var catalogue = map[locale]map[messageID]string{
	english:    joined(messagesEnglish, activityEnglish, passkeyEnglish, adminEnglish),
	indonesian: joined(messagesIndonesian, activityIndonesian, passkeyIndonesian, adminIndonesian),
}

func joined(parts ...map[messageID]string) map[messageID]string {
	all := map[messageID]string{}
	for _, part := range parts {
		maps.Copy(all, part)
	}
	return all
}

// Next is the message that says what to do about this one.
func (id messageID) Next() messageID { return id + ".next" }

// field is the form field a problem is about, or "" when it is not in a field.
func (id messageID) field() string {
	switch group, _, _ := strings.Cut(string(id), "."); {
	case id == msgPasswordMismatch:
		return "password_again"
	case group == "one_time":
		return "code"
	case group == "username" || group == "email" || group == "password" || group == "current":
		return group
	}
	return ""
}

// text is the message in this language with its arguments in place. Line breaks, other control characters and the
// marks that reorder text are taken out of string arguments: names come from applications and people, and must not
// change how the sentence around them reads. Escaping is left to html/template.
func (l locale) text(id messageID, args ...any) (string, error) {
	if len(args) > 0 && args[0] == 1 {
		if _, ok := catalogue[l][id+".one"]; ok {
			id += ".one"
		}
	}
	text, ok := catalogue[l][id]
	if !ok {
		return "", fmt.Errorf("message %q does not exist in %q", id, l)
	}
	if len(args) == 0 {
		return text, nil
	}
	pairs := make([]string, 0, 2*len(args))
	for i, arg := range args {
		pairs = append(pairs, fmt.Sprintf("{%d}", i+1), plainText(fmt.Sprint(arg)))
	}
	return strings.NewReplacer(pairs...).Replace(text), nil
}

func plainText(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r < 0x20 || r >= 0x7f && r < 0xa0: // control characters
			return ' '
		case r == 0x200e || r == 0x200f || r == 0x061c, // direction marks
			r >= 0x202a && r <= 0x202e, // embeddings and overrides
			r >= 0x2066 && r <= 0x2069: // isolates
			return -1
		}
		return r
	}, s)
}
