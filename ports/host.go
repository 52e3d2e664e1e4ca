package ports

import (
	"context"
	"io/fs"
	"time"

	"latchkey/domain/audit"
)

// Host is the machine and its network as doctor asks about them. It changes nothing, and every step ends within seconds.
type Host interface {
	User() int                 // the numeric id of who asks
	File(path string) File     // follows links; the file is not opened
	Beside(path string) []File // the files of the same folder whose names begin with that of path, by name
	Volume(path string) Volume // what the folder of path lies on
	Certificate(certPath, keyPath string) CertificateFile
	// Fetch sends one GET. It follows no redirect, uses no proxy and sends nothing over TLS that is not verified.
	Fetch(ctx context.Context, url string) Answer
}

// File is what a path leads to.
type File struct {
	Path    string
	Exists  bool
	Folder  bool
	Regular bool
	Mode    fs.FileMode // permission bits
	Owner   int         // numeric id; -1 where files have no owner
	Size    int64       // bytes
	Problem string      // why it cannot be looked at; empty for a file that is missing
}

// Volume is the file system under a folder.
type Volume struct {
	Type    string // its name, or its number in hexadecimal; empty: unknown
	Network bool   // another machine, or a program, decides about locks and syncs
	Passing bool   // its files end with the machine or the container
	Free    uint64 // bytes that an ordinary user may still write
	Problem string // why it cannot be looked at
}

// CertificateFile is a certificate chain and its key on disk.
type CertificateFile struct {
	Leaf    Certificate
	Problem string // why they cannot be served: unreadable, not PEM, key of another certificate
}

// Certificate is the certificate of a server.
type Certificate struct {
	Names     []string // DNS names and addresses
	Issuer    string
	NotBefore time.Time
	NotAfter  time.Time
}

// Failure is why a server gave no answer.
type Failure string

const (
	FailedName    Failure = "name"    // the name has no address
	FailedRefused Failure = "refused" // nobody listens
	FailedTime    Failure = "time"    // no answer in time
	FailedTLS     Failure = "tls"     // see Answer.TLS, or no TLS at all
	FailedOther   Failure = "other"
)

// Answer is what a server answered.
type Answer struct {
	URL      string
	Failure  Failure // empty: it answered
	Detail   string  // of the failure
	Status   int
	Location string
	Body     []byte     // at most 1 MB
	Date     time.Time  // the Date header; zero: none
	At       time.Time  // when the answer came, by our clock
	TLS      *Handshake // nil: none was made
}

// Handshake is what a server showed of itself over TLS. The three judgements do not depend on one another.
type Handshake struct {
	Leaf       Certificate
	Sent       int  // certificates of the chain that came
	SelfSigned bool // the leaf vouches for itself
	Trusted    bool // the roots of this machine lead to the leaf, whatever its dates say
	Named      bool // the leaf is for the host that was asked
}

// Condition is why a database cannot be read.
type Condition string

const (
	ConditionDamaged Condition = "damaged" // SQLite finds no database, or a broken one
	ConditionForeign Condition = "foreign" // a database of another application
	ConditionClosed  Condition = "closed"  // the operating system keeps us from it, or somebody else does
)

// Examiner looks at a database without changing it, beside a running server or without one.
type Examiner interface {
	// Examine checks the file and calls read when its schema is the one of this release. deep checks every page and every
	// reference, which takes as long as reading the whole file.
	Examine(ctx context.Context, path string, deep bool, read func(Reader) error) (Examination, error)
	// CheckSum compares a file that can be read with the sum that was made of it when it was closed; tag keys sums.
	CheckSum(path string, tag audit.Tagger) (SumState, error)
	// Serving reports whether a server has the file.
	Serving(path string) (bool, error)
}

// Examination is what a database says of itself.
type Examination struct {
	SQLite     string // the version that is linked in
	Outdated   bool   // a version that can lose commits
	Extensions bool   // SQL could load code into the process
	Settings   []DatabaseSetting

	Condition Condition // empty: it can be read
	Detail    string    // of the condition
	Damage    []string  // what its check found; empty: nothing
	Schema    int       // of the file
	Known     int       // the newest this release knows

	Administrators []Administrator // by name
}

// SumState is what the sum of a database at rest says of it.
type SumState string

const (
	SumAbsent   SumState = ""          // nothing: it is in use, or was when its last user was killed
	SumMatches  SumState = "matches"   // every byte is as it was left
	SumDiffers  SumState = "differs"   // a byte is not
	SumTooLarge SumState = "too large" // files of this size have none
)

// DatabaseSetting is a setting of a connection of ours as it is and as it has to be.
type DatabaseSetting struct{ Name, Got, Want string }

// Administrator is somebody who may administer the provider.
type Administrator struct {
	Username     string
	Disabled     bool
	SecondFactor bool // unknown, and so false, in a file of an older release
}
