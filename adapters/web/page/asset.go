package page

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/hex"
)

//go:embed static/style.css
var styleSheetText []byte

//go:embed static/passkey.js
var passkeyScriptText []byte

// The one style sheet, and the one script of pages.
var (
	StyleSheet    = newAsset("style", ".css", "text/css; charset=utf-8", styleSheetText)
	PasskeyScript = newAsset("passkey", ".js", "text/javascript; charset=utf-8", passkeyScriptText)
)

// Asset is a file that pages load. Its path below the issuer changes with its content, so that it may be cached for ever.
type Asset struct {
	Path, ContentType string
	Integrity         string // hash by which a page says which content it means (Subresource Integrity)
	Content           []byte
}

func newAsset(name, extension, contentType string, content []byte) Asset {
	sum := sha256.Sum256(content)
	return Asset{Path: "/static/" + name + "-" + hex.EncodeToString(sum[:4]) + extension, ContentType: contentType,
		Integrity: "sha256-" + base64.StdEncoding.EncodeToString(sum[:]), Content: content}
}
