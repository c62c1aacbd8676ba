-- What each node has counted of whom lately (limit/shared-counts.ts), version 26: only a new table, so that version 25
-- goes on beside it. It counts alone.

CREATE TABLE tally (
  kind TEXT NOT NULL,                      -- of what: 'connections', 'failures', 'standing.address', ...
  key TEXT NOT NULL,                       -- of whom
  node TEXT NOT NULL,                      -- the life of a node
  sum INTEGER NOT NULL,
  until_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  PRIMARY KEY (kind, key, node)
) WITHOUT ROWID;
CREATE INDEX tally_changed ON tally (changed_at);
