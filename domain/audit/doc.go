// Package audit owns the record of what happened: one event for each security decision, saved in the unit of work of
// the deed itself. It carries no secret, and it knows nothing of the nouns it names: they appear as text.
package audit
