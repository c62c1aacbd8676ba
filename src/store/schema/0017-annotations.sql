-- Notes at mailboxes (RFC 5464), version 17: only a table, so that version 16 goes on beside it.

CREATE TABLE annotation (
  mailbox_id INTEGER NOT NULL,             -- 0 is the server itself
  account_id INTEGER NOT NULL,             -- whose own it is (/private); 0 is everybody's (/shared)
  entry TEXT NOT NULL,                     -- lower case
  value BLOB NOT NULL,
  PRIMARY KEY (mailbox_id, account_id, entry)
) WITHOUT ROWID;
