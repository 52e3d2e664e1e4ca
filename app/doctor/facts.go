package doctor

import (
	"net/netip"
	"net/url"
	"time"

	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

// Subject is the installation as serve would be told of it.
type Subject struct {
	Database       string
	MasterKey      string
	Issuer         string // empty: not told
	Listen         string
	TLSCert        string
	TLSKey         string
	TrustedProxies []netip.Prefix
	RateLimitScale float64

	ClientRateLimit int    // 0: the default
	Metrics         string // empty: nowhere

	Invalid        []string // what keeps a server from starting with these values, less the issuer and the certificate
	IssuerProblems []string
	Deep           bool // check every page, every reference and every audit event
}

// Facts is what was seen. Nothing in it is a judgement.
type Facts struct {
	Subject Subject
	User    int

	Folder     ports.File
	Volume     ports.Volume
	Database   ports.File
	Log        ports.File // -wal
	Index      ports.File // -shm
	MasterKey  ports.File
	SumFile    ports.File   // .sum
	LockFile   ports.File   // .lock
	Copies     []ports.File // what else lies beside the database under its name: snapshots and backups
	TLSKeyFile ports.File

	Serving     bool // a server has the file
	Certificate ports.CertificateFile

	KeyProblem string // why the master key cannot be used
	KeyForeign bool   // it does not open the root or the signing keys
	File       ports.Examination
	Sum        ports.SumState // of the file, when no server has it and the key could be used
	SumProblem string         // why that cannot be said
	Contents   Contents

	Asked     bool // of the issuer's URL
	Discovery ports.Answer
	Published *oidc.Metadata // nil: the answer is no such document
	KeySet    *ports.Answer  // nil: not asked
}

// Contents is what the database says of the provider.
type Contents struct {
	Read           bool
	Inherited      bool // the first master key is the root of everything, see ports.MasterRoot
	Problem        string
	Keys           oidc.KeyRing
	Clients        []oauth.Client
	BackupMade     time.Time // zero: never
	BackupVerified time.Time
	ClockSeen      time.Time
	Newest         time.Time // when the last audit event was recorded
	Trail          Trail
}

// Trail is how far the chain of audit events was followed.
type Trail struct {
	From, To int64
	Verified bool
	Broken   string // names the first event that is not what was recorded

	First time.Time // when the oldest event was recorded
	Read  int       // events that were followed, the newest there are
	Since time.Time // when the first of them was recorded
	Bytes int64     // about what they take up in the file
}

// fetchable reports whether asking there makes sense at all.
func fetchable(issuer string) bool {
	u, err := url.Parse(issuer)
	return err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http") && u.RawQuery == "" && u.Fragment == ""
}

func sameOrigin(a, b string) bool {
	x, ok1 := oauth.OriginOf(a)
	y, ok2 := oauth.OriginOf(b)
	return ok1 && ok2 && x == y
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Hostname()
}
