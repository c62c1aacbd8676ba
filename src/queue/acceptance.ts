/**
 * A message at its birth in the queue: what it is made of, and the statements that insert it. Called by
 * the writers accept (mail comes in) and settle (notices), inside their transactions.
 */
import { type Delivery, deliverInto } from '../mailbox/deliver.ts'
import { wave } from '../store/wave.ts'
import type { Value, Write } from '../world/sql.ts'
import { registerLanes } from './lane.ts'

/** A message to take responsibility for, with everything its rows need. */
export interface Acceptance {
  readonly id: string
  readonly bodyKey: number
  readonly origin: 'mx' | 'submission' | 'local' | 'notice'
  /** What we put in front of the body. */
  readonly head: Uint8Array
  /** Of head and body together, where the head is left out: no row will keep that of what is delivered at once. */
  readonly sizeOctets?: number
  /** The octets themselves, or the name of a sealed staged body. */
  readonly body: Uint8Array | { readonly staged: string; readonly sizeOctets: number }
  /** As formatAddress writes it; '' is the null reverse-path. */
  readonly reversePath: string
  readonly bodyKind: string
  readonly utf8: boolean
  readonly ret: string | null
  readonly envelopeId: string | null
  /** Further parameters of MAIL (mail/carried.ts); nearly always absent. */
  readonly parameters?: string | null
  /** MT-PRIORITY (RFC 6710), where it is not 0. */
  readonly priority?: number
  readonly accountId: number | null
  readonly peer: string
  readonly receivedAt: number
  readonly recipients: readonly AcceptedRecipient[]
  /** Further messages that are born with this one: notices of expansion. */
  readonly notices?: readonly Acceptance[]
}

export interface AcceptedRecipient {
  readonly address: string
  readonly domain: string
  readonly notify: string | null
  readonly originalRecipient: string | null
  readonly aliasOf: string | null
  /** Further parameters of RCPT (mail/carried.ts); nearly always absent. */
  readonly parameters?: string | null
  /** An alias that was expanded has its own row, settled at birth. */
  readonly expanded?: boolean
  /** Born leased to this node for so long, so that no claim is needed; else due at once. */
  readonly lease?: {
    readonly by: string
    readonly leaseMs: number
    /** By our monotonic clock, for us alone. */
    readonly sinceMs?: number
  }
  /** Born held for its sender: due only so much later, for this reason. */
  readonly hold?: { readonly forMs: number; readonly reason: string }
  /** Born in a lane, where it waits for a destination or for its sender's turn (lane.ts). */
  readonly lane?: LaneAtBirth
  /** Born delivered: the mailbox row that is inserted by this very transaction. */
  readonly delivery?: Delivery
}

export interface LaneAtBirth {
  readonly name: string
  /** When it must be looked at all the same, from now on. */
  readonly forMs: number
  readonly status: string
  readonly reason: string
}

/** What the ledger says of every delivery into a mailbox here. */
const DELIVERED_STATUS = '2.0.0'

const NO_OCTETS = new Uint8Array(0)

const INSERT_BODY = 'INSERT INTO body (id, size_octets, octets, staged) VALUES (?1, ?2, ?3, ?4)'
const INSERT_MESSAGE = `INSERT INTO message (id, body_id, head, size_octets, origin, reverse_path, body_kind, utf8,
  ret, envelope_id, account_id, peer, received_at, unsettled, settled_at, parameters)
  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)`
const INSERT_RECIPIENT = `INSERT INTO recipient (message_id, n, address, domain, notify, original_recipient,
  alias_of, state, due_at, leased_by, settled_at, attempts, status, reason, parameters)
  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, :now + ?9, ?10, ?11, ?12, ?13, ?14, ?15)`

const SET_LANE = `UPDATE recipient SET lane = ?3, status = ?4, reason = ?5
  WHERE message_id = ?1 AND n = ?2`
const SET_PRIORITY = 'UPDATE recipient SET priority = ?2 WHERE message_id = ?1'

/** The state a recipient is born in. */
function stateAtBirth(r: AcceptedRecipient): 'expanded' | 'delivered' | 'leased' | 'queued' {
  if (r.expanded) return 'expanded'
  if (r.delivery) return 'delivered'
  return r.lease ? 'leased' : 'queued'
}

/** Inserts accepted messages, their bodies, one row for each recipient, and what is delivered at once. */
export async function acceptInto(tx: Write, accepted: readonly Acceptance[]): Promise<void> {
  const bodies: Value[][] = []
  const messages: Value[][] = []
  const recipients: Value[][] = []
  const deliveries: Delivery[] = []
  const priorities: Value[][] = []
  const lanes: Value[][] = []
  for (const a of accepted) {
    if (a.priority) priorities.push([a.id, a.priority])
    const inline = a.body instanceof Uint8Array
    const size = inline ? a.body.length : a.body.sizeOctets
    bodies.push([a.bodyKey, size, inline ? a.body : null, inline ? null : a.body.staged])
    let unsettled = 0
    const before = deliveries.length
    for (const [n, r] of a.recipients.entries()) {
      const state = stateAtBirth(r)
      if (r.delivery) deliveries.push(r.delivery)
      if (r.lane) lanes.push([a.id, n, r.lane.name, r.lane.status, r.lane.reason])
      if (state === 'leased' || state === 'queued') unsettled++
      const placed = state === 'delivered'
      recipients.push([
        a.id,
        n,
        r.address,
        r.domain,
        r.notify,
        r.originalRecipient,
        r.aliasOf,
        state,
        r.lease?.leaseMs ?? r.hold?.forMs ?? r.lane?.forMs ?? 0,
        r.lease?.by ?? null,
        r.expanded || placed ? a.receivedAt : null,
        placed ? 1 : 0,
        placed ? DELIVERED_STATUS : null,
        placed ? `delivered to ${r.delivery?.mailboxName}` : (r.hold?.reason ?? null),
        r.parameters ?? null,
      ])
    }
    // Delivered to all at once, a message is settled at birth, and its octets are the mailboxes' alone:
    // a row of half the size splits a page half as often, and each split writes four.
    const settled = unsettled === 0 && deliveries.length > before
    messages.push([
      a.id,
      settled ? null : a.bodyKey,
      settled ? NO_OCTETS : a.head,
      a.sizeOctets ?? a.head.length + size,
      a.origin,
      a.reversePath,
      a.bodyKind,
      a.utf8 ? 1 : 0,
      a.ret,
      a.envelopeId,
      a.accountId,
      a.peer,
      a.receivedAt,
      unsettled,
      settled ? a.receivedAt : null,
      a.parameters ?? null,
    ])
  }
  await tx.many(INSERT_BODY, bodies)
  await tx.many(INSERT_MESSAGE, messages)
  // PostgreSQL says what numbers the mailboxes gave while it inserts what stands behind the question.
  await wave<unknown>([deliverInto(tx, deliveries), tx.many(INSERT_RECIPIENT, recipients)])
  // A statement of its own, so that the usual mail does not pay for what it does not ask.
  if (priorities.length > 0) await tx.many(SET_PRIORITY, priorities)
  if (lanes.length > 0) await setLanes(tx, lanes)
}

async function setLanes(tx: Write, rows: readonly Value[][]): Promise<void> {
  await registerLanes(
    tx,
    rows.map(([, , name]) => name as string),
  )
  await tx.many(SET_LANE, rows)
}
