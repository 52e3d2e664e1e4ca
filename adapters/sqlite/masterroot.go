package sqlite

import "latchkey/ports"

const (
	rooted           = 6 // the migration that brought the root
	selectMasterRoot = "SELECT sealed, made_at, inherited FROM master_root WHERE id = 1"
)

func scanMasterRoot(r *row) ports.MasterRoot {
	return ports.MasterRoot{Sealed: r.bytes(), MadeAt: r.time(), Inherited: r.bool()}
}

func (r *reader) MasterRoot() (ports.MasterRoot, error) {
	return one(r, scanMasterRoot, selectMasterRoot)
}

func (t *tx) SaveMasterRoot(m ports.MasterRoot) error {
	return t.save("INSERT OR REPLACE INTO master_root (id, sealed, made_at, inherited) VALUES (1, ?, ?, ?)", blob(m.Sealed), ms(m.MadeAt), m.Inherited)
}
