package verify

import (
	"crypto/ed25519"
	"encoding/hex"
)

// verifySignature is RFC 8032 in its strict reading, the same in every client and node: S below the
// group order and an equation without cofactor, as crypto/ed25519 has it, and besides neither a key
// nor an R that is of small order or not canonical.
func verifySignature(key []byte, digest Hash, signature []byte) bool {
	if len(key) != ed25519.PublicKeySize || len(signature) != ed25519.SignatureSize {
		return false
	}
	if !isAcceptablePoint(key) || !isAcceptablePoint(signature[:32]) {
		return false
	}
	return ed25519.Verify(key, digest[:], signature)
}

// isAcceptablePoint says whether the y of an encoded point is below the prime, and not that of a
// point of small order. It does not say that the point is on the curve.
func isAcceptablePoint(point []byte) bool {
	y := [32]byte(point)
	y[31] &= 0x7f
	for _, small := range smallOrderYs {
		if y == small {
			return false
		}
	}
	for i := 31; i >= 0; i-- {
		if y[i] != fieldPrime[i] {
			return y[i] < fieldPrime[i]
		}
	}
	return false
}

// fieldPrime is 2^255-19, little-endian.
var fieldPrime = point("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")

// smallOrderYs are the y of the eight points whose order divides 8: order 4, 1, 2, and twice 8.
var smallOrderYs = [][32]byte{
	point("0000000000000000000000000000000000000000000000000000000000000000"),
	point("0100000000000000000000000000000000000000000000000000000000000000"),
	point("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
	point("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
	point("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
}

func point(digits string) [32]byte {
	decoded, err := hex.DecodeString(digits)
	if err != nil {
		panic(err)
	}
	return [32]byte(decoded)
}
