package explain

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"latchkey/domain/audit"
	"latchkey/domain/oauth"
	"latchkey/ports"
)

// Service explains refusals.
type Service struct {
	Store ports.Store
}

var _ ports.Explainer = (*Service)(nil)

// notFound is an error that says in words of the language what was not found, and what to do.
type notFound struct{ text string }

func (e notFound) Error() string { return e.text }
func (e notFound) Unwrap() error { return ports.ErrNotFound }

// Explain finds the refusal that ref leads to and puts it into words.
func (s *Service) Explain(ctx context.Context, ref, language string) (ports.Explanation, error) {
	language = known(language)
	id, ok := requestID(ref)
	if !ok {
		return ports.Explanation{}, notFound{fill(phrases[language]["ref.malformed"], "{ref}", clip(ref))}
	}
	var event audit.Event
	var client oauth.Client
	err := s.Store.View(ctx, func(r ports.Reader) error {
		// A request is refused once. What else it left, such as the revocation that came with a replay, has no error.
		events, err := r.Events(audit.Query{RequestID: id, Refused: true, Limit: 1})
		if err != nil {
			return err
		}
		if len(events) == 0 {
			return notFound{fill(phrases[language]["ref.unknown"], "{ref}", clip(ref), "{advice}", phrases[language]["ref.advice"])}
		}
		event = events[0]
		client, err = r.Client(oauth.ClientID(event.Client))
		if errors.Is(err, ports.ErrNotFound) {
			return nil
		}
		return err
	})
	if err != nil {
		return ports.Explanation{}, err
	}
	return explanation(event, client, language), nil
}

// Refusals lists the last refusals.
func (s *Service) Refusals(ctx context.Context, client string, limit int, language string) ([]ports.Refusal, error) {
	language = known(language)
	var events []audit.Event
	err := s.Store.View(ctx, func(r ports.Reader) error {
		list := func(client oauth.ClientID) (err error) {
			events, err = r.Events(audit.Query{Client: string(client), Refused: true, Newest: true, Limit: limit})
			return err
		}
		named := oauth.ClientID(client)
		if err := list(named); err != nil || len(events) > 0 || client == "" {
			return err
		}
		if _, err := r.Client(named); !errors.Is(err, ports.ErrNotFound) {
			return err
		}
		err := list(named.Recordable())
		if err == nil && len(events) == 0 {
			err = notFound{fill(phrases[language]["client.nobody"], "{client}", clip(client))}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	refusals := make([]ports.Refusal, len(events))
	for i, e := range events {
		refusals[i] = refusal(e, language)
	}
	return refusals, nil
}

// known is the language to answer in.
func known(language string) string {
	if _, ok := texts[language]; ok {
		return language
	}
	return "en"
}

// requestID reads a reference of either form. What was copied from a page may bring white space along.
func requestID(ref string) (string, bool) {
	ref = strings.ToLower(strings.TrimSpace(ref))
	for _, prefix := range []string{"err_", "req_"} {
		if id, ok := strings.CutPrefix(ref, prefix); ok && id != "" && len(id) <= 64 && strings.Trim(id, "abcdefghijklmnopqrstuvwxyz0123456789") == "" {
			return "req_" + id, true
		}
	}
	return "", false
}

func clip(s string) string { return s[:min(len(s), 80)] }

func refusal(e audit.Event, language string) ports.Refusal {
	cause := causeOf(e)
	return ports.Refusal{Ref: "err_" + strings.TrimPrefix(e.Caller.RequestID, "req_"), When: e.At, Client: visible(e.Client),
		Code: e.Facts["error"], Cause: string(cause), Summary: fill(texts[language][cause].Summary, "{description}", e.Facts["description"])}
}

// explanation puts an event into words. client is the registration as it is now, or zero.
func explanation(e audit.Event, client oauth.Client, language string) ports.Explanation {
	cause, facts, phrase := causeOf(e), e.Facts, phrases[language]
	received := facts["received"]
	switch cause {
	case "secret_wrong", "secret_surplus": // the method was right, and the secret is nobody's to see
		received = ""
	case "form_foreign":
		received = facts["reason"]
	case "method":
		received += " " + facts["path"]
	}
	values := []string{"{client}", cmp.Or(e.Client, phrase["client"]), "{received}", cmp.Or(received, phrase["nothing"]),
		"{expected}", cmp.Or(facts["expected"], phrase["nothing"]), "{description}", facts["description"],
		"{reason}", cmp.Or(facts["revoked"], facts["reason"], phrase["nothing"]), "{revoked}", cmp.Or(facts["revoked"], phrase["nothing"])}
	text := texts[language][cause]
	x := ports.Explanation{
		Refusal: refusal(e, language), RequestID: e.Caller.RequestID, ClientName: visible(client.Name), Description: facts["description"],
		IP: e.Caller.IP, UserAgent: visible(e.Caller.UserAgent), Received: visible(received),
		Rule: fill(text.Rule, values...), Section: sections[cause], Mistake: fill(text.Mistake, values...), Fix: fill(text.Fix, values...),
		Command: strings.NewReplacer("{client}", argument(e.Client, "CLIENT_ID"), "{family}", argument(e.Family, "FAMILY")).Replace(commands[cause]),
	}
	if facts["expected"] != "" {
		x.Expected = []string{visible(facts["expected"])}
	}
	switch cause {
	case "redirect_mismatch", "redirect_missing":
		compare(&x, received, client.RedirectURIs, facts["expected"], client.ID == "", language)
	case "logout_redirect":
		compare(&x, received, client.PostLogoutRedirectURIs, facts["expected"], client.ID == "", language)
	case "code_redirect":
		nearest(&x, []string{facts["expected"]}, received, language)
	}
	if client.ID != "" && settled(cause, received, client) {
		x.Settled = phrase["settled"]
	}
	if client.ID == "" && e.Client != "" && cause != "client_unknown" {
		x.Fix += " " + phrase["client.gone"]
	}
	return x
}

// compare sets a redirect URI against those registered now. Those registered then speak for a client that is gone.
func compare(x *ports.Explanation, received string, registered []string, then string, gone bool, language string) {
	if gone {
		registered = strings.Fields(then)
	}
	x.Expected = nil
	for _, uri := range registered {
		x.Expected = append(x.Expected, visible(uri))
	}
	if received != "" {
		nearest(x, registered, received, language)
	}
	if a, ok := recognise(append([]string{received}, registered...)...); ok {
		x.Setting = fill(phrases[language]["setting"], "{name}", a.name, "{setting}", a.setting)
	}
}

// nearest says which URI was meant, and how the received one differs from it.
func nearest(x *ports.Explanation, registered []string, received, language string) {
	// Of a very long URI the beginning was kept. It is compared with as much; where the end would be, nothing can be said.
	beginning, cut := strings.CutSuffix(received, "…")
	if cut {
		shortened := make([]string, len(registered))
		for i, uri := range registered {
			shortened[i] = uri[:min(len(uri), len(beginning))]
		}
		registered, received = shortened, beginning
	}
	found, differences := oauth.NearestRedirectURI(registered, received)
	if cut {
		differences = slices.DeleteFunc(differences, func(d oauth.URIDifference) bool { return d.Kind == oauth.DiffPath || d.Kind == oauth.DiffQuery })
	}
	x.Nearest = visible(found)
	for _, d := range differences {
		x.Differences = append(x.Differences, say(language, d))
	}
}

// settled reports whether the registration no longer has what the request was refused for.
func settled(cause Cause, received string, c oauth.Client) bool {
	live := c.DisabledAt.IsZero()
	switch cause {
	case "redirect_mismatch":
		return live && oauth.MatchRedirectURI(c.RedirectURIs, received)
	case "logout_redirect":
		return live && slices.Contains(c.PostLogoutRedirectURIs, received)
	case "client_unknown", "client_disabled":
		return live
	case "scope_unregistered":
		return live && received != "" && c.Scope.Covers(oauth.Scope(received))
	case "auth_method":
		return live && (c.AuthMethod == oauth.AuthAny || string(c.AuthMethod) == received)
	case "auth_public_secret":
		return live && !c.Public()
	case "auth_no_secret":
		return live && c.Public()
	case "grant_type_unregistered":
		return live && c.MayUse(received)
	case "state_missing":
		return live && !c.Rules.RequireState
	case "nonce_missing":
		return live && !c.Rules.RequireNonce
	case "pkce_missing":
		return live && !c.Rules.RequirePKCE && !c.Public()
	}
	return false
}
