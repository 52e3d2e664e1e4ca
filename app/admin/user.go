package admin

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/ports"
)

// User declares a user.
type User struct {
	Username      string
	Password      oauth.Secret // empty: kept; a new user without one cannot sign in yet
	Email         string
	EmailVerified bool
	Claims        identity.Claims
	Groups        []string
	Admin         bool
	Disabled      bool
}

func (r *reader) user(v value, path string) User {
	var u User
	r.object(v, path, fields{
		"username":       text(r, &u.Username),
		"password":       text(r, &u.Password),
		"email":          text(r, &u.Email),
		"email_verified": r.truth(&u.EmailVerified),
		"claims":         func(v value, path string) { r.claims(v, path, &u.Claims) },
		"groups":         r.texts(&u.Groups),
		"admin":          r.truth(&u.Admin),
		"disabled":       r.truth(&u.Disabled),
	})
	return u
}

func (r *reader) claims(v value, path string, c *identity.Claims) {
	known := fields{
		"phone_number_verified": r.truth(&c.PhoneNumberVerified),
		"address": func(v value, path string) {
			a := &identity.Address{}
			known := fields{}
			for _, m := range addressMembers(a) {
				known[m.name] = text(r, m.value)
			}
			r.object(v, path, known)
			if *a != (identity.Address{}) {
				c.Address = a
			}
		},
	}
	for _, m := range claimMembers(c) {
		known[m.name] = text(r, m.value)
	}
	r.object(v, path, known)
}

type textMember struct {
	name  string
	value *string
}

func claimMembers(c *identity.Claims) []textMember {
	return []textMember{
		{"name", &c.Name}, {"given_name", &c.GivenName}, {"family_name", &c.FamilyName}, {"middle_name", &c.MiddleName},
		{"nickname", &c.Nickname}, {"preferred_username", &c.PreferredUsername}, {"profile", &c.Profile},
		{"picture", &c.Picture}, {"website", &c.Website}, {"gender", &c.Gender}, {"birthdate", &c.Birthdate},
		{"zoneinfo", &c.Zoneinfo}, {"locale", &c.Locale}, {"phone_number", &c.PhoneNumber},
	}
}

func addressMembers(a *identity.Address) []textMember {
	return []textMember{
		{"formatted", &a.Formatted}, {"street_address", &a.StreetAddress}, {"locality", &a.Locality},
		{"region", &a.Region}, {"postal_code", &a.PostalCode}, {"country", &a.Country},
	}
}

const maxClaim = 1024 // bytes of one claim

// Check brings the user into canonical form and says everything that is wrong with it, as Problems, or nil.
func (u *User) Check(issuer string) error {
	if problems := u.check(identity.SiteWords(issuer)); len(problems) > 0 {
		return Problems(problems)
	}
	return nil
}

func (u *User) check(site []string) []string {
	var problems []string
	wrong := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }

	if name, err := identity.ParseUsername(u.Username); err != nil {
		wrong("username %q: %v", u.Username, err)
	} else {
		u.Username = name
	}
	if u.Password != "" {
		if err := identity.CheckPassword(u.Password.Reveal(), append([]string{u.Username}, site...)...); err != nil {
			wrong("password: %v", err)
		}
	}
	if u.Email != "" {
		if _, err := identity.ParseEmail(u.Email); err != nil {
			wrong("email %q: %v", u.Email, err)
		}
	} else if u.EmailVerified {
		wrong("email_verified is true, but there is no email")
	}
	u.checkClaims(wrong)
	for i, g := range u.Groups {
		if err := checkName(g, 64); err != "" {
			wrong("groups[%d] %s", i, err)
		}
	}
	u.Groups = set(u.Groups)
	return problems
}

func (u *User) checkClaims(wrong func(string, ...any)) {
	for _, m := range claimMembers(&u.Claims) {
		if len(*m.value) > maxClaim || strings.ContainsFunc(*m.value, unseen) {
			wrong("claims.%s is longer than %d bytes or holds a character that cannot be seen", m.name, maxClaim)
		}
	}
	for _, m := range []textMember{{"profile", &u.Claims.Profile}, {"picture", &u.Claims.Picture}, {"website", &u.Claims.Website}} {
		// Applications put these into links and images: a javascript: URI would run in them.
		if *m.value == "" {
			continue
		}
		if err := oauth.CheckWebURI(*m.value); err != nil {
			wrong("claims.%s %q %v", m.name, *m.value, err)
		}
	}
	if l := u.Claims.Locale; l != "" && !languageTag.MatchString(l) {
		wrong("claims.locale %q must be a language tag such as id or en-US (BCP 47)", l)
	}
	if b := u.Claims.Birthdate; b != "" && !isBirthdate(b) {
		wrong("claims.birthdate %q must be a date YYYY-MM-DD, 0000-MM-DD without the year, or YYYY", b)
	}
	if u.Claims.PhoneNumberVerified && u.Claims.PhoneNumber == "" {
		wrong("claims.phone_number_verified is true, but there is no phone_number")
	}
	if u.Claims.Address == nil {
		return
	}
	for _, m := range addressMembers(u.Claims.Address) {
		// An address may have lines (OIDC Core §5.1.1).
		hidden := strings.ContainsFunc(*m.value, func(r rune) bool { return unseen(r) && r != '\n' && r != '\r' })
		if len(*m.value) > maxClaim || hidden {
			wrong("claims.address.%s is longer than %d bytes or holds a character that cannot be seen", m.name, maxClaim)
		}
	}
}

// languageTag is the form of a BCP 47 tag (RFC 5646 §2.1), whatever its subtags mean.
var languageTag = regexp.MustCompile(`^([A-Za-z]{2,8}|[xX]-[A-Za-z0-9]{1,8})(-[A-Za-z0-9]{1,8})*$`)

// isBirthdate reports whether s is a date of the calendar, or a year (OIDC Core §5.1). The year 0000 stands for one that is
// left out, so it is none by itself.
func isBirthdate(s string) bool {
	if len(s) == len("2006") {
		_, err := time.Parse("2006", s)
		return err == nil && s != "0000"
	}
	_, err := time.Parse(time.DateOnly, s)
	return err == nil
}

// set returns the values sorted, each once: the order of groups says nothing.
func set(values []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(values)))
}

// userMembers are the members of a user as a document writes them, in its order, less the password.
func userMembers(u identity.User) []memberValue {
	all := []memberValue{{"email", u.Email}, {"email_verified", u.EmailVerified}}
	for _, m := range claimMembers(&u.Claims) {
		all = append(all, memberValue{"claims." + m.name, *m.value})
	}
	all = append(all, memberValue{"claims.phone_number_verified", u.Claims.PhoneNumberVerified})
	var a identity.Address
	if u.Claims.Address != nil {
		a = *u.Claims.Address
	}
	for _, m := range addressMembers(&a) {
		all = append(all, memberValue{"claims.address." + m.name, *m.value})
	}
	return append(all, memberValue{"groups", set(u.Groups)}, memberValue{"admin", u.Admin}, memberValue{"disabled", u.Disabled()})
}

// memberValue is a member of an object as a document writes it.
type memberValue struct {
	name  string
	value any
}

// differences returns the members that differ, with their values in JSON.
func differences(old, new []memberValue) []Difference {
	var all []Difference
	for i, m := range new {
		if from, to := encoded(old[i].value), encoded(m.value); string(from) != string(to) {
			all = append(all, Difference{Member: m.name, From: from, To: to})
		}
	}
	return all
}

func encoded(v any) json.RawMessage {
	if list, ok := v.([]string); ok && list == nil {
		v = []string{}
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // members are strings, lists of strings, truth values and numbers
	}
	return json.RawMessage(strings.TrimRightFunc(b.String(), unicode.IsSpace))
}

func (p *planner) planUsers(o *outcome, r ports.Reader) error {
	for _, u := range p.document.Users {
		old, err := userNamed(r, u.Username)
		if err != nil {
			return err
		}
		if p.onlyNew && old.ID != "" {
			return fmt.Errorf("user %q %w", u.Username, ErrExists)
		}
		new := old
		new.Username, new.Email, new.EmailVerified, new.Claims, new.Admin = u.Username, u.Email, u.EmailVerified, u.Claims, u.Admin
		new.Groups = set(slices.Concat(u.Groups, p.declaredGroups(u.Username)))
		if u.Disabled != old.Disabled() {
			new.DisabledAt = time.Time{}
			if u.Disabled {
				new.DisabledAt = p.now
			}
		}
		if err := p.planUser(o, r, old, new, p.users[u.Username]); err != nil {
			return err
		}
	}
	return nil
}

// declaredGroups are the groups that name the user as a member.
func (p *planner) declaredGroups(username string) []string {
	var groups []string
	for _, g := range p.document.Groups {
		if slices.Contains(g.Members, username) {
			groups = append(groups, g.Name)
		}
	}
	return groups
}

// planMembers adds the users whom the document does not declare to the groups that name them.
func (p *planner) planMembers(o *outcome, r ports.Reader) error {
	unknown, err := p.document.unknownMembers(r)
	if err != nil {
		return err
	}
	o.problems = append(o.problems, unknown...)
	done := map[string]bool{}
	for _, g := range p.document.Groups {
		for _, name := range g.Members {
			if p.users[name] != nil || done[name] {
				continue
			}
			old, err := userNamed(r, name)
			if err != nil {
				return err
			}
			if old.ID == "" {
				continue // among the unknown
			}
			done[name] = true
			new := old
			new.Groups = set(slices.Concat(old.Groups, p.declaredGroups(name)))
			if err := p.planUser(o, r, old, new, &newUser{seen: old.Password}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *planner) planUser(o *outcome, r ports.Reader, old, new identity.User, n *newUser) error {
	if old.Password != n.seen {
		return errStale
	}
	c := Change{Object: "user", Name: new.Username, Action: Unchanged, Members: differences(userMembers(old), userMembers(new))}
	claims := slices.ContainsFunc(c.Members, func(d Difference) bool { return d.Member != "admin" && d.Member != "disabled" })
	if n.differs {
		c.Members = append([]Difference{{Member: "password"}}, c.Members...)
		new.Password, new.PasswordChangedAt = n.hash, p.now
	}
	var e ending
	kind := audit.UserChanged
	switch {
	case old.ID == "":
		c.create()
		kind = audit.UserCreated
		new.ID, new.CreatedAt, new.UpdatedAt = n.id, p.now, p.now
		c.Members = slices.DeleteFunc(c.Members, func(d Difference) bool { return d.Member == "password" })
		if !n.differs {
			c.Effects = []string{"cannot sign in yet: no password was declared"}
		}
	case len(c.Members) > 0:
		c.Action = Update
		if claims {
			new.UpdatedAt = p.now
		}
		var err error
		if e, err = endingFor(r, old, new, n.differs); err != nil {
			return err
		}
		c.Effects = e.effects()
	}
	o.plan.Changes = append(o.plan.Changes, c)
	if c.Action == Unchanged {
		return nil
	}
	o.then(func(tx ports.Tx) error {
		if err := tx.SaveUser(new); err != nil {
			return err
		}
		about := audit.Event{User: string(new.ID)}
		if err := p.record(tx, kind, c, about); err != nil {
			return err
		}
		if n.differs && c.Action == Update {
			if err := p.record(tx, audit.PasswordChanged, Change{}, about); err != nil {
				return err
			}
		}
		return e.save(tx, p.caller, p.now)
	})
	return nil
}

func endingFor(r ports.Reader, old, new identity.User, password bool) (ending, error) {
	switch {
	case new.Disabled() && !old.Disabled():
		return endingOfUser(r, old.ID, "user disabled", true, true)
	case password:
		return endingOfUser(r, old.ID, "password changed", false, true)
	case new.Admin != old.Admin:
		return endingOfUser(r, old.ID, "administrator changed", false, false)
	case new.Email != old.Email:
		return ending{links: old.ID}, nil
	}
	return ending{}, nil
}
