package qr

import (
	"fmt"
	"strings"
)

// quiet is the light border that readers need, in modules.
const quiet = 4

// Side is the length of a side of the picture in modules, with its border.
func (c *Code) Side() int { return c.Size + 2*quiet }

// Path returns the dark modules as the data of one SVG path, in a square of Side units.
func (c *Code) Path() string {
	var path strings.Builder
	for row := range c.Size {
		for column := 0; column < c.Size; column++ {
			begin := column
			for column < c.Size && c.at(row, column) {
				column++
			}
			if column > begin {
				fmt.Fprintf(&path, "M%d %dh%dv1h-%dz", begin+quiet, row+quiet, column-begin, column-begin)
			}
		}
	}
	return path.String()
}
