// Package doctor owns what is wrong with an installation: what it looks at, what it makes of that, and what to do about it.
// How the machine, the network and the file are looked at is left to adapters; how findings are printed, to the command line.
//
//	doctor.go   findings, and Examine, which collects facts and judges them
//	facts.go    what is known before anything is judged
//	judge.go    Judge: from facts and the time to findings; it looks at nothing
//	advice.go   commands that mend, ready for a shell
//	the rest    the judgement of one subject each
package doctor

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"latchkey/domain/audit"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

// Severity says how much a finding matters.
type Severity string

const (
	OK      Severity = "ok"
	Note    Severity = "note"    // worth knowing; nothing has to be done
	Warning Severity = "warning" // works, and will hurt some day
	Error   Severity = "error"   // does not work, or is open to others
)

var ranks = map[Severity]int{Error: 0, Warning: 1, Note: 2, OK: 3}

// Finding is one thing that was looked at. No member holds a secret.
type Finding struct {
	ID       string   `json:"id"` // dotted words, subject first; they never change their meaning once released
	Severity Severity `json:"severity"`
	Found    string   `json:"found"`
	Why      string   `json:"why,omitempty"`      // it matters
	Mend     string   `json:"mend,omitempty"`     // the change, in words
	Commands []string `json:"commands,omitempty"` // what does it, in order, quoted for a POSIX shell
}

// Count returns how many findings are of the severity.
func Count(findings []Finding, s Severity) (n int) {
	for _, f := range findings {
		if f.Severity == s {
			n++
		}
	}
	return n
}

// sorted returns the findings worst first, otherwise as they were found.
func sorted(findings []Finding) []Finding {
	slices.SortStableFunc(findings, func(a, b Finding) int { return cmp.Compare(ranks[a.Severity], ranks[b.Severity]) })
	return findings
}

// Doctor looks and judges. It changes nothing, and needs neither a server nor a usable file.
type Doctor struct {
	Host   ports.Host
	Files  ports.Examiner
	Key    func(path string) (ports.MasterKey, error) // reads the file
	Signer func(ports.Keychain) ports.Signer
	Now    ports.Clock
}

// trailStep is how many events are read at a time, and trailTail how many of the newest are verified unless all are.
const (
	trailStep = 1000
	trailTail = 10_000
)

// Examine looks at everything the subject names and judges it. The error is ctx's: whatever else goes wrong is a finding.
func (d *Doctor) Examine(ctx context.Context, s Subject) ([]Finding, error) {
	f := Facts{Subject: s, User: d.Host.User()}
	d.lookAtFiles(&f)
	if f.Database.Regular && f.Database.Size > 0 {
		if err := d.lookInside(ctx, &f); ctx.Err() != nil {
			return nil, ctx.Err()
		} else if err != nil {
			f.Contents.Problem = err.Error()
		}
	}
	d.lookFromOutside(ctx, &f)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return Judge(f, d.Now()), nil
}

func (d *Doctor) lookAtFiles(f *Facts) {
	f.Folder = d.Host.File(filepath.Dir(f.Subject.Database))
	f.Volume = d.Host.Volume(filepath.Dir(f.Subject.Database))
	f.Database = d.Host.File(f.Subject.Database)
	f.MasterKey = d.Host.File(f.Subject.MasterKey)
	for _, file := range d.Host.Beside(f.Subject.Database) {
		switch suffix := strings.TrimPrefix(filepath.Base(file.Path), filepath.Base(f.Subject.Database)); {
		case suffix == "-wal":
			f.Log = file
		case suffix == "-shm":
			f.Index = file
		case suffix == sumSuffix:
			f.SumFile = file
		case suffix == ".lock":
			f.LockFile = file
		case filepath.Clean(file.Path) == filepath.Clean(f.Subject.MasterKey), file.Folder, strings.HasSuffix(suffix, sumSuffix):
		default:
			f.Copies = append(f.Copies, file)
		}
	}
	if f.Subject.TLSCert != "" && f.Subject.TLSKey != "" {
		f.TLSKeyFile = d.Host.File(f.Subject.TLSKey)
		f.Certificate = d.Host.Certificate(f.Subject.TLSCert, f.Subject.TLSKey)
	}
	serving, err := d.Files.Serving(f.Subject.Database)
	f.Serving = serving && err == nil
}

// sumSuffix ends the name of the file with the sum of another.
const sumSuffix = ".sum"

func (d *Doctor) lookInside(ctx context.Context, f *Facts) (err error) {
	var key ports.MasterKey
	var keychain ports.Keychain
	if f.MasterKey.Exists {
		if key, err = d.Key(f.Subject.MasterKey); err != nil {
			key, f.KeyProblem = nil, err.Error()
		}
	}
	f.File, err = d.Files.Examine(ctx, f.Subject.Database, f.Subject.Deep, func(r ports.Reader) error {
		c := &f.Contents
		var errs [6]error
		root, err := r.MasterRoot()
		if c.Inherited = root.Inherited || err == ports.ErrNotFound; err != nil && err != ports.ErrNotFound {
			return err
		}
		switch {
		case key == nil:
		case root.Sealed == nil:
			keychain = key.Root()
		default:
			if keychain, err = key.Open(root.Sealed); err != nil {
				keychain, f.KeyForeign = nil, true
			}
		}
		c.Keys, errs[0] = r.SigningKeys()
		c.Clients, errs[1] = r.Clients()
		c.BackupMade, errs[2] = r.Moment(ports.BackupMade)
		c.BackupVerified, errs[3] = r.Moment(ports.BackupVerified)
		c.ClockSeen, errs[4] = r.Moment(ports.ClockSeen)
		if errs[5] = d.followTrail(ctx, r, f, keychain); errors.Join(errs[:]...) != nil {
			return errors.Join(errs[:]...)
		}
		if keychain != nil {
			if err := d.Signer(keychain).Use(c.Keys); err != nil {
				f.KeyForeign = len(c.Keys) > 0
			}
		}
		c.Read = true
		return nil
	})
	if keychain != nil && !f.KeyForeign && !f.Serving && f.File.Condition == "" && err == nil {
		f.Sum, f.SumProblem = d.sum(f.Subject.Database, keychain)
	}
	return err
}

// sum tells apart what is wrong with the sum from what is wrong with the database.
func (d *Doctor) sum(file string, keychain ports.Keychain) (ports.SumState, string) {
	state, err := d.Files.CheckSum(file, func(b []byte) [32]byte { return keychain.MAC(ports.PurposeFile, b) })
	if err != nil {
		return state, err.Error()
	}
	return state, ""
}

// followTrail verifies the chain of audit events, which only the right master key can.
func (d *Doctor) followTrail(ctx context.Context, r ports.Reader, f *Facts, keychain ports.Keychain) error {
	t := &f.Contents.Trail
	head, err := r.TrailHead()
	if err != nil || head.Seq == 0 {
		return err
	}
	oldest, err := r.Events(audit.Query{Limit: 1})
	if err != nil {
		return err
	}
	t.First = oldest[0].At // there is one: the head is above
	var at audit.Anchor
	if start := head.Seq - trailTail; start > 0 && !f.Subject.Deep {
		first, err := r.Events(audit.Query{After: start - 1, Limit: 1})
		if err != nil {
			return err
		}
		at = audit.Anchor{Seq: first[0].Seq, MAC: first[0].MAC}
	}
	t.From = at.Seq + 1
	strays, err := r.Events(audit.BeforeFirst)
	if err != nil {
		return err
	}
	if err := audit.VerifyBegin(strays); err != nil {
		t.Broken = err.Error()
	}
	for at.Seq < head.Seq {
		events, err := r.Events(audit.Query{After: at.Seq, Limit: trailStep})
		if err != nil {
			return err
		}
		if len(events) == 0 || ctx.Err() != nil {
			return ctx.Err()
		}
		for _, e := range events {
			t.Bytes += weight(e)
		}
		if t.Read == 0 {
			t.Since = events[0].At
		}
		t.Read += len(events)
		last := events[len(events)-1]
		f.Contents.Newest = last.At
		if keychain != nil && t.Broken == "" {
			tag := func(b []byte) [32]byte { return keychain.MAC(ports.PurposeAudit, b) }
			if _, err := audit.Verify(at, events, tag); err != nil {
				t.Broken = err.Error()
			}
		}
		at = audit.Anchor{Seq: last.Seq, MAC: last.MAC}
	}
	t.Verified, t.To = keychain != nil, at.Seq
	return nil
}

// weight is about how many bytes an event takes up in the file: its texts, its MAC and what SQLite adds to a row and its
// indexes.
func weight(e audit.Event) int64 {
	const rest = 32 + 48
	n := rest + len(e.Kind) + len(e.Caller.RequestID) + len(e.Caller.IP) + len(e.Caller.UserAgent) + len(e.Client) + len(e.User) +
		len(e.Session) + len(e.Grant) + len(e.Family)
	for name, value := range e.Facts {
		n += len(name) + len(value) + len(`"":"",`)
	}
	return int64(n)
}

const discoveryPath = "/.well-known/openid-configuration"

// lookFromOutside fetches our discovery document and key set the way a client does. Nothing is asked of any other place.
func (d *Doctor) lookFromOutside(ctx context.Context, f *Facts) {
	if !fetchable(f.Subject.Issuer) {
		return
	}
	f.Asked = true
	f.Discovery = d.Host.Fetch(ctx, strings.TrimSuffix(f.Subject.Issuer, "/")+discoveryPath)
	if f.Discovery.Failure != "" || f.Discovery.Status != 200 {
		return
	}
	var document oidc.Metadata
	if err := json.Unmarshal(f.Discovery.Body, &document); err != nil {
		return
	}
	f.Published = &document
	if document.Issuer == f.Subject.Issuer && sameOrigin(document.JWKSURI, f.Subject.Issuer) {
		answer := d.Host.Fetch(ctx, document.JWKSURI)
		f.KeySet = &answer
	}
}

// newest returns the latest of the times.
func newest(times ...time.Time) (last time.Time) {
	for _, t := range times {
		if t.After(last) {
			last = t
		}
	}
	return last
}
