package jose

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseObject(t *testing.T) {
	nested := func(n int) string { return strings.Repeat(`{"a":`, n) + "1" + strings.Repeat("}", n) }
	listed := func(n int) string { return `{"a":` + strings.Repeat("[", n) + strings.Repeat("]", n) + "}" }
	for text, want := range map[string]object{
		`{}`:            {},
		" {\t}\r\n":     {},
		`{"a":"b"}`:     {"a": "b"},
		`{"":""}`:       {"": ""},
		`{ "a" : [ ] }`: {"a": []any{}},
		`{"a":[1,-0,1.5,1e9,-2.5E-3,0],"b":{"a":null,"c":[true,false]}}`: {
			"a": []any{number("1"), number("-0"), number("1.5"), number("1e9"), number("-2.5E-3"), number("0")},
			"b": object{"a": nil, "c": []any{true, false}}},
		`{"\u0061\n\/\"\\\b\f\r\t":"\ud83d\uDD11é🔑\u0000"}`: {"a\n/\"\\\b\f\r\t": "🔑é🔑\x00"},
		`{"a":1,"b":{"a":2,"b":3}}`:                         {"a": number("1"), "b": object{"a": number("2"), "b": number("3")}},
	} {
		got, err := parseObject([]byte(text))
		if d := cmp.Diff(want, got); err != nil || d != "" {
			t.Errorf("%s: error %v (-want +got):\n%s", text, err, d)
		}
	}
	for _, text := range []string{nested(maxDepth), listed(maxDepth - 1)} {
		if _, err := parseObject([]byte(text)); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, text := range []string{
		nested(maxDepth + 1), listed(maxDepth), nested(10_000), strings.Repeat("[", 10_000),
		``, ` `, `null`, `1`, `"a"`, `[]`, `true`, `{`, `}`, `{}}`, `{}{}`, `{} x`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{,}`, `{a:1}`, `{'a':1}`, `{"a":1 "b":2}`,
		`{"a":01}`, `{"a":-}`, `{"a":+1}`, `{"a":.5}`, `{"a":1.}`, `{"a":1e}`, `{"a":1e+}`, `{"a":0x1}`, `{"a":NaN}`, `{"a":Infinity}`, `{"a":--1}`,
		`{"a":tru}`, `{"a":True}`, `{"a":nulll}`, `{"a":[1,]}`, `{"a":[,1]}`, `{"a":[1 2]}`, `{"a":[}`, `{"a":"\x"}`, `{"a":"\u12"}`, `{"a":"\u12g4"}`, `{"a":"\u+123"}`, "{\"a\":\"\\u\x10\x11\x12\x13\"}",
		`{"a":"\`, `{"a":"\"`, `{"a":"b`, `{"a`, "{\"a\":\"\n\"}", "{\"a\":\"\x00\"}", "{\"a\":\"\x1f\"}", "{\"a\":\"\xff\"}", "{\"\xc0\x80\":1}", "{\"a\":\"\xed\xa0\x80\"}", "\xef\xbb\xbf{}",
		`{"a":"\ud800"}`, `{"a":"\udc00"}`, `{"a":"\ud800\ud800"}`, `{"a":"\ud800\u0041"}`, `{"a":"\ud800x"}`, `{"a":"\udc00\ud800"}`, `{"a":1}//`, `{/**/}`, "{\u00a0}", "{\v}",
	} {
		if got, err := parseObject([]byte(text)); err == nil {
			t.Errorf("%.60q: read as %v", text, got)
		}
	}
}

// JW-08: names that some reader would take for one another.
func TestRepeatedNames(t *testing.T) {
	for _, names := range [][2]string{{"a", "a"}, {"a", "A"}, {"sub", "Sub"}, {"kid", "\u212aid"}, {"sub", "\u017fub"}, {"\u0061", `\u0061`}, {"é", "É"}, {"σ", "ς"}, {"", ""}} {
		for _, text := range []string{`{"` + names[0] + `":1,"` + names[1] + `":1}`, `{"` + names[1] + `":1,"b":2,"` + names[0] + `":1}`, `{"x":[{"` + names[0] + `":1,"` + names[1] + `":1}]}`} {
			if got, err := parseObject([]byte(text)); err == nil {
				t.Errorf("%s: read as %v", text, got)
			}
		}
	}
	if _, err := parseObject([]byte(`{"a":1,"a ":1,"b":{"a":1},"a_":1,"á":1}`)); err != nil {
		t.Errorf("different names: %v", err)
	}
}

// plain turns our values into those encoding/json makes with UseNumber.
func plain(v any) any {
	switch v := v.(type) {
	case number:
		return json.Number(v)
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = plain(v[i])
		}
		return list
	case object:
		o := map[string]any{}
		for name := range v {
			o[name] = plain(v[name])
		}
		return o
	}
	return v
}

// Whatever we accept, encoding/json accepts with the same value.
func FuzzParseObject(f *testing.F) {
	for _, seed := range []string{``, `{}`, `{"a":1,"A":2}`, `{"a":{"b":[1,-0.5e+7,"\ud83d\udd11\n",null,true,false]}}`, `{"\u212a":1,"k":2}`, `{"a":"\ud800"}`, ` {"a" : 01}`,
		strings.Repeat(`{"a":`, 17), "{\"a\":\"\xff\"}", valid(typAccessToken), valid(typIDToken)} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := parseObject(text)
		if err != nil {
			return
		}
		var want any
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		if err := d.Decode(&want); err != nil || !json.Valid(text) {
			t.Fatalf("%q is read, and encoding/json refuses it: %v", text, err)
		}
		if diff := cmp.Diff(want, plain(got)); diff != "" {
			t.Errorf("%q (-encoding/json +ours):\n%s", text, diff)
		}
	})
}

func FuzzAppendString(f *testing.F) {
	for _, seed := range []string{"", "plain", "\x00\x1f\"\\/\x7f", "é🔑\u2028", "\xff\xfe", "a\xc3", "\xed\xa0\x80", "<script>&"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		ours := appendString(nil, s)
		theirs, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var want, got string
		if err := json.Unmarshal(theirs, &want); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(ours, &got); err != nil || got != want {
			t.Errorf("%q is written as %s, which reads as %q (%v), want %q", s, ours, got, err, want)
		}
		if o, err := parseObject([]byte(`{"a":` + string(ours) + `}`)); err != nil || o["a"] != want {
			t.Errorf("our own reader reads %s as %q (%v)", ours, o["a"], err)
		}
	})
}
