package oidc_test

import (
	"encoding/json"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey/domain/oidc"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestMetadata(t *testing.T) {
	const issuer = "https://login.test"
	endpoints := oidc.Endpoints{Authorization: "/authorize", Token: "/token", UserInfo: "/userinfo", JWKS: "/.well-known/jwks.json",
		Revocation: "/revocation", Introspection: "/introspect", EndSession: "/connect/logout", CheckSession: "/connect/checksession"}
	for file, plain := range map[string]bool{"testdata/discovery.json": false, "testdata/discovery-plain.json": true} {
		t.Run("OP-06 "+file, func(t *testing.T) {
			m := oidc.MetadataFor(issuer, endpoints, plain)
			got, err := json.MarshalIndent(m, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, '\n')
			if *update {
				if err := os.WriteFile(file, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("-want +got; -update rewrites it:\n%s", diff)
			}
			if slices.Contains(m.CodeChallengeMethods, "plain") != plain {
				t.Errorf("PK-02: %q", m.CodeChallengeMethods)
			}
			if strings.Contains(string(got), "null") {
				t.Error("a list is null")
			}
		})
	}
	t.Run("two documents share nothing", func(t *testing.T) {
		oidc.MetadataFor(issuer, endpoints, true)
		if m := oidc.MetadataFor(issuer, endpoints, false); slices.Contains(m.CodeChallengeMethods, "plain") {
			t.Error("plain stayed")
		}
	})
}
