/**
 * What must hold of any town after any faults, once they have ended and six days have passed. Sees
 * only what people and operators see: what clients were told, what the mailboxes hold (read over
 * POP3), what the ledgers say, and what the checks of the stores find.
 *
 *  1. Every recipient that a client saw taken has arrived, or its sender has a notice that it did not.
 *  2. What arrives is what was sent, octet for octet, below the trace fields.
 *  3. Nothing is delivered twice by one server; two copies across a relay need a doubt: a reply that
 *     did not come, or a machine or store that failed between the reply and its record.
 *  4. UIDs only grow, a final state stays, a doubt is not forgotten (ledger.ts watches them commit by commit).
 *  5. Queues are empty, and every rule of the stores holds.
 *  6. Nobody but its reader takes mail away, and what is read at a place is always the same.
 */
import { reader } from '../../src/store/store.ts'
import { readFolder } from './readers.ts'
import type { MailServer } from './server.ts'
import type { Town } from './town.ts'
import type { Try, User } from './user.ts'

export interface Broken {
  readonly rule: string
  readonly what: string
}

interface Row {
  readonly message_id: string
  readonly n: number
  readonly address: string
  readonly state: string
  readonly reason: string | null
  readonly doubts: number
}

interface Attempt {
  readonly message_id: string
  readonly n: number
  readonly at: number
  readonly outcome: string
  readonly reason: string
}

interface Book {
  readonly server: MailServer
  readonly rows: readonly Row[]
  readonly attempts: readonly Attempt[]
}

/** One message in a mailbox. */
interface Copy {
  readonly mailbox: string
  readonly octets: string
  /** The ids in its Received fields, the last server first. */
  readonly ids: readonly string[]
  readonly isNotice: boolean
}

const ledgerRows = reader('town.rows', (tx, _: null) =>
  tx.all<Row>(
    `SELECT r.message_id, r.n, r.address, r.state, r.reason, r.doubts
     FROM recipient r JOIN message m ON m.id = r.message_id ORDER BY r.message_id, r.n`,
  ),
)

const ledgerAttempts = reader('town.attempts', (tx, _: null) =>
  tx.all<Attempt>('SELECT message_id, n, at, outcome, reason FROM attempt ORDER BY message_id, at'),
)

/** A doubt explains a second copy only if it is about this time, ms. */
const DOUBT_MS = 15 * 60_000
const FLIGHT_MS = 5_000

/** Everything that is wrong with a town; empty is good. Faults must have ended. */
export async function judge(town: Town): Promise<readonly Broken[]> {
  const broken: Broken[] = []
  const say = (rule: string, what: string) => broken.push({ rule, what })
  const books: Book[] = []
  for (const server of town.servers) {
    const rows = await town.internet.complete(server.store.read(ledgerRows, null))
    const attempts = await town.internet.complete(server.store.read(ledgerAttempts, null))
    books.push({ server, rows, attempts })
    for (const fault of server.ledger.faults) say('between two commits', `${server.name}: ${fault}`)
    const found = await town.internet.complete(server.findings())
    for (const finding of found.filter(one => !isSpoilt(server, one.detail))) {
      say('the store is whole', `${server.name}: ${JSON.stringify(finding)}`)
    }
  }
  checkReaders(town, say)
  const copies = await allCopies(town, say)
  for (const book of books) checkBook(book, say)
  const letters = copies.filter(copy => !copy.isNotice)
  for (const copy of letters) checkOctets(town, copy, say)
  for (const tried of town.tries) checkTry(town, books, copies, tried, say)
  return broken
}

/** Whether a finding is about a body that was spoilt behind the server's back. */
function isSpoilt({ spoilt }: MailServer, detail: string): boolean {
  return [...spoilt].some(name => detail.includes(name))
}

const OVERDUE_MS = 5 * 60_000

const overdueRows = reader('town.overdue', (tx, lateMs: number) =>
  tx.all<{ message_id: string; address: string; state: string; due_at: number }>(
    `SELECT message_id, address, state, due_at FROM recipient
     WHERE state IN ('queued', 'leased') AND due_at < :now - ?1 ORDER BY message_id, n`,
    lateMs,
  ),
)

/** What has been due for minutes and is in nobody's hands, under a clear sky. */
export async function overdue(town: Town): Promise<readonly Broken[]> {
  const late: Broken[] = []
  for (const { name, store } of town.servers) {
    const rows = await town.internet.complete(store.read(overdueRows, OVERDUE_MS))
    for (const { message_id, address, state } of rows) {
      late.push({
        rule: 'what is due is on its way',
        what: `${name}: ${message_id} to ${address}, ${state}`,
      })
    }
  }
  return late
}

type Say = (rule: string, what: string) => void

async function allCopies(town: Town, say: Say): Promise<Copy[]> {
  const copies: Copy[] = []
  for (const user of town.users.values()) {
    const texts = await town.internet.complete(textsOf(user)).catch((error: unknown) => {
      say('a mailbox can be read', `${user.address}: ${String(error)}`)
      return new Map<string, string>()
    })
    for (const text of texts.values()) {
      copies.push({
        mailbox: user.address,
        octets: text,
        ids: idsOf(traceOf(text)),
        isNotice: /^Return-Path: <>\r\n/.test(text),
      })
    }
  }
  return copies
}

/** All that a user has, here or with him, by its place. */
async function textsOf(user: User): Promise<Map<string, string>> {
  const texts = new Map<string, string>()
  for (const { id, octets } of await user.read()) {
    texts.set(id, Buffer.from(octets).toString('latin1'))
  }
  if (user.habit === 'moves') {
    const moved = await readFolder(user.world, user.door, 'Archive')
    for (const [place, text] of moved) texts.set(`Archive ${place}`, text)
  } else for (const [place, text] of user.shelf.read) texts.set(place, text)
  return texts
}

function checkReaders(town: Town, say: Say): void {
  const rule = 'nobody but its reader takes mail away'
  for (const { address, shelf } of town.users.values()) {
    for (const fault of shelf.faults)
      say('a place has one message for ever', `${address}: ${fault}`)
  }
  for (const { name, ledger } of town.servers) {
    for (const { address, place } of ledger.vanished) {
      if (!town.users.get(address)?.shelf.asked.has(place))
        say(rule, `${name}: ${address} ${place}`)
    }
  }
}

/** The trace fields in front of a message. */
function traceOf(text: string): string {
  return /^(?:(?:Return-Path|Delivered-To|Received):[^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*)*/i.exec(
    text,
  )?.[0] as string
}

function idsOf(trace: string): string[] {
  return [...trace.replace(/\r\n\s+/g, ' ').matchAll(/\bid ([0-9a-v]{16})\b/g)].map(
    match => match[1] as string,
  )
}

function checkBook({ server, rows, attempts }: Book, say: Say): void {
  const delivered = new Map<string, number>()
  for (const row of rows) {
    const what = `${server.name}: ${row.message_id} to ${row.address} is ${row.state}`
    if (['queued', 'leased', 'held'].includes(row.state)) say('queues are empty', what)
    // Two attempts at one time of a clock that jumps are one on record: a doubt is at least as often as told.
    const told = attempts.filter(
      a => a.message_id === row.message_id && a.n === row.n && a.outcome === 'in doubt',
    ).length
    if (row.doubts < told || row.doubts > 0 !== told > 0) {
      say('a doubt is on record', `${what}, ${row.doubts} times in doubt, ${told} attempts`)
    }
    if (row.state === 'delivered') {
      delivered.set(row.message_id, (delivered.get(row.message_id) ?? 0) + 1)
    }
  }
  for (const { message_id } of rows) {
    const owed = delivered.get(message_id) ?? 0
    const kept = server.ledger.arrived.get(message_id) ?? 0
    if (kept === owed) continue
    const what = `${server.name}: ${message_id} was ${kept} times in mailboxes, delivered ${owed} times`
    say('a message is in a mailbox exactly when the ledger says so', what)
  }
}

function checkOctets(town: Town, copy: Copy, say: Say): void {
  const body = copy.octets.slice(traceOf(copy.octets).length)
  if (town.tries.some(tried => tried.octets.toString('latin1') === body)) return
  say(
    'what arrives is what was sent',
    `${copy.mailbox}: ${JSON.stringify(copy.octets.slice(0, 600))}`,
  )
}

function checkTry(
  town: Town,
  books: readonly Book[],
  copies: readonly Copy[],
  tried: Try,
  say: Say,
): void {
  const marked = copies.filter(copy => holds(copy.octets, tried.mark))
  const taken = tried.recipients.filter(({ outcome }) => outcome.kind === 'delivered')
  const owed = waysOf(town, taken)
  const offered = waysOf(town, tried.recipients)
  for (const [final, way] of offered) {
    const letters = marked.filter(copy => !copy.isNotice && copy.mailbox === final)
    const bounces = marked.filter(
      copy =>
        copy.isNotice &&
        copy.mailbox === tried.from &&
        toldOf(copy.octets, 'failed').some(address => way.has(address)),
    )
    const what = `${tried.mark} to ${final}: ${letters.length} copies, ${bounces.length} notices of failure`
    const seen = letters.length + bounces.length > 0
    const untold = isQuiet(tried) || isGivenUp(books, new Set([tried.from]))
    if (owed.has(final) && !seen && !(untold && isGivenUp(books, way))) {
      say('who was taken arrives or is reported', what)
    }
    const doubts = unexplained(town, books, letters)
    if (doubts.length > 0) say('a second copy needs a doubt', `${what}; ${doubts.join('; ')}`)
    if (letters.length > 0 && bounces.length > 0 && !inDoubt(books, marked)) {
      say('what arrives is not reported as failed', what)
    }
  }
  for (const copy of marked) {
    if (!copy.isNotice && !offered.has(copy.mailbox)) {
      say('mail goes only where it was sent', `${tried.mark} is in the mailbox of ${copy.mailbox}`)
    }
  }
}

/** Whether the sender wanted no notice of failure (RFC 3461 §4.1). */
function isQuiet({ notify }: Try): boolean {
  return notify !== undefined && (notify === 'NEVER' || !notify.includes('FAILURE'))
}

/**
 * Whether a ledger says that a recipient of this name was given up: all that is left of it. Of a sender it is his
 * notice, where DNS said that his domain is not there: none is sent about a notice (RFC 5321 §6.1).
 */
function isGivenUp(books: readonly Book[], way: ReadonlySet<string>): boolean {
  return books.some(({ rows }) =>
    rows.some(row => way.has(row.address) && ['failed', 'expired'].includes(row.state)),
  )
}

/** All final addresses of these recipients, with what lies on the way to each. */
function waysOf(town: Town, recipients: Try['recipients']): Map<string, Set<string>> {
  const ways = new Map<string, Set<string>>()
  for (const { address } of recipients) town.ways(address, ways)
  return ways
}

/** A mark is followed by something else than a digit. */
function holds(octets: string, mark: string): boolean {
  const at = octets.indexOf(mark)
  return at >= 0 && !/\d/.test(octets[at + mark.length] ?? '')
}

/** The recipients a notice tells of with this action (RFC 3464 §2.3). */
export function toldOf(notice: string, action: string): string[] {
  return notice.split('\r\n\r\n').flatMap(group => {
    const recipient = /^Final-Recipient: *[\w-]+; *(.+)\r?$/im.exec(group)?.[1]
    const said = /^Action: *(\w+)/im.exec(group)?.[1]
    return recipient !== undefined && said === action ? [recipient.toLowerCase()] : []
  })
}

/**
 * Copies that nothing explains. The first one of each message needs no explanation; of the others,
 * each one that its sender has on record as relayed takes the place of a first, and each one that
 * it has not needs a doubt about that time.
 */
function unexplained(town: Town, books: readonly Book[], letters: readonly Copy[]): string[] {
  const found: string[] = []
  const recorded = new Map<string, number>()
  const firstOf = new Set<string>()
  const mailbox = letters[0]?.mailbox ?? ''
  for (const { ids } of letters) {
    const [here, there] = ids
    if (here === undefined || there === undefined) {
      if (here === undefined) found.push('a copy without an id')
      else if (firstOf.has(here)) found.push(`${here} was delivered twice`)
      else firstOf.add(here)
      continue
    }
    if (firstOf.has(here)) found.push(`${here} was delivered twice`)
    firstOf.add(here)
    const sender = books.find(book => book.rows.some(row => row.message_id === there))
    const receiver = books.find(book => book.rows.some(row => row.message_id === here))
    const at = receiver?.server.ledger.seenAt.get(here) ?? 0
    if (!sender) found.push(`${there} is in no ledger`)
    else if (
      isRecorded(sender, { there, here, leading: leadingTo(town, sender, there, mailbox) })
    ) {
      recorded.set(there, (recorded.get(there) ?? 0) + 1)
    } else if (!hasDoubt(sender, there, at) && !tookAndRefused(receiver, at)) {
      found.push(`${there} was relayed as ${here} without a doubt`)
    }
  }
  // Two recipients of one message may lead to one mailbox, each by a transaction of its own.
  for (const [id, count] of recorded) {
    const leading = books.flatMap(book => [...leadingTo(town, book, id, mailbox)])
    if (count > leading.length) found.push(`${id} is on record as relayed ${count} times`)
  }
  return found
}

/** Which recipients of a message lead to a mailbox. */
function leadingTo(town: Town, { rows }: Book, id: string, mailbox: string): ReadonlySet<number> {
  const ours = rows.filter(row => row.message_id === id && town.ways(row.address).has(mailbox))
  return new Set(ours.map(({ n }) => n))
}

/**
 * Whether a copy is on record. Only what stands at a recipient that leads to its mailbox counts: of one transaction
 * for two, one may have been recorded where the other was lost, and was carried again.
 */
function isRecorded(
  sender: Book,
  copy: { readonly there: string; readonly here: string; readonly leading: ReadonlySet<number> },
): boolean {
  const { there, here, leading } = copy
  const taken = ({ state, reason }: Row) =>
    (state === 'relayed' || state === 'delivered') && reason?.includes(here) === true
  return sender.rows.some(row => row.message_id === there && leading.has(row.n) && taken(row))
}

function hasDoubt({ server }: Book, id: string, at: number): boolean {
  // What was under way when a machine stopped still arrives.
  const near = (time: number) => time >= at - FLIGHT_MS && time <= at + DOUBT_MS
  return (
    server.ledger.doubts.some(doubt => doubt.id === id && near(doubt.at)) ||
    server.crashes.some(crash => near(crash.at)) ||
    server.failures.some(failure => near(failure.at))
  )
}

/** Whether a commit of the receiver was there although it failed: it had to say 451 (RFC 5321 §6.1). */
function tookAndRefused(receiver: Book | undefined, at: number): boolean {
  return (
    receiver?.server.failures.some(failure => failure.after && Math.abs(failure.at - at) < 1000) ??
    false
  )
}

/** Whether any server of the way was ever in doubt about a message. */
function inDoubt(books: readonly Book[], copies: readonly Copy[]): boolean {
  const ids = new Set(copies.flatMap(copy => copy.ids))
  return books.some(
    ({ server, attempts }) =>
      server.crashes.length > 0 ||
      server.failures.length > 0 ||
      attempts.some(a => a.outcome === 'in doubt' && ids.has(a.message_id)),
  )
}
