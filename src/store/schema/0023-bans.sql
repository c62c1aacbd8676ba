-- Who is turned away for a while (limit/bans.ts), version 23: only a new table, so that version 22 goes on beside it.

CREATE TABLE ban (
  network TEXT NOT NULL PRIMARY KEY,       -- '192.0.2.1/32', '2001:db8:0:1::/64'
  level INTEGER NOT NULL,                  -- how often, lately; 0 once it was lifted
  begun_at INTEGER NOT NULL,
  until_at INTEGER NOT NULL,
  reason TEXT NOT NULL,
  origin TEXT NOT NULL,                    -- 'limit' | 'operator'
  changed_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX ban_changed ON ban (changed_at, network);
