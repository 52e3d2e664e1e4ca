// Package account owns what signed-in users see of their own account, what happened to it included, and what they may change:
// password, e-mail address, second factors, sessions and the applications they allowed. Nobody's account but one's own is in
// reach. Checking passwords, sessions and their ends are left to package session; what administrators may do to others to
// package admin; pages to adapters/web.
//
// What a change ends, always in its own unit of work:
//
//	password changed          every session and every token of the user, with or without offline_access; this browser goes
//	                          on in a new session, and what was allowed stays allowed (LG-11, RF-09)
//	session ended             its tokens, except those an application holds with offline_access (SS-04)
//	application disconnected  its grant with every token and code under it; it has to ask again (CN-06)
package account
