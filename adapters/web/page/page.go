package page

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"
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
	p := &Pages{templates: make(map[Locale]map[string]*template.Template), site: site}
	for _, l := range Locales {
		p.templates[l] = make(map[string]*template.Template)
		for _, name := range pageNames {
			t, err := template.New("layout.html").Funcs(pageFuncs(l)).
				ParseFS(pageFiles, "templates/layout.html", "templates/parts.html", "templates/admin_parts.html", "templates/"+name+".html")
			if err != nil {
				return nil, fmt.Errorf("page %s: %w", name, err)
			}
			p.templates[l][name] = t
		}
	}
	return p, nil
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
func (p *Pages) Render(w http.ResponseWriter, status int, f Frame, body any) {
	if _, ok := p.templates[f.Locale]; !ok {
		f.Locale = English
	}
	h := w.Header()
	h.Set("Cache-Control", "no-store")

	name, leaves, err := pageOf(body)
	policy := contentSecurityPolicy(f.Images, framesOf(body), leaves)
	if scripted(body) {
		// Not every browser knows hashes of files outside of the page, and one that does not goes by the address: of this file,
		// and of no other of ours.
		policy += "; script-src '" + PasskeyScript.Integrity + "' " + p.site + PasskeyScript.Path + "; connect-src 'self'"
	}
	h.Set("Content-Security-Policy", policy)
	var page bytes.Buffer
	if err == nil {
		err = p.templates[f.Locale][name].Execute(&page, pageView{Frame: f, Body: body})
	}
	if err != nil {
		slog.Error("page could not be made", "page", name, "request_id", f.RequestID, "error", err)
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

// plainFault stands in for a page that cannot be made, with the same words an error page would have.
func plainFault(f Frame) string {
	texts := catalogue[f.Locale]
	return "Request error\n\n" + texts[MsgServerFault] + ".\n" + texts[MsgServerFault.Next()] + "\n" + texts["error.contact"] +
		"\n\n" + texts["error.request"] + ": " + PlainText(f.RequestID) + "\n"
}

// framesOf are the addresses that frames of the page load.
func framesOf(body any) []string {
	if p, ok := body.(interface{ frames() []string }); ok {
		return p.frames()
	}
	return nil
}

// contentSecurityPolicy allows our style sheet, our images and those of the given origins, frames of given origins, and
// nothing else.
// Pages whose form can end at an application carry no form-action: Chromium holds it against every later redirect, and
// an application may send the browser on to an origin we cannot know.
func contentSecurityPolicy(images, frames []string, leaves bool) string {
	var policy strings.Builder
	policy.WriteString("default-src 'none'; style-src 'self'; img-src 'self' data:")
	writeOrigins(&policy, images)
	if len(frames) > 0 {
		policy.WriteString("; frame-src")
		writeOrigins(&policy, frames)
	}
	policy.WriteString("; base-uri 'none'; frame-ancestors 'none'")
	if !leaves {
		policy.WriteString("; form-action 'self'")
	}
	return policy.String()
}

// writeOrigins writes the origins of the links, each once.
func writeOrigins(policy *strings.Builder, links []string) {
	var written []string
	for _, link := range links {
		if origin := linkOrigin(link); origin != "" && !slices.Contains(written, origin) {
			written = append(written, origin)
			policy.WriteString(" " + origin)
		}
	}
}

// linkOrigin is the origin of a link. The host is held to the characters of names and addresses, because Go's parser
// lets through the semicolon and the star, with which a registered logo could write its own policy.
func linkOrigin(raw string) string {
	if WebLink(raw) == "" {
		return ""
	}
	u, err := url.Parse(raw)
	if err != nil || strings.Trim(strings.ToLower(u.Host), "abcdefghijklmnopqrstuvwxyz0123456789.-:[]") != "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// WebLink gives back an address that may be shown as a link or an image: https, or http on a loopback host while an
// application is being built. Anything else is dropped, which is what templates test for.
func WebLink(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.User != nil || strings.ContainsFunc(raw, unfitForLink) {
		return ""
	}
	if u.Scheme == "https" || u.Scheme == "http" && oauth.IsLoopbackHost(u.Hostname()) {
		return raw
	}
	return ""
}

// pageLink is a path on this server or a WebLink. "//host" and "/\host" are read by browsers as another server.
func pageLink(raw string) string {
	if !strings.HasPrefix(raw, "/") {
		return WebLink(raw)
	}
	if strings.HasPrefix(raw, "//") || strings.Contains(raw, `\`) || strings.ContainsFunc(raw, unfitForLink) {
		return ""
	}
	return raw
}

func unfitForLink(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsControl(r) || r == unicode.ReplacementChar
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
	Body  any
}

// Style is the path of the style sheet.
func (v pageView) Style() string { return StyleSheet.Path }

// Script is the script of the page and Integrity its hash (Subresource Integrity); empty: it loads none.
func (v pageView) Script() string {
	if !scripted(v.Body) {
		return ""
	}
	return PasskeyScript.Path
}

func (v pageView) Integrity() string { return PasskeyScript.Integrity }

// Failed tells whether the page reports a problem; its title then says so first, for people who hear it.
func (v pageView) Failed() bool {
	switch body := v.Body.(type) {
	case Login:
		return body.Problem != ""
	case interface{ failed() bool }:
		return body.failed()
	case Error:
		return true
	}
	return false
}

// Wide tells whether the page is more than one form or message.
func (v pageView) Wide() bool {
	switch body := v.Body.(type) {
	case Account, Activity, Application, Passkeys, TOTP, ErrorCodes, Admin, Explain, Deliveries:
		return true
	case Error:
		return body.Explanation != nil
	}
	return false
}

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
