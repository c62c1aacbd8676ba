/** The ledger as people read it: one message, its recipients, and what was tried for them. */
import { farReader, reader } from '../store/store.ts'

export interface MessageRow {
  readonly id: string
  readonly body_id: number | null
  readonly head: Uint8Array
  readonly reverse_path: string
  readonly origin: string
  readonly peer: string
  readonly received_at: number
  readonly size_octets: number
  readonly envelope_id: string | null
  readonly account: string | null
  readonly settled_at: number | null
  readonly parameters: string | null
}

export interface RecipientRow {
  readonly n: number
  readonly address: string
  readonly alias_of: string | null
  readonly original_recipient: string | null
  readonly state: string
  readonly due_at: number
  readonly attempts: number
  readonly status: string | null
  readonly reason: string | null
  readonly remote: string | null
  readonly settled_at: number | null
  readonly priority: number
  readonly doubts: number
  readonly via: string | null
  readonly lane: string | null
}

export interface AttemptRow {
  readonly n: number
  readonly at: number
  readonly outcome: string
  readonly status: string
  readonly remote: string | null
  readonly reason: string
  readonly dialogue: string | null
}

export interface Trace {
  readonly message: MessageRow
  readonly recipients: readonly RecipientRow[]
  readonly attempts: readonly AttemptRow[]
  /** What was asked for is how other messages' ids begin, too. */
  readonly several: boolean
}

/** A message by its id or the beginning of one; undefined where there is none. */
export const trace = reader<string, Trace | undefined>('record.trace', async (tx, id) => {
  const [message, other] = await tx.all<MessageRow>(
    `SELECT m.id, m.body_id, m.head, m.reverse_path, m.origin, m.peer, m.received_at, m.size_octets,
       m.envelope_id, a.address AS account, m.settled_at, m.parameters
     FROM message m LEFT JOIN account a ON a.id = m.account_id
     WHERE m.id >= ?1 AND m.id < ?2 ORDER BY m.id LIMIT 2`,
    id,
    `${id}~`,
  )
  if (!message) return undefined
  const recipients = await tx.all<RecipientRow>(
    `SELECT n, address, alias_of, original_recipient, state, due_at, attempts, status, reason, remote, settled_at, priority,
       doubts, via, lane FROM recipient WHERE message_id = ?1 ORDER BY n`,
    message.id,
  )
  const attempts = await tx.all<AttemptRow>(
    `SELECT n, at, outcome, status, remote, reason, dialogue
     FROM attempt WHERE message_id = ?1 ORDER BY at, n`,
    message.id,
  )
  const several = other !== undefined && message.id !== id
  return { message, recipients, attempts: withLast(recipients, attempts), several }
})

/**
 * The attempt by which somebody elsewhere took the mail is in the recipient's own row alone: where it went, what
 * was said, and when. What older versions wrote has a row of its own. A mailbox here is no attempt.
 */
function withLast(
  recipients: readonly RecipientRow[],
  stored: readonly AttemptRow[],
): readonly AttemptRow[] {
  const told = new Set(stored.filter(({ outcome }) => outcome === 'delivered').map(({ n }) => n))
  const last = recipients.flatMap((r): AttemptRow[] => {
    const { n, settled_at: at, status, remote, reason } = r
    const taken = r.state === 'relayed' || (r.state === 'delivered' && remote !== null)
    if (!taken || told.has(n) || at === null || status === null || reason === null) return []
    return [{ n, at, outcome: 'delivered', status, remote, reason, dialogue: null }]
  })
  return [...stored, ...last].sort((one, other) => one.at - other.at || one.n - other.n)
}

/** The newest messages with a recipient of this address, by id. */
export const messagesTo = farReader<{ address: string; limit: number }, { message_id: string }[]>(
  'record.messagesTo',
  (tx, { address, limit }) =>
    tx.all(
      `SELECT DISTINCT message_id FROM recipient WHERE address = ?1 OR alias_of = ?1
       ORDER BY message_id DESC LIMIT ?2`,
      address,
      limit,
    ),
)
