-- UIDs that are gone are remembered for a while only, version 11: only a column, so that version 10 goes on beside it.

-- Up to this MODSEQ nothing is known of what vanished (RFC 7162 §3.2.5): forgotten by mailbox/forget.ts.
ALTER TABLE mailbox ADD COLUMN vanished_floor INTEGER NOT NULL DEFAULT 0;
