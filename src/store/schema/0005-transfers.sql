-- Messages that broke off on their way in (RFC 1845), version 5: only new tables, so that version 4 goes on beside it.

-- A transaction that may be gone on with. What is kept of its content are the bodies of its pieces.
CREATE TABLE transfer (
  scope TEXT NOT NULL,                     -- whose it is: nobody else can go on with it
  id TEXT NOT NULL,                        -- TRANSID as it was given
  envelope TEXT NOT NULL,                  -- as JSON, recipients that were taken
  size_octets INTEGER NOT NULL,            -- of content that is kept
  pieces INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  PRIMARY KEY (scope, id)
) WITHOUT ROWID;
CREATE INDEX transfer_changed ON transfer (changed_at);

CREATE TABLE transfer_piece (
  scope TEXT NOT NULL,
  id TEXT NOT NULL,
  n INTEGER NOT NULL,                      -- from 0, in the order of the content
  body_id INTEGER NOT NULL,
  size_octets INTEGER NOT NULL,            -- how much of that body counts
  PRIMARY KEY (scope, id, n)
) WITHOUT ROWID;
CREATE INDEX transfer_piece_body ON transfer_piece (body_id);

-- A transaction that was accepted: inserted with its message, so that a repeat makes no second one.
CREATE TABLE transfer_done (
  scope TEXT NOT NULL,
  id TEXT NOT NULL,
  envelope TEXT NOT NULL,
  size_octets INTEGER NOT NULL,
  reply TEXT NOT NULL,                     -- the text of its 250
  done_at INTEGER NOT NULL,
  PRIMARY KEY (scope, id)
) WITHOUT ROWID;
CREATE INDEX transfer_done_at ON transfer_done (done_at);
