// Package qr draws QR codes (ISO/IEC 18004) for text that a person moves to a phone with its camera. It owns byte mode at
// error correction level M in versions 1 to 20, which is any otpauth URI; what the text means is left to the caller.
//
//	qr.go      from text to modules
//	solomon.go error correction
//	svg.go     from modules to a picture
package qr

import (
	"errors"
)

// Code is a square of modules. Row and column 0 are at the top left; true is dark.
type Code struct {
	Size    int
	modules []bool
	fixed   []bool // what belongs to a pattern and carries no data
}

// ErrTooLong is returned for text that does not fit.
var ErrTooLong = errors.New("the text is too long for a QR code")

// version is what differs between sizes, at level M.
type version struct {
	number    int
	check     int   // error correction bytes of each block
	blocks    []int // data bytes of each block, the shorter ones first
	alignment []int // centres of alignment patterns, in rows and columns alike
}

// versions are those of ISO/IEC 18004, tables 9 and E.1.
var versions = []version{
	{1, 10, same(1, 16), nil},
	{2, 16, same(1, 28), []int{6, 18}},
	{3, 26, same(1, 44), []int{6, 22}},
	{4, 18, same(2, 32), []int{6, 26}},
	{5, 24, same(2, 43), []int{6, 30}},
	{6, 16, same(4, 27), []int{6, 34}},
	{7, 18, same(4, 31), []int{6, 22, 38}},
	{8, 22, append(same(2, 38), same(2, 39)...), []int{6, 24, 42}},
	{9, 22, append(same(3, 36), same(2, 37)...), []int{6, 26, 46}},
	{10, 26, append(same(4, 43), same(1, 44)...), []int{6, 28, 50}},
	{11, 30, append(same(1, 50), same(4, 51)...), []int{6, 30, 54}},
	{12, 22, append(same(6, 36), same(2, 37)...), []int{6, 32, 58}},
	{13, 22, append(same(8, 37), same(1, 38)...), []int{6, 34, 62}},
	{14, 24, append(same(4, 40), same(5, 41)...), []int{6, 26, 46, 66}},
	{15, 24, append(same(5, 41), same(5, 42)...), []int{6, 26, 48, 70}},
	{16, 28, append(same(7, 45), same(3, 46)...), []int{6, 26, 50, 74}},
	{17, 28, append(same(10, 46), same(1, 47)...), []int{6, 30, 54, 78}},
	{18, 26, append(same(9, 43), same(4, 44)...), []int{6, 30, 56, 82}},
	{19, 26, append(same(3, 44), same(11, 45)...), []int{6, 30, 58, 86}},
	{20, 26, append(same(3, 41), same(13, 42)...), []int{6, 34, 62, 90}},
}

func same(blocks, bytes int) []int {
	all := make([]int, blocks)
	for i := range all {
		all[i] = bytes
	}
	return all
}

func (v version) capacity() (total int) {
	for _, n := range v.blocks {
		total += n
	}
	return total
}

// lengthBits is how many bits say how long the text is.
func (v version) lengthBits() int {
	if v.number < 10 {
		return 8
	}
	return 16
}

// Encode returns the smallest code that holds the text.
func Encode(text string) (*Code, error) {
	for _, v := range versions {
		if 4+v.lengthBits()+8*len(text) <= 8*v.capacity() {
			return draw(v, interleave(v, data(v, text))), nil
		}
	}
	return nil, ErrTooLong
}

// data returns the text in byte mode, filled up to the capacity (§7.4).
func data(v version, text string) []byte {
	var bits bitWriter
	bits.write(0b0100, 4)
	bits.write(len(text), v.lengthBits())
	for i := range len(text) {
		bits.write(int(text[i]), 8)
	}
	room := 8*v.capacity() - bits.n
	bits.write(0, min(4, room))
	for bits.n%8 != 0 {
		bits.write(0, 1)
	}
	for i := 0; len(bits.bytes) < v.capacity(); i++ {
		bits.bytes = append(bits.bytes, [2]byte{0xEC, 0x11}[i%2])
	}
	return bits.bytes
}

type bitWriter struct {
	bytes []byte
	n     int
}

func (w *bitWriter) write(value, bits int) {
	for i := bits - 1; i >= 0; i-- {
		if w.n%8 == 0 {
			w.bytes = append(w.bytes, 0)
		}
		w.bytes[w.n/8] |= byte(value>>i&1) << (7 - w.n%8)
		w.n++
	}
}

// interleave splits the data into blocks, adds their error correction, and takes a byte of each in turn (§7.6).
func interleave(v version, data []byte) []byte {
	var blocks, checks [][]byte
	for _, n := range v.blocks {
		blocks, data = append(blocks, data[:n]), data[n:]
		checks = append(checks, correction(blocks[len(blocks)-1], v.check))
	}
	var all []byte
	for i := range v.blocks[len(v.blocks)-1] { // the last is the longest
		for _, b := range blocks {
			if i < len(b) {
				all = append(all, b[i])
			}
		}
	}
	for i := range v.check {
		for _, c := range checks {
			all = append(all, c[i])
		}
	}
	return all
}

func (c *Code) at(row, column int) bool { return c.modules[row*c.Size+column] }

func (c *Code) fix(row, column int, dark bool) {
	c.modules[row*c.Size+column], c.fixed[row*c.Size+column] = dark, true
}

// draw places patterns and data, under the mask that readers like best (§7.7, §7.8).
func draw(v version, stream []byte) *Code {
	size := 17 + 4*v.number
	c := &Code{Size: size, modules: make([]bool, size*size), fixed: make([]bool, size*size)}
	c.drawPatterns(v)
	c.drawData(stream)
	best, least := 0, -1
	for mask := range masks {
		c.mask(mask)
		c.drawFormat(mask)
		if p := c.penalty(); least < 0 || p < least {
			best, least = mask, p
		}
		c.mask(mask) // a second time takes it off
	}
	c.mask(best)
	c.drawFormat(best)
	return c
}

func (c *Code) drawPatterns(v version) {
	for i := range c.Size { // timing
		c.fix(6, i, i%2 == 0)
		c.fix(i, 6, i%2 == 0)
	}
	for _, corner := range [][2]int{{3, 3}, {3, c.Size - 4}, {c.Size - 4, 3}} { // finders with their light borders
		for dr := -4; dr <= 4; dr++ {
			for dc := -4; dc <= 4; dc++ {
				row, column := corner[0]+dr, corner[1]+dc
				if row >= 0 && row < c.Size && column >= 0 && column < c.Size {
					ring := max(abs(dr), abs(dc))
					c.fix(row, column, ring != 2 && ring != 4)
				}
			}
		}
	}
	last := len(v.alignment) - 1
	for i, row := range v.alignment {
		for j, column := range v.alignment {
			if (i == 0 && j == 0) || (i == 0 && j == last) || (i == last && j == 0) {
				continue // a finder is there
			}
			for dr := -2; dr <= 2; dr++ {
				for dc := -2; dc <= 2; dc++ {
					c.fix(row+dr, column+dc, max(abs(dr), abs(dc)) != 1)
				}
			}
		}
	}
	c.drawFormat(0) // reserves its place
	if v.number >= 7 {
		c.drawVersion(v.number)
	}
}

// drawFormat writes level and mask twice, with a BCH code (§7.9).
func (c *Code) drawFormat(mask int) {
	const levelM = 0b00
	value := levelM<<3 | mask
	rest := value << 10
	for i := 14; i >= 10; i-- {
		if rest>>i&1 == 1 {
			rest ^= 0b10100110111 << (i - 10)
		}
	}
	bits := (value<<10 | rest) ^ 0b101010000010010
	bit := func(i int) bool { return bits>>i&1 == 1 }
	for i := range 6 {
		c.fix(i, 8, bit(i))
		c.fix(8, i, bit(14-i))
	}
	c.fix(7, 8, bit(6))
	c.fix(8, 8, bit(7))
	c.fix(8, 7, bit(8))
	for i := range 8 {
		c.fix(8, c.Size-1-i, bit(i))
	}
	for i := range 7 {
		c.fix(c.Size-7+i, 8, bit(8+i))
	}
	c.fix(c.Size-8, 8, true) // always dark
}

// drawVersion writes the version twice, with a BCH code (§7.10).
func (c *Code) drawVersion(number int) {
	rest := number << 12
	for i := 17; i >= 12; i-- {
		if rest>>i&1 == 1 {
			rest ^= 0b1111100100101 << (i - 12)
		}
	}
	bits := number<<12 | rest
	for i := range 18 {
		dark := bits>>i&1 == 1
		c.fix(c.Size-11+i%3, i/3, dark)
		c.fix(i/3, c.Size-11+i%3, dark)
	}
}

// drawData fills what is left, in pairs of columns from the right, up and down in turn (§7.7.3).
func (c *Code) drawData(stream []byte) {
	n, up := 0, true
	for right := c.Size - 1; right > 0; right -= 2 {
		if right == 6 {
			right-- // the timing column is no part of a pair
		}
		for i := range c.Size {
			row := i
			if up {
				row = c.Size - 1 - i
			}
			for _, column := range [2]int{right, right - 1} {
				if c.fixed[row*c.Size+column] {
					continue
				}
				if n < 8*len(stream) {
					c.modules[row*c.Size+column] = stream[n/8]>>(7-n%8)&1 == 1
				}
				n++
			}
		}
		up = !up
	}
}

var masks = []func(row, column int) bool{
	func(r, c int) bool { return (r+c)%2 == 0 },
	func(r, _ int) bool { return r%2 == 0 },
	func(_, c int) bool { return c%3 == 0 },
	func(r, c int) bool { return (r+c)%3 == 0 },
	func(r, c int) bool { return (r/2+c/3)%2 == 0 },
	func(r, c int) bool { return r*c%2+r*c%3 == 0 },
	func(r, c int) bool { return (r*c%2+r*c%3)%2 == 0 },
	func(r, c int) bool { return ((r+c)%2+r*c%3)%2 == 0 },
}

func (c *Code) mask(n int) {
	for row := range c.Size {
		for column := range c.Size {
			if i := row*c.Size + column; !c.fixed[i] && masks[n](row, column) {
				c.modules[i] = !c.modules[i]
			}
		}
	}
}

// penalty counts what makes a code hard to read (§7.8.3).
func (c *Code) penalty() (total int) {
	dark := 0
	for i := range c.Size {
		total += lines(c.Size, func(j int) bool { return c.at(i, j) }) + lines(c.Size, func(j int) bool { return c.at(j, i) })
		for j := range c.Size {
			if c.at(i, j) {
				dark++
			}
			if i > 0 && j > 0 && c.at(i, j) == c.at(i-1, j) && c.at(i, j) == c.at(i, j-1) && c.at(i, j) == c.at(i-1, j-1) {
				total += 3
			}
		}
	}
	return total + 10*(abs(20*dark-10*c.Size*c.Size)/(c.Size*c.Size))
}

// lines counts runs of one colour and what looks like a finder in one row or column.
func lines(size int, at func(int) bool) (total int) {
	run := 0
	history := 0 // the last modules as bits, light before the beginning
	for j := range size + 4 {
		dark := j < size && at(j)
		if j < size {
			if j > 0 && dark == at(j-1) {
				run++
			} else {
				run = 1
			}
			switch {
			case run == 5:
				total += 3
			case run > 5:
				total++
			}
		}
		history = history << 1 & 0x7FF
		if dark {
			history |= 1
		}
		if history == 0b00001011101 || history == 0b10111010000 {
			total += 40
		}
	}
	return total
}

func abs(n int) int { return max(n, -n) }
