-- Mailboxes as IMAP has them, version 7. A node of version 6 would not count what it delivers: none may work beside.

-- What STATUS and quota ask, kept by the statements that change it. `check` counts again.
ALTER TABLE mailbox ADD COLUMN messages INTEGER NOT NULL DEFAULT 0;
ALTER TABLE mailbox ADD COLUMN unseen INTEGER NOT NULL DEFAULT 0;         -- without \Seen
ALTER TABLE mailbox ADD COLUMN doomed INTEGER NOT NULL DEFAULT 0;         -- with \Deleted
ALTER TABLE mailbox ADD COLUMN size_octets INTEGER NOT NULL DEFAULT 0;
ALTER TABLE mailbox ADD COLUMN keywords TEXT NOT NULL DEFAULT '';         -- ever used in it, in the spelling of the first use
ALTER TABLE mailbox ADD COLUMN special_use TEXT NOT NULL DEFAULT '';      -- '\Sent' (RFC 6154)
UPDATE mailbox SET
  messages = (SELECT count(*) FROM mailbox_message k WHERE k.mailbox_id = mailbox.id),
  unseen = (SELECT count(*) FROM mailbox_message k WHERE k.mailbox_id = mailbox.id AND replace(k.flags, '\Seen', '') = k.flags),
  doomed = (SELECT count(*) FROM mailbox_message k WHERE k.mailbox_id = mailbox.id AND replace(k.flags, '\Deleted', '') <> k.flags),
  size_octets = (SELECT coalesce(sum(k.size_octets), 0) FROM mailbox_message k WHERE k.mailbox_id = mailbox.id);

-- Whether the usual folders were made once: who deletes them is not given them again.
ALTER TABLE account ADD COLUMN furnished INTEGER NOT NULL DEFAULT 0;
-- No mailbox of the account that is gone had a higher UIDVALIDITY.
ALTER TABLE account ADD COLUMN uid_validity_floor INTEGER NOT NULL DEFAULT 0;

-- The MODSEQ of a change of flags. Mail that only arrived has none, so that a delivery touches no further index.
ALTER TABLE mailbox_message ADD COLUMN changed_mod_seq INTEGER;
CREATE INDEX mailbox_message_changed ON mailbox_message (mailbox_id, changed_mod_seq)
  WHERE changed_mod_seq IS NOT NULL;

-- UIDs that are gone, for clients that come back (RFC 7162 §3.2.10).
CREATE TABLE mailbox_vanished (
  mailbox_id INTEGER NOT NULL,
  mod_seq INTEGER NOT NULL,
  uid INTEGER NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (mailbox_id, mod_seq, uid)
) WITHOUT ROWID;

-- Names that an account is subscribed to; they need not exist (RFC 9051 §6.3.7).
CREATE TABLE subscription (
  account_id INTEGER NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (account_id, name)
) WITHOUT ROWID;
