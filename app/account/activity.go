package account

import (
	"context"
	"errors"
	"slices"
	"time"

	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/ports"
)

const (
	activityPage = 50 // events on a page
	signInDays   = 30
	// mostSignIns bounds what is read to count sign-ins, whoever tries how often: the newest count.
	mostSignIns = 5000
)

// What counts as a sign-in, by how it ended.
var (
	signInsOK     = []audit.Kind{audit.LoginSucceeded}
	signInsFailed = []audit.Kind{audit.LoginFailed, audit.LoginDisabled, audit.LoginLocked, audit.FactorFailed, audit.FactorReplayed, audit.FactorLocked}
)

// shown are the kinds that mean something to the user they are about. What only applications do in the course of a working
// day, such as refreshing tokens, is not among them.
var shown = slices.Concat(signInsOK, signInsFailed, []audit.Kind{
	audit.SessionEnded, audit.ConsentGranted, audit.ConsentDenied, audit.GrantRevoked,
	audit.CodeReplayed, audit.CodeClientMismatch, audit.TokenReplayed, audit.TokenMismatch, audit.TokenRevoked,
	audit.UserCreated, audit.UserChanged, audit.UserUnlocked, audit.PasswordChanged, audit.EmailChanged, audit.ResetOffered, audit.AdminRecovered,
	audit.FactorOffered, audit.FactorRefused, audit.FactorEnrolled, audit.FactorRenamed, audit.FactorRemoved, audit.RecoveryMade, audit.RecoveryUsed,
})

// Activity returns what happened to the account before an event, or of late. A sign-in that failed is there when it named
// this account; what was typed is in no record.
func (e Endpoint) Activity(ctx context.Context, b ports.Browser, before int64) (ports.Activity, error) {
	var a ports.Activity
	now := e.Now()
	err := e.Store.View(ctx, func(r ports.Reader) (err error) {
		if _, a.User, err = current(r, b, now); err != nil {
			return err
		}
		of := string(a.User.ID)
		a.Events, err = r.Events(audit.Query{User: of, Kinds: shown, Before: before, Newest: true, Limit: activityPage + 1})
		if err != nil {
			return err
		}
		if len(a.Events) > activityPage {
			a.Events = a.Events[:activityPage]
			a.Older = a.Events[activityPage-1].Seq
		}
		if a.Clients, a.Grants, err = named(r, a.Events); err != nil || before != 0 {
			return err
		}
		days := calendar(now, a.User)
		tried, err := r.Events(audit.Query{User: of, Kinds: slices.Concat(signInsOK, signInsFailed), Since: days[0].Start, Newest: true, Limit: mostSignIns})
		a.SignIns = count(days, tried)
		return err
	})
	return a, err
}

// named returns the clients and grants that events name, as far as they still exist.
func named(r ports.Reader, events []audit.Event) (map[oauth.ClientID]oauth.Client, map[oauth.GrantID]bool, error) {
	clients, grants := map[oauth.ClientID]oauth.Client{}, map[oauth.GrantID]bool{}
	for _, e := range events {
		if id := oauth.ClientID(e.Client); clients[id].ID == "" && id != "" {
			c, err := r.Client(id)
			if err != nil && !errors.Is(err, ports.ErrNotFound) {
				return nil, nil, err
			}
			clients[id] = c
		}
		if id := oauth.GrantID(e.Grant); !grants[id] && id != "" {
			_, err := r.Grant(id)
			if err != nil && !errors.Is(err, ports.ErrNotFound) {
				return nil, nil, err
			}
			grants[id] = err == nil
		}
	}
	return clients, grants, nil
}

// calendar returns the last days of the user, today included, oldest first. A day begins at midnight where the user is, also
// when the clocks change.
func calendar(now time.Time, user identity.User) []ports.SignInDay {
	zone, err := time.LoadLocation(user.Claims.Zoneinfo)
	if err != nil {
		zone = time.UTC
	}
	year, month, day := now.In(zone).Date()
	days := make([]ports.SignInDay, signInDays)
	for i := range days {
		days[i].Start = time.Date(year, month, day-signInDays+1+i, 0, 0, 0, 0, zone)
	}
	return days
}

// count sorts sign-ins into their days.
func count(days []ports.SignInDay, tried []audit.Event) []ports.SignInDay {
	for _, e := range tried {
		i, exact := slices.BinarySearchFunc(days, e.At, func(d ports.SignInDay, at time.Time) int { return d.Start.Compare(at) })
		if !exact {
			i--
		}
		switch {
		case i < 0:
		case slices.Contains(signInsOK, e.Kind):
			days[i].OK++
		default:
			days[i].Failed++
		}
	}
	return days
}
