/** The queue as an operator asks about it and orders it: the operations `queue.*` and `trace`. */
import { parseCarriedSender } from '../../mail/carried.ts'
import { claimRows } from '../../queue/claim.ts'
import { type QueueLine, type Selection as RowSelection, select } from '../../queue/reader.ts'
import { agesFrom, endsAt } from '../../queue/schedule.ts'
import { type Order, order } from '../../queue/writer.ts'
import {
  type AttemptRow,
  messagesTo,
  type RecipientRow,
  type Trace,
  trace,
} from '../../record/trace.ts'
import { KEPT } from '../../transport/on-demand.ts'
import type {
  AttemptRecord,
  Explanation,
  MessageRecord,
  OperationOutput,
  QueueItem,
  RecipientState,
  Selection,
} from '../operation.ts'
import { OperationError } from '../operation.ts'
import type { ControlContext } from './context.ts'

const PAGE = 500
const CONTENT_MAX_BYTES = 1_048_576

export async function list(
  { store }: ControlContext,
  input: RowSelection & { readonly limit?: number },
): Promise<OperationOutput<'queue.list'>> {
  const { limit, ...selection } = input
  const found = await store.read(select, { selection, after: '', limit: limit ?? 100 })
  return { items: found.lines.map(itemOf), total: found.total }
}

export async function show(
  context: ControlContext,
  input: { readonly message: string; readonly content?: boolean },
): Promise<OperationOutput<'queue.show'>> {
  const found = await find(context, input.message)
  const record = recordOf(found)
  if (!input.content || found.message.body_id === null) return record
  return { ...record, content: await contentOf(context, found) }
}

export async function traceMessage(
  context: ControlContext,
  input: { readonly id: string },
): Promise<MessageRecord> {
  return recordOf(await find(context, input.id))
}

/** Carries an order out over all rows that match, a page at a time. */
export async function obey(
  context: ControlContext,
  what: Order,
  selection: Selection,
): Promise<{ changed: number }> {
  demandCondition(selection)
  // An id that nobody knows is a mistake; a condition that nothing meets is none.
  if (selection.message !== undefined) await find(context, selection.message)
  let changed = 0
  let after = ''
  for (;;) {
    const { lines } = await context.store.read(select, { selection, after, limit: PAGE })
    const rows = lines.map(line => ({ messageId: line.message_id, n: line.n }))
    const at = context.world.clock.now()
    const done = await context.store.write(order, { rows, order: what, at })
    changed += done.changed
    for (const name of done.released) await context.world.disk.remove(name)
    const last = lines.at(-1)
    if (lines.length < PAGE || !last) break
    after = beforeId(last.message_id, after)
  }
  if (what === 'retry' || what === 'release') context.wake()
  return { changed }
}

/** Fails matching recipients as the queue itself would, with a notice to the sender. */
export async function fail(
  context: ControlContext,
  selection: Selection,
): Promise<{ changed: number }> {
  demandCondition(selection)
  if (selection.message !== undefined) await find(context, selection.message)
  const { lines } = await context.store.read(select, { selection, after: '', limit: 10_000 })
  const rows = lines.map(line => ({ messageId: line.message_id, n: line.n }))
  const claimed = await context.store.write(claimRows, {
    node: context.node,
    leaseMs: 60_000,
    rows,
  })
  await context.failClaimed(claimed)
  return { changed: claimed.length }
}

export async function why(
  context: ControlContext,
  input: { readonly subject: string },
): Promise<OperationOutput<'queue.why'>> {
  const { subject } = input
  const ids = subject.includes('@')
    ? (await context.store.read(messagesTo, { address: subject, limit: 20 })).map(r => r.message_id)
    : [subject]
  const explanations: Explanation[] = []
  for (const id of ids) {
    const found = await find(context, id)
    for (const row of found.recipients) {
      if (subject.includes('@') && row.address !== subject && row.alias_of !== subject) continue
      explanations.push(explain(context, found, row))
    }
  }
  if (explanations.length > 0) return { explanations }
  throw new OperationError(67, `no message to ${subject} is known; see 'postrider queue list'`)
}

/** A page may end within a message: the rest of it must be on the next page, so we go back by one id. */
function beforeId(id: string, after: string): string {
  const code = id.charCodeAt(id.length - 1)
  const before = id.slice(0, -1) + String.fromCharCode(code - 1)
  return before > after ? before : id
}

function demandCondition(selection: Selection): void {
  const { all, ...conditions } = selection
  if (all || Object.values(conditions).some(value => value !== undefined)) return
  throw new OperationError(64, 'say which: a message, --domain, --sender, --recipient, or --all')
}

async function find({ store }: ControlContext, id: string): Promise<Trace> {
  const found = await store.read(trace, id)
  if (found) return found
  throw new OperationError(
    67,
    `no message ${id} is on record; the ledger keeps settled ones 30 days`,
  )
}

async function contentOf(context: ControlContext, found: Trace): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of context.content(found.message)) {
    chunks.push(chunk)
    size += chunk.length
    if (size >= CONTENT_MAX_BYTES) break
  }
  return Buffer.concat(chunks).subarray(0, CONTENT_MAX_BYTES).toString('latin1')
}

function itemOf(line: QueueLine): QueueItem {
  return {
    message: line.message_id,
    n: line.n,
    sender: line.reverse_path,
    address: line.address,
    state: line.state as RecipientState,
    receivedAt: line.received_at,
    dueAt: line.due_at,
    attempts: line.attempts,
    sizeOctets: line.size_octets,
    ...(line.status === null ? {} : { status: line.status }),
    ...(line.reason === null ? {} : { reason: line.reason }),
    ...(line.remote === null ? {} : { remote: line.remote }),
  }
}

function recordOf({ message, recipients, attempts }: Trace): MessageRecord {
  return {
    message: message.id,
    sender: message.reverse_path,
    origin: message.origin as MessageRecord['origin'],
    peer: message.peer,
    receivedAt: message.received_at,
    sizeOctets: message.size_octets,
    ...(message.envelope_id === null ? {} : { envelopeId: message.envelope_id }),
    ...(message.account === null ? {} : { account: message.account }),
    ...(message.settled_at === null ? {} : { settledAt: message.settled_at }),
    recipients: recipients.map(row => ({
      ...itemOf({ ...message, ...row, message_id: message.id }),
      ...(row.alias_of === null ? {} : { aliasOf: row.alias_of }),
      ...(row.settled_at === null ? {} : { settledAt: row.settled_at }),
    })),
    attempts: attempts.map(attemptOf),
  }
}

function attemptOf(row: AttemptRow): AttemptRecord {
  return {
    n: row.n,
    at: row.at,
    outcome: row.outcome as AttemptRecord['outcome'],
    status: row.status,
    reason: row.reason,
    ...(row.remote === null ? {} : { remote: row.remote }),
    ...(row.dialogue === null ? {} : { dialogue: row.dialogue }),
  }
}

const NEXT: Readonly<Record<RecipientState, string>> = {
  queued: 'it is tried again when it falls due',
  leased: 'it is being carried just now',
  held: "it waits for 'postrider queue release'",
  delivered: 'nothing: it is in the mailbox',
  relayed: 'nothing: the next host has taken responsibility',
  expanded: 'nothing: the targets of the alias have entries of their own',
  failed: 'nothing: the sender was told, unless he asked not to be or has no address',
  expired: 'nothing: it was given up by age, and the sender told',
  deleted: 'nothing: an operator removed it',
}

const ASKED = 'it goes as soon as its customer asks for it'

/** Waiting for the time that its sender has set (RFC 4865), and for nothing else. */
function isHeldBack({ message }: Trace, row: RecipientRow): boolean {
  if (row.state !== 'queued' || row.status !== null) return false
  const { release } = parseCarriedSender(message.parameters)
  return release !== undefined && message.received_at < release.atMs
}

const HELD_BACK = "it leaves at that time; 'postrider queue retry' lets it go now"

function nextOf(found: Trace, row: RecipientRow): string {
  if (isHeldBack(found, row)) return HELD_BACK
  if (row.state === 'queued' && row.reason?.startsWith(KEPT)) return ASKED
  return NEXT[row.state as RecipientState]
}

function expiryOf(context: ControlContext, { message }: Trace): number {
  const sender = parseCarriedSender(message.parameters)
  const receivedAt = agesFrom(message.received_at, sender)
  return endsAt(context.expireMs(), { receivedAt, deliverBy: sender.deliverBy })
}

function explain(context: ControlContext, found: Trace, row: RecipientRow): Explanation {
  const state = row.state as RecipientState
  const waits = state === 'queued' || state === 'leased' || state === 'held'
  return {
    message: found.message.id,
    address: row.address,
    state,
    why: row.reason ?? (waits ? 'it has not been tried yet' : 'no reason was recorded'),
    next: nextOf(found, row),
    ...(waits && state !== 'held' ? { dueAt: row.due_at } : {}),
    ...(waits ? { expiresAt: expiryOf(context, found) } : {}),
    attempts: found.attempts.filter(attempt => attempt.n === row.n).map(attemptOf),
  }
}
