package demo

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"net/http"
	"strconv"
	"strings"
)

//go:embed templates/*.html static/style.css
var files embed.FS

// pages holds every page in every language, parsed once, and what the provider's style sheet does not have.
type pages struct {
	templates map[string]map[string]*template.Template
	css       []byte
	name      string // path of the style sheet below ours; it changes with the content
}

var pageNames = []string{"start", "flow", "signed_out", "notice"}

func newPages() (*pages, error) {
	css, err := files.ReadFile("static/style.css")
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(css)
	p := &pages{templates: map[string]map[string]*template.Template{}, css: css, name: "/style-" + hex.EncodeToString(sum[:4]) + ".css"}
	for locale := range texts {
		p.templates[locale] = map[string]*template.Template{}
		for _, name := range pageNames {
			t, err := template.New("layout.html").Funcs(functions(locale)).
				ParseFS(files, "templates/layout.html", "templates/parts.html", "templates/"+name+".html")
			if err != nil {
				return nil, fmt.Errorf("page %s: %w", name, err)
			}
			p.templates[locale][name] = t
		}
	}
	return p, nil
}

func functions(locale string) template.FuncMap {
	return template.FuncMap{
		"t":   func(id string, args ...string) (string, error) { return text(locale, id, args...) },
		"inc": func(i int) int { return i + 1 },
		// why says what a parameter or claim is for; many claims need no words.
		"why": func(group, name string) string {
			if group == "spent" || group == "newest" {
				return texts[locale][group]
			}
			return texts[locale][group+"."+name]
		},
	}
}

// text is a text in a language with its arguments in place.
func text(locale, id string, args ...string) (string, error) {
	s, ok := texts[locale][id]
	if !ok {
		return "", fmt.Errorf("text %q does not exist in %q", id, locale)
	}
	for i, arg := range args {
		s = strings.ReplaceAll(s, "{"+strconv.Itoa(i+1)+"}", arg)
	}
	return s, nil
}

// What the pages are about.
type (
	startPage struct{ Flow bool } // a sign-in can be looked at
	flowPage  struct {
		*flow
		Waiting bool // for the answer to the authorization request
		Last    int
		Took    string
	}
	signedOutPage struct {
		Steps            []step
		Asked, Confirmed bool // the provider was asked; the browser comes from there
	}
	noticePage struct{ ID string }
)

// Failed reports whether the sign-in ended without anybody signed in.
func (p flowPage) Failed() bool { return p.Name == "" && !p.Waiting }

// CanRefresh and CanReplay say which buttons there are.
func (p flowPage) CanRefresh() bool { return p.Name != "" && !p.over && p.tokens.refresh != "" }
func (p flowPage) CanReplay() bool  { return p.CanRefresh() && p.tokens.spent != "" }
func (p flowPage) Over() bool       { return p.over }

// ProviderSignOut tells whether signing out ends the session at the provider too.
func (p flowPage) ProviderSignOut() bool { return p.metadata.endSession != "" }

// view is what layout.html is executed with.
type view struct {
	Locale, Provider, Base, Style, OwnStyle, CSRF string
	Path                                          string // for the language links; empty after a POST
	Issuer                                        string
	Body                                          any
}

// Failed puts "Error:" before the title.
func (v view) Failed() bool {
	switch body := v.Body.(type) {
	case noticePage:
		return true
	case flowPage:
		return body.Failed()
	}
	return false
}

// Wide gives a page of steps room.
func (v view) Wide() bool {
	_, notice := v.Body.(noticePage)
	return !notice
}

func (p *pages) render(w http.ResponseWriter, a *application, r *request, status int, body any) {
	locale := r.locale
	if p.templates[locale] == nil {
		locale = "en"
	}
	v := view{Locale: locale, Provider: a.pathOf(a.Issuer), Base: a.Path, Style: a.StyleSheet, OwnStyle: a.Path + p.name,
		CSRF: a.formToken(r.cookie), Issuer: a.Issuer, Body: body}
	if r.Method == http.MethodGet {
		v.Path = r.URL.Path
	}
	name := "notice"
	switch body.(type) {
	case startPage:
		name = "start"
	case flowPage:
		name = "flow"
	case signedOutPage:
		name = "signed_out"
	}
	var page bytes.Buffer
	if err := p.templates[locale][name].Execute(&page, v); err != nil {
		a.Log.Error("demo page could not be made", "page", name, "error", err)
		http.Error(w, "The page could not be made; the log of latchkey quickstart says why.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	w.Write(page.Bytes())
}

// notice answers a request that cannot be carried out.
func (a *application) notice(w http.ResponseWriter, r *request, status int, id string) {
	a.pages.render(w, a, r, status, noticePage{ID: id})
}

func (a *application) styleSheet(w http.ResponseWriter, _ *request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	w.Write(a.pages.css)
}
