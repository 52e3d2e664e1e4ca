package webauthn

import "errors"

var (
	errAttestation = errors.New("the attestation object is malformed")
	errSelfSigned  = errors.New("the attestation was not signed with the key it is about")
)

// attestation is what an authenticator says about a new key (§6.5.4).
type attestation struct {
	format    string
	statement cborMap
	raw       []byte // authenticator data, as it was signed
	data      authenticatorData
}

// parseAttestation reads an attestation object, which has exactly three members.
func parseAttestation(b []byte) (attestation, error) {
	v, err := parseCBOR(b)
	if err != nil {
		return attestation{}, err
	}
	m, _ := v.(cborMap)
	var a attestation
	var ok, ok2, ok3 bool
	a.format, ok = m["fmt"].(string)
	a.statement, ok2 = m["attStmt"].(cborMap)
	a.raw, ok3 = m["authData"].([]byte)
	if !ok || !ok2 || !ok3 || len(m) != 3 {
		return attestation{}, errAttestation
	}
	if a.data, err = parseAuthenticatorData(a.raw); err != nil {
		return attestation{}, err
	}
	if !a.data.has(flagCredential) {
		return attestation{}, errAttestation
	}
	return a, nil
}

// consistent checks what a statement says only where it speaks of nothing but the key itself. Attestation is not asked
// for, so most say nothing (§8.7); one that is signed with the new key (§8.2, self attestation) shows that the key is
// held, and when it is signed with anything else somebody has changed it on the way. Statements of makers are passed
// over, neither believed nor held against anyone: without their roots there is nothing to learn from them.
func (a attestation) consistent(clientDataHash []byte) error {
	switch a.format {
	case "none":
		if len(a.statement) != 0 {
			return errAttestation
		}
	case "packed":
		if _, certified := a.statement["x5c"]; certified {
			return nil
		}
		signature, _ := a.statement["sig"].([]byte)
		signed := append(a.raw[:len(a.raw):len(a.raw)], clientDataHash...)
		if a.statement["alg"] != a.data.key.algorithm || !a.data.key.verified(signed, signature) {
			return errSelfSigned
		}
	}
	return nil
}
