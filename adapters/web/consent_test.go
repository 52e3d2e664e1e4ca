package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"latchkey/adapters/web/page"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
	"latchkey/ports"

	"github.com/google/go-cmp/cmp"
)

// Only a clear yes is a yes. The 2012 form calls its field approved, and once approve.
func TestConsentAnswers(t *testing.T) {
	for form, approved := range map[string]bool{
		"approved=true":                      true,
		"approve=true":                       true,
		"approved=false":                     false,
		"approved=false&approve=true":        false,
		"approved=TRUE":                      false,
		"approved=1":                         false,
		"approved=":                          false,
		"":                                   false,
		"approved=true&approved=true":        false,
		"approved=true&approved=false":       false,
		"approved=true&scope=openid&scope=x": true,
	} {
		for _, path := range []string{"/consent", "/authorizations"} {
			b := newBench(t)
			var got ports.ConsentForm
			var id oidc.InteractionID
			b.onConsent = func(i oidc.InteractionID, f ports.ConsentForm) (ports.Next, error) {
				got, id = f, i
				return answered(oauth.ModeQuery, "https://app.test/cb"), nil
			}
			o := ownForm{action: path, page: "/consent?interaction=int-1", step: oidc.Consent, fields: url.Values{"interaction": {"int-1"}}}
			fields := "interaction=int-1&csrf=" + url.QueryEscape(o.open(b, browserOne).Get("csrf"))
			w := b.post(path, fields+"&"+form, asBrowser, browserOne)
			wantStatus(t, w, http.StatusSeeOther)
			sent, _ := url.ParseQuery(form)
			if got.Approved != approved || got.User != alice.ID || id != "int-1" || !slices.Equal(got.Scopes, sent["scope"]) {
				t.Errorf("%s %q: %+v of %q, want approved = %v", path, form, got, id, approved)
			}
		}
	}
}

func TestConsentPage(t *testing.T) {
	b := newBench(t)
	b.onResume = func(ports.Browser, oidc.InteractionID) (ports.Next, error) {
		next := waiting(oidc.Consent)
		next.Grant = oauth.Grant{Scope: "openid profile"}
		return next, nil
	}
	page := b.get("/consent?interaction=int-1", asBrowser, browserOne)
	wantStatus(t, page, http.StatusOK)
	for _, want := range []string{"Alice Q (alice)", "alice@mail.test", "app.test", "Already allowed", `href="/login?interaction=int-1&amp;switch=1"`} {
		if !strings.Contains(page.Body.String(), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	// WB-08: the answer may lead to the application and from there anywhere, which form-action would stop in Chromium.
	if policy := page.Header().Get("Content-Security-Policy"); strings.Contains(policy, "form-action") {
		t.Errorf("policy %q", policy)
	}
	_, fields := submitted(t, page.Body.String())
	if diff := cmp.Diff([]string{"openid", "profile", "email"}, fields["scope"]); diff != "" {
		t.Errorf("scopes: %s", diff)
	}
}

func TestSelectAccount(t *testing.T) {
	for answer, want := range map[string]identity.UserID{"current": alice.ID, "other": "", "": "", "user-2": ""} {
		b := newBench(t)
		got := identity.UserID("not called")
		b.onSelectAccount = func(id oidc.InteractionID, u identity.UserID) (ports.Next, error) {
			got = u
			return waiting(oidc.Login), nil
		}
		o := ownForm{action: "/select-account", page: "/select-account?interaction=int-1", step: oidc.SelectAccount, fields: url.Values{"interaction": {"int-1"}, "account": {answer}}}
		w := b.post("/select-account", o.open(b, browserOne).Encode(), asBrowser, browserOne)
		wantHeader(t, w, "Location", "/login?interaction=int-1")
		if got != want {
			t.Errorf("%q: %q, want %q", answer, got, want)
		}
	}
}

// An answer that comes too late is not an answer.
func TestConsentTooLate(t *testing.T) {
	b := newBench(t)
	b.onConsent = func(oidc.InteractionID, ports.ConsentForm) (ports.Next, error) {
		return ports.Next{}, ports.ErrInteractionOver
	}
	o := ownForms[3]
	fields := o.open(b, browserOne).Encode()
	wantPage(t, b.post("/consent", fields, asBrowser, browserOne), http.StatusBadRequest, page.MsgExpired)
	wantError(t, b.post("/consent", fields, browserOne), http.StatusBadRequest, "invalid_request")
}
