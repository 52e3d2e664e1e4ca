package ports

import (
	"context"
	"crypto/sha256"
	"errors"
	"time"

	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
)

// ErrNotFound is what every lookup that finds nothing returns.
var ErrNotFound = errors.New("not found")

// ErrUnavailable is what a store returns, wrapped, when it cannot save now but may later: a full disk, a lock held too
// long. Nothing of the unit was kept.
var ErrUnavailable = errors.New("the store cannot save now")

// Store keeps the provider's state.
type Store interface {
	// View calls fn with a consistent snapshot.
	View(ctx context.Context, fn func(Reader) error) error

	// Update calls fn alone: no other Update runs meanwhile. When Update returns nil, everything fn saved is durable;
	// when it returns an error, nothing fn saved is visible. fn may run again, so it does nothing outside tx; it must
	// not block, sign, hash or send.
	Update(ctx context.Context, fn func(Tx) error) error

	// Changes returns a number that differs once anything saved, by this process or another, may make a remembered
	// decision wrong: a client, user, key or setting changed; a grant, family or session ended. Its own process sees a
	// change before Update returns, others within a second.
	Changes() uint64
}

// Moment names something that the provider remembers the last time of.
type Moment string

// The moments that are remembered.
const (
	BackupMade     Moment = "backup-made"
	BackupVerified Moment = "backup-verified"
	ClockSeen      Moment = "clock-seen"     // the latest time at which the provider was seen running
	ClockSetBack   Moment = "clock-set-back" // where the clock was last set back to
)

// Reader looks things up. Every lookup of one thing that finds nothing is ErrNotFound.
type Reader interface {
	Client(oauth.ClientID) (oauth.Client, error)
	Clients() ([]oauth.Client, error) // by id
	Settings() (oidc.Settings, error) // the zero value when never saved
	SigningKeys() (oidc.KeyRing, error)
	// MasterRoot is ErrNotFound in a file that was made before there were roots, and in a new one.
	MasterRoot() (MasterRoot, error)

	User(identity.UserID) (identity.User, error)
	// UserByLogin finds a user by canonical username, else by e-mail address when exactly one user has it verified: an
	// address that somebody merely claims opens nothing and hides nobody.
	UserByLogin(canonical string) (identity.User, error)
	HasAdmin() (bool, error)

	Session(identity.SessionID) (identity.Session, error)
	SessionByKey(key [sha256.Size]byte) (identity.Session, error)
	Ticket(key [sha256.Size]byte) (identity.Ticket, error)
	// Attempts returns the attempts against the key; none yet is the zero value with its Key.
	Attempts(key string) (identity.Attempts, error)

	Factor(identity.FactorID) (identity.Factor, error)
	Factors(identity.UserID) ([]identity.Factor, error) // confirmed or not, oldest first
	FactorByCredential(id []byte) (identity.Factor, error)
	// RecoveryCodes returns those of the user; none made yet is the zero value with its User.
	RecoveryCodes(identity.UserID) (identity.RecoveryCodes, error)
	Challenge(key [sha256.Size]byte) (identity.Challenge, error)

	Interaction(oidc.InteractionID) (oidc.Interaction, error)
	Grant(oauth.GrantID) (oauth.Grant, error)
	// LiveGrant finds the unrevoked grant of a user and a client.
	LiveGrant(identity.UserID, oauth.ClientID) (oauth.Grant, error)
	Code(oauth.Digest) (oauth.AuthorizationCode, error)
	TokenFamily(oauth.FamilyID) (oauth.TokenFamily, error)

	GrantsOfUser(identity.UserID) ([]oauth.Grant, error)               // unrevoked, oldest first
	GrantsOfClient(oauth.ClientID) ([]oauth.Grant, error)              // unrevoked, oldest first
	FamiliesOfGrant(oauth.GrantID) ([]oauth.TokenFamily, error)        // unrevoked, oldest first
	FamiliesOfSession(identity.SessionID) ([]oauth.TokenFamily, error) // unrevoked, oldest first
	SessionsOfUser(identity.UserID) ([]identity.Session, error)        // not ended, oldest first

	// LatestFamilies returns at most limit families of a grant, whatever became of them, the last used first.
	LatestFamilies(id oauth.GrantID, limit int) ([]oauth.TokenFamily, error)
	TicketsOfUser(identity.UserID) ([]identity.Ticket, error) // not used yet, oldest first
	// Users returns at most limit users whose usernames come after the given one, by username.
	Users(after string, limit int) ([]identity.User, error)
	// Sessions returns at most limit sessions that are live at now, newest first.
	Sessions(now time.Time, limit int) ([]identity.Session, error)
	// TokenRevoked reports whether RevokeToken was called for the access token.
	TokenRevoked(oauth.TokenID) (bool, error)

	// SessionClients returns the clients that take part in a session, by id, whatever became of their tokens.
	SessionClients(identity.SessionID) ([]oauth.ClientID, error)
	LogoutNotice(oidc.NoticeID) (oidc.LogoutNotice, error)
	NoticesOfSession(identity.SessionID) ([]oidc.LogoutNotice, error) // by id
	// DueLogoutNotices returns at most limit, and of each client at most each, the longest due first.
	DueLogoutNotices(now time.Time, each, limit int) ([]oidc.LogoutNotice, error)
	LogoutNotices(limit int) ([]oidc.LogoutNotice, error) // at most limit, newest first

	// Events returns what the query selects.
	Events(audit.Query) ([]audit.Event, error)
	// TrailHead returns where the audit trail ends now.
	TrailHead() (audit.Anchor, error)
	// Moment returns when something happened last; the zero time: never.
	Moment(Moment) (time.Time, error)
}

// Tx is one unit of work: a Reader that also saves whole aggregates, new or changed.
type Tx interface {
	Reader

	SaveClient(oauth.Client) error
	DeleteClient(oauth.ClientID) error // with its grants, codes, families and logout notices
	SaveSettings(oidc.Settings) error
	SaveSigningKey(oidc.SigningKey) error
	DeleteSigningKey(oidc.KeyID) error
	SaveMasterRoot(MasterRoot) error

	SaveUser(identity.User) error
	DeleteUser(identity.UserID) error // with their sessions, factors, challenges, grants, codes and families
	SaveSession(identity.Session) error
	SaveTicket(identity.Ticket) error
	SaveAttempts(identity.Attempts) error
	SaveFactor(identity.Factor) error
	DeleteFactor(identity.FactorID) error
	SaveRecoveryCodes(identity.RecoveryCodes) error
	SaveChallenge(identity.Challenge) error
	DeleteChallenge(key [sha256.Size]byte) error

	SaveInteraction(oidc.Interaction) error
	SaveGrant(oauth.Grant) error
	SaveCode(oauth.AuthorizationCode) error
	SaveTokenFamily(oauth.TokenFamily) error

	// JoinSession notes that a client takes part in a session, once and for all.
	JoinSession(identity.SessionID, oauth.ClientID) error
	SaveLogoutNotice(oidc.LogoutNotice) error

	// RevokeToken refuses one access token from now on; the family it belongs to stays. It is remembered until expires.
	RevokeToken(id oauth.TokenID, expires time.Time) error
	// Expire makes final what had expired at an instant: sessions end, families are revoked, codes nobody redeemed,
	// interactions and tickets go. So does what was begun, or rotated, after since, expired or not. It is for a clock that
	// was set back, so that nothing comes to life again.
	Expire(at, since time.Time) error
	SaveMoment(Moment, time.Time) error

	// Record adds to the audit trail: it commits with the deed or neither does. Seq and MAC are given by the store.
	Record(audit.Event) error

	// Sweep deletes at most limit rows of each kind that can no longer matter at now, and returns how many it deleted.
	// Audit events stay.
	Sweep(now time.Time, limit int) (int, error)
}
