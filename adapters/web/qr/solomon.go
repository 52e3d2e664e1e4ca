package qr

// correction returns the error correction bytes of a block: the remainder of its polynomial by the generator of that degree,
// over GF(256) modulo x⁸+x⁴+x³+x²+1 (§7.5).
func correction(block []byte, degree int) []byte {
	generator := generatorOf(degree)
	rest := make([]byte, degree)
	for _, b := range block {
		factor := b ^ rest[0]
		copy(rest, rest[1:])
		rest[degree-1] = 0
		for i, g := range generator {
			rest[i] ^= multiply(g, factor)
		}
	}
	return rest
}

// generatorOf returns (x−α⁰)(x−α¹)…, without its leading 1.
func generatorOf(degree int) []byte {
	g := make([]byte, degree)
	g[degree-1] = 1
	root := byte(1)
	for range degree {
		for i := range g {
			g[i] = multiply(g[i], root)
			if i+1 < degree {
				g[i] ^= g[i+1]
			}
		}
		root = multiply(root, 2)
	}
	return g
}

func multiply(a, b byte) (product byte) {
	for i := 7; i >= 0; i-- {
		overflow := product>>7 == 1
		product <<= 1
		if overflow {
			product ^= 0x1D
		}
		if b>>i&1 == 1 {
			product ^= a
		}
	}
	return product
}
