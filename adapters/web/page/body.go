package page

// Body is what one page is about. The handlers fill it in; the template of the same noun shows it.
type Body interface{ look() look }

// look is how the page of a body is made.
type look struct {
	template string   // its name below templates/
	wide     bool     // it is more than one form or message
	failed   bool     // it reports a problem: its title says so first, for people who hear it
	leaves   bool     // its form may be answered by a redirect to an application
	scripted bool     // it loads the script: somebody holds a key on it
	frames   []string // the addresses that its frames load
}

// ProblemSet is what is wrong with a form.
type ProblemSet struct {
	Problems     []Message
	RetryMinutes int // for MsgTooManyAttempts; below 1 counts as 1
}

func (p ProblemSet) failed() bool { return len(p.Problems) > 0 }

// fieldNote is one problem with a form.
type fieldNote struct {
	Message Message
	Field   string // empty when the problem is not in a field
	Minutes int
}

// Notes are the problems with the name of their field, for the summary.
func (p ProblemSet) Notes() []fieldNote {
	notes := make([]fieldNote, len(p.Problems))
	for i, problem := range p.Problems {
		notes[i] = fieldNote{Message: problem, Field: problem.field(), Minutes: max(1, p.RetryMinutes)}
	}
	return notes
}

// NoteOf is the first problem with a field of the form, or nil.
func (p ProblemSet) NoteOf(field string) *fieldNote {
	for _, note := range p.Notes() {
		if note.Field == field {
			return &note
		}
	}
	return nil
}

// HiddenField is a field of a form that people do not see.
type HiddenField struct{ Name, Value string }
