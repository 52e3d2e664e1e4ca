package qr

import (
	"errors"
	"strings"
	"testing"
)

// decode reads a code as a reader does once it has found it: format, mask, columns, blocks, text. It corrects no errors,
// because a code that we draw has none.
func decode(t *testing.T, c *Code) string {
	t.Helper()
	number := (c.Size - 17) / 4
	v := versions[number-1]
	fresh := &Code{Size: c.Size, modules: make([]bool, len(c.modules)), fixed: make([]bool, len(c.fixed))}
	fresh.drawPatterns(v)
	format := 0
	for i := range 6 {
		format |= b2i(c.at(i, 8)) << i
	}
	format |= b2i(c.at(7, 8))<<6 | b2i(c.at(8, 8))<<7 | b2i(c.at(8, 7))<<8
	for i := range 6 {
		format |= b2i(c.at(8, i)) << (14 - i)
	}
	format ^= 0b101010000010010
	if level := format >> 13; level != 0 {
		t.Fatalf("level %b", level)
	}
	mask := format >> 10 & 7
	var stream bitWriter
	up := true
	for right := c.Size - 1; right > 0; right -= 2 {
		if right == 6 {
			right--
		}
		for i := range c.Size {
			row := i
			if up {
				row = c.Size - 1 - i
			}
			for _, column := range [2]int{right, right - 1} {
				if !fresh.fixed[row*c.Size+column] {
					stream.write(b2i(c.at(row, column) != masks[mask](row, column)), 1)
				}
			}
		}
		up = !up
	}
	blocks := make([][]byte, len(v.blocks))
	at := 0
	for i := range v.blocks[len(v.blocks)-1] {
		for b, n := range v.blocks {
			if i < n {
				blocks[b] = append(blocks[b], stream.bytes[at])
				at++
			}
		}
	}
	for i := range v.check {
		for b := range blocks {
			if want := correction(blocks[b][:v.blocks[b]], v.check)[i]; stream.bytes[at] != want {
				t.Fatalf("block %d has check byte %x, want %x", b, stream.bytes[at], want)
			}
			at++
		}
	}
	var data []byte
	for _, b := range blocks {
		data = append(data, b...)
	}
	bit := func(from, n int) (value int) {
		for i := from; i < from+n; i++ {
			value = value<<1 | int(data[i/8]>>(7-i%8)&1)
		}
		return value
	}
	if mode := bit(0, 4); mode != 0b0100 {
		t.Fatalf("mode %b", mode)
	}
	length := bit(4, v.lengthBits())
	text := make([]byte, length)
	for i := range text {
		text[i] = byte(bit(4+v.lengthBits()+8*i, 8))
	}
	return string(text)
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func TestRoundTrip(t *testing.T) {
	sizes := map[int]bool{}
	for n := 0; n <= 666; n += 3 {
		text := strings.Repeat("otpauth://totp/Latchkey:Sari?secret=JBSWY3DPEHPK3PXP&é\x00", 20)[:n]
		c, err := Encode(text)
		if err != nil {
			t.Fatalf("%d bytes: %v", n, err)
		}
		sizes[c.Size] = true
		if got := decode(t, c); got != text {
			t.Fatalf("%d bytes: got %q", n, got)
		}
	}
	if len(sizes) != len(versions) {
		t.Errorf("only the sizes %v were drawn", sizes)
	}
	if _, err := Encode(strings.Repeat("x", 667)); !errors.Is(err, ErrTooLong) {
		t.Errorf("one byte too many: %v", err)
	}
}

// Worked examples of the standard: the check bytes of "01234567" in version 1-M (annex I), and the two BCH codes.
func TestExamplesOfTheStandard(t *testing.T) {
	block := []byte{0x10, 0x20, 0x0C, 0x56, 0x61, 0x80, 0xEC, 0x11, 0xEC, 0x11, 0xEC, 0x11, 0xEC, 0x11, 0xEC, 0x11}
	want := []byte{0xA5, 0x24, 0xD4, 0xC1, 0xED, 0x36, 0xC7, 0x87, 0x2C, 0x55}
	if got := correction(block, 10); string(got) != string(want) {
		t.Errorf("check bytes % X, want % X", got, want)
	}
	c := draw(versions[6], make([]byte, 196))
	version := 0
	for i := range 18 {
		version |= b2i(c.at(c.Size-11+i%3, i/3)) << i
	}
	if version != 0b000111110010010100 { // annex D.2, version 7
		t.Errorf("version information %018b", version)
	}
}

// The picture has exactly the dark modules, inside its border.
func TestPath(t *testing.T) {
	c, err := Encode("x")
	if err != nil {
		t.Fatal(err)
	}
	if p := c.Path(); !strings.HasPrefix(p, "M4 4h7v1h-7z") || strings.ContainsAny(p, "<>\"&") || c.Side() != 29 {
		t.Errorf("side %d, path %.60s", c.Side(), p)
	}
}

func FuzzEncode(f *testing.F) {
	f.Add("otpauth://totp/x?secret=JBSWY3DPEHPK3PXP")
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := Encode(text)
		if err != nil {
			if len(text) <= 666 {
				t.Error(err)
			}
			return
		}
		if got := decode(t, c); got != text {
			t.Errorf("got %q, want %q", got, text)
		}
	})
}
