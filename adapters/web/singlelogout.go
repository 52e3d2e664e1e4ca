package web

import (
	"errors"
	"net/http"

	"latchkey/adapters/web/page"
	"latchkey/adapters/web/read"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

const frontChannelPath = "/connect/logout/frontchannel"

// frameSeconds is how long the page with the frames stays before it goes on to the application: without a script nothing
// tells when they have loaded.
const frameSeconds = 3

// logoutByToken answers the end session endpoint to a program with an access token. It reads no cookie and no body: the
// token says whose session ends.
func (s *server) logoutByToken(w http.ResponseWriter, r *request) error {
	token, refusal := read.BearerHeader(r.Request)
	if refusal != nil {
		return s.refuseBearer(w, r, refusal)
	}
	out, err := s.SingleLogout.LogoutByToken(r.Context(), r.caller, token)
	if errors.As(err, &refusal) {
		return s.challenge(w, refusal)
	}
	if err != nil {
		return err
	}
	return writePrivate(w, s.centralLogout(out))
}

type centralLogoutBody struct {
	SignedOut     bool                 `json:"signed_out"`
	Session       identity.SessionID   `json:"sid"`
	Sessions      []identity.SessionID `json:"sids"`
	Notifications []notificationBody   `json:"notifications"`
	FrontChannel  string               `json:"frontchannel_logout_url,omitempty"`
}

type notificationBody struct {
	Client  oauth.ClientID     `json:"client_id"`
	Channel string             `json:"channel"`
	Status  oidc.DeliveryState `json:"status"`
}

// centralLogout has one entry for each channel of each application. A browser has to open the page of frames for those that
// heard of it in no other way.
func (s *server) centralLogout(out ports.SignedOut) centralLogoutBody {
	b := centralLogoutBody{SignedOut: true, Session: out.Session, Sessions: []identity.SessionID{}, Notifications: []notificationBody{}}
	if out.Session != "" {
		b.Sessions = append(b.Sessions, out.Session)
	}
	for _, a := range out.Applications {
		if a.BackChannel != "" {
			b.Notifications = append(b.Notifications, notificationBody{a.Client.ID, "backchannel", a.BackChannel})
		}
		if a.Frame == "" {
			continue
		}
		b.Notifications = append(b.Notifications, notificationBody{a.Client.ID, "frontchannel", oidc.Pending})
		if a.BackChannel != oidc.Delivered {
			b.FrontChannel = s.Issuer + frontChannelPath
		}
	}
	return b
}

// frontChannel shows the page of frames: for an access token, or for a browser whose own session has ended.
func (s *server) frontChannel(w http.ResponseWriter, r *request) error {
	token, refusal := read.BearerHeader(r.Request)
	if refusal != nil {
		return s.refuseBearer(w, r, refusal)
	}
	out, err := s.SingleLogout.FrontChannel(r.Context(), r.caller, s.browser(r), token)
	switch {
	case errors.As(err, &refusal):
		return s.challenge(w, refusal)
	case errors.Is(err, ports.ErrSignedOut) && wantsPage(r.Request):
		redirect(w, s.path("/"))
		return nil
	case errors.Is(err, ports.ErrSignedOut):
		w.Header().Set("WWW-Authenticate", `Bearer realm="latchkey"`)
		return oauth.Refuse(oauth.InvalidToken, "send an access token of the session in the Authorization header")
	case err != nil:
		return err
	}
	if token == "" {
		s.setCookie(w, cookieSession, "", 0)
	}
	return s.showSignedOut(w, r, out, ports.Logout{})
}

// registerSession answers the session registration endpoint.
func (s *server) registerSession(w http.ResponseWriter, r *request) error {
	token, refusal := read.BearerHeader(r.Request)
	if refusal != nil {
		return s.refuseBearer(w, r, refusal)
	}
	client, session, err := s.SingleLogout.RegisterSession(r.Context(), r.caller, token)
	if errors.As(err, &refusal) && refusal.Code == oauth.InvalidToken {
		return s.challenge(w, refusal)
	}
	if err != nil {
		return err
	}
	return writePrivate(w, registeredBody{true, client, session})
}

type registeredBody struct {
	Registered bool               `json:"registered"`
	Client     oauth.ClientID     `json:"client_id"`
	Session    identity.SessionID `json:"sid"`
}

// showSignedOut says what became of each application. Where frames sign somebody out, the page goes on to the application
// that asked by itself, a little later.
func (s *server) showSignedOut(w http.ResponseWriter, r *request, out ports.SignedOut, a ports.Logout) error {
	link := page.Done{Message: page.MsgSignedOut, LinkURL: s.path("/"), LinkText: page.MsgLinkHome}
	if page.WebLink(a.Client.ClientURI) != "" {
		link.LinkURL, link.LinkText = a.Client.ClientURI, ""
	}
	if len(out.Applications) == 0 {
		return s.show(w, r, http.StatusOK, link)
	}
	p := page.SignedOut{LinkURL: link.LinkURL, LinkText: link.LinkText, ReturnURL: a.Return}
	for _, x := range out.Applications {
		p.Applications = append(p.Applications, page.SignedOutApp{Name: x.Client.DisplayName(), State: signedOutState(x), Frame: page.WebLink(x.Frame)})
	}
	f := s.frame(r)
	f.Refresh, f.RefreshSeconds = a.Return, frameSeconds
	s.pages.Render(w, http.StatusOK, f, p)
	return nil
}

func signedOutState(a ports.SignedOutOfApplication) page.Message {
	switch {
	case a.BackChannel == oidc.Delivered:
		return page.MsgAppSignedOut
	case a.Frame != "":
		return page.MsgAppAsked
	case a.BackChannel == oidc.Pending:
		return page.MsgAppPending
	case a.BackChannel == oidc.Failed:
		return page.MsgAppFailed
	}
	return page.MsgAppSilent
}
