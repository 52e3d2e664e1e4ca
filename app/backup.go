package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"latchkey/domain/audit"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

// keeper looks after the file of a provider as a whole. Unlike an App it does not need the file to be there, or whole.
type keeper struct {
	cfg     Config
	archive ports.Archive
	chain   audit.Tagger
	signer  func() ports.Signer // a new one, without keys
	// open has signer and chain use the root of a file; before, they use the master key, as a file without a root does.
	open func(ports.MasterRoot) error
	now  ports.Clock
	lock func(path string) (release func(), err error) // of a server, for a file that may be missing
}

// Backup copies the database into a new file, beside a running server: everything that was acknowledged before is in it.
// The error is fs.ErrExist when the file exists.
func (a *App) Backup(ctx context.Context, to string, progress ports.Progress) error {
	if err := a.archive.Backup(ctx, to, progress); err != nil {
		return err
	}
	if err := remember(ctx, a.Store, ports.BackupMade, audit.Event{At: a.Admin.Now(), Kind: audit.BackupMade, Facts: fileFact(to)}); err != nil {
		return fmt.Errorf("%s is made and whole, but the database cannot keep that it was: %w", to, err)
	}
	return nil
}

func fileFact(path string) map[string]string { return map[string]string{"file": filepath.Base(path)} }

func remember(ctx context.Context, s ports.Store, m ports.Moment, e audit.Event) error {
	return s.Update(ctx, func(tx ports.Tx) error { return errors.Join(tx.SaveMoment(m, e.At), tx.Record(e)) })
}

// Verified is what a backup proved.
type Verified struct {
	Schema  int // of the file
	Users   int // in it
	Clients int
	Keys    int       // signing keys, all of which open
	Events  int64     // of the audit trail, every one as it was recorded
	Until   time.Time // when the last of them happened
	// Unrecorded is why the database of the configuration does not know of it: fs.ErrNotExist when there is none.
	Unrecorded error
}

// VerifyBackup proves that a backup can be served with the master key, on a copy: the file is not changed. Its pages and
// references are checked, its audit trail is followed, its keys are opened, and tokens are signed with them and verified.
func VerifyBackup(ctx context.Context, cfg Config, file string, progress ports.Progress) (Verified, error) {
	k, err := newKeeper(cfg)
	if err != nil {
		return Verified{}, err
	}
	dir, err := os.MkdirTemp("", "latchkey-verify-") // mode 0700: the copy holds what the database holds
	if err != nil {
		return Verified{}, err
	}
	defer os.RemoveAll(dir)
	v, err := k.verify(ctx, file, dir, progress)
	if err != nil {
		return Verified{}, err
	}
	v.Unrecorded = k.recordVerified(ctx, file)
	return v, nil
}

func (k *keeper) recordVerified(ctx context.Context, file string) error {
	if _, err := os.Stat(k.cfg.Database); err != nil {
		return err
	}
	a, err := New(ctx, k.cfg)
	if err != nil {
		return err
	}
	err = remember(ctx, a.Store, ports.BackupVerified, audit.Event{At: k.now(), Kind: audit.BackupVerified, Facts: fileFact(file)})
	return errors.Join(err, a.Close())
}

// verify works in dir, which is removed by the caller.
func (k *keeper) verify(ctx context.Context, file, dir string, progress ports.Progress) (Verified, error) {
	store, schema, err := k.archive.OpenCopy(ctx, file, dir, progress)
	if errors.Is(err, ports.ErrForeignKey) {
		err = fmt.Errorf("%s: %w", file, k.foreign(err))
	}
	if err != nil {
		return Verified{}, err
	}
	v, err := k.prove(ctx, store, progress)
	if err = errors.Join(err, store.Close()); err != nil {
		return Verified{}, fmt.Errorf("%s: %w", file, err)
	}
	v.Schema = schema
	return v, nil
}

// eventsPerPage is how many audit events are held in memory at once.
const eventsPerPage = 1000

// prove shows that a store can be served: with a wrong master key its signing keys do not open, and nothing is made in
// their place.
func (k *keeper) prove(ctx context.Context, store ports.Store, progress ports.Progress) (v Verified, err error) {
	var ring oidc.KeyRing
	err = store.View(ctx, func(r ports.Reader) error {
		root, err := r.MasterRoot()
		if err != nil && err != ports.ErrNotFound {
			return err
		}
		if err := k.open(root); err != nil {
			return k.foreign(err)
		}
		if ring, err = r.SigningKeys(); err != nil {
			return err
		}
		clients, err := r.Clients()
		if err != nil {
			return err
		}
		v.Clients = len(clients)
		if v.Users, err = countUsers(r); err != nil {
			return err
		}
		head, err := r.TrailHead()
		if err != nil {
			return err
		}
		strays, err := r.Events(audit.BeforeFirst)
		if err = errors.Join(err, audit.VerifyBegin(strays)); err != nil {
			return err
		}
		v.Events = head.Seq
		for at := (audit.Anchor{}); at != head; {
			events, err := r.Events(audit.Query{After: at.Seq, Limit: eventsPerPage})
			if err == nil && len(events) == 0 {
				err = &audit.BrokenError{Seq: at.Seq + 1, Why: "is missing"}
			}
			if err == nil {
				at, err = audit.Verify(at, events, k.chain)
			}
			if err = errors.Join(err, ctx.Err()); err != nil {
				return err
			}
			v.Until = events[len(events)-1].At
			progress("reading the audit trail", int(at.Seq), int(head.Seq))
		}
		return nil
	})
	// The keys come first: with a wrong master key the trail does not verify either, and that would be a misleading answer.
	signer := k.signer()
	if len(ring) > 0 { // unless the root did not open
		if err := signer.Use(ring); err != nil {
			return v, k.foreign(err)
		}
	}
	if err != nil {
		return v, err
	}
	v.Keys = len(ring)
	progress("signing", 0, 1)
	if err := signBoth(signer, ring, k.now()); err != nil {
		return v, err
	}
	progress("signing", 1, 1)
	return v, nil
}

// foreign says that a file needs another master key. The master key may have been replaced since a backup was made.
func (k *keeper) foreign(err error) error {
	return fmt.Errorf("the master key %s does not belong to it: name the right one with --master-key, which for a backup from before "+
		"latchkey master-key rotate is the key of that time: %w", k.cfg.MasterKey, err)
}

func countUsers(r ports.Reader) (n int, err error) {
	for after := ""; ; {
		users, err := r.Users(after, eventsPerPage)
		if err != nil || len(users) == 0 {
			return n, err
		}
		n += len(users)
		after = users[len(users)-1].Username
	}
}

// signBoth signs an access token, and an ID token with each algorithm of the ring, and verifies them.
func signBoth(signer ports.Signer, ring oidc.KeyRing, now time.Time) error {
	const issuer = "https://issuer.invalid" // such tokens are worth nothing anywhere
	access := oauth.AccessToken{ID: "proof.proof.proof", Issuer: issuer, Audience: issuer, Subject: "proof", Client: "proof",
		IssuedAt: now, ExpiresAt: now.Add(time.Second)}
	text, err := signer.SignAccessToken(access)
	if err != nil {
		return err
	}
	if got, err := signer.VerifyAccessToken(text); err != nil || got.ID != access.ID {
		return fmt.Errorf("an access token signed with its keys is not recognised: %w", err)
	}
	algorithms := map[oauth.Algorithm]bool{}
	for _, key := range ring {
		algorithms[key.Algorithm] = true
	}
	for alg := range algorithms {
		id, err := signer.SignIDToken(oidc.IDToken{Issuer: issuer, Subject: "proof", Audience: "proof", IssuedAt: now, ExpiresAt: now.Add(time.Second)}, alg)
		if err != nil {
			return err
		}
		if got, err := signer.VerifyIDToken(id, issuer); err != nil || got.Subject != "proof" {
			return fmt.Errorf("an ID token signed with its %s key is not recognised: %w", alg, err)
		}
	}
	return nil
}

// LostByRestore tells what Restore would undo. Nothing is changed.
func LostByRestore(cfg Config, file string) (ports.Lost, error) {
	k, err := newKeeper(cfg)
	if err != nil {
		return ports.Lost{}, err
	}
	if err := k.mayReturnTo(file); err != nil {
		return ports.Lost{}, err
	}
	return k.archive.Lost(file)
}

// Restored is what Restore and Rollback did.
type Restored struct {
	ports.Replaced
	Verified
	File string // that was returned to
}

// Restore brings the database back to a backup: users, clients, keys, settings and consents are those of the backup, and
// whoever was signed in then signs in again. The server must not run.
func Restore(ctx context.Context, cfg Config, file string, progress ports.Progress) (Restored, error) {
	k, err := newKeeper(cfg)
	if err != nil {
		return Restored{}, err
	}
	release, err := k.lock(k.cfg.Database)
	if err != nil {
		return Restored{}, err
	}
	defer release()
	return k.returnTo(ctx, file, audit.Restored, "before-restore", []ports.Moment{ports.BackupVerified}, progress)
}

func (k *keeper) mayReturnTo(file string) error {
	there, err := os.Stat(file)
	if err != nil {
		return err
	}
	if here, err := os.Stat(k.cfg.Database); err == nil && os.SameFile(here, there) {
		return fmt.Errorf("%s is the database itself: name a backup of it", file)
	}
	return nil
}

// returnTo replaces the database by what the file holds. The caller holds the lock.
func (k *keeper) returnTo(ctx context.Context, file string, kind audit.Kind, kept string, moments []ports.Moment, progress ports.Progress) (Restored, error) {
	if err := k.mayReturnTo(file); err != nil {
		return Restored{}, err
	}
	// Copies lie beside the database: there is room for them or there is none for it, and renaming works.
	prepared, dir := k.cfg.Database+".restoring", k.cfg.Database+".verifying"
	remove := func() error {
		return errors.Join(os.RemoveAll(dir), os.RemoveAll(prepared), os.RemoveAll(prepared+"-journal"))
	}
	if err := remove(); err != nil { // of one that was killed
		return Restored{}, err
	}
	defer remove()
	if err := os.Mkdir(dir, 0o700); err != nil {
		return Restored{}, err
	}
	verified, err := k.verify(ctx, file, dir, progress)
	if err == nil {
		err = k.archive.Take(ctx, file, prepared, progress)
	}
	if err != nil {
		return Restored{}, err
	}
	now := k.now()
	event := audit.Event{At: now, Kind: kind, Facts: fileFact(file)}
	if lost, err := k.archive.Lost(file); err == nil && lost.Related {
		event.Facts["events_lost"] = fmt.Sprint(total(lost.Events))
	}
	replaced, err := k.archive.Replace(ctx, prepared, ports.Voiding{Event: event, Moments: moments,
		Kept: "." + kept + "-" + now.UTC().Format("20060102T150405.000Z")}, progress)
	if err != nil {
		return Restored{}, err
	}
	return Restored{Replaced: replaced, Verified: verified, File: file}, nil
}

func total(counts map[audit.Kind]int) (n int) {
	for _, c := range counts {
		n += c
	}
	return n
}

// removeDatabase takes back a file that was just made.
func removeDatabase(path string) (err error) {
	for _, suffix := range []string{"", "-wal", "-shm", ".sum"} {
		if e := os.Remove(path + suffix); e != nil && !errors.Is(e, os.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	return err
}
