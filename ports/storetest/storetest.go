// Package storetest owns the contract of ports.Store, as tests that every adapter runs. What only one adapter promises,
// such as durability, is left to its own tests.
//
//	values.go   every aggregate with every field comes back as it was saved
//	units.go    a unit of work is kept or dropped whole, and runs alone
//	lookups.go  what each lookup finds, and what deleting takes along
//	changes.go  which units Store.Changes counts
//	sweep.go    which rows can no longer matter
//	logout.go   who takes part in a session, and what they have to be told
//	factor.go   what a user has beside the password
package storetest

import (
	"crypto/sha256"
	"testing"
	"time"

	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/ports"
)

// Tag is what the stores under test key the audit trail with.
func Tag(body []byte) [32]byte { return sha256.Sum256(body) }

// epoch is when the tests take place.
var epoch = time.Date(2030, 1, 2, 3, 4, 5, 6e6, time.UTC)

// Run checks the contract against fresh, empty stores made by open, which closes them when the test ends.
func Run(t *testing.T, open func(*testing.T) ports.Store) {
	for name, check := range map[string]func(*testing.T, ports.Store){
		"EveryFieldIsKept":            everyFieldIsKept,
		"EventsAreInOrder":            eventsAreInOrder,
		"EventsAreChained":            eventsAreChained,
		"EventsByQuery":               eventsByQuery,
		"Pages":                       pages,
		"SessionClients":              sessionClients,
		"LogoutNotices":               logoutNotices,
		"Factors":                     factors,
		"MomentsAndRevokedTokens":     momentsAndRevokedTokens,
		"ExpireIsFinal":               expireIsFinal,
		"ErrorDropsTheUnit":           errorDropsTheUnit,
		"PanicDropsTheUnit":           panicDropsTheUnit,
		"FailedSaveDropsTheUnit":      failedSaveDropsTheUnit,
		"RefusalKeepsTheUnit":         refusalKeepsTheUnit,
		"CancelledUnitDoesNotBegin":   cancelledUnitDoesNotBegin,
		"UpdatesRunAlone":             updatesRunAlone,
		"NeighboursAreIndependent":    neighboursAreIndependent,
		"SnapshotIsConsistent":        snapshotIsConsistent,
		"UnitsSeeTheCommittedState":   unitsSeeTheCommittedState,
		"ReaderCannotSave":            readerCannotSave,
		"MissingIsErrNotFound":        missingIsErrNotFound,
		"UserByLogin":                 userByLogin,
		"HasAdmin":                    hasAdmin,
		"ListsAreLiveAndOldestFirst":  listsAreLiveAndOldestFirst,
		"LiveGrantIgnoresRevoked":     liveGrantIgnoresRevoked,
		"OneLiveGrantAndOneUsername":  oneLiveGrantAndOneUsername,
		"DeletingTakesAlong":          deletingTakesAlong,
		"ChangesCountsWhatMatters":    changesCountsWhatMatters,
		"SweepTakesWhatCannotMatter":  sweepTakesWhatCannotMatter,
		"SweepStopsAtItsLimit":        sweepStopsAtItsLimit,
		"SweepKeepsGrantsWithHistory": sweepKeepsGrantsWithHistory,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check(t, open(t))
		})
	}
}

func update(t *testing.T, s ports.Store, fn func(ports.Tx) error) {
	t.Helper()
	if err := s.Update(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

func view(t *testing.T, s ports.Store, fn func(ports.Reader) error) {
	t.Helper()
	if err := s.View(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

// each saves the values one after another.
func each[T any](save func(T) error, values ...T) error {
	for _, v := range values {
		if err := save(v); err != nil {
			return err
		}
	}
	return nil
}

// populate saves the users u1 and u2, the clients c1 and c2, and the grants g1 of u1 to c1 and g2 of u1 to c2.
func populate(t *testing.T, s ports.Store) {
	t.Helper()
	update(t, s, func(tx ports.Tx) error {
		if err := each(tx.SaveUser, identity.User{ID: "u1", Username: "ana"}, identity.User{ID: "u2", Username: "budi"}); err != nil {
			return err
		}
		if err := each(tx.SaveClient, oauth.Client{ID: "c1"}, oauth.Client{ID: "c2"}); err != nil {
			return err
		}
		return each(tx.SaveGrant, oauth.Grant{ID: "g1", User: "u1", Client: "c1", CreatedAt: epoch},
			oauth.Grant{ID: "g2", User: "u1", Client: "c2", CreatedAt: epoch})
	})
}
