-- The whole state of a Postrider, version 1. Times are ms since the epoch, UTC. Text is UTF-8.
-- Shared by both stores: INTEGER, TEXT and BLOB are all the types there are (the dialect writes
-- BIGINT and BYTEA where PostgreSQL wants them).

-- Domains we take mail for. `origin` tells who may edit a row: 'file' (declared in the config) or 'rows'.
CREATE TABLE domain (
  name TEXT NOT NULL PRIMARY KEY,          -- lower case, A-label or U-label as it is written
  catch_all TEXT,                          -- an address, or NULL: unknown local parts are refused
  origin TEXT NOT NULL,
  created_at INTEGER NOT NULL
);

CREATE TABLE account (
  id INTEGER PRIMARY KEY,
  address TEXT NOT NULL UNIQUE,            -- canonical: local part lower case, domain lower case
  disabled INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL
);

-- One row for each target. A target may be here or outside; chains are followed at accept.
CREATE TABLE alias (
  address TEXT NOT NULL,                   -- canonical
  target TEXT NOT NULL,                    -- as formatAddress writes it
  origin TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (address, target)
) WITHOUT ROWID;

-- Verifiers, never passwords. All kinds of one account change in one transaction.
CREATE TABLE credential (
  account_id INTEGER NOT NULL,
  kind TEXT NOT NULL,                      -- 'argon2id' (PHC string), 'scram-sha-256' (RFC 5803 string)
  verifier TEXT NOT NULL,
  changed_at INTEGER NOT NULL,
  PRIMARY KEY (account_id, kind)
) WITHOUT ROWID;

-- Immutable octets, shared by every recipient. Either `octets` or `staged` (a name on Disk) is set.
CREATE TABLE body (
  id INTEGER PRIMARY KEY,
  size_octets INTEGER NOT NULL,
  octets BLOB,
  staged TEXT UNIQUE
);

-- A message we took responsibility for. Kept 30 days after its last recipient is settled.
CREATE TABLE message (
  id TEXT NOT NULL PRIMARY KEY,            -- the one stable id, in every log line and reply
  body_id INTEGER,                         -- NULL once every recipient is settled: the queue lets it go
  head BLOB NOT NULL,                      -- what we put in front: Received, added Date, Message-ID
  size_octets INTEGER NOT NULL,            -- of head and body together
  origin TEXT NOT NULL,                    -- 'mx' | 'submission' | 'local' | 'notice'
  reverse_path TEXT NOT NULL,              -- as formatAddress writes it; '' is the null reverse-path
  body_kind TEXT NOT NULL,                 -- '7BIT' | '8BITMIME' | 'BINARYMIME'
  utf8 INTEGER NOT NULL,                   -- SMTPUTF8 was asked for
  ret TEXT,                                -- 'FULL' | 'HDRS'
  envelope_id TEXT,
  account_id INTEGER,                      -- who submitted it
  peer TEXT NOT NULL,                      -- who handed it in: '[192.0.2.1] (mx.example)', for traces
  received_at INTEGER NOT NULL,
  unsettled INTEGER NOT NULL,              -- recipients not yet in a terminal state
  settled_at INTEGER                       -- when the last one was settled
) WITHOUT ROWID;
CREATE INDEX message_settled ON message (settled_at) WHERE settled_at IS NOT NULL;
-- Who still refers to a body: asked by check and sweep. A settled message refers to none.
CREATE INDEX message_body ON message (body_id) WHERE body_id IS NOT NULL;

-- The queue and the ledger are one table. States and transitions: queue/README.md.
CREATE TABLE recipient (
  message_id TEXT NOT NULL,
  n INTEGER NOT NULL,                      -- 0, 1, 2 ... within the message
  address TEXT NOT NULL,                   -- final forward-path, after aliases
  domain TEXT NOT NULL,                    -- its domain, lower case: the destination
  notify TEXT,                             -- 'NEVER' or 'SUCCESS,FAILURE,DELAY' as asked
  original_recipient TEXT,                 -- 'rfc822;joe@example.org'
  alias_of TEXT,                           -- the address that was accepted, where an alias was expanded
  state TEXT NOT NULL,                     -- 'queued' | 'leased' | 'held' | 'delivered' | 'relayed' | 'expanded' | 'failed' | 'expired' | 'deleted'
  due_at INTEGER NOT NULL,                 -- queued: next attempt; leased: end of the lease
  leased_by TEXT,                          -- the node that holds the lease
  attempts INTEGER NOT NULL DEFAULT 0,
  status TEXT,                             -- last RFC 3463 code
  reason TEXT,                             -- why it is where it is, for people
  remote TEXT,                             -- last host spoken to
  delay_notified_at INTEGER,
  settled_at INTEGER,
  PRIMARY KEY (message_id, n)
) WITHOUT ROWID;
CREATE INDEX recipient_due ON recipient (due_at) WHERE state IN ('queued', 'leased');
CREATE INDEX recipient_held ON recipient (message_id) WHERE state = 'held';

-- Attempts that did not end in local delivery; the dialogue only where it failed or was deferred.
CREATE TABLE attempt (
  message_id TEXT NOT NULL,
  n INTEGER NOT NULL,
  at INTEGER NOT NULL,
  outcome TEXT NOT NULL,                   -- 'delivered' | 'deferred' | 'failed' | 'in doubt'
  status TEXT NOT NULL,
  remote TEXT,
  reason TEXT NOT NULL,
  dialogue TEXT,
  PRIMARY KEY (message_id, n, at)
) WITHOUT ROWID;

CREATE TABLE mailbox (
  id INTEGER PRIMARY KEY,
  account_id INTEGER NOT NULL,
  name TEXT NOT NULL,                      -- 'INBOX', ...
  uid_validity INTEGER NOT NULL,
  uid_next INTEGER NOT NULL,               -- only grows
  mod_seq INTEGER NOT NULL,                -- only grows
  UNIQUE (account_id, name)
);

-- One row per message in a mailbox: its own head and the shared body. Size is of both together.
CREATE TABLE mailbox_message (
  mailbox_id INTEGER NOT NULL,
  uid INTEGER NOT NULL,
  mod_seq INTEGER NOT NULL,
  message_id TEXT NOT NULL,                -- the ledger id it came by
  body_id INTEGER NOT NULL,
  head BLOB NOT NULL,                      -- Return-Path, Delivered-To, Received ...
  size_octets INTEGER NOT NULL,
  flags TEXT NOT NULL DEFAULT '',          -- space-separated, sorted
  internal_date INTEGER NOT NULL,
  PRIMARY KEY (mailbox_id, uid)
) WITHOUT ROWID;
CREATE INDEX mailbox_message_body ON mailbox_message (body_id);

-- Names and numbers of the installation itself.
CREATE TABLE setting (
  name TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;
