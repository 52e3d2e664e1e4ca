package admin

import (
	"errors"
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
	"latchkey/ports"
)

// Document declares users, groups, clients and settings. What it declares is declared whole: a member that is left out
// has its default, except passwords and client secrets, which are kept. What it does not declare is left as it is.
type Document struct {
	Settings *oidc.Settings // nil: not declared
	Users    []User
	Groups   []Group
	Clients  []Client

	wrong  Problems // with its form: it is not applied
	unread []string // paths of members of which nothing is known, because their form is wrong
}

// Group adds memberships; it takes none away.
type Group struct {
	Name    string
	Members []string // usernames
}

// ErrNotDocument is about bytes of which no member can be read: not JSON in UTF-8, or too much of it.
var ErrNotDocument = errors.New("no document that can be read")

// ParseDocument reads a document strictly: unknown, repeated and mistyped members are problems, not surprises. The error
// lists every problem with its path, or is ErrNotDocument with line and column. What could be read is returned beside it,
// for Apply, which refuses it and adds the problems that only the store can tell.
func ParseDocument(b []byte) (Document, error) {
	root, err := parseValue(b)
	if err != nil {
		wrong := Problems{err.Error()}
		return Document{wrong: wrong}, fmt.Errorf("%w: %w", ErrNotDocument, wrong)
	}
	var r reader
	var d Document
	r.object(root, "", fields{
		"settings": func(v value, path string) { d.Settings = r.settings(v, path) },
		"users":    func(v value, path string) { d.Users = list(&r, v, path, r.user) },
		"groups":   func(v value, path string) { d.Groups = list(&r, v, path, r.group) },
		"clients":  func(v value, path string) { d.Clients = list(&r, v, path, r.client) },
	})
	d.wrong, d.unread = r.problems, r.unread
	if problems := d.check(nil); len(problems) > 0 {
		return d, problems
	}
	return d, nil
}

// check brings every value into its canonical form and returns what is wrong with the form and the values. site holds words
// no password may be made of.
func (d *Document) check(site []string) Problems {
	all := slices.Clone(d.wrong)
	seen := map[string]string{} // kind and name → path
	once := func(path, kind, name string) {
		if first, ok := seen[kind+name]; ok && name != "" {
			all = append(all, fmt.Sprintf("%s: %s %q is declared at %s too", path, kind, name, first))
			return
		}
		seen[kind+name] = path
	}
	if d.Settings != nil {
		all = append(all, d.under("settings", checkSettings(*d.Settings))...)
	}
	for i := range d.Users {
		u, path := &d.Users[i], fmt.Sprintf("users[%d]", i)
		all = append(all, d.under(path, u.check(site))...)
		once(path, "user", u.Username)
	}
	for i := range d.Groups {
		g, path := &d.Groups[i], fmt.Sprintf("groups[%d]", i)
		all = append(all, d.under(path, g.check())...)
		once(path, "group", g.Name)
	}
	for i := range d.Clients {
		c, path := &d.Clients[i], fmt.Sprintf("clients[%d]", i)
		all = append(all, d.under(path, c.check())...)
		once(path, "client", string(c.ID))
	}
	return all
}

// under puts the path of an object before problems that begin with the name of its member. A problem that names a member
// of which nothing is known is left out: it may only follow from the mistake that is reported already.
func (d *Document) under(path string, problems []string) Problems {
	var all Problems
	for _, p := range problems {
		follows := slices.ContainsFunc(d.unread, func(unread string) bool {
			member, inside := strings.CutPrefix(unread, path+".")
			return unread == path || (inside && names(p, member))
		})
		if !follows {
			all = append(all, path+"."+p)
		}
	}
	return all
}

// names reports whether a problem is about the member, or about what is inside it.
func names(problem, member string) bool {
	short := member[strings.LastIndexByte(member, '.')+1:]
	words := strings.FieldsFunc(problem, func(r rune) bool { return r == ' ' || r == ',' || r == ':' })
	return slices.ContainsFunc(words, func(word string) bool {
		rest, begins := strings.CutPrefix(word, member)
		return word == short || (begins && (rest == "" || rest[0] == '.' || rest[0] == '['))
	})
}

// unknownMembers returns the members of groups who are neither declared nor on file. While the name of a declared user is
// unknown it returns none, because it may be theirs.
func (d *Document) unknownMembers(r ports.Reader) (Problems, error) {
	declared := map[string]bool{}
	for i, u := range d.Users {
		path := fmt.Sprintf("users[%d]", i)
		if slices.Contains(d.unread, path) || slices.Contains(d.unread, path+".username") {
			return nil, nil
		}
		declared[u.Username] = true
	}
	if slices.Contains(d.unread, "users") {
		return nil, nil
	}
	var unknown Problems
	for i, g := range d.Groups {
		for j, m := range g.Members {
			if name, err := identity.ParseUsername(m); err != nil || declared[name] {
				continue // a name that nobody can have is a problem of its value
			}
			u, err := userNamed(r, m)
			if err != nil {
				return nil, err
			}
			if u.ID == "" {
				unknown = append(unknown, fmt.Sprintf("groups[%d].members[%d]: there is no user %q", i, j, m))
			}
		}
	}
	return unknown, nil
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
type reader struct {
	problems Problems
	unread   []string
}

func (r *reader) wrong(path, format string, args ...any) {
	if path == "" {
		path = "document"
	}
	r.problems = append(r.problems, path+": "+fmt.Sprintf(format, args...))
}

// mistyped reports a member of whose value nothing is known.
func (r *reader) mistyped(path, format string, args ...any) {
	r.wrong(path, format, args...)
	r.unread = append(r.unread, path)
}

func (r *reader) is(v value, path string, want kind) bool {
	if v.kind != want {
		r.mistyped(path, "must be %s, not %s", want, v.kind)
	}
	return v.kind == want
}

// fields are the members an object may have, and what reads each.
type fields map[string]func(v value, path string)

// object reads the members of an object.
func (r *reader) object(v value, path string, known fields) {
	if !r.is(v, path, kindObject) {
		return
	}
	seen := map[string]bool{}
	for _, m := range v.members {
		read, ok := known[m.name]
		switch {
		case !ok && path == "":
			r.wrong(path, "unknown member %q: known are %s", m.name, knownNames(known))
		case !ok:
			if meant := meant(m.name, known); meant != "" {
				r.wrong(path, "unknown member %q: did you mean %q?", m.name, meant)
				r.unread = append(r.unread, join(path, meant))
			} else {
				r.wrong(path, "unknown member %q: known are %s", m.name, knownNames(known))
			}
		case seen[m.name]:
			r.wrong(join(path, m.name), "given twice")
		default:
			read(m.value, join(path, m.name))
		}
		seen[m.name] = true
	}
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

// meant returns the member that a misspelling shares most with, or "".
func meant(name string, known fields) string {
	for _, k := range slices.Sorted(maps.Keys(known)) {
		a, b := strings.ToLower(strings.ReplaceAll(name, "-", "_")), k
		if a == b || strings.TrimSuffix(a, "s") == strings.TrimSuffix(b, "s") || strings.ReplaceAll(a, "_", "") == strings.ReplaceAll(b, "_", "") {
			return k
		}
	}
	return ""
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
			r.mistyped(path, "must be a whole number of seconds")
			return
		}
		d := time.Duration(n) * time.Second
		*into = &d
	}
}

func (r *reader) settings(v value, path string) *oidc.Settings {
	var s oidc.Settings
	r.object(v, path, fields{"organisation_name": text(r, &s.OrganisationName), "support": text(r, &s.Support)})
	return &s
}

func (r *reader) group(v value, path string) Group {
	var g Group
	r.object(v, path, fields{"name": text(r, &g.Name), "members": r.texts(&g.Members)})
	return g
}
