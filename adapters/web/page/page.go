package page

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"latchkey/domain/oauth"
)

// The pages people see. They need no script: every action is a link or a form. Each page is one template around which
// layout.html puts the document; everything a template prints is escaped by html/template for the place it stands in.

//go:embed templates/*.html
var pageFiles embed.FS

// What all pages are made of; every other file is a page. The layout is made anew for each, see add.
const layout = "templates/layout.html"

var parts = []string{"templates/parts.html", "templates/admin_parts.html"}

// Pages holds every page in every language, parsed once at start.
type Pages struct {
	templates map[Locale]map[string]*template.Template
	site      string
}

// Frame is what every page has, whatever it is about.
type Frame struct {
	Locale    Locale
	Path      string   // of this page with its query, for the language links; empty hides them (the answer to a POST cannot be fetched again)
	RequestID string   // shown on error pages
	Images    []string // https URLs outside this server whose origins may give images, such as the client's logo
	Base      string   // path of the issuer, "" at the root: what the addresses of our own pages begin with
	Refresh   string   // where the browser goes on to by itself; empty for a page that stays
	// RefreshSeconds is how long the page is shown before that.
	RefreshSeconds int
	Site           string // whose sign-in this is, in the header and the title; empty: Latchkey
	Support        string // https or mailto URI where people get help; empty: none
}

// New parses every page in every language. site is where they are: origin and path of the issuer.
func New(site string) (*Pages, error) {
	files, err := fs.Glob(pageFiles, "templates/*.html")
	if err != nil {
		return nil, err
	}
	p := &Pages{templates: make(map[Locale]map[string]*template.Template), site: site}
	for _, l := range Locales {
		p.templates[l] = make(map[string]*template.Template)
		// One set for a language, so that what pages share is there once: templates are most of what an idle server holds, and
		// most of what it does to start.
		set, err := template.New("").Funcs(pageFuncs(l)).ParseFS(pageFiles, parts...)
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			if file == layout || slices.Contains(parts, file) {
				continue
			}
			name := strings.TrimSuffix(path.Base(file), ".html")
			if p.templates[l][name], err = add(set, name, file); err != nil {
				return nil, fmt.Errorf("page %s: %w", name, err)
			}
		}
	}
	return p, nil
}

// add adds a page to the set and returns the layout around it. Every page has a "title" and a "main"; in the set their names
// begin with that of the page.
func add(set *template.Template, name, file string) (*template.Template, error) {
	own := strings.NewReplacer(`{{define "title"`, `{{define "`+name+`.title"`, `{{define "main"`, `{{define "`+name+`.main"`,
		`{{template "title"`, `{{template "`+name+`.title"`, `{{template "main"`, `{{template "`+name+`.main"`)
	for to, file := range map[string]string{name + ".html": file, name: layout} {
		text, err := pageFiles.ReadFile(file)
		if err == nil {
			_, err = set.New(to).Parse(own.Replace(string(text)))
		}
		if err != nil {
			return nil, err
		}
	}
	return set.Lookup(name), nil
}

// pageFuncs are the functions templates may call, bound to one language.
func pageFuncs(l Locale) template.FuncMap {
	return template.FuncMap{
		"t":        l.Text,
		"tArgs":    func(id Message, args []any) (string, error) { return l.Text(id, args...) },
		"webLink":  WebLink,
		"pageLink": pageLink,
		"initial":  nameInitial,
		"plain":    PlainText,
		"codeText": func(code oauth.ErrorCode, part string) (string, error) {
			return l.Text("code." + Message(code) + Message(part))
		},
		"device":     l.device,
		"when":       l.when,
		"day":        l.day,
		"clock":      l.clock,
		"knownScope": func(scope string) bool { _, ok := catalogue[l]["scope."+Message(scope)]; return ok },
		"scopeText":  func(scope string) (string, error) { return l.Text("scope." + Message(scope)) },
	}
}

// Render writes the whole response. The page is made before anything is sent: a template that fails answers with a
// short plain text, never with half a page.
func (p *Pages) Render(w http.ResponseWriter, status int, f Frame, body Body) {
	if _, ok := p.templates[f.Locale]; !ok {
		f.Locale = English
	}
	h := w.Header()
	h.Set("Cache-Control", "no-store")

	var look look
	if body != nil {
		look = body.look()
	}
	policy := contentSecurityPolicy(f.Images, look.frames, look.leaves)
	if look.scripted {
		// Not every browser knows hashes of files outside of the page, and one that does not goes by the address: of this file,
		// and of no other of ours.
		policy += "; script-src '" + PasskeyScript.Integrity + "' " + p.site + PasskeyScript.Path + "; connect-src 'self'"
	}
	h.Set("Content-Security-Policy", policy)
	var page bytes.Buffer
	err := errNoPage
	if t := p.templates[f.Locale][look.template]; t != nil {
		err = t.Execute(&page, pageView{Frame: f, Body: body, look: look})
	}
	if err != nil {
		slog.Error("page could not be made", "page", look.template, "request_id", f.RequestID, "error", err)
		h.Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(http.StatusInternalServerError)
		w.Write([]byte(plainFault(f)))
		return
	}
	if f.Refresh != "" {
		h.Set("Refresh", strconv.Itoa(f.RefreshSeconds)+"; url="+f.Refresh)
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	w.Write(page.Bytes())
}

var errNoPage = errors.New("there is no page for this")

// plainFault stands in for a page that cannot be made, with the same words an error page would have.
func plainFault(f Frame) string {
	texts := catalogue[f.Locale]
	return "Request error\n\n" + texts[MsgServerFault] + ".\n" + texts[MsgServerFault.Next()] + "\n" + texts["error.contact"] +
		"\n\n" + texts["error.request"] + ": " + PlainText(f.RequestID) + "\n"
}

// nameInitial is the letter that stands for a name without a picture.
func nameInitial(name string) string {
	for _, r := range name {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return string(unicode.ToUpper(r))
		}
	}
	return "•"
}

// pageView is what layout.html is executed with.
type pageView struct {
	Frame Frame
	Body  Body
	look  look
}

// Failed tells whether the page reports a problem.
func (v pageView) Failed() bool { return v.look.failed }

// Wide tells whether the page is more than one form or message.
func (v pageView) Wide() bool { return v.look.wide }

// Style is the path of the style sheet.
func (v pageView) Style() string { return StyleSheet.Path }

// Script is the script of the page and Integrity its hash (Subresource Integrity); empty: it loads none.
func (v pageView) Script() string {
	if !v.look.scripted {
		return ""
	}
	return PasskeyScript.Path
}

func (v pageView) Integrity() string { return PasskeyScript.Integrity }

// Site is whose sign-in this is.
func (v pageView) Site() string {
	if v.Frame.Site != "" {
		return PlainText(v.Frame.Site)
	}
	return "Latchkey"
}

// Help is where people get help, as the address of a link; empty: nowhere.
func (v pageView) Help() string {
	if address, ok := strings.CutPrefix(v.Frame.Support, "mailto:"); ok && !strings.ContainsFunc(address, unfitForLink) {
		return v.Frame.Support
	}
	return WebLink(v.Frame.Support)
}

// languageLink is this page in one language.
type languageLink struct {
	Locale  Locale
	URL     string
	Current bool
}

// Languages are the links of the footer: the same path and query with ui_locales set, all other parameters untouched
// and in their order, because they are the application's request.
func (v pageView) Languages() []languageLink {
	if !strings.HasPrefix(v.Frame.Path, "/") || pageLink(v.Frame.Path) == "" {
		return nil
	}
	path, query, _ := strings.Cut(v.Frame.Path, "?")
	var kept []string
	for pair := range strings.SplitSeq(query, "&") {
		if name, _, _ := strings.Cut(pair, "="); name != "" && name != "ui_locales" {
			kept = append(kept, pair)
		}
	}
	links := make([]languageLink, 0, len(Locales))
	for _, l := range Locales {
		pairs := append(kept[:len(kept):len(kept)], "ui_locales="+string(l))
		links = append(links, languageLink{Locale: l, URL: path + "?" + strings.Join(pairs, "&"), Current: l == v.Frame.Locale})
	}
	return links
}
