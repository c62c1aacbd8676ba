-- Keys of URLs that others may fetch (RFC 4467), version 20: only a table, so that version 19 goes on beside it.

CREATE TABLE url_key (
  mailbox_id INTEGER NOT NULL PRIMARY KEY,
  key BLOB NOT NULL                        -- of its owner; a new one makes all URLs of before void
) WITHOUT ROWID;
