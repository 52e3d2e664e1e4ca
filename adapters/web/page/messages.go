package page

import (
	"fmt"
	"maps"
	"strings"
)

// Message names one text of the catalogue. Every id exists in every language; a test fails when one does not.
//
// A message is a short statement of what is so, without a full stop where it can stand as a heading. The same id with
// ".next" is the sentence that says what to do about it, so that no page is a dead end. The same id with ".one" is used
// when its first argument is the number 1.
// Arguments stand in a text as {1}, {2}.
type Message string

// Messages that a handler chooses; those used only by templates are named there.
const (
	// Problems with a form or with the browser, for Login and Error.
	MsgLoginFailed     Message = "login.failed"     // one text for a wrong password and for an unknown user, against enumeration
	MsgTooManyAttempts Message = "login.too_many"   // {1}: minutes until the next attempt is heard
	MsgServerBusy      Message = "problem.busy"     // too many passwords are being checked at once
	MsgExpired         Message = "problem.expired"  // the interaction is over, too old or already answered
	MsgCookiesMissing  Message = "problem.cookies"  // the browser sent no cookie back
	MsgForged          Message = "problem.forged"   // the form did not come from our own page
	MsgWrongAccount    Message = "problem.mismatch" // another person is now signed in than the page was made for

	// Requests that cannot be answered, for Error.
	MsgUnknownClient        Message = "error.unknown_client"
	MsgRedirectMissing      Message = "error.redirect_missing"
	MsgRedirectUnregistered Message = "error.redirect_unregistered"
	MsgLogoutReturn         Message = "error.logout_return" // the post_logout_redirect_uri cannot be used
	MsgInvalidRequest       Message = "error.invalid_request"
	MsgServerFault          Message = "error.server_fault"
	MsgTooManyRequests      Message = "error.too_many"
	MsgUnavailable          Message = "error.unavailable" // the database is full or the keys are not ready
	MsgNotFound             Message = "error.not_found"
	MsgMethodNotAllowed     Message = "error.method_not_allowed"
	MsgSetupLinkInvalid     Message = "error.setup_link" // used, expired or never given
	MsgAdminOnly            Message = "error.admin_only"

	MsgResetLinkInvalid Message = "error.reset_link" // used, replaced, expired or never given

	// Problems with the fields of Setup.
	MsgUsernameInvalid  Message = "username.invalid"
	MsgUsernameTaken    Message = "username.taken"
	MsgEmailInvalid     Message = "email.invalid"
	MsgPasswordShort    Message = "password.short"
	MsgPasswordLong     Message = "password.long"
	MsgPasswordInvalid  Message = "password.invalid" // it has a NUL
	MsgPasswordCommon   Message = "password.common"
	MsgPasswordMismatch Message = "password.mismatch"

	// Problems with the current password, and what it is asked for, for the forms of the account.
	MsgCurrentNeeded     Message = "current.needed"
	MsgCurrentWrong      Message = "current.wrong"
	MsgConfirmEmail      Message = "confirm.email"
	MsgConfirmSession    Message = "confirm.session"
	MsgConfirmSessions   Message = "confirm.sessions"
	MsgConfirmDisconnect Message = "confirm.disconnect"

	// The second factor: what is wrong, and what the current password is asked for.
	MsgCodeWrong       Message = "one_time.wrong"
	MsgRecoveryWrong   Message = "one_time.recovery"
	MsgFactorOver      Message = "login.factor_over"
	MsgConfirmFactor   Message = "confirm.factor"
	MsgConfirmRecovery Message = "confirm.recovery"
	MsgFactorAdded     Message = "changed.factor"
	MsgFactorRenamed   Message = "changed.factor_name"
	MsgFactorRemoved   Message = "changed.factor_removed"
	MsgRecoveryMade    Message = "changed.recovery"

	// What a form of the account did, for Account.
	MsgPasswordChanged Message = "changed.password"
	MsgEmailChanged    Message = "changed.email"
	MsgSessionEnded    Message = "changed.session"
	MsgSessionsEnded   Message = "changed.sessions"
	MsgDisconnected    Message = "changed.disconnected"

	// What was done, for Done.
	MsgAdministratorCreated Message = "done.administrator_created" // {1}: username
	MsgPasswordReset        Message = "done.password_reset"
	MsgSignedOut            Message = "done.signed_out"
	MsgAnswered             Message = "done.answered" // the form was sent twice

	// What became of an application, for SignedOut.
	MsgAppSignedOut Message = "outcome.done"
	MsgAppAsked     Message = "outcome.asked"   // by a frame, whose answer nobody sees
	MsgAppPending   Message = "outcome.pending" // it has not answered yet, and is told again
	MsgAppFailed    Message = "outcome.failed"
	MsgAppSilent    Message = "outcome.silent" // it has no way to hear of it

	// Passkeys.
	MsgPasskeyFailed     Message = "passkey.failed"
	MsgPasskeyOver       Message = "passkey.over"
	MsgPasskeyUnverified Message = "passkey.unverified"
	MsgPasskeyRefused    Message = "passkey.refused"
	MsgPasskeyKnown      Message = "passkey.registered"
	MsgPasskeyMany       Message = "passkey.many"
	MsgPasskeyAdded      Message = "changed.passkey"
	// On buttons.
	MsgUsePasskey     Message = "link.passkey"
	MsgAddPasskey     Message = "link.passkey_add"
	MsgConfirmPasskey Message = "link.passkey_confirm"

	// A browser in words.
	MsgDevice        Message = "device.both" // {1}: browser, {2}: system
	MsgDeviceUnknown Message = "device.unknown"

	// Texts of the link on Done.
	MsgLinkSignIn   Message = "link.sign_in"
	MsgLinkHome     Message = "link.home"
	MsgLinkContinue Message = "link.continue"
	MsgLinkGoOn     Message = "link.go_on"
)

// catalogue holds all texts by language.
var catalogue = map[Locale]map[Message]string{
	English:    joined(messagesEnglish, activityEnglish, passkeyEnglish, adminEnglish),
	Indonesian: joined(messagesIndonesian, activityIndonesian, passkeyIndonesian, adminIndonesian),
}

func joined(parts ...map[Message]string) map[Message]string {
	all := map[Message]string{}
	for _, part := range parts {
		maps.Copy(all, part)
	}
	return all
}

// Next is the message that says what to do about this one.
func (id Message) Next() Message { return id + ".next" }

// field is the form field a problem is about, or "" when it is not in a field.
func (id Message) field() string {
	switch group, _, _ := strings.Cut(string(id), "."); {
	case id == MsgPasswordMismatch:
		return "password_again"
	case group == "one_time":
		return "code"
	case group == "username" || group == "email" || group == "password" || group == "current":
		return group
	}
	return ""
}

// Text is the message in this language with its arguments in place. Line breaks, other control characters and the
// marks that reorder text are taken out of string arguments: names come from applications and people, and must not
// change how the sentence around them reads. Escaping is left to html/template.
func (l Locale) Text(id Message, args ...any) (string, error) {
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
		pairs = append(pairs, fmt.Sprintf("{%d}", i+1), PlainText(fmt.Sprint(arg)))
	}
	return strings.NewReplacer(pairs...).Replace(text), nil
}

func PlainText(s string) string {
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
