-- Several nodes on one database, version 2: only new tables, so that version 1 goes on beside it.

-- Every server at work, by the id of its life. Renewed by the database's clock; gone at a stop.
CREATE TABLE node (
  id TEXT NOT NULL PRIMARY KEY,
  host TEXT NOT NULL,
  pid INTEGER NOT NULL,
  version TEXT NOT NULL,
  epoch TEXT NOT NULL,                     -- the hash of the config in force
  started_at INTEGER NOT NULL,
  seen_at INTEGER NOT NULL,
  draining INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

-- Who has a maildrop to himself (RFC 1939 §4): a lease, so that a dead node keeps nobody out.
CREATE TABLE maildrop_lock (
  account_id INTEGER NOT NULL PRIMARY KEY,
  holder TEXT NOT NULL,                    -- the life of a node
  until_at INTEGER NOT NULL
) WITHOUT ROWID;
