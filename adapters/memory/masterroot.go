package memory

import "latchkey/ports"

func (r reader) MasterRoot() (ports.MasterRoot, error) {
	if r.root == nil {
		return ports.MasterRoot{}, ports.ErrNotFound
	}
	return clone(*r.root), nil
}

func (t *tx) SaveMasterRoot(m ports.MasterRoot) error {
	m = clone(m)
	t.root = &m
	return t.failed
}
