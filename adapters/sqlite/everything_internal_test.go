package sqlite

import (
	"errors"
	"strings"
	"testing"
	"time"

	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

func interactionOf(size int) oidc.Interaction {
	return oidc.Interaction{ID: "big", Parameters: map[string]string{"state": strings.Repeat("x", size)}}
}

// everything runs each statement of the adapter once, in one unit of work.
func everything(t *testing.T, s *Store) {
	t.Helper()
	missing := func(err error) error {
		if errors.Is(err, ports.ErrNotFound) {
			return nil
		}
		return err
	}
	err := s.Update(t.Context(), func(tx ports.Tx) error {
		errs := []error{tx.SaveClient(oauth.Client{ID: "c"}), tx.SaveUser(identity.User{ID: "u"}), tx.SaveSettings(oidc.Settings{}),
			tx.SaveSigningKey(oidc.SigningKey{}), tx.SaveSession(identity.Session{ID: "s", User: "u"}), tx.SaveTicket(identity.Ticket{}),
			tx.SaveAttempts(identity.Attempts{}), tx.SaveInteraction(oidc.Interaction{}), tx.SaveGrant(oauth.Grant{ID: "g", Client: "c", User: "u"}),
			tx.SaveCode(oauth.AuthorizationCode{}), tx.SaveTokenFamily(oauth.TokenFamily{ID: "f", Grant: "g"}), tx.Record(audit.Event{})}
		keep := func(_ any, err error) { errs = append(errs, missing(err)) }
		keep(tx.Client("c"))
		keep(tx.Clients())
		keep(tx.Settings())
		keep(tx.SigningKeys())
		keep(tx.User("u"))
		keep(tx.UserByLogin("x"))
		keep(tx.HasAdmin())
		keep(tx.Session("s"))
		keep(tx.SessionByKey([32]byte{}))
		keep(tx.SessionsOfUser("u"))
		keep(tx.Ticket([32]byte{}))
		keep(tx.Attempts("x"))
		keep(tx.Interaction("x"))
		keep(tx.Grant("g"))
		keep(tx.LiveGrant("u", "c"))
		keep(tx.GrantsOfUser("u"))
		keep(tx.GrantsOfClient("c"))
		keep(tx.Code(oauth.Digest{}))
		keep(tx.TokenFamily("f"))
		keep(tx.FamiliesOfGrant("g"))
		keep(tx.FamiliesOfSession("s"))
		keep(tx.LatestFamilies("g", 1))
		keep(tx.Events(audit.Query{Kinds: []audit.Kind{"x"}, Client: "x", User: "x", Session: "x", Family: "x", RequestID: "x", IP: "x", Refused: true,
			Since: time.UnixMilli(1), Until: time.UnixMilli(2), Before: 1, Newest: true, Limit: 1}))
		errs = append(errs, tx.JoinSession("s", "c"), tx.SaveLogoutNotice(oidc.LogoutNotice{ID: "n"}))
		keep(tx.SessionClients("s"))
		keep(tx.LogoutNotice("n"))
		keep(tx.NoticesOfSession("s"))
		keep(tx.DueLogoutNotices(time.UnixMilli(1), 1, 1))
		keep(tx.LogoutNotices(1))
		errs = append(errs, tx.SaveFactor(identity.Factor{ID: "x", User: "u"}), tx.SaveRecoveryCodes(identity.RecoveryCodes{User: "u"}), tx.SaveChallenge(identity.Challenge{User: "u"}))
		keep(tx.Factor("x"))
		keep(tx.Factors("u"))
		keep(tx.FactorByCredential([]byte("x")))
		keep(tx.RecoveryCodes("u"))
		keep(tx.Challenge([32]byte{}))
		errs = append(errs, tx.DeleteFactor("x"), tx.DeleteChallenge([32]byte{}))
		keep(tx.TrailHead())
		keep(tx.Moment("x"))
		errs = append(errs, tx.SaveMasterRoot(ports.MasterRoot{}))
		keep(tx.MasterRoot())
		keep(tx.TokenRevoked("x"))
		keep(tx.TicketsOfUser("u"))
		keep(tx.Users("", 1))
		keep(tx.Sessions(time.UnixMilli(1), 1))
		errs = append(errs, tx.SaveMoment("x", time.UnixMilli(1)), tx.RevokeToken("x", time.UnixMilli(1)), tx.Expire(time.UnixMilli(1), time.UnixMilli(1)))
		errs = append(errs, tx.SaveCode(oauth.AuthorizationCode{}), tx.SaveTokenFamily(oauth.TokenFamily{ID: "f", Grant: "g", Generation: 2}))
		keep(tx.Sweep(time.UnixMilli(0), 1))
		return errors.Join(append(errs, tx.DeleteClient("c"), tx.DeleteUser("u"), tx.DeleteSigningKey(""))...)
	})
	if err != nil {
		t.Fatal(err)
	}
}
