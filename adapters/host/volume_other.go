//go:build !linux

package host

import "latchkey/ports"

// Volume says that nothing is known here.
func (Machine) Volume(string) ports.Volume {
	return ports.Volume{Problem: "the file system can be told on Linux only"}
}
