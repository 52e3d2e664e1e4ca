// Package identity owns people and their browsers: users, sign-in sessions, second factors, one-time links and the
// bound on guessing passwords and codes. It holds values and rules of values and now; hashing, storage and pages are left to the rings outside,
// and what a client may do for a user is left to package oauth.
package identity
