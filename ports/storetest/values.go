package storetest

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

// lookup finds a saved value again.
type lookup[T any] func(ports.Reader, T) (T, error)

// everyFieldIsKept saves each aggregate with a distinct value in every field, so that a forgotten or swapped column shows,
// then changes every field but the key, then empties them.
func everyFieldIsKept(t *testing.T, s ports.Store) {
	populate(t, s)
	grants := []oauth.GrantID{"g1", "g2"}
	users := []identity.UserID{"u1", "u2"}
	kept(t, s, func(c *oauth.Client, _ int) { c.ID = "client" }, ports.Tx.SaveClient, map[string]lookup[oauth.Client]{
		"Client": func(r ports.Reader, c oauth.Client) (oauth.Client, error) { return r.Client(c.ID) },
		"Clients": func(r ports.Reader, c oauth.Client) (oauth.Client, error) {
			all, err := r.Clients()
			return pick(all, func(x oauth.Client) bool { return x.ID == c.ID }), err
		},
	})
	kept(t, s, func(*oidc.Settings, int) {}, ports.Tx.SaveSettings, map[string]lookup[oidc.Settings]{
		"Settings": func(r ports.Reader, _ oidc.Settings) (oidc.Settings, error) { return r.Settings() },
	})
	kept(t, s, func(*ports.MasterRoot, int) {}, ports.Tx.SaveMasterRoot, map[string]lookup[ports.MasterRoot]{
		"MasterRoot": func(r ports.Reader, _ ports.MasterRoot) (ports.MasterRoot, error) { return r.MasterRoot() },
	})
	kept(t, s, func(k *oidc.SigningKey, _ int) { k.ID = "key" }, ports.Tx.SaveSigningKey, map[string]lookup[oidc.SigningKey]{
		"SigningKeys": func(r ports.Reader, k oidc.SigningKey) (oidc.SigningKey, error) {
			ring, err := r.SigningKeys()
			return pick(ring, func(x oidc.SigningKey) bool { return x.ID == k.ID }), err
		},
	})
	kept(t, s, func(u *identity.User, _ int) { u.ID = "user" }, ports.Tx.SaveUser, map[string]lookup[identity.User]{
		"User":        func(r ports.Reader, u identity.User) (identity.User, error) { return r.User(u.ID) },
		"UserByLogin": func(r ports.Reader, u identity.User) (identity.User, error) { return r.UserByLogin(u.Username) },
	})
	kept(t, s, func(x *identity.Session, n int) { x.ID, x.User = "session", users[n%2] }, ports.Tx.SaveSession, map[string]lookup[identity.Session]{
		"Session":      func(r ports.Reader, x identity.Session) (identity.Session, error) { return r.Session(x.ID) },
		"SessionByKey": func(r ports.Reader, x identity.Session) (identity.Session, error) { return r.SessionByKey(x.Key) },
	})
	kept(t, s, func(k *identity.Ticket, _ int) { k.Key = [32]byte{1} }, ports.Tx.SaveTicket, map[string]lookup[identity.Ticket]{
		"Ticket": func(r ports.Reader, k identity.Ticket) (identity.Ticket, error) { return r.Ticket(k.Key) },
	})
	kept(t, s, func(a *identity.Attempts, _ int) { a.Key = "key" }, ports.Tx.SaveAttempts, map[string]lookup[identity.Attempts]{
		"Attempts": func(r ports.Reader, a identity.Attempts) (identity.Attempts, error) { return r.Attempts(a.Key) },
	})
	kept(t, s, func(f *identity.Factor, n int) { f.ID, f.User = "factor", users[n%2] }, ports.Tx.SaveFactor, map[string]lookup[identity.Factor]{
		"Factor": func(r ports.Reader, f identity.Factor) (identity.Factor, error) { return r.Factor(f.ID) },
		"Factors": func(r ports.Reader, f identity.Factor) (identity.Factor, error) {
			all, err := r.Factors(f.User)
			return pick(all, func(x identity.Factor) bool { return x.ID == f.ID }), err
		},
		"FactorByCredential": func(r ports.Reader, f identity.Factor) (identity.Factor, error) {
			if len(f.CredentialID) == 0 {
				return f, nil
			}
			return r.FactorByCredential(f.CredentialID)
		},
	})
	kept(t, s, func(c *identity.RecoveryCodes, _ int) { c.User = "u1" }, ports.Tx.SaveRecoveryCodes, map[string]lookup[identity.RecoveryCodes]{
		"RecoveryCodes": func(r ports.Reader, c identity.RecoveryCodes) (identity.RecoveryCodes, error) {
			return r.RecoveryCodes(c.User)
		},
	})
	kept(t, s, func(c *identity.Challenge, n int) { c.Key, c.User = [32]byte{1}, users[n%2] }, ports.Tx.SaveChallenge, map[string]lookup[identity.Challenge]{
		"Challenge": func(r ports.Reader, c identity.Challenge) (identity.Challenge, error) { return r.Challenge(c.Key) },
	})
	kept(t, s, func(i *oidc.Interaction, _ int) { i.ID = "interaction" }, ports.Tx.SaveInteraction, map[string]lookup[oidc.Interaction]{
		"Interaction": func(r ports.Reader, i oidc.Interaction) (oidc.Interaction, error) { return r.Interaction(i.ID) },
	})
	kept(t, s, func(g *oauth.Grant, n int) { g.ID, g.User, g.Client = "grant", "u2", []oauth.ClientID{"c1", "c2"}[n%2] }, ports.Tx.SaveGrant, map[string]lookup[oauth.Grant]{
		"Grant": func(r ports.Reader, g oauth.Grant) (oauth.Grant, error) { return r.Grant(g.ID) },
	})
	kept(t, s, func(c *oauth.AuthorizationCode, _ int) { c.Digest = oauth.Digest{1} }, ports.Tx.SaveCode, map[string]lookup[oauth.AuthorizationCode]{
		"Code": func(r ports.Reader, c oauth.AuthorizationCode) (oauth.AuthorizationCode, error) {
			return r.Code(c.Digest)
		},
	})
	kept(t, s, func(f *oauth.TokenFamily, n int) { f.ID, f.Grant = "family", grants[n%2] }, ports.Tx.SaveTokenFamily, map[string]lookup[oauth.TokenFamily]{
		"TokenFamily": func(r ports.Reader, f oauth.TokenFamily) (oauth.TokenFamily, error) { return r.TokenFamily(f.ID) },
	})
	kept(t, s, func(n *oidc.LogoutNotice, _ int) { n.ID = "notice" }, ports.Tx.SaveLogoutNotice, map[string]lookup[oidc.LogoutNotice]{
		"LogoutNotice": func(r ports.Reader, n oidc.LogoutNotice) (oidc.LogoutNotice, error) { return r.LogoutNotice(n.ID) },
	})
}

// rounds is how many times kept fills a value: in the first every flag is set, in the others each flag follows one bit
// of its number, so that no two flags are always equal.
const rounds = 7

// kept saves values of T, with the key and references that name gives them, and looks them up in every way.
func kept[T any](t *testing.T, s ports.Store, name func(*T, int), save func(ports.Tx, T) error, lookups map[string]lookup[T]) {
	t.Helper()
	var values []func() T // each call returns the same value, sharing nothing
	for round := range rounds {
		values = append(values, func() T {
			v := filled[T](t, round)
			name(&v, round)
			return v
		})
	}
	values = append(values, func() (v T) { name(&v, rounds); return v })
	if at := zero(reflect.ValueOf(values[0]()), "", true); at != "" {
		t.Fatalf("%T%s is not filled", values[0](), at)
	}
	for round, value := range values {
		want := value()
		check := func(r ports.Reader) error {
			for by, find := range lookups {
				for range 2 { // what the first caller does to its answer is not seen by the second
					got, err := find(r, want)
					if err != nil {
						return fmt.Errorf("%s by %s: %w", typeName(want), by, err)
					}
					if !reflect.DeepEqual(want, got) {
						t.Errorf("round %d: %T by %s (-want +got):\n%s", round, want, by, cmp.Diff(want, got))
					}
					scramble(reflect.ValueOf(&got).Elem())
				}
			}
			return nil
		}
		update(t, s, func(tx ports.Tx) error {
			given := value()
			if round > 1 { // a store may take a shorter way for what the unit has read
				for _, find := range lookups {
					if _, err := find(tx, values[round-1]()); err != nil {
						return err
					}
				}
			}
			if err := save(tx, given); err != nil {
				return err
			}
			scramble(reflect.ValueOf(&given).Elem()) // what the caller does next to what it saved is not saved
			return check(tx)
		})
		view(t, s, check)
		view(t, s, check)
	}
}

func typeName(v any) string { return reflect.TypeOf(v).String() }

func pick[T any](values []T, match func(T) bool) (found T) {
	if i := slices.IndexFunc(values, match); i >= 0 {
		found = values[i]
	}
	return found
}

// filled returns a T with a distinct value in every field.
func filled[T any](t *testing.T, round int) (v T) {
	f := filler{t: t, round: round, n: 100 * round}
	f.fill(reflect.ValueOf(&v).Elem())
	return v
}

type filler struct {
	t     *testing.T
	round int
	n     int // of the last value
	flags int
}

func (f *filler) fill(v reflect.Value) {
	f.n++
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(epoch.Add(time.Duration(f.n) * 1001 * time.Millisecond)))
		return
	case time.Duration:
		v.SetInt(int64(f.n) * int64(time.Millisecond))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			f.fill(v.Field(i))
		}
	case reflect.String: // with what an encoder may stumble over
		v.SetString(fmt.Sprintf("%d \"quoted\", \\ <é用>", f.n))
		if f.round%2 == 0 {
			v.SetString(fmt.Sprintf("plain-%d", f.n))
		}
	case reflect.Bool:
		f.flags++
		v.SetBool(f.round == 0 || f.flags>>(f.round-1)&1 == 1)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(f.n))
	case reflect.Uint32:
		v.SetUint(uint64(f.n))
	case reflect.Uint8:
		v.SetUint(uint64(f.n%255 + 1))
	case reflect.Array:
		for i := range v.Len() {
			f.fill(v.Index(i))
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 3, 3))
		for i := range v.Len() {
			f.fill(v.Index(i))
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range 3 {
			key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			f.fill(key)
			f.fill(value)
			v.SetMapIndex(key, value)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		f.fill(v.Elem())
	default:
		f.t.Fatalf("storetest cannot fill a %s", v.Type())
	}
}

// zero returns where the first zero value in v is, or "".
func zero(v reflect.Value, at string, top bool) string {
	if !top && v.IsZero() {
		return at
	}
	if v.Kind() == reflect.Struct && v.Type() != reflect.TypeFor[time.Time]() {
		for i := range v.NumField() {
			if found := zero(v.Field(i), at+"."+v.Type().Field(i).Name, false); found != "" {
				return found
			}
		}
	}
	if v.Kind() == reflect.Pointer {
		return zero(v.Elem(), at, false)
	}
	return ""
}

// scramble overwrites everything v points to.
func scramble(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range v.NumField() {
			scramble(v.Field(i))
		}
	case reflect.Slice:
		for i := range v.Len() {
			v.Index(i).SetZero()
		}
	case reflect.Map:
		v.Clear()
	case reflect.Pointer:
		if !v.IsNil() {
			v.Elem().SetZero()
		}
	}
}

func eventsAreInOrder(t *testing.T, s ports.Store) {
	var want []audit.Event
	for round := range 3 {
		want = append(want, filled[audit.Event](t, round))
	}
	want = append(want, audit.Event{})
	update(t, s, func(tx ports.Tx) error {
		return each(tx.Record, filled[audit.Event](t, 0), filled[audit.Event](t, 1))
	})
	update(t, s, func(tx ports.Tx) error {
		given := filled[audit.Event](t, 2)
		err := tx.Record(given)
		scramble(reflect.ValueOf(&given).Elem())
		if err != nil {
			return err
		}
		return tx.Record(audit.Event{})
	})
	view(t, s, func(r ports.Reader) error {
		got, err := r.Events(audit.Query{Limit: 10})
		if err != nil || len(got) != len(want) {
			t.Fatalf("got %d events, want %d: %v", len(got), len(want), err)
		}
		last := int64(0)
		for i, e := range got {
			if e.Seq <= last {
				t.Errorf("event %d has seq %d after %d", i, e.Seq, last)
			}
			last = e.Seq
			want[i].Seq, want[i].MAC = e.Seq, e.MAC // the store's own
		}
		if !reflect.DeepEqual(want, got) {
			t.Errorf("events (-want +got):\n%s", cmp.Diff(want, got))
		}
		head, err := r.TrailHead()
		if end, broken := audit.Verify(audit.Anchor{}, got, Tag); broken != nil || err != nil || end != head {
			t.Errorf("the chain ends at %v with %v, the trail at %v: %v", end, broken, head, err)
		}
		some, err := r.Events(audit.Query{After: got[0].Seq, Limit: 2})
		if diff := cmp.Diff(want[1:3], some); diff != "" {
			t.Errorf("two events after the first (-want +got):\n%s", diff)
		}
		if none, err := r.Events(audit.Query{After: last, Limit: 10}); err != nil || len(none) != 0 {
			t.Errorf("%d events after the last, %v", len(none), err)
		}
		return err
	})
}
