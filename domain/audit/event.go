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
	AdminDenied        Kind = "admin.denied" // somebody without the right reached for administration
	FactorAsked        Kind = "mfa.asked"    // a right password waits for the second factor
	FactorFailed       Kind = "mfa.fail"
	FactorLocked       Kind = "mfa.lock"
	FactorReplayed     Kind = "mfa.replay"  // a code that was used came again
	FactorOffered      Kind = "mfa.offered" // a seed was made for a second factor to be
	FactorRefused      Kind = "mfa.refused" // what was to become a second factor did not show what it has to
	FactorEnrolled     Kind = "mfa.enrolled"
	FactorRenamed      Kind = "mfa.renamed"
	FactorRemoved      Kind = "mfa.removed"
	RecoveryMade       Kind = "mfa.recovery_made"
	RecoveryUsed       Kind = "mfa.recovery_used"
	SealBroken         Kind = "crypto.fail" // something sealed does not open where it was found
	SessionEnded       Kind = "session.end"
	LogoutRequested    Kind = "logout.rp"
	LogoutDenied       Kind = "logout.denied"
	LogoutCentral      Kind = "logout.central" // an application ended the session with an access token of it
	SessionJoined      Kind = "session.client" // an application told that it takes part in a session
	LogoutDelivered    Kind = "logout.backchannel.ok"
	LogoutUndelivered  Kind = "logout.backchannel.fail"
	OutboundBlocked    Kind = "ssrf.blocked" // an address was not reached, because this server may not

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
	TokenRevoked       Kind = "token.revoked"
	RateLimited        Kind = "rate.limited" // one for many refusals

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
	BackupMade      Kind = "backup.made"
	BackupVerified  Kind = "backup.verified"
	Restored        Kind = "restore.done"
	Upgraded        Kind = "upgrade.done"
	RolledBack      Kind = "rollback.done"

	MasterKeyRotated Kind = "master_key.rotated"
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
