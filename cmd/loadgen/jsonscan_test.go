package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

func TestJSONField(t *testing.T) {
	doc := ` { "a":"x", "o":{"a":"inner","z":[1,{"q":"}"}]}, "n":12, "t":true,"e":"q\"\u0041", "last" : null}`
	for k, want := range map[string]string{"a": "x", "n": "12", "t": "true", "e": `q"A`, "last": "null"} {
		if v, ok := jsonField([]byte(doc), k); !ok || string(v) != want {
			t.Errorf("%s: %q %v", k, v, ok)
		}
	}
	if _, ok := jsonField([]byte(doc), "q"); ok {
		t.Error("nested key found at top level")
	}
	for i := range len(doc) - 1 {
		if _, ok := jsonField([]byte(doc[:i]), "a"); ok {
			t.Fatalf("truncated at %d accepted", i)
		}
	}
	for _, s := range []string{"", "[]", `"x"`, `{"a" 1}`, `{a:1}`, `{"a":}`} {
		if _, ok := jsonField([]byte(s), "a"); ok {
			t.Errorf("%q accepted", s)
		}
	}
}

// FuzzJSONField holds the scanner against encoding/json: in a valid object it
// finds what a decoder finds, and nothing makes it panic. Escaped spellings of a
// name are left out: the scanner compares bytes.
func FuzzJSONField(f *testing.F) {
	for _, s := range []string{`{"a":"x"}`, `{"b":[1,{"a":2}],"a":"y"}`, `{"a":null,"a":1}`, `{"a":"q\u0041"}`, `{"a"`, `{}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, ok := jsonField(b, "a")
		var decoded map[string]json.RawMessage
		if json.Unmarshal(b, &decoded) != nil || decoded == nil || bytes.ContainsRune(b, '\\') {
			return
		}
		want, there := decoded["a"]
		if ok != there || ok && string(got) != strings.Trim(string(want), `"`) {
			t.Fatalf("%q: got %q %v, want %q %v", b, got, ok, want, there)
		}
	})
}
