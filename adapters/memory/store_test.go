package memory_test

import (
	"testing"

	"latchkey/adapters/memory"
	"latchkey/ports"
	"latchkey/ports/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(*testing.T) ports.Store { return memory.New() })
}
