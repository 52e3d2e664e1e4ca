package doctor

import (
	"fmt"
	"time"

	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
)

func (j *judge) masterKey() {
	s, f := j.Subject, j.MasterKey
	why := "Signing keys, passwords and tokens are bound to it: nothing opens them without it, and it cannot be made anew."
	switch {
	case !f.Exists && !j.Database.Exists:
	case !f.Exists && f.Problem == "":
		j.add(Error, "masterkey.missing", "There is no master key at "+s.MasterKey+".", why,
			"Put the file back from where you keep it, or name the right one.", "install -m 600 "+fileName+" "+quote(s.MasterKey), s.on("doctor")+" --master-key "+fileName)
	case f.Regular && f.Mode&0o077 != 0 && j.KeyProblem != "":
		mend, commands := "Leave it to its owner, and replace it. Whoever has read it can still open every copy that was made before: keep those from them too.",
			[]string{"chmod 600 " + quote(f.Path), s.withKey("master-key rotate")}
		if j.Contents.Inherited { // to replace it would not take from anybody what they know
			mend, commands = "Leave it to its owner. Every other key of this database derives from its first master key: whoever has read that one can open every copy, so keep the copies from them too.",
				commands[:1]
		}
		j.add(Error, "masterkey.mode", fmt.Sprintf("%s has mode %04o: others may %s it.", f.Path, f.Mode, use(f.Mode)),
			"With it a copy of the database opens: tokens can be signed and passwords guessed. No server starts with it.", mend, commands...)
	case j.KeyProblem != "" || f.Problem != "":
		j.add(Error, "masterkey.unusable", "The master key cannot be used: "+j.KeyProblem+f.Problem+".", why,
			"Put the file back from where you keep it.", "install -m 600 "+fileName+" "+quote(s.MasterKey))
	case j.KeyForeign:
		j.add(Error, "masterkey.foreign", fmt.Sprintf("The master key %s does not open the keys of %s.", s.MasterKey, s.Database),
			"It belongs to another database, or it was replaced, or the database was copied here without its key. No server starts with it.",
			"Name the key of this database, or put it back; a backup from before the key was replaced has the key of that time.", s.on("doctor")+" --master-key "+fileName, "install -m 600 "+fileName+" "+quote(s.MasterKey))
	case j.Contents.Read:
		j.ok("masterkey", "%s is for its owner only and opens every signing key.", s.MasterKey)
	}
}

func (j *judge) signingKeys() {
	for _, alg := range []oauth.Algorithm{oauth.ES256, oauth.RS256} {
		active, found := j.Contents.Keys.Active(alg, j.now)
		rotate := j.Subject.withKey("key rotate")
		if !found {
			j.add(Error, "signing.missing", fmt.Sprintf("No key signs with %s.", alg), "Clients that ask for it get no token. A server makes the key when it starts.",
				"Make one.", rotate)
			continue
		}
		newest, retired := active, 0
		for _, k := range j.Contents.Keys {
			switch {
			case k.Algorithm != alg:
			case k.ActiveAt.After(newest.ActiveAt):
				newest = k
			case j.Contents.Keys.State(k, j.now) == oidc.Retired:
				retired++
			}
		}
		next := newest.ActiveAt.Add(oidc.KeyRotation)
		state := fmt.Sprintf("%s: key %s has signed for %s", alg, active.ID, span(j.now.Sub(active.ActiveAt)))
		if retired > 0 {
			state += fmt.Sprintf(", %d before it are published until what they signed has expired", retired)
		}
		switch {
		case newest.ID != active.ID && newest.ActiveAt.After(j.now):
			j.ok("signing", "%s; key %s is published and signs from %s.", state, newest.ID, date(newest.ActiveAt))
		case j.now.After(next.Add(time.Hour)):
			j.add(Warning, "signing.overdue", fmt.Sprintf("%s; its successor was due on %s.", state, date(next)),
				"A running server makes the next key by itself a day before: none ran, or it could not save. A key in use for long is worth stealing.",
				"Make the next key; then see that the server runs.", rotate, j.Subject.serve(nil))
		default:
			j.ok("signing", "%s; the next one is published on %s and signs from %s.", state, date(next.Add(-oidc.KeyLead)), date(next))
		}
	}
}

// clockSlack is how much younger than now an event may be: clocks are nudged by fractions of a second all the time.
const clockSlack = 2 * time.Second

// clock compares our clock with what was recorded with it. What others say of the time is judged with their answer.
func (j *judge) clock() {
	last := newest(j.Contents.Newest, j.Contents.ClockSeen)
	switch {
	case last.IsZero():
	case last.After(j.now.Add(clockSlack)):
		j.add(Error, "clock.back", fmt.Sprintf("The clock says %s, and something was recorded at %s: it was set back by %s.", date(j.now), date(last), span(last.Sub(j.now))),
			"A running server goes on from the later time, so that applications see tokens from the future, until it takes this clock's word: then whatever had ended by the later time has ended.",
			"Let the machine keep its time from the network.", "timedatectl status", "timedatectl set-ntp true")
	default:
		j.ok("clock", "The clock is not behind what was recorded.")
	}
}

func (j *judge) trail() {
	t := j.Contents.Trail
	switch {
	case t.Broken != "" && j.KeyForeign: // the chain is kept with the right key
	case t.Broken != "":
		j.add(Error, "audit.broken", "The audit trail does not hold: "+t.Broken+".", "Somebody changed the record with another tool, or the file is damaged.",
			"Keep a copy of the file as it is and find out who could write to it.", "cp -p "+quote(j.Subject.Database)+" "+fileName, j.Subject.withKey("audit verify"))
	case t.Verified && t.From > 1:
		j.ok("audit", "The audit trail holds from event %d to %d; %s follows all of it.", t.From, t.To, j.Subject.withKey("doctor --deep"))
	case t.Verified:
		j.ok("audit", "The audit trail holds from its first event to %d.", t.To)
	}
}

// largeFile is the size of a database that its operator should know the reason of.
const largeFile = 1 << 30 // bytes

// trailSize says how much the record takes up, because nothing is ever taken out of it.
func (j *judge) trailSize() {
	t := j.Contents.Trail
	if t.Read == 0 {
		return
	}
	each := t.Bytes / int64(t.Read)
	all := each * t.To
	found := fmt.Sprintf("The audit trail has %d events since %s, about %s", t.To, t.First.Format(time.DateOnly), size(uint64(all)))
	if days := j.Contents.Newest.Sub(t.Since).Hours() / 24; days >= 1 {
		found += fmt.Sprintf("; it grows by about %s a month", size(uint64(float64(each)*float64(t.Read)/days*30)))
	}
	file := j.Database.Size + j.Log.Size
	if file < largeFile || 2*all < file {
		j.ok("audit.size", "%s.", found)
		return
	}
	j.add(Warning, "audit.size", fmt.Sprintf("%s, most of the %s of the database.", found, size(uint64(file))),
		"Every event is kept for ever, because a chain with an event less would no longer prove anything. A full disk stops every sign-in, and each backup takes all of it along.",
		"Plan the disk for its growth. If it is more than so many people make, look for what fills it: mostly an application that repeats a refused request.",
		j.Subject.withKey("audit query --refused --limit 100"))
}

// verifiedWithin is how old the newest backup that was proved may be.
const verifiedWithin = 7 * 24 * time.Hour

func (j *judge) backups() {
	c, why := j.Contents, "A lost disk takes every user, client and key along. A backup that was never opened is a hope."
	mend := "Make a backup, prove it, and keep it on another machine, apart from the master key."
	switch made, verified := c.BackupMade, c.BackupVerified; {
	case made.IsZero() && verified.IsZero():
		j.add(Warning, "backup.never", "No backup was ever made.", why, mend, j.Subject.backup()...)
	case verified.IsZero():
		j.add(Warning, "backup.unverified", fmt.Sprintf("The last backup is %s old, and none was ever verified.", span(j.now.Sub(made))), why,
			"Prove it, and keep it on another machine, apart from the master key.", j.Subject.withKey("backup verify "+fileName))
	case j.now.Sub(verified) > verifiedWithin:
		j.add(Warning, "backup.old", fmt.Sprintf("The last verified backup is %s old.", span(j.now.Sub(verified))), why, mend, j.Subject.backup()...)
	default:
		j.ok("backup", "A backup was verified %s ago.", span(j.now.Sub(verified)))
	}
}
