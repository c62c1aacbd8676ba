-- What was found in bodies for who reads them, version 15: only a new table, so that version 14 goes on beside it.

-- A memory, no truth: made at the first need, made anew where the scanner has changed, swept when the body is gone.
CREATE TABLE reading (
  body_id INTEGER NOT NULL PRIMARY KEY,
  scanner INTEGER NOT NULL,                -- the version of what found it
  envelope TEXT NOT NULL,                  -- as IMAP tells it, of the body alone
  structure TEXT NOT NULL                  -- BODYSTRUCTURE, likewise
) WITHOUT ROWID;
