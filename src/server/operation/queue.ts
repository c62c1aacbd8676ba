/** The queue as an operator asks about it and orders it: the operations `queue.*` and `trace`. */
import { parseCarriedSender } from '../../mail/carried.ts'
import { BEFORE_ALL, matchingCount, matchingLines } from '../../queue/matching.ts'
import { OPEN_STATES } from '../../queue/query.ts'
import { queuedMessage } from '../../queue/reader.ts'
import { agesFrom, endsAt } from '../../queue/schedule.ts'
import { shownState } from '../../queue/state.ts'
import {
  type AttemptRow,
  messagesTo,
  type RecipientRow,
  type Trace,
  trace,
} from '../../record/trace.ts'
import { KEPT } from '../../transport/on-demand.ts'
import { formatDuration } from '../../wire/measure.ts'
import { ExitError } from '../exit-error.ts'
import type {
  AttemptRecord,
  Explanation,
  MessageRecord,
  OperationInput,
  OperationOutput,
  RecipientState,
} from '../operation.ts'
import type { ControlContext } from './context.ts'
import { withLanes } from './queue-lanes.ts'
import { itemOf, momentOf, queryOf } from './queue-query.ts'

const CONTENT_MAX_BYTES = 1_048_576

export async function list(
  context: ControlContext,
  { query = '', limit = 100, after = BEFORE_ALL }: OperationInput<'queue.list'>,
): Promise<OperationOutput<'queue.list'>> {
  const { store } = context
  const asked = { query: queryOf(query), moment: await momentOf(context) }
  const found = await store.read(matchingLines, { ...asked, after, limit: limit + 1 })
  const lines = await withLanes(store, found)
  const total = await store.read(matchingCount, asked)
  const shown = lines.slice(0, limit)
  const last = shown.at(-1)
  const next = lines.length > limit && last && { messageId: last.message_id, n: last.n }
  return { items: shown.map(itemOf), total, ...(next && { next }) }
}

export async function show(
  context: ControlContext,
  input: { readonly message: string; readonly content?: boolean },
): Promise<OperationOutput<'queue.show'>> {
  const found = await find(context, input.message)
  const record = await withWays(context, recordOf(context, found))
  if (!input.content || found.message.body_id === null) return record
  return { ...record, content: await contentOf(context, found) }
}

/** Recipients of which the way is told; each may ask the user's hooks. */
const WAYS = 100

/** With the way that each recipient which waits would go now. */
async function withWays(context: ControlContext, record: MessageRecord): Promise<MessageRecord> {
  const message = await context.store.read(queuedMessage, record.message)
  if (message === undefined) return record
  const recipients = await Promise.all(
    record.recipients.map(async (recipient, i) => {
      if (recipient.expiresAt === undefined || i >= WAYS) return recipient
      return {
        ...recipient,
        route: await context.way(message, recipient.address, recipient.via ?? null),
      }
    }),
  )
  return { ...record, recipients }
}

export async function traceMessage(
  context: ControlContext,
  input: { readonly id: string },
): Promise<MessageRecord> {
  return recordOf(context, await find(context, input.id))
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
  throw new ExitError(67, `no message to ${subject} is known; see 'postrider queue list'`)
}

async function find({ store, house }: ControlContext, id: string): Promise<Trace> {
  const found = await store.read(trace, id)
  if (found?.several) {
    throw new ExitError(
      67,
      `several messages begin with '${id}': write more of the one that is meant`,
    )
  }
  if (found) return { ...found, recipients: await withLanes(store, found.recipients) }
  const kept = formatDuration(house.settings().queue.keepLedger)
  throw new ExitError(67, `no message ${id} is on record; the ledger keeps settled ones ${kept}`)
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

function recordOf(context: ControlContext, found: Trace): MessageRecord {
  const { message, recipients, attempts } = found
  return {
    message: message.id,
    sender: message.reverse_path,
    origin: message.origin as MessageRecord['origin'],
    peer: message.peer,
    receivedAt: message.received_at,
    sizeOctets: message.size_octets,
    ...(message.envelope_id === null ? {} : { envelopeId: message.envelope_id }),
    ...(message.account === null ? {} : { account: message.account }),
    ...rewrittenOf(message),
    ...(message.settled_at === null ? {} : { settledAt: message.settled_at }),
    recipients: recipients.map(row => ({
      ...itemOf({ ...message, ...row, message_id: message.id }),
      ...(row.alias_of === null ? {} : { aliasOf: row.alias_of }),
      ...namedAs(row),
      ...(row.settled_at === null ? {} : { settledAt: row.settled_at }),
      next: nextOf(found, row),
      ...(isOpen(row) ? { expiresAt: expiryOf(context, found, row) } : {}),
    })),
    attempts: attempts.map(attemptOf),
  }
}

function rewrittenOf({ parameters }: Trace['message']): Pick<MessageRecord, 'rewritten'> {
  const { rewritten } = parseCarriedSender(parameters)
  return rewritten === undefined ? {} : { rewritten }
}

/** The address behind the type of an original recipient (RFC 3461 §4.2), where the row's others do not say it. */
function namedAs({ original_recipient: original, address, alias_of }: RecipientRow) {
  const name = original?.slice(original.indexOf(';') + 1)
  const said = name === undefined || name === address || name === alias_of
  return said ? {} : { namedAs: name }
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
  queued: 'it is tried when it falls due',
  deferred: 'it is tried again when it falls due',
  doubt: 'it is sent again when it falls due, though it may be there: its host did not say',
  leased: 'it is being carried just now',
  held: "it waits for 'postrider queue release'",
  delivered: 'nothing: it is in the mailbox',
  relayed: 'nothing: the next host has taken responsibility',
  expanded: 'nothing: the targets of the alias have entries of their own',
  failed: 'nothing: the sender was told, unless he asked not to be or has no address',
  expired: 'nothing: it was given up, and the sender told',
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
  return NEXT[shownState(row)]
}

function expiryOf(context: ControlContext, { message }: Trace, row: RecipientRow): number {
  const sender = parseCarriedSender(message.parameters)
  const receivedAt = agesFrom(message.received_at, sender)
  return endsAt(context.expireMs(row.address), { receivedAt, deliverBy: sender.deliverBy })
}

function isOpen(row: RecipientRow): boolean {
  return OPEN_STATES.some(open => open === shownState(row))
}

function explain(context: ControlContext, found: Trace, row: RecipientRow): Explanation {
  const state = shownState(row)
  const waits = isOpen(row)
  return {
    message: found.message.id,
    address: row.address,
    state,
    why: row.reason ?? (waits ? 'it has not been tried yet' : 'no reason was recorded'),
    next: nextOf(found, row),
    ...(waits && state !== 'held' ? { dueAt: row.due_at } : {}),
    ...(waits ? { expiresAt: expiryOf(context, found, row) } : {}),
    attempts: found.attempts.filter(attempt => attempt.n === row.n).map(attemptOf),
  }
}
