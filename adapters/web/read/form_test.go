package read

import (
	"maps"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestQuery(t *testing.T) {
	for _, tt := range []struct {
		text string
		want map[string][]string
	}{
		{"", map[string][]string{}},
		{"&&", map[string][]string{}},
		{"a=1&b=2", map[string][]string{"a": {"1"}, "b": {"2"}}},
		{"a=1&a=2", map[string][]string{"a": {"1", "2"}}},
		{"a", map[string][]string{"a": {""}}},
		{"a=", map[string][]string{"a": {""}}},
		{"=x", map[string][]string{"": {"x"}}},
		{"a=b=c", map[string][]string{"a": {"b=c"}}},
		{"a+b=c+d%2B", map[string][]string{"a b": {"c d+"}}},
		{"a=1;b=2", map[string][]string{"a": {"1;b=2"}}}, // a semicolon separates nothing
		{"a=%E2%82%AC", map[string][]string{"a": {"€"}}},
		{"a=" + strings.Repeat("x", maxValue), map[string][]string{"a": {strings.Repeat("x", maxValue)}}},
	} {
		got, refusal := Query(tt.text)
		if refusal != nil {
			t.Errorf("%.40q: %v", tt.text, refusal)
		}
		if diff := cmp.Diff(tt.want, got.Values); diff != "" {
			t.Errorf("%.40q: %s", tt.text, diff)
		}
	}
}

// RL-06, RL-13: what is refused, each with a reason that says what to change.
func TestQueryRefuses(t *testing.T) {
	many := func(n int) string { return strings.Repeat("a=1&", n) }
	for _, tt := range []struct{ name, text, reason string }{
		{"bad escape", "a=%zz", "properly form-encoded"},
		{"cut escape", "a=%4", "properly form-encoded"},
		{"bad escape in a name", "%zz=a", "properly form-encoded"},
		{"not UTF-8", "a=%ff", "properly form-encoded"},
		{"not UTF-8 and not escaped", "a=\xff", "properly form-encoded"},
		{"NUL", "a=b%00c", "properly form-encoded"},
		{"NUL in a name", "a%00=b", "properly form-encoded"},
		{"101 parameters", many(101), "more than 100 parameters"},
		{"10000 parameters", many(10000), "more than 100 parameters"},
		{"a value over 4 KiB", "a=" + strings.Repeat("x", maxValue+1), "longer than 4 KiB"},
		{"a name over 256 bytes", strings.Repeat("x", 257) + "=a", "longer than"},
		{"50 KB of scope", "scope=" + strings.Repeat("x+", 25<<10), "longer than 4 KiB"},
		{"more than 64 KiB", strings.Repeat("&", MaxBody+1), "larger than 64 KiB"},
	} {
		_, refusal := Query(tt.text)
		if refusal == nil || refusal.Code != "invalid_request" || !strings.Contains(refusal.Description, tt.reason) {
			t.Errorf("%s: %v, want %q", tt.name, refusal, tt.reason)
		}
	}
	if _, refusal := Query(many(100)); refusal != nil {
		t.Errorf("100 parameters: %v", refusal)
	}
}

func TestFormParameters(t *testing.T) {
	f, refusal := Query("b=1&a=1&b=2&a=1&c=3")
	if refusal != nil {
		t.Fatal(refusal)
	}
	p := f.Parameters()
	if diff := cmp.Diff([]string{"a", "b"}, p.Repeated); diff != "" {
		t.Errorf("repeated: %s", diff)
	}
	if p.Get("c") != "3" || f.Get("c") != "3" {
		t.Errorf("c is %q and %q", p.Get("c"), f.Get("c"))
	}
	if f.Get("b") != "" {
		t.Errorf("a repeated field has the value %q", f.Get("b"))
	}
}

func TestBody(t *testing.T) {
	const form = "application/x-www-form-urlencoded"
	for _, tt := range []struct {
		contentType, encoding string
		ok                    bool
	}{
		{form, "", true},
		{form + "; charset=UTF-8", "", true},
		{form + ";charset=utf-8", "", true},
		{form + ";", "", true},
		{"Application/X-WWW-Form-Urlencoded", "", true},
		{form, "gzip", false},
		{form, "identity", false},
		{"", "", false},
		{"application/json", "", false},
		{"multipart/form-data; boundary=x", "", false},
		{"text/plain", "", false},
		{form + "x", "", false},
		{"x " + form, "", false},
	} {
		r := httptest.NewRequest("POST", "/token", strings.NewReader("a=1"))
		if tt.contentType != "" {
			r.Header.Set("Content-Type", tt.contentType)
		}
		if tt.encoding != "" {
			r.Header.Set("Content-Encoding", tt.encoding)
		}
		f, refusal := Body(r)
		if (refusal == nil) != tt.ok || tt.ok && f.Get("a") != "1" {
			t.Errorf("%q %q: %v %v, want ok = %v", tt.contentType, tt.encoding, f, refusal, tt.ok)
		}
	}
	r := httptest.NewRequest("POST", "/token?b=2", strings.NewReader("a=1"))
	r.Header.Set("Content-Type", form)
	if f, _ := Body(r); f.Get("b") != "" {
		t.Error("a parameter of the query was read as one of the body")
	}
}

// The round trip: what net/url writes is read back as it was, and what is read is the same however often it is written.
func FuzzQuery(f *testing.F) {
	for _, seed := range []string{"", "a=1&a=2", "a+b=%E2%82%AC", "=", "&a&&b=", "a=%zz", "a=%00", "a=1;b=2", "\xff=1", "a=%F0%9F%94%91", strings.Repeat("a=1&", 101)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		form, refusal := Query(text)
		if refusal != nil {
			if refusal.Code != "invalid_request" || !errorText.MatchString(refusal.Description) {
				t.Fatalf("refused with %v", refusal)
			}
			return
		}
		count := 0
		for name, values := range form.Values {
			count += len(values)
			for _, s := range append(values, name) {
				if !isText(s) || len(s) > maxValue {
					t.Fatalf("let through %q", s)
				}
			}
		}
		if count > maxParameters {
			t.Fatalf("let through %d parameters", count)
		}
		encoded := url.Values(form.Values).Encode()
		if len(encoded) > MaxBody {
			return // escaping made it longer than is read
		}
		again, refusal := Query(encoded)
		if refusal != nil {
			t.Fatalf("%q is refused after %q was read: %v", encoded, text, refusal)
		}
		if diff := cmp.Diff(form.Values, again.Values); diff != "" {
			t.Fatalf("%q became %q: %s", text, encoded, diff)
		}
		theirs, err := url.ParseQuery(strings.ReplaceAll(text, ";", "%3B"))
		if err != nil {
			t.Fatalf("read %q, which net/url refuses: %v", text, err)
		}
		if diff := cmp.Diff(url.Values(form.Values), theirs); diff != "" {
			t.Fatalf("%q is read differently by net/url: %s", text, diff)
		}
		p := form.Parameters()
		if names := slices.Sorted(maps.Keys(p.Values)); len(names) != len(form.Values) || !slices.IsSorted(p.Repeated) {
			t.Fatalf("parameters %s", strconv.Quote(strings.Join(names, " ")))
		}
	})
}

// RFC 6749 §5.2: what error_description may hold.
var errorText = regexp.MustCompile(`^[\x20-\x21\x23-\x5B\x5D-\x7E]+$`)
