package logout

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"time"

	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

// How much is sent at once, at most half of it to one client: one that keeps every request waiting must not keep the others
// from hearing. And how long somebody who waits for an answer waits for the applications.
const (
	together  = 8
	perClient = 4
	lookAt    = 256 // notices that are due, of each client as many as it has room for: a long queue of one hides no other
	moment    = time.Second
)

// Deliveries sends logout notices (OIDC Back-Channel Logout 1.0 §2.5). Each attempt is noted before it is made, so that a
// notice survives the process and no other process sends it meanwhile.
type Deliveries struct {
	Issuer   string
	Store    ports.Store
	Signer   ports.Signer
	Secrets  ports.Secrets
	Outbound ports.Outbound
	Now      ports.Clock

	running sync.WaitGroup
	mu      sync.Mutex
	all     int                    // attempts under way
	under   map[oauth.ClientID]int // those of each client
	fault   error                  // of an attempt since the last Due
}

// Due begins to send what is due, as much as there is room for. It does not wait for answers, and returns what kept earlier
// attempts from being saved.
func (d *Deliveries) Due(ctx context.Context) error {
	var due []oidc.LogoutNotice
	err := d.Store.View(ctx, func(r ports.Reader) (err error) {
		due, err = r.DueLogoutNotices(d.Now(), perClient, lookAt)
		return err
	})
	for _, n := range due { // what finds no room is still due the next time
		d.start(ctx, n, func() {})
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	err, d.fault = errors.Join(err, d.fault), nil
	return err
}

// Wait returns when no attempt is under way.
func (d *Deliveries) Wait() { d.running.Wait() }

// session sends the notices of a session and waits until each was tried, but not longer than a moment.
func (d *Deliveries) session(ctx context.Context, id identity.SessionID) error {
	var waiting []oidc.LogoutNotice
	err := d.Store.View(ctx, func(r ports.Reader) (err error) {
		waiting, err = r.NoticesOfSession(id)
		return err
	})
	if err != nil {
		return err
	}
	waiting = slices.DeleteFunc(waiting, func(n oidc.LogoutNotice) bool { return !n.Due(d.Now()) })
	limit := time.NewTimer(moment)
	defer limit.Stop()
	tried := make(chan struct{}, len(waiting))
	for begun := 0; ; begun-- {
		waiting = slices.DeleteFunc(waiting, func(n oidc.LogoutNotice) bool {
			started := d.start(ctx, n, func() { tried <- struct{}{} })
			if started {
				begun++
			}
			return started
		})
		if begun == 0 { // all were tried, or others have taken the room: the job sends the rest
			return nil
		}
		select {
		case <-tried:
		case <-limit.C:
			return nil
		}
	}
}

// start makes one attempt if there is room for it. It is finished even if whoever began it leaves.
func (d *Deliveries) start(ctx context.Context, n oidc.LogoutNotice, done func()) bool {
	if !d.count(n.Client, 1) {
		return false
	}
	d.running.Go(func() {
		defer done()
		defer d.count(n.Client, -1)
		if err := d.attempt(context.WithoutCancel(ctx), n.ID); err != nil {
			d.mu.Lock()
			d.fault = err
			d.mu.Unlock()
		}
	})
	return true
}

// count notes that an attempt begins or has ended, and reports whether there was room for it.
func (d *Deliveries) count(id oauth.ClientID, by int) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if by > 0 && (d.all >= together || d.under[id] >= perClient) {
		return false
	}
	if d.under == nil {
		d.under = map[oauth.ClientID]int{}
	}
	d.all += by
	if d.under[id] += by; d.under[id] == 0 {
		delete(d.under, id)
	}
	return true
}

func (d *Deliveries) attempt(ctx context.Context, id oidc.NoticeID) error {
	now := d.Now()
	n, client, err := d.claim(ctx, id, now)
	if err != nil || client.ID == "" {
		return err
	}
	token, err := d.Signer.SignLogoutToken(n.Token(d.Secrets.ID(), d.Issuer, now), client.Rules.IDTokenAlg)
	if err != nil {
		return err
	}
	sending, cancel := context.WithTimeout(ctx, oidc.NoticeTimeout)
	defer cancel()
	status, err := d.Outbound.Post(sending, client.BackChannelLogoutURI, oauth.Parameter{Name: "logout_token", Value: token.Reveal()})
	return d.settle(ctx, n, status, err)
}

// claim notes the attempt. Without a client there is nothing to send: somebody else was first, or the client will never
// hear of it.
func (d *Deliveries) claim(ctx context.Context, id oidc.NoticeID, now time.Time) (n oidc.LogoutNotice, client oauth.Client, err error) {
	err = d.Store.Update(ctx, func(tx ports.Tx) error {
		client = oauth.Client{}
		var err error
		n, err = tx.LogoutNotice(id)
		if errors.Is(err, ports.ErrNotFound) || err == nil && !n.Due(now) {
			return nil
		}
		if err != nil {
			return err
		}
		c, err := tx.Client(n.Client)
		if err != nil {
			return err
		}
		n.Begin(now)
		if c.BackChannelLogoutURI == "" || !c.DisabledAt.IsZero() {
			n.Failed("the client is disabled or has no backchannel_logout_uri any more", true, now)
			return errors.Join(tx.SaveLogoutNotice(n), tx.Record(d.event(audit.LogoutUndelivered, n, now)))
		}
		client = c
		return tx.SaveLogoutNotice(n)
	})
	return n, client, err
}

// settle notes what became of the attempt (OIDC Back-Channel Logout 1.0 §2.8): 200 says that the user is signed out, and
// many frameworks say 204; 400 that the token was understood and refused, which it would be again.
func (d *Deliveries) settle(ctx context.Context, n oidc.LogoutNotice, status int, failure error) error {
	now, kind := d.Now(), audit.LogoutUndelivered
	switch {
	case failure != nil:
		n.Failed(failure.Error(), false, now)
	case status == 200 || status == 204:
		kind = audit.LogoutDelivered
		n.Delivered(now)
	default:
		n.Failed("the application answered with status "+strconv.Itoa(status)+", not 200", status == 400, now)
	}
	return d.Store.Update(ctx, func(tx ports.Tx) error {
		// Deleted with its client while the application was thinking: saved, it would name a client that nothing is sent to.
		if _, err := tx.LogoutNotice(n.ID); errors.Is(err, ports.ErrNotFound) {
			return nil
		} else if err != nil {
			return err
		}
		err := errors.Join(tx.SaveLogoutNotice(n), tx.Record(d.event(kind, n, now)))
		if errors.Is(failure, ports.ErrAddressDenied) || errors.Is(failure, ports.ErrPortDenied) {
			err = errors.Join(err, tx.Record(d.event(audit.OutboundBlocked, n, now)))
		}
		return err
	})
}

func (d *Deliveries) event(kind audit.Kind, n oidc.LogoutNotice, now time.Time) audit.Event {
	e := audit.Event{At: now, Kind: kind, Client: string(n.Client), User: string(n.Sub), Session: string(n.Session),
		Facts: map[string]string{"attempt": strconv.Itoa(n.Attempts)}}
	if n.LastError != "" {
		e.Facts["reason"], e.Facts["next"] = n.LastError, "given up"
		if !n.NextAt.IsZero() {
			e.Facts["next"] = n.NextAt.Format(time.RFC3339)
		}
	}
	return e
}
