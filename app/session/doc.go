// Package session owns signing in and out: checking a password without telling who exists, asking for the second factor
// of who has one, bounding guesses, beginning and ending sessions. What an application may have for a session is left to packages authorize and token; cookies and
// pages to adapters/web.
package session
