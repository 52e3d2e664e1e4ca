// Package admin owns what an administrator does: declaring users, groups, clients and settings, making the first
// administrator from a one-time link, and rotating the signing keys. Whoever asks, and whether they may, is left to the
// caller: the command line, which may read the file anyway, and the set-up page, which presents a link.
//
//	document.go   the strict reader of the file that `latchkey apply` takes; APPLY.md describes it
//	user.go       what a document says of a user, client.go of a client
//	apply.go      from a document to the difference, and to one unit of work
//	revoke.go     what ends when a user or a client loses something
//	setup.go      the first administrator
//	keys.go       signing keys
package admin

import _ "embed"

// Guide describes the file that Apply takes, for people.
//
//go:embed APPLY.md
var Guide string
