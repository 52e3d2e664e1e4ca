package app_test

import (
	"encoding/json"
	"io"
	"net/http"
	"testing"
	"time"

	"latchkey/app"
	"latchkey/app/apptest"
	"latchkey/domain/oidc"
)

// A running server publishes what another process of ours did to the keys, and goes on signing with the active ones: here
// one whose clock is near the next rotation.
func TestKeysOfAnotherProcess(t *testing.T) {
	t.Parallel()
	p := apptest.NewProcess(t)
	p.Start()
	published := func() (kids map[string]bool) {
		t.Helper()
		resp, err := http.Get(p.Issuer + "/jwks")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		var set struct{ Keys []struct{ Kid string } }
		if err := json.Unmarshal(text, &set); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		kids = map[string]bool{}
		for _, k := range set.Keys {
			kids[k.Kid] = true
		}
		return kids
	}
	before := published()
	if len(before) != 2 {
		t.Fatalf("%d keys", len(before))
	}
	later := time.Now().UTC().Add(oidc.KeyRotation - oidc.KeyLead).Truncate(time.Millisecond)
	other, err := app.New(t.Context(), app.Config{Database: p.File(), MasterKey: p.File() + ".key", Now: func() time.Time { return later }})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if _, err := other.Admin.RotateKeys(t.Context()); err != nil {
		t.Fatal(err)
	}
	after := published()
	for range 100 {
		if len(after) == 4 {
			break
		}
		time.Sleep(50 * time.Millisecond)
		after = published()
	}
	for kid := range before {
		if !after[kid] {
			t.Errorf("key %s is gone", kid)
		}
	}
	if len(after) != 4 {
		t.Errorf("%d keys are published, want the two of now and the two to come", len(after))
	}
}
