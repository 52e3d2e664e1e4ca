-- The root from which every key derives, sealed under the master key, which can be replaced then: nothing else is sealed
-- under it. A database from before has no row; its master key is its root.

CREATE TABLE master_root (
  id        INTEGER PRIMARY KEY CHECK (id = 1),
  sealed    BLOB NOT NULL,
  made_at   INTEGER NOT NULL,
  inherited INTEGER NOT NULL
) STRICT;
