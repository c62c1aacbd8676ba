-- Which messages no session was told of yet (RFC 3501 §2.3.2), version 27: only a column, so that version 26 goes on
-- beside it. It claims nothing: what it tells first is told as recent once more.

-- The first UID of them. What is there by now was told.
ALTER TABLE mailbox ADD COLUMN recent_from INTEGER NOT NULL DEFAULT 1;
UPDATE mailbox SET recent_from = uid_next;
