package doctor

import (
	"fmt"
	"io/fs"
	"path/filepath"

	"latchkey/ports"
)

const (
	leastFree   = 64 << 20  // bytes below which the next commits may fail
	enoughFree  = 1 << 30   // bytes for a log, a backup and an upgrade's snapshot of an ordinary file
	largestLog  = 256 << 20 // bytes; the log is cut to 64 MB whenever it starts over
	copiesAside = 2         // how many times the file should fit: a snapshot before an upgrade, and a restore beside it
)

func (j *judge) files() {
	j.folder()
	if j.Database.Problem != "" {
		j.add(Error, "file.database.closed", j.Database.Problem, "Nothing can be said of a database that cannot be looked at.",
			"Run doctor as the user who runs the server.", "sudo -u \"$(stat -c %U "+quote(j.Subject.Database)+")\" "+j.Subject.withKey("doctor"))
		return
	}
	if !j.Database.Exists {
		return // is a finding of the database
	}
	exposed := false
	for _, f := range []ports.File{j.Database, j.Log, j.Index} {
		if f.Exists && f.Regular && f.Mode&0o077 != 0 {
			exposed = true
			j.mode("file.database.mode", f, "It holds who signs in where, and what a guesser of passwords can work on.")
		}
	}
	for _, f := range j.Copies {
		if f.Regular && f.Mode&0o077 != 0 {
			exposed = true
			j.mode("file.backup.mode", f, "A copy of the database holds what the database holds.")
		}
	}
	if f := j.TLSKeyFile; f.Exists && f.Mode&0o007 != 0 {
		exposed = true
		j.mode("file.tls.mode", f, "Whoever can read the private key of the certificate can pose as this provider.")
	}
	if !exposed {
		j.ok("file.modes", "The database and what lies beside it are for their owner only.")
	}
	j.owners()
}

// mode reports a file that others may use: all users of the machine, or its group only.
func (j *judge) mode(id string, f ports.File, why string) {
	severity, who := Warning, "its group"
	if f.Mode&0o007 != 0 {
		severity, who = Error, "every user of this machine"
	}
	j.add(severity, id, fmt.Sprintf("%s has mode %04o: %s may %s it.", f.Path, f.Mode, who, use(f.Mode)), why,
		"Leave it to its owner.", "chmod 600 "+quote(f.Path))
}

func use(m fs.FileMode) string {
	switch {
	case m&0o066 == 0:
		return "run"
	case m&0o022 == 0:
		return "read"
	case m&0o044 == 0:
		return "change"
	}
	return "read and change"
}

func (j *judge) folder() {
	f := j.Folder
	private := "chmod 700 " + quote(f.Path)
	switch {
	case !f.Exists:
	case f.Mode&0o200 == 0:
		j.add(Error, "folder.readonly", fmt.Sprintf("The folder %s has mode %04o: its owner may not write to it.", f.Path, f.Mode),
			"SQLite makes its log beside the database, so no server starts.", "Let the owner write.", private)
	case f.Mode&0o022 != 0:
		j.add(Error, "folder.mode", fmt.Sprintf("The folder %s has mode %04o: others may put files into it.", f.Path, f.Mode),
			"They could replace the database or its master key by their own.", "Leave the folder to its owner, or use one of its own.", private)
	case f.Mode&0o055 != 0:
		j.add(Warning, "folder.mode", fmt.Sprintf("The folder %s has mode %04o: others may look into it.", f.Path, f.Mode),
			"A backup that is made here with a careless mode is readable at once.", "Leave the folder to its owner, or use one of its own.", private)
	default:
		j.ok("folder.mode", "The folder %s is for its owner only.", f.Path)
	}
	if d := j.Database; d.Exists && d.Regular && d.Mode&0o200 == 0 {
		j.add(Error, "file.database.readonly", fmt.Sprintf("%s has mode %04o: its owner may not write to it.", d.Path, d.Mode), "No server starts on a file that it cannot change.",
			"Let the owner write.", "chmod 600 "+quote(d.Path))
	}
}

// owners finds files that a command left behind as another user, mostly as root: the server cannot use them.
func (j *judge) owners() {
	owner := j.Database.Owner
	if owner < 0 {
		return
	}
	same := true
	companions := append([]ports.File{j.Log, j.Index, j.SumFile, j.LockFile}, j.Copies...)
	if filepath.Dir(j.MasterKey.Path) == filepath.Dir(j.Database.Path) {
		companions = append(companions, j.MasterKey) // elsewhere it may be another's, who hands it to the server
	}
	for _, f := range companions {
		if f.Exists && f.Owner >= 0 && f.Owner != owner {
			same = false
			j.add(Error, "file.owner", fmt.Sprintf("%s belongs to user %d and the database to user %d.", f.Path, f.Owner, owner),
				"The server runs as one of them and cannot use the other's file.", "Give it to the owner of the database.",
				"chown --reference="+quote(j.Database.Path)+" "+quote(f.Path))
		}
	}
	if j.User != 0 && j.User != owner {
		same = false
		j.add(Warning, "file.owner", fmt.Sprintf("The database belongs to user %d, and doctor runs as user %d.", owner, j.User),
			"A command that runs as another user leaves files that the server cannot use.", "Run latchkey as the owner of the database.",
			"sudo -u '#"+fmt.Sprint(owner)+"' "+j.Subject.withKey("doctor"))
	}
	if same {
		j.ok("file.owner", "Every file belongs to user %d.", owner)
	}
}

func (j *judge) volume() {
	v, folder := j.Volume, quote(j.Folder.Path)
	if !j.Folder.Exists {
		return
	}
	if v.Problem != "" {
		j.add(Note, "volume.unknown", "The file system under "+j.Folder.Path+" cannot be looked at: "+v.Problem+".",
			"A network file system loses commits, and a full one refuses them.", "Look at it yourself.", "df -hT "+folder)
		return
	}
	moved := []string{j.Subject.withKey("backup " + fileName), "df -hT " + folder}
	switch {
	case v.Network:
		j.add(Error, "volume.network", fmt.Sprintf("%s lies on a network file system (%s).", j.Folder.Path, v.Type),
			"Its locks and syncs cannot be trusted: two servers could write at once, and a commit that was acknowledged can be gone after a power cut.",
			"Stop the server, move the database and its key to a disk of this machine, and serve it from there.", moved...)
	case v.Passing:
		j.add(Warning, "volume.passing", fmt.Sprintf("%s lies on %s, which ends with the machine or the container.", j.Folder.Path, v.Type),
			"After the next start the database is gone, with every user and the keys.",
			"Move the database and its key to a disk, or mount a volume for a container.", moved...)
	default:
		j.ok("volume.type", "%s lies on a disk of this machine (%s).", j.Folder.Path, v.Type)
	}
	used := uint64(max(j.Database.Size+j.Log.Size, 0))
	free := fmt.Sprintf("%s has %s free; the database has %s.", j.Folder.Path, size(v.Free), size(used))
	switch {
	case v.Free < leastFree:
		j.add(Error, "volume.full", free, "When nothing is free, nobody can sign in: every sign-in is saved before it is answered.",
			"Free some space, or move the database to a larger disk.", "df -h "+folder, "du -xh "+folder+" | sort -h | tail")
	case v.Free < max(enoughFree, copiesAside*used):
		j.add(Warning, "volume.full", free, "A backup or the snapshot before an upgrade needs as much again as the database has.",
			"Free some space, or move the database to a larger disk.", "df -h "+folder)
	default:
		j.ok("volume.free", "%s", free)
	}
	if j.Log.Size > largestLog {
		j.add(Warning, "database.log", fmt.Sprintf("%s has grown to %s.", j.Log.Path, size(uint64(j.Log.Size))),
			"Something reads without an end, such as a database tool that was left open: the log is folded back only between readers. Starts take longer.",
			"Close whatever else has the file open, then restart the server: a clean end folds the log back.", "fuser -v "+quote(j.Subject.Database), j.Subject.serve(nil))
	} else if j.Database.Exists {
		j.ok("database.log", "The log has %s.", size(uint64(max(j.Log.Size, 0))))
	}
}
