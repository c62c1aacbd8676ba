/**
 * Answers MTQP's questions (RFC 3887) from the ledger. Whoever has the secret behind a message's mark is
 * told what became of each address he wrote to, and nothing of what lies behind an alias (as in
 * notices, RFC 3461 §5.2.7). A wrong secret and an unknown name take the same way to the same answer.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { Visitor } from '../limit/visit.ts'
import { parseCarriedSender } from '../mail/carried.ts'
import { isTracked, TRANSFERRED_STATUS } from '../mail/tracking.ts'
import {
  formatTracking,
  type TrackedMessage,
  type TrackedRecipient,
  type TrackingAction,
} from '../message/tracking-status.ts'
import type { Peer, Policy, TrackAnswer } from '../mtqp/server/question.ts'
import {
  namedMessages,
  type TrackedRecipientRow,
  type TrackedRow,
  trackedRecipients,
} from '../record/tracking.ts'
import type { Store } from '../store/store.ts'
import type { Clock } from '../world/clock.ts'

export interface TrackingAccess {
  readonly store: Store
  readonly clock: Clock
  readonly hostname: () => string
  /** How long a message is tried. */
  readonly expireMs: (address: string) => number
}

/** Compared with where nothing is known of the name: it is the hash of no secret. */
const NOBODYS = Buffer.alloc(20)

export class TrackingPolicy implements Policy {
  readonly #access: TrackingAccess
  readonly #visitor: Visitor

  constructor(access: TrackingAccess, visitor: Visitor) {
    this.#access = access
    this.#visitor = visitor
  }

  connect({ remote }: Peer) {
    const admission = this.#visitor.admission(remote.address)
    if (admission.kind === 'welcome') return admission
    return { kind: 'refused', why: admission.why } as const
  }

  async track(_peer: Peer, envelopeId: string, secret: Uint8Array): Promise<TrackAnswer> {
    const { store, clock } = this.#access
    const rows = await store.read(namedMessages, envelopeId)
    const hash = createHash('sha1').update(secret).digest()
    const now = clock.now()
    const his = rows.filter(row => proven(row, hash, now))
    if (rows.length === 0) timingSafeEqual(hash, NOBODYS)
    const [newest] = his
    if (newest === undefined) return { kind: 'unknown' }
    const messages: TrackedMessage[] = []
    for (const row of his) messages.push(await this.#told(envelopeId, row))
    return { kind: 'found', part: formatTracking(messages, newest.id) }
  }

  closed(): void {}

  async #told(envelopeId: string, { id, received_at }: TrackedRow): Promise<TrackedMessage> {
    const { store, hostname, expireMs } = this.#access
    const rows = await store.read(trackedRecipients, id)
    const lists = new Set(rows.filter(row => row.state === 'expanded').map(row => row.address))
    const shown = rows.filter(row => row.alias_of === null || !lists.has(row.alias_of))
    const arrivalMs = Number(received_at)
    const recipients = shown.map(row => recipientOf(row, arrivalMs + expireMs(row.address)))
    return { envelopeId, hostname: hostname(), arrivalMs, recipients }
  }
}

/** RFC 3887 §4: the hash of the secret is what MAIL brought, and the time for questions is not over. */
function proven(row: TrackedRow, hash: Buffer, now: number): boolean {
  const { tracking } = parseCarriedSender(row.parameters)
  const certifier = Buffer.from(tracking?.certifier ?? '', 'base64')
  const known = certifier.length === hash.length ? certifier : NOBODYS
  const same = timingSafeEqual(known, hash)
  return same && tracking !== undefined && isTracked(tracking, now)
}

function recipientOf(row: TrackedRecipientRow, retryUntilMs: number): TrackedRecipient {
  const action = actionOf(row)
  const original = row.original_recipient
  const cut = original?.indexOf(';') ?? -1
  const remote = /^(.*?)(?: ?\[(.*)\])?$/.exec(row.remote ?? '')
  const last = row.attempted_at ?? (action === 'delivered' ? null : row.settled_at)
  return {
    address: row.alias_of ?? row.address,
    action,
    status: row.status,
    ...(original !== null && cut > 0
      ? { originalRecipient: { type: original.slice(0, cut), address: original.slice(cut + 1) } }
      : {}),
    ...(row.remote !== null && action !== 'delivered'
      ? { remote: { name: remote?.[1] ?? '', address: remote?.[2] ?? '' } }
      : {}),
    ...(last === null ? {} : { lastAttemptMs: Number(last) }),
    ...(action === 'delayed' && row.state !== 'held' ? { retryUntilMs } : {}),
  }
}

/** RFC 3886 §3.3.3. */
function actionOf({ state, status }: TrackedRecipientRow): TrackingAction {
  switch (state) {
    case 'queued':
    case 'leased':
    case 'held':
      return 'delayed'
    case 'delivered':
      return 'delivered'
    case 'expanded':
      return 'expanded'
    case 'relayed':
      return status === TRANSFERRED_STATUS ? 'transferred' : 'relayed'
    case 'failed':
    case 'expired':
    case 'deleted':
      return 'failed'
    default:
      return 'opaque'
  }
}
