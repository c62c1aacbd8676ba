-- Bodies that all nodes can read, version 3: only new tables, so that version 2 goes on beside it.

-- Octets of staged bodies kept in the database, in chunks (chunk-disk.ts). Written before any row names
-- them, and read only once they are sealed.
CREATE TABLE body_chunk (
  name TEXT NOT NULL,
  n INTEGER NOT NULL,                      -- from 0, each of 256 KB but the last
  octets BLOB NOT NULL,
  PRIMARY KEY (name, n)
);

-- One row for each body that has chunks. Size is that of all chunks once it is sealed.
CREATE TABLE body_chunked (
  name TEXT NOT NULL PRIMARY KEY,
  sealed INTEGER NOT NULL,
  size_octets INTEGER NOT NULL,
  changed_at INTEGER NOT NULL
) WITHOUT ROWID;

-- Bodies that other nodes may still be reading, though no row names them any more (garbage.ts).
CREATE TABLE body_garbage (
  name TEXT NOT NULL PRIMARY KEY,          -- the stem
  since INTEGER NOT NULL
) WITHOUT ROWID;
