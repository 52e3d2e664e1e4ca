// Package webauthn owns the bytes of passkeys (Web Authentication Level 3): it reads what browsers and authenticators
// write, and says whether a ceremony was meant for this site, answers its challenge and was signed by the key. It
// implements ports.Passkeys.
//
//	cbor.go         RFC 8949, CTAP2 canonical form    parseCBOR
//	cose.go         RFC 9052 §7, RFC 9053             publicKey
//	authdata.go     §6.1, §6.5.1                      authenticatorData
//	clientdata.go   §5.8.1                            clientData
//	attestation.go  §6.5.4, §8.2, §8.7                attestation
//	verifier.go     §7.1, §7.2                        Verifier
//
// It keeps nothing and draws nothing. Attestation is never asked for: which maker built an authenticator decides
// nothing here, so no statement about that is believed. The readers accept one encoding of each thing and no more than
// there has to be; anything else is somebody trying.
package webauthn
