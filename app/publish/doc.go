// Package publish owns what anybody may fetch: the provider's metadata and its key set, encoded once and again only after
// a change, and the answer to which browser origins belong to an application. How it travels is left to adapters/web.
package publish
