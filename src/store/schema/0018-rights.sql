-- Who else may use a mailbox (RFC 4314), version 18: only a table, so that version 17 goes on beside it.

-- The owner is in no row: he has all rights.
CREATE TABLE acl (
  mailbox_id INTEGER NOT NULL,
  identifier TEXT NOT NULL,                -- the canonical address of an account, or 'anyone'
  rights TEXT NOT NULL,                    -- of lrswipkxtea, in this order
  PRIMARY KEY (mailbox_id, identifier)
) WITHOUT ROWID;
CREATE INDEX acl_identifier ON acl (identifier, mailbox_id);
