-- Rows that wait for a destination, a sender or a rule though their time has come (queue/lane.ts), version 21. A node
-- of version 20 goes on beside it: what is in a lane it sees only when its sender must hear of it.

-- NULL nearly always: only `queued` rows have one, and what is carried at its birth never has.
ALTER TABLE recipient ADD COLUMN lane TEXT;
CREATE INDEX recipient_lane ON recipient (lane, priority DESC, message_id, n)
  WHERE lane IS NOT NULL AND state = 'queued';

CREATE TABLE lane (
  name TEXT NOT NULL PRIMARY KEY,          -- 'mx:example.org', 'host:relay.example:25', 'from:joe@example.org' ...
  state TEXT NOT NULL,                     -- 'open' | 'down' | 'suspended'
  since INTEGER NOT NULL,
  until_at INTEGER NOT NULL,               -- open: 0, or when it may give more; down: the next probe; suspended: its end
  wait_ms INTEGER NOT NULL,                -- between the last two probes
  status TEXT,                             -- RFC 3463 code and reason of what closed it
  reason TEXT,
  changed_at INTEGER NOT NULL
);
CREATE INDEX lane_until ON lane (until_at, name);
CREATE INDEX lane_changed ON lane (changed_at, name);
