-- What an operator sees and does, version 13: only columns and indexes, so that version 12 goes on beside it.

-- Attempts after which a host had had the whole message and did not say whether it took it.
ALTER TABLE recipient ADD COLUMN doubts INTEGER NOT NULL DEFAULT 0;
-- The way an operator has set for it, in place of the usual: a hop's name, or 'mx'.
ALTER TABLE recipient ADD COLUMN via TEXT;

-- What waits, oldest first. What is carried at its birth is never in it, and pays nothing for it.
CREATE INDEX recipient_waiting ON recipient (message_id, n) WHERE state = 'queued';
CREATE INDEX recipient_doubt ON recipient (message_id, n) WHERE state = 'queued' AND doubts > 0;
-- With the state, so that what is leased is found among a million that wait without looking at their rows.
DROP INDEX recipient_due;
CREATE INDEX recipient_due ON recipient (due_at, state) WHERE state IN ('queued', 'leased');
