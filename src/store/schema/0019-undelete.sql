-- What was deleted is kept for a while, version 19: only a column, so that version 18 goes on beside it.

-- The name of a folder that is being deleted: its messages are kept under it (mailbox/kept.ts).
ALTER TABLE mailbox ADD COLUMN former_name TEXT;
