/**
 * The invariants of the database, one row of a table each: to add one is to add a row. Run by check.ts,
 * slice by slice. Each statement gives the rows that break its rule, as `place` and `detail`.
 */

/** What a big table is cut by: every rule on it holds for each slice of keys (?1, ?2]. */
export type Slice = 'message' | 'recipient' | 'attempt' | 'body' | 'mailbox' | 'kept' | 'whole'

export interface Rule {
  readonly name: string
  readonly slice: Slice
  readonly sql: string
}

interface Cut {
  readonly table: string
  readonly key: string
  /** A key before all others. */
  readonly first: string | number
  /** Rows in a slice; few where a row drags many along. */
  readonly rows: number
}

const beforeAllNumbers = Number.MIN_SAFE_INTEGER

/** How each slice is cut; 'whole' rules look at small tables and take no keys. */
export const cuts: Readonly<Record<Exclude<Slice, 'whole'>, Cut>> = {
  message: { table: 'message', key: 'id', first: '', rows: 2_000 },
  recipient: { table: 'recipient', key: 'message_id', first: '', rows: 5_000 },
  attempt: { table: 'attempt', key: 'message_id', first: '', rows: 5_000 },
  body: { table: 'body', key: 'id', first: beforeAllNumbers, rows: 2_000 },
  mailbox: { table: 'mailbox', key: 'id', first: beforeAllNumbers, rows: 10 },
  kept: { table: 'mailbox_message', key: 'body_id', first: beforeAllNumbers, rows: 2_000 },
}

/** Not yet in a final state: queue/README.md. */
const open = `('queued', 'leased', 'held')`
const states = `('queued', 'leased', 'held', 'delivered', 'relayed', 'expanded', 'failed', 'expired', 'deleted')`

export const rules: readonly Rule[] = [
  {
    name: 'a message counts its unsettled recipients',
    slice: 'message',
    sql: `SELECT 'message ' || m.id AS place, 'unsettled is ' || m.unsettled AS detail FROM message m
      WHERE m.id > ?1 AND m.id <= ?2 AND m.unsettled <> (SELECT count(*) FROM recipient r
        WHERE r.message_id = m.id AND r.state IN ${open})`,
  },
  {
    name: 'a message is settled when its last recipient is',
    slice: 'message',
    sql: `SELECT 'message ' || m.id AS place, 'unsettled is ' || m.unsettled || ', settled_at is '
        || CASE WHEN m.settled_at IS NULL THEN 'not set' ELSE 'set' END AS detail FROM message m
      WHERE m.id > ?1 AND m.id <= ?2 AND (m.settled_at IS NULL) <> (m.unsettled > 0)`,
  },
  {
    name: 'a message has a recipient',
    slice: 'message',
    sql: `SELECT 'message ' || m.id AS place, 'no recipient' AS detail FROM message m
      WHERE m.id > ?1 AND m.id <= ?2
        AND NOT EXISTS (SELECT 1 FROM recipient r WHERE r.message_id = m.id)`,
  },
  {
    name: 'a message that waits has its body',
    slice: 'message',
    sql: `SELECT 'message ' || m.id AS place, 'the body is gone' AS detail FROM message m
      LEFT JOIN body b ON b.id = m.body_id
      WHERE m.id > ?1 AND m.id <= ?2 AND b.id IS NULL
        AND (m.body_id IS NOT NULL OR EXISTS (SELECT 1 FROM recipient r
          WHERE r.message_id = m.id AND r.state IN ${open}))`,
  },
  {
    name: 'the size of a message is that of head and body',
    slice: 'message',
    sql: `SELECT 'message ' || m.id AS place, m.size_octets || ' is not ' || length(m.head) || ' + '
        || b.size_octets AS detail FROM message m JOIN body b ON b.id = m.body_id
      WHERE m.id > ?1 AND m.id <= ?2 AND m.size_octets <> length(m.head) + b.size_octets`,
  },
  {
    name: 'a recipient is in a state that there is',
    slice: 'recipient',
    sql: `SELECT 'recipient ' || message_id || ' ' || n AS place, state AS detail FROM recipient
      WHERE message_id > ?1 AND message_id <= ?2 AND state NOT IN ${states}`,
  },
  {
    name: 'a recipient belongs to a message',
    slice: 'recipient',
    sql: `SELECT 'recipient ' || r.message_id || ' ' || r.n AS place, 'no message' AS detail
      FROM recipient r WHERE r.message_id > ?1 AND r.message_id <= ?2
        AND NOT EXISTS (SELECT 1 FROM message m WHERE m.id = r.message_id)`,
  },
  {
    name: 'who is leased has a holder, and nobody else has',
    slice: 'recipient',
    sql: `SELECT 'recipient ' || message_id || ' ' || n AS place, state || ', leased by '
        || coalesce(leased_by, 'nobody') AS detail FROM recipient
      WHERE message_id > ?1 AND message_id <= ?2 AND (state = 'leased') <> (leased_by IS NOT NULL)`,
  },
  {
    name: 'a recipient is settled when its state is final',
    slice: 'recipient',
    sql: `SELECT 'recipient ' || message_id || ' ' || n AS place, state || ', settled_at is '
        || CASE WHEN settled_at IS NULL THEN 'not set' ELSE 'set' END AS detail FROM recipient
      WHERE message_id > ?1 AND message_id <= ?2 AND (settled_at IS NULL) <> (state IN ${open})`,
  },
  {
    name: 'an attempt belongs to a recipient',
    slice: 'attempt',
    sql: `SELECT 'attempt ' || a.message_id || ' ' || a.n AS place, 'no recipient' AS detail
      FROM attempt a WHERE a.message_id > ?1 AND a.message_id <= ?2 AND NOT EXISTS (
        SELECT 1 FROM recipient r WHERE r.message_id = a.message_id AND r.n = a.n)`,
  },
  {
    name: 'a body is inline or staged',
    slice: 'body',
    sql: `SELECT 'body ' || id AS place, CASE WHEN staged IS NULL THEN 'neither' ELSE 'both' END AS detail
      FROM body WHERE id > ?1 AND id <= ?2 AND (octets IS NULL) = (staged IS NULL)`,
  },
  {
    name: 'the size of a body is right',
    slice: 'body',
    sql: `SELECT 'body ' || id AS place, size_octets || ' is not ' || length(octets) AS detail
      FROM body WHERE id > ?1 AND id <= ?2 AND length(octets) <> size_octets`,
  },
  {
    name: 'a body is referenced',
    slice: 'body',
    sql: `SELECT 'body ' || b.id AS place, 'nothing refers to it' AS detail FROM body b
      WHERE b.id > ?1 AND b.id <= ?2
        AND NOT EXISTS (SELECT 1 FROM mailbox_message k WHERE k.body_id = b.id)
        AND NOT EXISTS (SELECT 1 FROM message m WHERE m.body_id = b.id)
        AND NOT EXISTS (SELECT 1 FROM transfer_piece p WHERE p.body_id = b.id)`,
  },
  {
    name: 'an interrupted transfer has its pieces, and each of them its body',
    slice: 'whole',
    sql: `SELECT 'transfer ' || t.id AS place, 'not all pieces are there' AS detail FROM transfer t
        WHERE t.pieces <> (SELECT count(*) FROM transfer_piece p
          JOIN body b ON b.id = p.body_id AND b.size_octets >= p.size_octets
          WHERE p.scope = t.scope AND p.id = t.id)
      UNION ALL SELECT 'piece ' || p.n || ' of transfer ' || p.id, 'no transfer' FROM transfer_piece p
        WHERE NOT EXISTS (SELECT 1 FROM transfer t WHERE t.scope = p.scope AND t.id = p.id)`,
  },
  {
    name: 'a mailbox belongs to an account',
    slice: 'mailbox',
    sql: `SELECT 'mailbox ' || b.id AS place, 'no account ' || b.account_id AS detail FROM mailbox b
      WHERE b.id > ?1 AND b.id <= ?2 AND b.account_id > 0
        AND NOT EXISTS (SELECT 1 FROM account a WHERE a.id = b.account_id)`,
  },
  {
    name: 'the next UID and the MODSEQ of a mailbox are ahead of its messages',
    slice: 'mailbox',
    sql: `SELECT 'mailbox ' || b.id AS place, 'uid_next ' || b.uid_next || ', highest uid ' || k.uid
        || ', mod_seq ' || b.mod_seq || ', highest ' || k.mod_seq AS detail
      FROM mailbox b JOIN (SELECT mailbox_id, max(uid) AS uid, max(mod_seq) AS mod_seq
        FROM mailbox_message WHERE mailbox_id > ?1 AND mailbox_id <= ?2 GROUP BY mailbox_id) k
        ON k.mailbox_id = b.id
      WHERE b.uid_next <= k.uid OR b.mod_seq < k.mod_seq`,
  },
  {
    name: 'a mailbox counts its messages, and their octets',
    slice: 'mailbox',
    sql: `SELECT 'mailbox ' || b.id AS place, 'says ' || b.messages || ' messages, ' || b.unseen || ' unseen, '
        || b.doomed || ' doomed, ' || b.size_octets || ' octets; has ' || k.messages || ', ' || k.unseen
        || ', ' || k.doomed || ', ' || k.size_octets AS detail
      FROM mailbox b JOIN (SELECT m.id, count(k.uid) AS messages,
          coalesce(sum(CASE WHEN replace(k.flags, '\\Seen', '') = k.flags THEN 1 ELSE 0 END), 0) AS unseen,
          coalesce(sum(CASE WHEN replace(k.flags, '\\Deleted', '') <> k.flags THEN 1 ELSE 0 END), 0) AS doomed,
          coalesce(sum(k.size_octets), 0) AS size_octets
        FROM mailbox m LEFT JOIN mailbox_message k ON k.mailbox_id = m.id
        WHERE m.id > ?1 AND m.id <= ?2 GROUP BY m.id) k ON k.id = b.id
      WHERE b.messages <> k.messages OR b.unseen <> k.unseen OR b.doomed <> k.doomed
        OR b.size_octets <> k.size_octets`,
  },
  {
    name: 'a kept message has a mailbox and a body, and its size is that of head and body',
    slice: 'kept',
    sql: `SELECT 'mailbox ' || k.mailbox_id || ' uid ' || k.uid AS place,
        CASE WHEN m.id IS NULL THEN 'no mailbox' WHEN b.id IS NULL THEN 'no body ' || k.body_id
          ELSE k.size_octets || ' is not ' || length(k.head) || ' + ' || b.size_octets END AS detail
      FROM mailbox_message k LEFT JOIN body b ON b.id = k.body_id
        LEFT JOIN mailbox m ON m.id = k.mailbox_id
      WHERE k.body_id > ?1 AND k.body_id <= ?2 AND (m.id IS NULL OR b.id IS NULL
        OR k.size_octets <> length(k.head) + b.size_octets)`,
  },
  {
    name: 'a credential belongs to an account',
    slice: 'whole',
    sql: `SELECT 'credential ' || c.account_id || ' ' || c.kind AS place, 'no account' AS detail
      FROM credential c WHERE NOT EXISTS (SELECT 1 FROM account a WHERE a.id = c.account_id)`,
  },
  {
    name: 'an app password belongs to an account, and its verifiers to it',
    slice: 'whole',
    sql: `SELECT 'app password ' || p.id AS place, 'no account' AS detail
      FROM app_password p WHERE NOT EXISTS (SELECT 1 FROM account a WHERE a.id = p.account_id)
      UNION ALL SELECT 'app verifier ' || v.app_id || ' ' || v.kind, 'no app password'
      FROM app_verifier v WHERE NOT EXISTS (SELECT 1 FROM app_password p WHERE p.id = v.app_id)`,
  },
  {
    // That one leads to itself, or round in a circle, is a mistake of its operator; mail to it is refused.
    name: 'an alias leads somewhere',
    slice: 'whole',
    sql: `SELECT 'alias ' || address AS place, 'has no target' AS detail FROM alias WHERE target = ''`,
  },
  {
    name: 'who may edit a domain or an alias is known',
    slice: 'whole',
    sql: `SELECT 'domain ' || name AS place, origin AS detail FROM domain
        WHERE origin NOT IN ('file', 'rows')
      UNION ALL SELECT 'alias ' || address, origin FROM alias WHERE origin NOT IN ('file', 'rows')`,
  },
]
