-- What accounts have sent, version 22: only a new table, so that version 21 goes on beside it.

-- One row for each account and span that has a limit; the count of another span's beginning is over.
CREATE TABLE outgoing (
  account_id INTEGER NOT NULL,
  span_ms INTEGER NOT NULL,                -- an hour or a day
  begun_at INTEGER NOT NULL,               -- of the hour or day (UTC) that is counted
  messages INTEGER NOT NULL,
  recipients INTEGER NOT NULL,
  PRIMARY KEY (account_id, span_ms)
) WITHOUT ROWID;
