/**
 * A job: some recipients of one message that share a route, in the hands of this node under a
 * lease. Built from what was just accepted (nothing is read again) or from claimed rows.
 */
import { type Address, formatPath, parseStoredAddress } from '../mail/address.ts'
import { parseCarriedRecipient, parseCarriedSender } from '../mail/carried.ts'
import type { BodyKind, Envelope, Recipient, Sender } from '../mail/envelope.ts'
import { type Forwarded, parsePeer } from '../mail/forwarded.ts'
import { parseNotify } from '../mail/notify.ts'
import { formatDeliveredTo } from '../mail/trace.ts'
import type { Claimed } from '../queue/claim.ts'
import type { QueuedMessage } from '../queue/reader.ts'
import { hopsOf, isOneByOne, type Route, routeKey } from '../route/route.ts'
import type { Source } from '../wire/effect.ts'
import { lentBehind } from '../wire/lending.ts'
import type { Content } from './newborns.ts'
import type { Load } from './transport.ts'

/** One recipient row in our hands. */
export interface JobRow {
  readonly n: number
  readonly address: string
  readonly notify: string | null
  readonly originalRecipient: string | null
  /** The alias that led here. */
  readonly aliasOf: string | null
  /** Further parameters of RCPT (mail/carried.ts). */
  readonly parameters?: string | null
  readonly attempts: number
  /** When the sender was told of a delay last. */
  readonly warnedAt: number | null
  /** The operator has let it go: rules that hold do not hold it again. */
  readonly released?: boolean
  /** Attempts that ended in doubt; none if not given. */
  readonly doubts?: number
  /** The way an operator has set for it: a hop of the config, or 'mx'. */
  readonly via?: string | null
  /** When (monotonic ms) its lease was asked for: the answer may have taken its time. */
  readonly leasedMs?: number | undefined
}

/** What is other about copies that an alias sends on elsewhere. */
export interface Departure {
  /** The reverse-path, where it is not the sender's (transit/). */
  readonly reversePath?: Address
  /** The alias: a field before the message says that it has had it (RFC 9228). */
  readonly deliveredTo?: Address
}

export interface Job {
  readonly message: QueuedMessage
  readonly rows: readonly JobRow[]
  readonly route: Route
  readonly load: Load
  readonly content: Content
  /** Whose places it takes: its destination's and its sender's. Lanes have these names. */
  readonly destination: string
  readonly from: string
  /** The domain of all its recipients, where that is told apart (shape/limits.ts). */
  readonly domain?: string
}

/** What a row is parted from others by, beside its route. */
export interface Parting {
  readonly departure?: Departure | undefined
  readonly domain?: string | undefined
}

/** The name under which the messages of one sender share places and wait for each other. */
export function fromKey(accountId: number | null, reversePath: string): string {
  return accountId === null ? `from:${reversePath}` : `account:${accountId}`
}

/** One job for each route, and for each way to leave by it. */
export function jobsOf(
  message: QueuedMessage,
  rows: readonly JobRow[],
  routes: readonly Route[],
  content: Content,
  partingOf: (row: JobRow, route: Route) => Parting,
): readonly Job[] {
  const ways = rows.map((row, i) => {
    const route = routes[i] as Route
    return { row, route, parting: partingOf(row, route) }
  })
  const [only, another] = ways
  // Nearly every message: there is nothing to compare.
  if (only && !another) return [makeJob(message, rows, only.route, content, only.parting)]
  const byWay = Map.groupBy(
    ways,
    // Routes of one key may differ in what they say to the hop, or to the sender.
    ({ row, route, parting: { departure, domain = '' } }) =>
      `${JSON.stringify(route)} ${departureKey(row, departure)} ${isOneByOne(route) ? row.n : ''} ${domain}`,
  )
  return [...byWay.values()].map(group => {
    const [{ route, parting }] = group as [(typeof ways)[number]]
    const together = group.map(({ row }) => row)
    return makeJob(message, together, route, content, parting)
  })
}

export function makeJob(
  message: QueuedMessage,
  rows: readonly JobRow[],
  route: Route,
  content: Content,
  { departure, domain }: Parting = {},
): Job {
  const { reversePath, deliveredTo } = departure ?? {}
  const sender = {
    ...senderOf(message, rows.some(isUnmarked)),
    ...(reversePath && { reversePath }),
  }
  const front = deliveredTo ? Buffer.from(formatDeliveredTo(deliveredTo)) : NOTHING
  const envelope: Envelope = { sender, recipients: rows.map(recipientOf) }
  const from = fromKey(message.account_id, message.reverse_path)
  const load: Load = {
    id: message.id,
    from,
    origin: message.origin,
    ...(domain !== undefined && { domain }),
    envelope,
    sizeOctets: front.length + message.size_octets,
    head: front.length === 0 ? message.head : Buffer.concat([front, message.head]),
    bodyKey: message.body_id,
    content: front.length === 0 ? content.octets : () => behind(front, content.octets()),
    ...(content.lent && {
      lent: front.length === 0 ? content.lent : lentBehind(front, content.lent),
    }),
    ...(hopsOf(route).some(hop => hop.xforward) && { forwarded: forwardedOf(message) }),
  }
  const destination = routeKey(route)
  return {
    message,
    rows,
    route,
    load,
    content,
    destination,
    from,
    ...(domain !== undefined && { domain }),
  }
}

const NOTHING = new Uint8Array(0)

function behind(front: Uint8Array, content: Source): Source {
  return content instanceof Uint8Array ? Buffer.concat([front, content]) : following(front, content)
}

async function* following(
  front: Uint8Array,
  content: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  yield front
  yield* content
}

/** Copies that may leave together have this in common, beside their route. */
function departureKey(row: JobRow, departure: Departure | undefined): string {
  const { looped, unmarked } = parseCarriedRecipient(row.parameters)
  const marks = `${looped ? 'looped ' : ''}${unmarked ? 'unmarked ' : ''}`
  if (departure === undefined) return marks
  const { reversePath = null, deliveredTo = null } = departure
  return `${marks}${formatPath(reversePath)} ${formatPath(deliveredTo)}`
}

/** RFC 3885 §3.3: of what became of one address the sender may ask, not of each behind a list. */
function isUnmarked({ parameters }: JobRow): boolean {
  return parseCarriedRecipient(parameters).unmarked === true
}

/** Who handed the message to us, for a hop that is told. */
function forwardedOf(message: QueuedMessage): Forwarded {
  const local = message.origin === 'local' || message.origin === 'notice'
  return { ...parsePeer(message.peer), ident: message.id, source: local ? 'LOCAL' : 'REMOTE' }
}

function senderOf(message: QueuedMessage, unmarked: boolean): Sender {
  // What was to be held has been held, by our queue.
  const { release: _held, tracking, ...asked } = parseCarriedSender(message.parameters)
  return {
    reversePath: message.reverse_path === '' ? null : parseStoredAddress(message.reverse_path),
    body: message.body_kind as BodyKind,
    utf8: message.utf8 === 1,
    ...(message.ret === null ? {} : { ret: message.ret as 'FULL' | 'HDRS' }),
    ...(message.envelope_id === null ? {} : { envelopeId: message.envelope_id }),
    // RFC 4954 §5: of what we relay it is said, to a hop that knows us, that nobody can be named.
    submitter: null,
    ...asked,
    ...(tracking && !unmarked ? { tracking } : {}),
    // RFC 6710 §4.2 (1), RFC 6758 §3.2: whoever relays tells it, also where nobody asked for any.
    priority: asked.priority ?? 0,
  }
}

function recipientOf(row: JobRow): Recipient {
  const notify = parseNotify(row.notify)
  const original = row.originalRecipient
  const cut = original?.indexOf(';') ?? -1
  return {
    forwardPath: parseStoredAddress(row.address),
    ...(notify === undefined ? {} : { notify }),
    ...(original === null || cut < 0
      ? {}
      : { originalRecipient: { type: original.slice(0, cut), address: original.slice(cut + 1) } }),
    ...parseCarriedRecipient(row.parameters),
  }
}

/** A claimed row as a job has it. */
export function rowOf(row: Claimed, leasedMs: number): JobRow {
  return {
    leasedMs,
    n: row.n,
    address: row.address,
    notify: row.notify,
    originalRecipient: row.original_recipient,
    aliasOf: row.alias_of,
    parameters: row.parameters,
    attempts: row.attempts,
    warnedAt: row.delay_notified_at,
    released: row.released_at !== null,
    doubts: row.doubts,
    via: row.via,
  }
}
