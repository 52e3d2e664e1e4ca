// Package admin owns what an administrator does: declaring users, groups, clients and settings, managing them one by one,
// one-time links, the signing keys, and reading and proving the audit trail. Whoever asks, and whether they may, is left to the
// caller: the command line, which may read the file anyway, and the set-up page, which presents a link.
//
//	document.go   the strict reader of the file that `latchkey apply` takes; APPLY.md describes it
//	user.go       what a document says of a user, client.go of a client
//	apply.go      from a document to the difference, and to one unit of work
//	revoke.go     what ends when a user or a client loses something
//	manage_*.go   users, clients, sessions, token families and keys, one at a time
//	inspect.go    what is shown of them, which holds no secret
//	setup.go      the first administrator
//	reset.go      links with which users choose a new password
//	recover.go    the break-glass of whoever has the host
//	keys.go       signing keys
//	trail.go      the audit trail and its anchors
package admin

import _ "embed"

// Guide describes the file that Apply takes, for people.
//
//go:embed APPLY.md
var Guide string
