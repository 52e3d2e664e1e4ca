package audit

import "time"

// Kind says what happened. Kinds are dotted words, noun first, and never change their meaning once released.
type Kind string

// The kinds of events.
const (
	InteractionStarted Kind = "auth.interaction.start"
	RequestDenied      Kind = "auth.request.denied"
	LoginSucceeded     Kind = "auth.login.ok"
	LoginFailed        Kind = "auth.login.fail"
	LoginDisabled      Kind = "auth.login.disabled"
	LoginLocked        Kind = "auth.lock"
	CSRFDenied         Kind = "csrf.denied"
	AccessDenied       Kind = "authz.denied" // somebody reached for what is another's
	SessionEnded       Kind = "session.end"

	ConsentGranted Kind = "consent.grant"
	ConsentDenied  Kind = "consent.deny"
	GrantRevoked   Kind = "grant.revoked"

	CodeIssued         Kind = "code.issued"
	CodeRedeemed       Kind = "code.redeemed"
	CodeReplayed       Kind = "code.replay"
	CodeClientMismatch Kind = "code.client_mismatch"
	TokenIssued        Kind = "token.issued"
	TokenRefreshed     Kind = "token.refresh"
	TokenReplayed      Kind = "token.replay"
	TokenMismatch      Kind = "token.client_mismatch"
	TokenDenied        Kind = "token.denied"
	BearerDenied       Kind = "bearer.denied"
	ClientAuthFailed   Kind = "client.auth.fail"

	UserCreated     Kind = "user.created"
	UserChanged     Kind = "user.changed"
	UserDeleted     Kind = "user.deleted"
	PasswordChanged Kind = "user.password_changed"
	EmailChanged    Kind = "user.email_changed"
	ClientCreated   Kind = "client.created"
	ClientChanged   Kind = "client.changed"
	ClientDeleted   Kind = "client.deleted"
	SettingsChanged Kind = "settings.changed"
	KeyCreated      Kind = "key.created"
	KeyErased       Kind = "key.erased"
	ClockSetBack    Kind = "clock.set_back"
	SetupOffered    Kind = "setup.offered"
	SetupUsed       Kind = "setup.used"
	SetupDenied     Kind = "setup.denied"
	KeyRevoked      Kind = "key.revoked"
	UserUnlocked    Kind = "user.unlocked"
	ResetOffered    Kind = "user.reset_offered"
	ResetDenied     Kind = "reset.denied"
	AdminRecovered  Kind = "admin.recovered"
)

// Caller is who asked: the request and where it came from. The command line is a caller without an address.
type Caller struct {
	RequestID string
	IP        string
	UserAgent string
}

// Event is one entry of the record.
type Event struct {
	Seq    int64 // given by the store, ascending
	At     time.Time
	Kind   Kind
	Caller Caller

	Client  string // client_id
	User    string // sub
	Session string // sid
	Grant   string
	Family  string

	// MAC ties the event to all before it; given by the store, see Verify.
	MAC [32]byte

	// Facts holds what was received and expected, in words, under short names; never a secret.
	Facts map[string]string
}
