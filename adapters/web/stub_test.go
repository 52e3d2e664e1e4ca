package web

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"latchkey/domain/audit"
	"latchkey/domain/identity"
	"latchkey/domain/oauth"
	"latchkey/domain/oidc"
	"latchkey/ports"
)

const (
	testIssuer = "https://op.test"
	asBrowser  = "Accept: text/html,application/xhtml+xml,*/*;q=0.8"
	spaOrigin  = "https://spa.test" // the one origin where a client runs in browsers
)

// stub answers every inbound port with what a test gave it, else with an ordinary success, and remembers the calls.
type stub struct {
	mu     sync.Mutex
	calls  []string
	caller audit.Caller // of the last call

	onAuthorize     func(ports.Browser, oauth.Parameters) (ports.Next, error)
	onResume        func(ports.Browser, oidc.InteractionID) (ports.Next, error)
	onLogin         func(ports.Browser, oidc.InteractionID, ports.LoginForm) (ports.Next, error)
	onSelectAccount func(oidc.InteractionID, identity.UserID) (ports.Next, error)
	onConsent       func(oidc.InteractionID, ports.ConsentForm) (ports.Next, error)
	onCurrent       func(ports.Browser) (identity.Session, identity.User, error)
	onSignIn        func(ports.LoginForm) (ports.Login, error)
	onToken         func(oauth.TokenRequest) (oauth.TokenResponse, error)
	onUserInfo      func(oauth.Secret) (oidc.Claims, error)
	onRevoke        func(oauth.PresentedToken) error
	onIntrospect    func(oauth.PresentedToken) (oauth.Introspection, error)
	onLogout        func(q oidc.LogoutRequest, shown identity.UserID) (ports.Logout, error) // shown: on the confirmation page
	onTell          func(identity.SessionID) ports.SignedOut                                // and what took part before
	onTokenLogout   func(oauth.Secret) (ports.SignedOut, error)
	onFrontChannel  func(ports.Browser, oauth.Secret) (ports.SignedOut, error)
	onRegister      func(oauth.Secret) (oauth.ClientID, identity.SessionID, error)
	onMetadata      func() (ports.Document, error)
	onOffered       func(oauth.Secret) (bool, error)
	onResetOffered  func(oauth.Secret) (identity.User, error)
	onReset         func(ports.ResetForm) ([]error, error)
	onComplete      func(ports.SetupForm) (identity.User, []error, error)
	onAccount       func() (ports.Account, error)
	onActivity      func(before int64) (ports.Activity, error)
	onApplication   func(oauth.GrantID) (ports.ApplicationHistory, error)
	onChange        func(form any) (ports.AccountChange, error)
	onChallenge     func(ports.Browser) (ports.Challenge, error)
	onRaise         func() (oauth.Secret, error)
	onFactor        func(oidc.InteractionID, ports.FactorForm) (ports.Next, error) // interaction: empty on the provider's own page
	onOffer         func() (ports.TOTPOffer, error)
	ownCodes        bool
	withoutPasskeys bool
	askError        error
	onDeny          func(audit.Kind, *oauth.Error) error
	onAdministrator func() (identity.User, error)
	onExplain       func(ref string) (ports.Explanation, error)
	onNotices       func(limit int) ([]ports.NoticeInfo, error)
}

func (s *stub) note(call string, c audit.Caller) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls, s.caller = append(s.calls, call), c
}

func (s *stub) Authorize(_ context.Context, c audit.Caller, b ports.Browser, p oauth.Parameters) (ports.Next, error) {
	s.note("Authorize", c)
	if s.onAuthorize != nil {
		return s.onAuthorize(b, p)
	}
	return waiting(oidc.Login), nil
}

func (s *stub) Resume(_ context.Context, c audit.Caller, b ports.Browser, id oidc.InteractionID) (ports.Next, error) {
	s.note("Resume", c)
	if s.onResume != nil {
		return s.onResume(b, id)
	}
	return waiting(oidc.Login), nil
}

func (s *stub) Login(_ context.Context, c audit.Caller, b ports.Browser, id oidc.InteractionID, f ports.LoginForm) (ports.Next, error) {
	s.note("Login", c)
	if s.onLogin != nil {
		return s.onLogin(b, id, f)
	}
	next := waiting(oidc.Consent)
	next.Login.Cookie = "new-session"
	return next, nil
}

func (s *stub) SecondFactor(_ context.Context, c audit.Caller, _ ports.Browser, id oidc.InteractionID, f ports.FactorForm) (ports.Next, error) {
	s.note("SecondFactor", c)
	if s.onFactor != nil {
		return s.onFactor(id, f)
	}
	next := waiting(oidc.Consent)
	next.Login.Cookie = "new-session"
	return next, nil
}

func (s *stub) SelectAccount(_ context.Context, c audit.Caller, _ ports.Browser, id oidc.InteractionID, u identity.UserID) (ports.Next, error) {
	s.note("SelectAccount", c)
	if s.onSelectAccount != nil {
		return s.onSelectAccount(id, u)
	}
	return waiting(oidc.Consent), nil
}

func (s *stub) Consent(_ context.Context, c audit.Caller, _ ports.Browser, id oidc.InteractionID, f ports.ConsentForm) (ports.Next, error) {
	s.note("Consent", c)
	if s.onConsent != nil {
		return s.onConsent(id, f)
	}
	return answered(oauth.ModeQuery, "https://app.test/cb"), nil
}

func (s *stub) Current(_ context.Context, b ports.Browser) (identity.Session, identity.User, error) {
	s.note("Current", audit.Caller{})
	if s.onCurrent != nil {
		return s.onCurrent(b)
	}
	return identity.Session{}, identity.User{}, nil
}

func (s *stub) SignIn(_ context.Context, c audit.Caller, _ ports.Browser, f ports.LoginForm) (ports.Login, error) {
	s.note("SignIn", c)
	if s.onSignIn != nil {
		return s.onSignIn(f)
	}
	return ports.Login{Cookie: "new-session"}, nil
}

func (s *stub) SignOut(_ context.Context, c audit.Caller, _ ports.Browser) (identity.SessionID, error) {
	s.note("SignOut", c)
	return "sid_1", nil
}

func (s *stub) Token(_ context.Context, c audit.Caller, r oauth.TokenRequest) (oauth.TokenResponse, error) {
	s.note("Token", c)
	if s.onToken != nil {
		return s.onToken(r)
	}
	return oauth.TokenResponse{AccessToken: "access", TokenType: "Bearer", ExpiresIn: 15 * time.Minute, Scope: "openid email",
		RefreshToken: "refresh", IDToken: "id"}, nil
}

func (s *stub) UserInfo(_ context.Context, c audit.Caller, t oauth.Secret) (oidc.Claims, error) {
	s.note("UserInfo", c)
	if s.onUserInfo != nil {
		return s.onUserInfo(t)
	}
	return oidc.ClaimsFor(alice, "openid profile email groups"), nil
}

func (s *stub) Revoke(_ context.Context, c audit.Caller, t oauth.PresentedToken) error {
	s.note("Revoke", c)
	if s.onRevoke != nil {
		return s.onRevoke(t)
	}
	return nil
}

func (s *stub) Introspect(_ context.Context, c audit.Caller, t oauth.PresentedToken) (oauth.Introspection, error) {
	s.note("Introspect", c)
	if s.onIntrospect != nil {
		return s.onIntrospect(t)
	}
	at := time.Unix(1710000000, 0)
	return oauth.Introspection{Active: true, Use: oauth.UseAccess, ID: "token-jti", Issuer: testIssuer, Audience: testIssuer, Subject: alice.ID, Session: "sid_123",
		Client: webClient.ID, Scope: "openid profile email", IssuedAt: at, ExpiresAt: at.Add(15 * time.Minute)}, nil
}

func (s *stub) Logout(_ context.Context, c audit.Caller, _ ports.Browser, q oidc.LogoutRequest) (ports.Logout, error) {
	s.note("Logout", c)
	if s.onLogout != nil {
		return s.onLogout(q, "")
	}
	return ports.Logout{}, nil
}

func (s *stub) ConfirmLogout(_ context.Context, c audit.Caller, _ ports.Browser, q oidc.LogoutRequest, shown identity.UserID) (ports.Logout, error) {
	s.note("ConfirmLogout", c)
	if s.onLogout != nil {
		return s.onLogout(q, shown)
	}
	return ports.Logout{}, nil
}

func (s *stub) Metadata(context.Context) (ports.Document, error) {
	s.note("Metadata", audit.Caller{})
	if s.onMetadata != nil {
		return s.onMetadata()
	}
	body, err := json.MarshalIndent(oidc.MetadataFor(testIssuer, Paths, false), "", "  ")
	return ports.Document{Body: body, ETag: `"metadata-1"`}, err
}

func (s *stub) KeySet(context.Context) (ports.Document, error) {
	s.note("KeySet", audit.Caller{})
	return ports.Document{Body: []byte(`{"keys":[]}`), ETag: `"keys-1"`}, nil
}

func (s *stub) BrowserOrigin(_ context.Context, origin string) (bool, error) {
	return origin == spaOrigin, nil
}

func (s *stub) Settings(context.Context) (oidc.Settings, error) { return oidc.Settings{}, nil }

func (s *stub) Offered(_ context.Context, _ audit.Caller, link oauth.Secret) (bool, error) {
	s.note("Offered", audit.Caller{})
	if s.onOffered != nil {
		return s.onOffered(link)
	}
	return true, nil
}

func (s *stub) Complete(_ context.Context, c audit.Caller, f ports.SetupForm) (identity.User, []error, error) {
	s.note("Complete", c)
	if s.onComplete != nil {
		return s.onComplete(f)
	}
	return alice, nil, nil
}

func (s *stub) ResetOffered(_ context.Context, c audit.Caller, link oauth.Secret) (identity.User, error) {
	s.note("ResetOffered", c)
	if s.onResetOffered != nil {
		return s.onResetOffered(link)
	}
	return alice, nil
}

func (s *stub) ResetPassword(_ context.Context, c audit.Caller, f ports.ResetForm) ([]error, error) {
	s.note("ResetPassword", c)
	if s.onReset != nil {
		return s.onReset(f)
	}
	return nil, nil
}

func (s *stub) Account(context.Context, ports.Browser) (ports.Account, error) {
	s.note("Account", audit.Caller{})
	if s.onAccount != nil {
		return s.onAccount()
	}
	here, there := identity.Session{ID: "sid-1"}, identity.Session{ID: "sid-2", UserAgent: "other"}
	return ports.Account{User: alice, Session: here, Sessions: []ports.AccountSession{{Session: here}, {Session: there}},
		Applications: []ports.AccountApplication{{Grant: oauth.Grant{ID: "grant-1", Scope: "openid"}, Client: webClient}}}, nil
}

func (s *stub) Activity(_ context.Context, _ ports.Browser, before int64) (ports.Activity, error) {
	s.note("Activity", audit.Caller{})
	if s.onActivity != nil {
		return s.onActivity(before)
	}
	return ports.Activity{User: alice}, nil
}

func (s *stub) Application(_ context.Context, c audit.Caller, _ ports.Browser, id oauth.GrantID) (ports.ApplicationHistory, error) {
	s.note("Application", c)
	if s.onApplication != nil {
		return s.onApplication(id)
	}
	return ports.ApplicationHistory{}, ports.ErrNotFound
}

func (s *stub) ChangePassword(_ context.Context, c audit.Caller, _ ports.Browser, f ports.PasswordForm) (ports.AccountChange, error) {
	return s.change("ChangePassword", c, f)
}

func (s *stub) ChangeEmail(_ context.Context, c audit.Caller, _ ports.Browser, f ports.EmailForm) (ports.AccountChange, error) {
	return s.change("ChangeEmail", c, f)
}

func (s *stub) EndSession(_ context.Context, c audit.Caller, _ ports.Browser, f ports.SessionForm) (ports.AccountChange, error) {
	return s.change("EndSession", c, f)
}

func (s *stub) Disconnect(_ context.Context, c audit.Caller, _ ports.Browser, f ports.DisconnectForm) (ports.AccountChange, error) {
	return s.change("Disconnect", c, f)
}

func (s *stub) change(call string, c audit.Caller, form any) (ports.AccountChange, error) {
	s.note(call, c)
	if s.onChange != nil {
		return s.onChange(form)
	}
	return ports.AccountChange{}, nil
}

func (s *stub) Deny(_ context.Context, c audit.Caller, kind audit.Kind, e *oauth.Error) error {
	s.note("Deny "+string(kind), c)
	if s.onDeny != nil {
		return s.onDeny(kind, e)
	}
	return nil
}

var alice = identity.User{ID: "user-1", Username: "alice", Email: "alice@mail.test", EmailVerified: true, Groups: []string{"editors", "staff"},
	UpdatedAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Claims: identity.Claims{Name: "Alice Q", Locale: "id-ID"}}

var webClient = oauth.Client{ID: "web", Name: "Kopi Notes", RedirectURIs: []string{"https://app.test/cb"}, ResponseTypes: []string{"code"},
	Scope: "openid profile email", Rules: oauth.Rules{AllowNoBinding: true}}

// waiting is an interaction that waits for a person at the step.
func waiting(step oidc.Step) ports.Next {
	p := oauth.Parameters{Values: map[string]string{"client_id": "web", "redirect_uri": "https://app.test/cb", "response_type": "code",
		"scope": "openid profile email", "state": "s"}}
	reply, refusal := oauth.FindReplyAddress(p, webClient, testIssuer)
	if refusal != nil {
		panic(refusal)
	}
	request, refusal := oauth.ParseAuthorizationRequest(p, webClient, reply)
	if refusal != nil {
		panic(refusal)
	}
	next := ports.Next{Step: step, Interaction: oidc.Interaction{ID: "int-1"}, Request: request, Client: webClient}
	if step == oidc.Consent || step == oidc.SelectAccount {
		next.User = alice
	}
	return next
}

// answered is an authorization request whose answer is ready.
func answered(mode oauth.ResponseMode, uri string, more ...oauth.Parameter) ports.Next {
	parameters := append([]oauth.Parameter{{Name: "code", Value: "code-1"}}, more...)
	return ports.Next{Step: oidc.Respond, Response: &oauth.AuthorizationResponse{URI: uri, Mode: mode,
		Parameters: append(parameters, oauth.Parameter{Name: "iss", Value: testIssuer})}}
}

func (s *stub) Applications(_ context.Context, id identity.SessionID) (ports.SignedOut, error) {
	if s.onTell != nil {
		return s.onTell(id), nil
	}
	return ports.SignedOut{Session: id}, nil
}

func (s *stub) Tell(ctx context.Context, id identity.SessionID) (ports.SignedOut, error) {
	s.note("Tell", audit.Caller{})
	return s.Applications(ctx, id)
}

func (s *stub) LogoutByToken(_ context.Context, c audit.Caller, t oauth.Secret) (ports.SignedOut, error) {
	s.note("LogoutByToken", c)
	if s.onTokenLogout != nil {
		return s.onTokenLogout(t)
	}
	return ports.SignedOut{Session: "sid_1"}, nil
}

func (s *stub) FrontChannel(_ context.Context, c audit.Caller, b ports.Browser, t oauth.Secret) (ports.SignedOut, error) {
	s.note("FrontChannel", c)
	if s.onFrontChannel != nil {
		return s.onFrontChannel(b, t)
	}
	return ports.SignedOut{Session: "sid_1"}, nil
}

func (s *stub) RegisterSession(_ context.Context, c audit.Caller, t oauth.Secret) (oauth.ClientID, identity.SessionID, error) {
	s.note("RegisterSession", c)
	if s.onRegister != nil {
		return s.onRegister(t)
	}
	return "web", "sid_1", nil
}
