package admin

import (
	"context"
	"errors"
	"time"

	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/ports"
)

// Apply brings what is on file in line with the document, in one unit of work, and returns the difference. With planOnly
// it changes nothing. Applying twice changes nothing the second time. An error of type Problems lists everything that is
// wrong; nothing was changed then.
func (s *Service) Apply(ctx context.Context, caller audit.Caller, d Document, planOnly bool) (Plan, error) {
	if problems := d.check(identity.SiteWords(s.Issuer)); len(problems) > 0 {
		err := s.Store.View(ctx, func(r ports.Reader) error {
			unknown, err := d.unknownMembers(r)
			problems = append(problems, unknown...)
			return err
		})
		if err != nil {
			return Plan{}, err
		}
		return Plan{}, problems
	}
	return s.apply(ctx, caller, d, planOnly, false)
}

// AddUser registers a new user under the rules of a document. The error is ErrExists when there is one.
func (s *Service) AddUser(ctx context.Context, caller audit.Caller, u User) error {
	if err := u.Check(s.Issuer); err != nil {
		return err
	}
	_, err := s.apply(ctx, caller, Document{Users: []User{u}}, false, true)
	return err
}

// AddClient registers a new client under the rules of a document and returns the secret that was made for it; empty: none
// was made. The error is ErrExists when there is one.
func (s *Service) AddClient(ctx context.Context, caller audit.Caller, c Client) (oauth.Secret, error) {
	if err := c.Check(); err != nil {
		return "", err
	}
	plan, err := s.apply(ctx, caller, Document{Clients: []Client{c}}, false, true)
	if err != nil || len(plan.Made) == 0 {
		return "", err
	}
	return plan.Made[0].Secret, nil
}

// errStale says that a password was changed by somebody else since it was compared.
var errStale = errors.New("what is on file changed meanwhile: try again")

func (s *Service) apply(ctx context.Context, caller audit.Caller, d Document, planOnly, onlyNew bool) (Plan, error) {
	for try := 0; ; try++ {
		plan, err := s.applyOnce(ctx, caller, d, planOnly, onlyNew)
		if !errors.Is(err, errStale) || try == 2 {
			return plan, err
		}
	}
}

func (s *Service) applyOnce(ctx context.Context, caller audit.Caller, d Document, planOnly, onlyNew bool) (Plan, error) {
	p := planner{document: d, onlyNew: onlyNew, now: s.Now(), caller: caller,
		users: map[string]*newUser{}, secrets: map[oauth.ClientID]oauth.Secret{}}
	if err := s.prepare(ctx, &p); err != nil {
		return Plan{}, err
	}
	var o outcome
	err := s.Store.View(ctx, func(r ports.Reader) (err error) {
		o, err = p.plan(r)
		return err
	})
	if err != nil || planOnly || !o.plan.Changed() {
		o.plan.Made = nil
		return o.plan, err
	}
	// Passwords are hashed only once nothing is wrong, and outside the unit: hashing is slow.
	for _, u := range d.Users {
		n := p.users[u.Username]
		if !n.differs {
			continue
		}
		if n.hash, err = s.Passwords.Hash(ctx, u.Password.Reveal()); err != nil {
			return Plan{}, err
		}
	}
	err = s.Store.Update(ctx, func(tx ports.Tx) (err error) {
		if o, err = p.plan(tx); err != nil {
			return err
		}
		for _, write := range o.writes {
			if err := write(tx); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return Plan{}, err
	}
	o.plan.Applied = true
	return o.plan, nil
}

// newUser is what was found out about a declared user before the unit.
type newUser struct {
	id      identity.UserID // for a user who is new
	seen    string          // the stored password it was compared with
	differs bool
	hash    string
}

// prepare compares passwords and makes what is random, because a unit of work must neither hash nor run to two outcomes.
func (s *Service) prepare(ctx context.Context, p *planner) error {
	err := s.Store.View(ctx, func(r ports.Reader) error {
		for _, u := range p.document.Users {
			old, err := userNamed(r, u.Username)
			if err != nil {
				return err
			}
			p.users[u.Username] = &newUser{id: identity.UserID("usr_" + s.Secrets.ID()), seen: old.Password}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, u := range p.document.Users {
		n := p.users[u.Username]
		switch {
		case u.Password == "":
			continue
		case n.seen == "":
			n.differs = true
			continue
		}
		match, _, err := s.Passwords.Verify(ctx, n.seen, u.Password.Reveal(), ports.Beside{})
		if err != nil {
			return err
		}
		n.differs = !match
	}
	for _, c := range p.document.Clients {
		p.secrets[c.ID] = s.Secrets.Secret()
	}
	return nil
}

// userNamed returns the user with the username, or the zero value. UserByLogin also finds users by e-mail address.
func userNamed(r ports.Reader, username string) (identity.User, error) {
	u, err := r.UserByLogin(username)
	if errors.Is(err, ports.ErrNotFound) || (err == nil && u.Username != username) {
		return identity.User{}, nil
	}
	return u, err
}

// planner finds the difference between a document and a reader, always the same for the same state.
type planner struct {
	document Document
	onlyNew  bool
	now      time.Time
	caller   audit.Caller
	users    map[string]*newUser
	secrets  map[oauth.ClientID]oauth.Secret
}

// outcome is a plan and how to carry it out.
type outcome struct {
	plan     Plan
	writes   []func(ports.Tx) error
	problems Problems
}

func (o *outcome) then(write func(ports.Tx) error) { o.writes = append(o.writes, write) }

func (p *planner) plan(r ports.Reader) (outcome, error) {
	var o outcome
	steps := []func(*outcome, ports.Reader) error{p.planSettings, p.planUsers, p.planMembers, p.planClients}
	for _, step := range steps {
		if err := step(&o, r); err != nil {
			return outcome{}, err
		}
	}
	if len(o.problems) > 0 {
		return outcome{}, o.problems
	}
	return o, nil
}

func (p *planner) planSettings(o *outcome, r ports.Reader) error {
	if p.document.Settings == nil {
		return nil
	}
	old, err := r.Settings()
	if err != nil {
		return err
	}
	new := *p.document.Settings
	c := Change{Object: "settings", Action: Unchanged, Members: differences(
		[]memberValue{{"organisation_name", old.OrganisationName}, {"support", old.Support}},
		[]memberValue{{"organisation_name", new.OrganisationName}, {"support", new.Support}})}
	if len(c.Members) > 0 {
		c.Action = Update
		o.then(func(tx ports.Tx) error {
			return errors.Join(tx.SaveSettings(new), p.record(tx, audit.SettingsChanged, c, audit.Event{}))
		})
	}
	o.plan.Changes = append(o.plan.Changes, c)
	return nil
}

// record writes a change down with the names of its members; values stay out, they may be about a person.
func (p *planner) record(tx ports.Tx, kind audit.Kind, c Change, about audit.Event) error {
	about.At, about.Kind, about.Caller = p.now, kind, p.caller
	if names := c.names(); names != "" {
		about.Facts = map[string]string{"changed": names}
	}
	return tx.Record(about)
}
