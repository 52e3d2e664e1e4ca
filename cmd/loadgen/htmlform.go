package main

import (
	"cmp"
	"html"
	"net/url"
	"regexp"
	"strings"
)

// htmlForm is what a login needs of one <form>.
type htmlForm struct {
	Action, Method string
	Fields         []formField
}

type formField struct {
	typ, id, name, value, text string
	checked                    bool
}

// nextTag finds the next tag at or after i; it returns the tag name (with a
// leading '/' for end tags), its attributes and the index after '>'.
func nextTag(s string, i int) (name string, attrs map[string]string, end int) {
	for {
		j := strings.IndexByte(s[i:], '<')
		if j < 0 {
			return "", nil, len(s)
		}
		i += j
		if strings.HasPrefix(s[i:], "<!--") {
			k := strings.Index(s[i:], "-->")
			if k < 0 {
				return "", nil, len(s)
			}
			i += k + 3
			continue
		}
		p := i + 1
		if p < len(s) && s[p] == '/' {
			p++
		}
		q := p
		for q < len(s) && isAlnum(s[q]) {
			q++
		}
		if q == p {
			i++
			continue
		}
		name = strings.ToLower(s[i+1 : q])
		attrs, end = parseAttrs(s, q)
		if name == "script" || name == "style" { // raw text: skip to its end tag
			k := strings.Index(strings.ToLower(s[end:]), "</"+name)
			if k < 0 {
				return "", nil, len(s)
			}
			i = end + k
			continue
		}
		return name, attrs, end
	}
}

func isAlnum(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f' }

func parseAttrs(s string, i int) (map[string]string, int) {
	a := map[string]string{}
	for i < len(s) {
		for i < len(s) && (isSpace(s[i]) || s[i] == '/') {
			i++
		}
		if i >= len(s) {
			break
		}
		if s[i] == '>' {
			return a, i + 1
		}
		p := i
		for i < len(s) && !isSpace(s[i]) && s[i] != '=' && s[i] != '>' && s[i] != '/' {
			i++
		}
		if i == p { // stray '='
			i++
			continue
		}
		name := strings.ToLower(s[p:i])
		for i < len(s) && isSpace(s[i]) {
			i++
		}
		val := ""
		if i < len(s) && s[i] == '=' {
			i++
			for i < len(s) && isSpace(s[i]) {
				i++
			}
			if i < len(s) && (s[i] == '"' || s[i] == '\'') {
				q := s[i]
				k := strings.IndexByte(s[i+1:], q)
				if k < 0 {
					return a, len(s)
				}
				val = s[i+1 : i+1+k]
				i += k + 2
			} else {
				p = i
				for i < len(s) && !isSpace(s[i]) && s[i] != '>' {
					i++
				}
				val = s[p:i]
			}
		}
		if _, dup := a[name]; !dup {
			a[name] = html.UnescapeString(val)
		}
	}
	return a, i
}

var markup = regexp.MustCompile(`<[^>]*>`)

// parseForms extracts all forms of a page.
func parseForms(page string) []htmlForm {
	var out []htmlForm
	var cur *htmlForm
	for i := 0; i < len(page); {
		name, at, end := nextTag(page, i)
		if name == "" {
			break
		}
		i = end
		switch name {
		case "form":
			out = append(out, htmlForm{Action: at["action"], Method: strings.ToUpper(at["method"])})
			cur = &out[len(out)-1]
			if cur.Method == "" {
				cur.Method = "GET"
			}
		case "/form":
			cur = nil
		case "input", "button", "textarea", "select":
			if cur == nil {
				continue
			}
			_, chk := at["checked"]
			f := formField{typ: strings.ToLower(at["type"]), id: at["id"], name: at["name"], value: at["value"], checked: chk}
			if name == "button" || name == "textarea" { // their text is part of the element
				if k := strings.Index(page[end:], "</"+name); k >= 0 {
					f.text = html.UnescapeString(strings.TrimSpace(markup.ReplaceAllString(page[end:end+k], "")))
					if name == "textarea" {
						f.value = f.text
					}
				}
			}
			if name == "button" && f.typ == "" {
				f.typ = "submit"
			}
			if name == "input" && f.typ == "" {
				f.typ = "text"
			}
			cur.Fields = append(cur.Fields, f)
		}
	}
	return out
}

func (f *htmlForm) hasPassword() bool {
	for _, x := range f.Fields {
		if x.typ == "password" {
			return true
		}
	}
	return false
}

// refusing matches the buttons that are never pressed: "Don't allow" would
// otherwise pass for "allow".
var refusing = regexp.MustCompile(`(?i)deny|cancel|decline|reject|refuse|don.?t|\bnot?\b`)

// button is the index in Fields of the submit button that means yes: one whose
// id, value or text matches accept and that does not refuse, or the only one
// the form has. It is -1 if there is none.
func (f *htmlForm) button(accept *regexp.Regexp) int {
	matches := func(re *regexp.Regexp, x formField) bool {
		return re.MatchString(x.id) || re.MatchString(x.value) || re.MatchString(x.text)
	}
	only, submits := -1, 0
	for i, x := range f.Fields {
		if x.typ != "submit" {
			continue
		}
		if matches(accept, x) && !matches(refusing, x) {
			return i
		}
		only, submits = i, submits+1
	}
	if submits == 1 && !matches(refusing, f.Fields[only]) {
		return only
	}
	return -1
}

// pickForm chooses the form to send: one with a password field, else one with
// an accepting button. It is nil if there is none.
func pickForm(fs []htmlForm, accept *regexp.Regexp) *htmlForm {
	for i := range fs {
		if fs[i].hasPassword() {
			return &fs[i]
		}
	}
	for i := range fs {
		if fs[i].button(accept) >= 0 {
			return &fs[i]
		}
	}
	return nil
}

var userNameRE = regexp.MustCompile(`(?i)user|login|mail|account|identifier|subject`)

// values fills the form the way a person would who says yes to everything.
func (f *htmlForm) values(u User, accept *regexp.Regexp) url.Values {
	out := url.Values{}
	add := func(n, v string) {
		if n != "" {
			out.Add(n, v)
		}
	}
	press := f.button(accept)
	for i, x := range f.Fields {
		switch x.typ {
		case "password":
			add(x.name, u.Password)
		case "checkbox":
			if x.checked || x.name == "scope" {
				add(x.name, cmp.Or(x.value, "on"))
			}
		case "radio":
			if x.checked {
				add(x.name, x.value)
			}
		case "submit":
			if i == press {
				add(x.name, x.value)
			}
		case "button", "reset", "image", "file":
		case "text", "email":
			if x.value == "" && userNameRE.MatchString(x.name) {
				add(x.name, u.Name)
			} else {
				add(x.name, x.value)
			}
		default:
			add(x.name, x.value)
		}
	}
	return out
}
