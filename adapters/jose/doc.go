// Package jose owns signed tokens: their keys, their bytes, and recognising them again. It implements ports.Signer and
// ports.KeyMaker.
//
//	json.go         RFC 8259, and stricter     parseObject
//	members.go      reading typed members      members
//	encode.go       writing members            appendString, appendValue
//	compact.go      RFC 7515 §7.1, RFC 8725    keySet.verify
//	key.go          RFC 7517, RFC 7518 §6      keys, JWK
//	signer.go                                  Signer
//	accesstoken.go  RFC 9068                   SignAccessToken, VerifyAccessToken
//	idtoken.go      OIDC Core §2               SignIDToken, VerifyIDToken
//
// When keys are made and erased is decided in domain/oidc; where they are stored and how long a token is good for is left
// to others. The readers accept only what this server writes: one encoding for each token, algorithms from our own key
// records and never from a header, and no member name twice. No error holds a token.
package jose
