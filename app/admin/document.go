package admin

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
)

// Document declares users, groups, clients and settings. What it declares is declared whole: a member that is left out
// has its default, except passwords and client secrets, which are kept. What it does not declare is left as it is.
type Document struct {
	Settings *oidc.Settings // nil: not declared
	Users    []User
	Groups   []Group
	Clients  []Client
}

// Group adds memberships; it takes none away.
type Group struct {
	Name    string
	Members []string // usernames

	broken bool // what could be read of it is not worth checking
}

// ParseDocument reads a document strictly: unknown, repeated and mistyped members are problems, not surprises. The error
// lists every problem with its path, or is a syntax error with line and column.
func ParseDocument(b []byte) (Document, error) {
	root, err := parseValue(b)
	if err != nil {
		return Document{}, Problems{err.Error()}
	}
	var r reader
	var d Document
	r.object(root, "", fields{
		"settings": func(v value, path string) { d.Settings = r.settings(v, path) },
		"users":    func(v value, path string) { d.Users = list(&r, v, path, r.user) },
		"groups":   func(v value, path string) { d.Groups = list(&r, v, path, r.group) },
		"clients":  func(v value, path string) { d.Clients = list(&r, v, path, r.client) },
	})
	if problems := append(r.problems, d.check(nil)...); len(problems) > 0 {
		return Document{}, problems
	}
	return d, nil
}

// check brings every value into its canonical form and returns what is wrong. site holds words no password may be made of.
func (d *Document) check(site []string) Problems {
	var all Problems
	seen := map[string]string{} // kind and name → path
	once := func(path, kind, name string) {
		if first, ok := seen[kind+name]; ok && name != "" {
			all = append(all, fmt.Sprintf("%s: %s %q is declared at %s too", path, kind, name, first))
			return
		}
		seen[kind+name] = path
	}
	if d.Settings != nil {
		all = append(all, under("settings", checkSettings(*d.Settings))...)
	}
	for i := range d.Users {
		if u := &d.Users[i]; !u.broken {
			path := fmt.Sprintf("users[%d]", i)
			all = append(all, under(path, u.check(site))...)
			once(path, "user", u.Username)
		}
	}
	for i := range d.Groups {
		if g := &d.Groups[i]; !g.broken {
			path := fmt.Sprintf("groups[%d]", i)
			all = append(all, under(path, g.check())...)
			once(path, "group", g.Name)
		}
	}
	for i := range d.Clients {
		if c := &d.Clients[i]; !c.broken {
			path := fmt.Sprintf("clients[%d]", i)
			all = append(all, under(path, c.check())...)
			once(path, "client", string(c.ID))
		}
	}
	return all
}

// under puts the path of an object before problems that begin with the name of its member.
func under(path string, problems []string) Problems {
	all := make(Problems, len(problems))
	for i, p := range problems {
		all[i] = path + "." + p
	}
	return all
}

func checkSettings(s oidc.Settings) []string {
	var problems []string
	if err := checkName(s.OrganisationName, 100); s.OrganisationName != "" && err != "" {
		problems = append(problems, "organisation_name "+err)
	}
	if s.Support != "" {
		address, mail := strings.CutPrefix(s.Support, "mailto:")
		_, notMail := identity.ParseEmail(address)
		if notWeb := oauth.CheckWebURI(s.Support); (mail && notMail != nil) || (!mail && notWeb != nil) {
			problems = append(problems, "support must be an https URI, or mailto: and an e-mail address")
		}
	}
	return problems
}

func (g *Group) check() []string {
	var problems []string
	if err := checkName(g.Name, 64); err != "" {
		problems = append(problems, "name "+err)
	}
	if len(g.Members) == 0 {
		problems = append(problems, "members is missing: a group exists by its members")
	}
	for i, m := range g.Members {
		name, err := identity.ParseUsername(m)
		if err != nil {
			problems = append(problems, fmt.Sprintf("members[%d] %q: %v", i, m, err))
			continue
		}
		g.Members[i] = name
	}
	return problems
}

// checkName says what is wrong with a name that people read, or "". Control and direction characters could make a page
// or a terminal show something else than is there.
func checkName(s string, most int) string {
	switch {
	case s == "":
		return "is missing"
	case len([]rune(s)) > most:
		return fmt.Sprintf("has more than %d characters", most)
	case strings.TrimSpace(s) != s:
		return fmt.Sprintf("%q begins or ends with a space", s)
	case strings.ContainsFunc(s, unseen):
		return fmt.Sprintf("%q holds a character that cannot be seen", s)
	}
	return ""
}

func unseen(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029' || r == '\ufeff'
}

// reader turns values into documents and collects what is wrong.
type reader struct{ problems Problems }

func (r *reader) wrong(path, format string, args ...any) {
	if path == "" {
		path = "document"
	}
	r.problems = append(r.problems, path+": "+fmt.Sprintf(format, args...))
}

func (r *reader) is(v value, path string, want kind) bool {
	if v.kind != want {
		r.wrong(path, "must be %s, not %s", want, v.kind)
	}
	return v.kind == want
}

// fields are the members an object may have, and what reads each.
type fields map[string]func(v value, path string)

// object reads the members of an object. It reports whether nothing was wrong.
func (r *reader) object(v value, path string, known fields) bool {
	before := len(r.problems)
	if !r.is(v, path, kindObject) {
		return false
	}
	seen := map[string]bool{}
	for _, m := range v.members {
		read, ok := known[m.name]
		switch {
		case !ok && path == "":
			r.wrong(path, "unknown member %q: known are %s", m.name, knownNames(known))
		case !ok:
			r.wrong(path, "unknown member %q%s", m.name, suggestion(m.name, known))
		case seen[m.name]:
			r.wrong(join(path, m.name), "given twice")
		default:
			read(m.value, join(path, m.name))
		}
		seen[m.name] = true
	}
	return len(r.problems) == before
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func knownNames(known fields) string {
	return strings.Join(slices.Sorted(maps.Keys(known)), ", ")
}

// suggestion names the members a misspelling may have meant: those that share most of it.
func suggestion(name string, known fields) string {
	for _, k := range slices.Sorted(maps.Keys(known)) {
		a, b := strings.ToLower(strings.ReplaceAll(name, "-", "_")), k
		if a == b || strings.TrimSuffix(a, "s") == strings.TrimSuffix(b, "s") || strings.ReplaceAll(a, "_", "") == strings.ReplaceAll(b, "_", "") {
			return fmt.Sprintf(": did you mean %q?", k)
		}
	}
	return ": known are " + knownNames(known)
}

func list[T any](r *reader, v value, path string, read func(value, string) T) []T {
	if !r.is(v, path, kindArray) {
		return nil
	}
	all := make([]T, len(v.items))
	for i, item := range v.items {
		all[i] = read(item, fmt.Sprintf("%s[%d]", path, i))
	}
	return all
}

func text[T ~string](r *reader, into *T) func(value, string) {
	return func(v value, path string) {
		if r.is(v, path, kindString) {
			*into = T(v.text)
		}
	}
}

func (r *reader) texts(into *[]string) func(value, string) {
	return func(v value, path string) {
		*into = list(r, v, path, func(v value, path string) (s string) {
			text(r, &s)(v, path)
			return s
		})
	}
}

func (r *reader) truth(into *bool) func(value, string) {
	return func(v value, path string) {
		if r.is(v, path, kindBoolean) {
			*into = v.truth
		}
	}
}

// optional reads a truth value that is told apart from one left out.
func (r *reader) optional(into **bool) func(value, string) {
	return func(v value, path string) {
		var b bool
		r.truth(&b)(v, path)
		*into = &b
	}
}

// seconds reads a duration that is told apart from one left out.
func (r *reader) seconds(into **time.Duration) func(value, string) {
	return func(v value, path string) {
		if !r.is(v, path, kindNumber) {
			return
		}
		n, err := strconv.ParseInt(v.text, 10, 64)
		if err != nil || n < 0 || n > math.MaxInt32 {
			r.wrong(path, "must be a whole number of seconds")
			return
		}
		d := time.Duration(n) * time.Second
		*into = &d
	}
}

func (r *reader) settings(v value, path string) *oidc.Settings {
	var s oidc.Settings
	if !r.object(v, path, fields{"organisation_name": text(r, &s.OrganisationName), "support": text(r, &s.Support)}) {
		return nil
	}
	return &s
}

func (r *reader) group(v value, path string) Group {
	var g Group
	g.broken = !r.object(v, path, fields{"name": text(r, &g.Name), "members": r.texts(&g.Members)})
	return g
}
