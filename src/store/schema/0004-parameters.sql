-- What MAIL and RCPT asked for beyond RFC 5321, version 4: only new columns, so that version 3 goes on beside it.

-- The further parameters as JSON (mail/carried.ts); NULL where there were none, as nearly always.
ALTER TABLE message ADD COLUMN parameters TEXT;
ALTER TABLE recipient ADD COLUMN parameters TEXT;

-- MT-PRIORITY (RFC 6710): -9 to 9. What is not 0 has an index of its own: the usual mail pays nothing for it.
ALTER TABLE recipient ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;
CREATE INDEX recipient_priority ON recipient (priority, due_at)
  WHERE priority <> 0 AND state IN ('queued', 'leased');
