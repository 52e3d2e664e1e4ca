package main

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"latchkey/app"
)

var versionCommand = command{
	name:     "version",
	summary:  "print the versions of Latchkey, Go and SQLite",
	examples: []string{"latchkey version", "latchkey version --json", "latchkey version --sbom > latchkey.cdx.json"},
	flags:    []flag{jsonFlag, {name: "sbom", help: "print everything the program is made of, as a CycloneDX document"}},
	run:      runVersion,
}

func runVersion(_ context.Context, c *call) error {
	sqlite := app.SQLiteVersion()
	switch {
	case c.values.has("sbom"):
		info, ok := debug.ReadBuildInfo()
		if !ok {
			return fmt.Errorf("this build carries no module information: build it with go build in module mode")
		}
		return printJSON(c.stdout, billOfMaterials(info, sqlite))
	case c.values.has("json"):
		return printJSON(c.stdout, map[string]string{"latchkey": moduleVersion(), "go": runtime.Version(), "sqlite": sqlite})
	}
	fmt.Fprintf(c.stdout, "latchkey %s\ngo %s\nsqlite %s\n", moduleVersion(), runtime.Version(), sqlite)
	return nil
}

// moduleVersion is what the build says of itself: a release, or the commit.
func moduleVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}

// bom is a software bill of materials (CycloneDX 1.6). It says only what the build recorded, and no time, so that the same
// source gives the same document.
type bom struct {
	Format     string      `json:"bomFormat"`
	Spec       string      `json:"specVersion"`
	Version    int         `json:"version"`
	Metadata   bomMetadata `json:"metadata"`
	Components []component `json:"components"`
}

type bomMetadata struct {
	Component component `json:"component"`
}

type component struct {
	Type       string     `json:"type"`
	Name       string     `json:"name"`
	Version    string     `json:"version"`
	Package    string     `json:"purl,omitempty"`
	Properties []property `json:"properties,omitempty"`
}

type property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

func billOfMaterials(info *debug.BuildInfo, sqlite string) bom {
	program := component{Type: "application", Name: "latchkey", Version: moduleVersion()}
	for _, s := range info.Settings {
		program.Properties = append(program.Properties, property{"go:build:" + s.Key, s.Value})
	}
	parts := []component{{Type: "library", Name: "Go standard library", Version: strings.TrimPrefix(info.GoVersion, "go"),
		Package: "pkg:golang/std@" + strings.TrimPrefix(info.GoVersion, "go")}}
	for _, m := range info.Deps {
		part := component{Type: "library", Name: m.Path, Version: m.Version, Package: "pkg:golang/" + m.Path + "@" + m.Version}
		if m.Sum != "" {
			part.Properties = []property{{"go:sum", m.Sum}} // as in go.sum
		}
		parts = append(parts, part)
	}
	// The C library is compiled in from the source that go-sqlite3 carries.
	parts = append(parts, component{Type: "library", Name: "SQLite", Version: sqlite, Package: "pkg:generic/sqlite@" + sqlite})
	return bom{Format: "CycloneDX", Spec: "1.6", Version: 1, Metadata: bomMetadata{program}, Components: parts}
}
