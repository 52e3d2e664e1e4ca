package audit

// Kinds are all the kinds there are, in the order of their constants.
var Kinds = []Kind{
	InteractionStarted, RequestDenied, LoginSucceeded, LoginFailed, LoginDisabled, LoginLocked, CSRFDenied,
	AccessDenied, AdminDenied, FactorAsked, FactorFailed, FactorLocked, FactorReplayed, FactorOffered, FactorRefused, FactorEnrolled,
	FactorRenamed, FactorRemoved, RecoveryMade, RecoveryUsed, SealBroken, SessionEnded, LogoutRequested, LogoutDenied, LogoutCentral,
	SessionJoined, LogoutDelivered, LogoutUndelivered, OutboundBlocked,
	ConsentGranted, ConsentDenied, GrantRevoked,
	CodeIssued, CodeRedeemed, CodeReplayed, CodeClientMismatch, TokenIssued, TokenRefreshed, TokenReplayed,
	TokenMismatch, TokenDenied, BearerDenied, ClientAuthFailed, TokenRevoked, RateLimited,
	UserCreated, UserChanged, UserDeleted, PasswordChanged, EmailChanged, ClientCreated, ClientChanged, ClientDeleted,
	SettingsChanged, KeyCreated, KeyErased, ClockSetBack, SetupOffered, SetupUsed, SetupDenied, KeyRevoked,
	UserUnlocked, ResetOffered, ResetDenied, AdminRecovered, BackupMade, BackupVerified, Restored, Upgraded, RolledBack,
	MasterKeyRotated,
}
