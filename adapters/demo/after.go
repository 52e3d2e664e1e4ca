package demo

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
)

// mostSteps bounds a flow: somebody who refreshes for an hour sees the sign-in and the newest steps.
const (
	signInSteps = 6
	mostSteps   = signInSteps + 6
)

// add appends a step that came after the sign-in.
func (f *flow) add(s step) {
	if len(f.Steps) >= mostSteps {
		f.Steps = append(f.Steps[:signInSteps:signInSteps], f.Steps[signInSteps+1:]...)
	}
	f.Steps = append(f.Steps, s)
}

// held returns the flow whose tokens can be used, or sends the browser to where it can get some.
func (a *application) held(w http.ResponseWriter, r *request) *flow {
	if r.visit == nil || r.visit.flow == nil || r.visit.flow.Name == "" || r.visit.flow.over {
		redirect(w, a.Path)
		return nil
	}
	return r.visit.flow
}

// refresh uses the refresh token (RFC 6749 §6), which the provider replaces with each use.
func (a *application) refresh(w http.ResponseWriter, r *request) {
	f := a.held(w, r)
	if f == nil {
		return
	}
	s := step{Name: "refresh"}
	before := f.tokens
	got, ok := a.askTokens(r.Context(), f, &s, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {before.refresh}})
	switch {
	case !ok:
		// Who holds a refused refresh token holds nothing: a new sign-in is the only way on.
		f.over = s.Problem != nil && s.Problem.Code == "invalid_grant"
	default:
		s.check("check.rotated", "", got.refresh != "" && got.refresh != before.refresh, shorten(got.refresh))
		s.Parts = append(s.Parts, part{Title: "part.rotation", Fields: []field{
			{"refresh_token", shorten(before.refresh), "spent"}, {"refresh_token", shorten(got.refresh), "newest"}}})
		if got.id == "" {
			got.id = before.id
		} else {
			verified := step{Name: s.Name}
			checkIDToken(&verified, got.id, f.keys, expected{issuer: a.Issuer, client: string(a.ClientID), subject: f.subject, accessToken: got.access, now: a.Now()})
			s.Checks, s.Problem = append(s.Checks, verified.Checks...), verified.Problem
		}
		if f.over = s.Failed(); !f.over {
			got.spent = before.refresh
			f.tokens = got
		}
	}
	f.add(s)
	a.backToStep(w, f)
}

// replay does what a thief would: it uses a refresh token that was used before. The provider cannot tell the thief from the
// owner, so it ends the whole family of tokens (RFC 9700 §4.14.2), which the other two requests show.
func (a *application) replay(w http.ResponseWriter, r *request) {
	f := a.held(w, r)
	if f == nil {
		return
	}
	if f.tokens.spent == "" {
		redirect(w, a.Path+"/flow")
		return
	}
	s := step{Name: "replay"}
	old := a.tryRefresh(r.Context(), f, &s, f.tokens.spent)
	newest := a.tryRefresh(r.Context(), f, &s, f.tokens.refresh)
	user, ok := a.call(r.Context(), &s, http.MethodGet, f.metadata.userInfo, "Bearer "+f.tokens.access, nil)
	if old.text("error") != "" {
		s.Refusal = a.problem(old.text("error"), old.text("error_description"), old.text("error_ref"))
	}
	s.check("check.replay_refused", "", old.text("error") == "invalid_grant", old.text("error"))
	s.check("check.family_refused", "", newest.text("error") == "invalid_grant", newest.text("error"))
	s.check("check.access_refused", "", ok && user.status == http.StatusUnauthorized, http.StatusText(user.status))
	f.over = true
	f.add(s)
	a.backToStep(w, f)
}

func (a *application) tryRefresh(ctx context.Context, f *flow, s *step, token string) answer {
	got, _ := a.call(ctx, s, http.MethodPost, f.metadata.token, a.basic(), url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}})
	last := &s.Parts[len(s.Parts)-1]
	last.Fields = append(last.Fields, members(got.object, "token", "error", "error_description", "error_ref")...)
	return got
}

// backToStep shows the newest step.
func (a *application) backToStep(w http.ResponseWriter, f *flow) {
	redirect(w, a.Path+"/flow#step-"+strconv.Itoa(len(f.Steps)))
}

// goodbye is a sign-out: what was sent, and the state its answer has to bring back.
type goodbye struct {
	steps []step
	state string // empty: the provider was not asked
}

// signOut forgets the tokens, revokes them where the provider can, and asks it to end its session too (OpenID Connect
// RP-Initiated Logout §2). Our own end comes first: it holds even if nobody comes back.
func (a *application) signOut(w http.ResponseWriter, r *request) {
	if r.visit == nil || r.visit.flow == nil || r.visit.flow.Name == "" {
		redirect(w, a.Path)
		return
	}
	v, f := r.visit, r.visit.flow
	bye := &goodbye{}
	v.flow, v.pending, v.goodbye = nil, nil, bye
	if f.metadata.revocation != "" && f.tokens.refresh != "" && !f.over {
		s := step{Name: "revocation"}
		got, ok := a.call(r.Context(), &s, http.MethodPost, f.metadata.revocation, a.basic(),
			url.Values{"token": {f.tokens.refresh}, "token_type_hint": {"refresh_token"}})
		if ok && !a.refused(&s, got) {
			s.check("check.revoked", "", true, "")
		}
		bye.steps = append(bye.steps, s)
	}
	if f.metadata.endSession == "" {
		redirect(w, a.pathOf(a.PostLogoutRedirectURI))
		return
	}
	bye.state = mint()
	parameters := []field{
		{"id_token_hint", f.tokens.id, "logout"},
		{"client_id", string(a.ClientID), "logout"},
		{"post_logout_redirect_uri", a.PostLogoutRedirectURI, "logout"},
		{"state", bye.state, "logout"},
		{"ui_locales", r.locale, "param"},
	}
	target := withQuery(f.metadata.endSession, parameters)
	parameters[0].Value = shorten(f.tokens.id)
	bye.steps = append(bye.steps, step{Name: "logout", Parts: []part{{Title: "part.redirect", Line: "GET " + f.metadata.endSession, Fields: parameters}}})
	redirect(w, target)
}

// showSignedOut is where the provider sends the browser after a sign-out.
func (a *application) showSignedOut(w http.ResponseWriter, r *request) {
	page := signedOutPage{}
	if r.visit != nil && r.visit.goodbye != nil {
		bye := r.visit.goodbye
		page.Steps = append(page.Steps, bye.steps...)
		page.Asked = bye.state != ""
		if page.Asked {
			back := step{Name: "return"}
			state := r.URL.Query().Get("state")
			page.Confirmed = back.check("check.logout_state", "", state == bye.state, state)
			page.Steps = append(page.Steps, back)
		}
	}
	a.pages.render(w, a, r, http.StatusOK, page)
}
