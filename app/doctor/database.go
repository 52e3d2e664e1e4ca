package doctor

import (
	"fmt"
	"strings"

	"latchkey/ports"
)

// database judges the file as SQLite sees it.
func (j *judge) database() {
	s, e := j.Subject, j.File
	switch {
	case j.Database.Problem != "":
		return
	case !j.Database.Exists:
		j.add(Error, "database.missing", "There is no database at "+s.Database+".", "Nothing can be served without one.",
			"Name the right file with --db, restore a backup, or make a new one.", s.withKey("restore "+fileName), s.withKey("init"))
		return
	case !j.Database.Regular:
		j.add(Error, "database.kind", s.Database+" is not a file.", "A database is one file.", "Name the right file with --db.", "ls -ld "+quote(s.Database))
		return
	case j.Database.Size == 0:
		j.add(Error, "database.empty", s.Database+" is empty.", "A database has at least its schema: this one was lost or never made.",
			"Restore a backup; if there never was one, make it anew.", s.restored()...)
		return
	}
	j.library()
	switch {
	case e.Condition == ports.ConditionForeign:
		j.add(Error, "database.foreign", fmt.Sprintf("%s is a database of another application: %s.", s.Database, e.Detail), "It is left alone.",
			"Name the right file with --db.", "ls -l "+quote(s.Database))
	case e.Condition == ports.ConditionClosed:
		j.add(Error, "database.closed", fmt.Sprintf("%s cannot be read: %s.", s.Database, e.Detail), "Nothing can be said of what is inside.",
			"Run doctor as the user who runs the server; when the disk itself refuses, look at the system's log.", "ls -l "+quote(s.Database), "dmesg | tail")
	case e.Condition == ports.ConditionDamaged:
		j.damaged(e.Detail)
	case len(e.Damage) > 0:
		j.damaged(strings.Join(e.Damage, "; "))
	case e.Schema > e.Known:
		j.add(Error, "database.newer", fmt.Sprintf("%s has schema %d and this release knows %d.", s.Database, e.Schema, e.Known),
			"A newer latchkey has used it. An older one would not understand what it wrote, and refuses.",
			"Start the newer release again; or stop the server and return to the snapshot from before the upgrade.", s.rolledBack()...)
	case e.Schema < e.Known:
		j.add(Warning, "database.pending", fmt.Sprintf("%s has schema %d and this release brings %d.", s.Database, e.Schema, e.Known),
			"The next start changes the file, on a copy first. What is inside was not looked at.", "Stop the server and do it now, with time to look at the result.", s.withKey("upgrade"))
	default:
		check := "quick_check found nothing"
		if s.Deep {
			check = "every page and every reference is sound"
		}
		j.ok("database.sound", "%s: %s; schema %d is the newest.", s.Database, check, e.Schema)
	}
	j.sum()
	if j.Contents.Problem != "" {
		j.add(Error, "database.contents", "What is inside cannot be read: "+j.Contents.Problem+".", "A server reads it the same way.",
			"Check every page, and restore a backup if one is broken.", append([]string{s.withKey("doctor --deep")}, s.restored()...)...)
	}
}

// sum judges what the sum of the file at rest says. Of a file in use it says nothing, nor after a crash.
func (j *judge) sum() {
	file := j.Subject.Database
	if j.SumProblem != "" {
		j.add(Error, "database.sum", "The sum of "+file+" cannot be checked: "+j.SumProblem+".", "A server checks it before it starts, and stays away as well.",
			"Leave the sum to the owner of the database. When the disk itself refuses, look at the system's log.",
			"chown --reference="+quote(file)+" "+quote(file+sumSuffix), "chmod 600 "+quote(file+sumSuffix), "dmesg | tail")
	}
	switch j.Sum {
	case ports.SumDiffers:
		j.add(Error, "database.changed", file+" is not as it was left.",
			"A disk fault, a copy that was put in its place, or another program's edit: any value in it may be wrong, and no server starts on it.",
			"Restore the newest verified backup, which keeps this file aside. Only if you know what was changed, and want it: remove the sum, and go on with the file as it is.",
			append(j.Subject.restored(), "rm "+quote(file+sumSuffix))...)
	case ports.SumMatches:
		j.ok("database.sum", "%s is byte for byte as it was left.", file)
	case ports.SumTooLarge:
		j.add(Note, "database.sum", fmt.Sprintf("%s has %s and so no sum: a change behind the back of latchkey is not noticed at start.", file, size(uint64(max(j.Database.Size, 0)))),
			"To sum up a large file would make every start and every end slow.", "Check every page and every audit event now and then.", j.Subject.withKey("doctor --deep"))
	}
}

func (j *judge) damaged(detail string) {
	j.add(Error, "database.damaged", fmt.Sprintf("%s is damaged: %s.", j.Subject.Database, detail),
		"What is read from it may be wrong, and each write can spread the damage.",
		"Stop the server, restore the newest verified backup, which keeps the broken file aside, and have the disk checked.", j.Subject.restored()...)
}

// library judges SQLite and its settings (ST-24 is the promise: no build and no default may weaken a commit).
func (j *judge) library() {
	e := j.File
	build := "Build latchkey as its Makefile does."
	if e.Outdated {
		j.add(Error, "sqlite.version", "SQLite "+e.SQLite+" is linked in.", "Releases before 3.51.3 can lose commits when the log starts over.",
			"Use a latchkey that was built with 3.51.3 or newer.", "latchkey version")
	} else {
		j.ok("sqlite.version", "SQLite %s.", e.SQLite)
	}
	if e.Condition != "" {
		return
	}
	if e.Extensions {
		j.add(Error, "sqlite.extensions", "SQL can load program code into the process.", "One statement that is not ours would be enough to run anything.",
			build, "go build -tags sqlite_omit_load_extension ./cmd/latchkey")
	}
	var weak []string
	for _, s := range e.Settings {
		if s.Got != s.Want {
			weak = append(weak, fmt.Sprintf("%s is %s and has to be %s", s.Name, s.Got, s.Want))
		}
	}
	if len(weak) > 0 {
		j.add(Error, "sqlite.settings", "A connection runs with other settings than ours: "+list(weak)+".", "An acknowledged change may not survive a power cut, or what was erased stays in the file.",
			"journal_mode belongs to the file: starting the server sets it again. Anything else is the build: "+build, j.Subject.serve(nil))
	} else {
		j.ok("sqlite.settings", "journal_mode=wal, synchronous=2, foreign_keys=1, secure_delete=1, no loading of extensions.")
	}
}
