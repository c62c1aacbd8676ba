-- Whom accounts may write as, beside the config (inbound/identity.ts), version 25: only a new table, so that
-- version 24 goes on beside it. It goes by the config alone.

CREATE TABLE identity (
  account_id INTEGER NOT NULL,
  pattern TEXT NOT NULL,                   -- as route/pattern.ts reads it: joe@example.org, @example.org
  delegate INTEGER NOT NULL,               -- 1: on behalf of, with the account as Sender
  created_at INTEGER NOT NULL,
  PRIMARY KEY (account_id, pattern)
) WITHOUT ROWID;
