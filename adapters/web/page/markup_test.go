package page

import (
	"html"
	"net/http"
	"net/http/httptest"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Structure that assistive technology relies on, and that no page carries script or inline style.
func TestPageStructure(t *testing.T) {
	eachPage(t, func(t *testing.T, l Locale, sample samplePage, got *httptest.ResponseRecorder) {
		page := got.Body.String()
		tags := scanTags(page)
		count := map[string]int{}
		ids := map[string]int{}
		labels := map[string]bool{}
		for _, tag := range tags {
			if tag.name != "title" || tag.attrs["id"] == "" { // that of a picture is referred to
				count[tag.name]++
			}
			if id, ok := tag.attrs["id"]; ok {
				ids[id]++
			}
			if tag.name == "label" {
				labels[tag.attrs["for"]] = true
			}
		}
		for _, name := range []string{"html", "title", "main", "h1"} {
			if count[name] != 1 {
				t.Errorf("%d <%s>", count[name], name)
			}
		}
		for id, n := range ids {
			if n > 1 {
				t.Errorf("id %q stands %d times", id, n)
			}
		}
		for _, tag := range tags {
			if _, ok := sample.body.(SignedOut); tag.name == "script" && (!sample.body.look().scripted || tag.attrs["src"] == "" || tag.attrs["integrity"] == "") || tag.name == "style" || tag.name == "iframe" && !ok {
				t.Errorf("<%s>", tag.name)
			}
			for name, value := range tag.attrs {
				if name == "style" || strings.HasPrefix(name, "on") {
					t.Errorf("<%s %s>", tag.name, name)
				}
				if name == "href" && strings.HasPrefix(value, "#") {
					if ids[value[1:]] != 1 {
						t.Errorf("link to %s leads nowhere", value)
					}
				}
				if name == "aria-describedby" || name == "aria-labelledby" {
					for id := range strings.FieldsSeq(value) {
						if ids[id] != 1 {
							t.Errorf("%s=%q leads nowhere", name, id)
						}
					}
				}
			}
			if tag.name == "input" && tag.attrs["type"] != "hidden" && !labels[tag.attrs["id"]] {
				t.Errorf("input %q has no label", tag.attrs["name"])
			}
			if tag.name == "html" && tag.attrs["lang"] != string(l) {
				t.Errorf("lang is %q", tag.attrs["lang"])
			}
		}
		if regexp.MustCompile(`\{[0-9]\}|ZgotmplZ|<no value>`).MatchString(page) {
			t.Error("a placeholder was left in the page")
		}
		failing := sample.body.look().failed
		if strings.Contains(page, "<title>"+catalogue[l]["title.error"]) != failing {
			t.Errorf("failing is %v, but the title does not say so", failing)
		}
		if _, isError := sample.body.(Error); failing && !isError && strings.Count(page, `role="alert"`) != 1 {
			t.Error("the problem is not announced")
		}
	})
}

// WB-06, WB-07: whatever stands in a field of a page, the page keeps its elements and attributes.
func TestPagesKeepPayloadsInert(t *testing.T) {
	p := parsedPages(t)
	payloads := xssPayloads()
	if len(payloads) < 200 {
		t.Fatalf("only %d payloads", len(payloads))
	}
	for n, sample := range samplePages() {
		t.Run(sample.name, func(t *testing.T) {
			expected := map[string][]string{}
			for _, harmless := range []string{"harmless", "https://harmless.example/"} {
				page := rendered(p, English, filled(sample.frame, harmless), filled(sample.body, harmless)).Body.String()
				expected[harmless] = skeleton(scanTags(page))
			}
			// Eight pages share the payloads: each page gets every deed, after some of the ways out, and each payload many pages.
			for i := n % 8; i < len(payloads); i += 8 {
				payload := payloads[i]
				want := expected["harmless"]
				if WebLink(payload) != "" {
					want = expected["https://harmless.example/"]
				}
				got := rendered(p, English, filled(sample.frame, payload), filled(sample.body, payload))
				if got.Code != http.StatusOK {
					t.Fatalf("payload %q: status %d", payload, got.Code)
				}
				tags := scanTags(got.Body.String())
				if shape := skeleton(tags); !slices.Equal(want, shape) {
					t.Fatalf("payload %q changes the page:\n%s", payload, cmp.Diff(want, shape))
				}
				policy := got.Header().Get("Content-Security-Policy")
				if strings.Count(policy, ";") > 8 || strings.ContainsAny(policy, "<>\"\r\n") {
					t.Fatalf("payload %q changes the policy: %s", payload, policy)
				}
				for _, tag := range tags {
					for _, name := range []string{"href", "src", "action"} {
						target := strings.ToLower(strings.TrimSpace(tag.attrs[name]))
						scheme, _, found := strings.Cut(target, ":")
						ours := strings.HasPrefix(target, "data:image/svg+xml,%3csvg") || strings.ContainsAny(scheme, "/?#")
						if target == sampleOffer { // the one link that is made here, of what html/template was told to trust
							continue
						}
						if found && !ours && scheme != "https" && scheme != "http" {
							t.Fatalf("payload %q makes a link to %q", payload, target)
						}
					}
				}
			}
		})
	}
}

// xssPayloads crosses ways out of a context with things to do there.
func xssPayloads() []string {
	exits := []string{
		``, `"`, `'>`, `">`, "`", `-->`, `</title>`, `</script>`, `{{.}}`, "\x00", "\r\n\r\n", `\"`, `&quot;>`, `https://evil.test/"`,
	}
	deeds := []string{
		`<script>alert(1)</script>`, `<img src=x onerror=alert(1)>`, `<svg/onload=alert(1)>`, ` onfocus=alert(1) autofocus x=`,
		`javascript:alert(1)`, "java\tscript:alert(1)", `JaVaScRiPt:alert(1)//`, `data:text/html,<script>alert(1)</script>`,
		`<iframe srcdoc="<script>alert(1)</script>">`, `<base href=//evil.test/>`, `<meta http-equiv=refresh content=0;url=//evil.test>`,
		`<form action=https://evil.test><input name=password>`, `<style>@import'//evil.test'</style>`, "\u202e<b>gnp.exe", `vbscript:msgbox(1)`,
	}
	var payloads []string
	for _, exit := range exits {
		for _, deed := range deeds {
			payloads = append(payloads, exit+deed)
		}
	}
	return payloads
}

// filled is a copy of a frame or body in which every text that can come from outside is s.
func filled[T any](v T, s string) T {
	source := reflect.ValueOf(&v).Elem()
	if source.Kind() == reflect.Interface {
		result := reflect.New(source.Elem().Type()).Elem()
		fill(result, source.Elem(), s)
		return result.Interface().(T)
	}
	result := reflect.New(source.Type()).Elem()
	fill(result, source, s)
	return result.Interface().(T)
}

func fill(to, from reflect.Value, s string) {
	switch from.Kind() {
	case reflect.String:
		if from.Type() == reflect.TypeFor[string]() {
			to.SetString(s)
		} else {
			to.Set(from) // a message or a locale is ours
		}
	case reflect.Struct:
		for i := range from.NumField() {
			fill(to.Field(i), from.Field(i), s)
		}
	case reflect.Slice:
		to.Set(reflect.MakeSlice(from.Type(), from.Len(), from.Len()))
		for i := range from.Len() {
			fill(to.Index(i), from.Index(i), s)
		}
	case reflect.Pointer:
		if !from.IsNil() {
			to.Set(reflect.New(from.Type().Elem()))
			fill(to.Elem(), from.Elem(), s)
		}
	case reflect.Interface:
		to.Set(reflect.ValueOf(s))
	default:
		to.Set(from)
	}
}

type htmlTag struct {
	name  string
	attrs map[string]string
}

var (
	tagPattern  = regexp.MustCompile(`<(/?[a-zA-Z!][^\s>/]*)((?:[^>"']|"[^"]*"|'[^']*')*)>`)
	attrPattern = regexp.MustCompile(`([^\s=/"'>]+)(?:\s*=\s*("[^"]*"|'[^']*'|[^\s>]+))?`)
)

// scanTags reads the tags of a page as a browser would for HTML as regular as ours: any "<" before a letter opens a tag.
func scanTags(page string) []htmlTag {
	var tags []htmlTag
	for _, match := range tagPattern.FindAllStringSubmatch(page, -1) {
		tag := htmlTag{name: strings.ToLower(match[1]), attrs: map[string]string{}}
		for _, attr := range attrPattern.FindAllStringSubmatch(match[2], -1) {
			tag.attrs[strings.ToLower(attr[1])] = html.UnescapeString(strings.Trim(attr[2], `"'`))
		}
		tags = append(tags, tag)
	}
	return tags
}

// skeleton is the elements of a page with the names of their attributes.
func skeleton(tags []htmlTag) []string {
	var lines []string
	for _, tag := range tags {
		names := make([]string, 0, len(tag.attrs))
		for name := range tag.attrs {
			names = append(names, name)
		}
		slices.Sort(names)
		lines = append(lines, tag.name+" "+strings.Join(names, " "))
	}
	return lines
}
