/**
 * The door of the queue: turns a complete message and its expanded recipients into one acceptance,
 * writes it, and hands what was born leased to the worker. Called by the inbound roles; knows no
 * protocol and no transport.
 */
import { isAscii } from 'node:buffer'
import { type Address, formatAddress } from '../mail/address.ts'
import { formatCarriedSender } from '../mail/carried.ts'
import type { Envelope, Sender } from '../mail/envelope.ts'
import type { Delivery } from '../mailbox/deliver.ts'
import { mailTopic } from '../mailbox/topic.ts'
import type { Store } from '../store/store.ts'
import { formatDate } from '../wire/date.ts'
import { Lending } from '../wire/lending.ts'
import { inOneBuffer, ownOctets, ownText } from '../wire/own.ts'
import type { Clock } from '../world/clock.ts'
import type { Acceptance, AcceptedRecipient } from './acceptance.ts'
import { AS_THEY_ARE_OCTETS } from './acceptance-crossing.ts'
import type { FinalRecipient } from './expansion.ts'
import type { Identity } from './id.ts'
import { type NoticeFact, type Notices, type RestingNotice, resting } from './notice.ts'
import type { QueuedMessage } from './reader.ts'
import type { Lifetime } from './schedule.ts'
import { acceptNamed, type NamedAcceptance } from './transfer.ts'
import { accept } from './writer.ts'

/** Everything the roles know of a message when its last octet is here. */
export interface Submission {
  readonly identity: Identity
  readonly origin: Acceptance['origin']
  readonly envelope: Pick<Envelope, 'sender'>
  readonly finals: readonly FinalRecipient[]
  /** What we put in front of the body. */
  readonly head: string
  /** Octets are lent: what is kept of them is a copy, and a large buffer may go over to the store. */
  readonly body: Uint8Array | (Staged & { readonly ascii?: boolean })
  /** The body is 7bit or 8bit data, and no line of it begins with a dot. */
  readonly plain?: boolean
  readonly accountId: number | null
  readonly peer: string
  /** The content's first octets: its header, for a notice of expansion. */
  readonly prefix: Uint8Array
  /** The transaction it came by, where its client gave it a name (RFC 1845). */
  readonly named?: Omit<NamedAcceptance, 'acceptance'>
}

type Staged = Exclude<Acceptance['body'], Uint8Array>

/** What of a message decides where its recipients wait. */
export interface Birth {
  readonly accountId: number | null
  readonly reversePath: string
  readonly life: Lifetime
}

/** Where a newborn recipient waits: with us, in a lane, or with neither in the queue. */
export type Berth = Pick<AcceptedRecipient, 'lease' | 'lane'>

/** Who takes newborn mail: the worker of this node. */
export interface Lessee {
  /** How long a notice about what is in his hands waits for more to tell; 0 not at all. */
  readonly restMs: number
  berth(address: string, birth: Birth): Berth
  /** @param told a notice that was accepted with it, and rests */
  /** @param lending its body, where that has gone over to the store */
  born(acceptance: Acceptance, told?: RestingNotice, lending?: Lending): void
}

/** What of a message a delivery at once needs. */
export interface Newborn {
  readonly id: string
  readonly bodyKey: number
  readonly head: string
  /** Of the body alone. */
  readonly bodyOctets: number
  /** Of head and body together. */
  readonly sizeOctets: number
  readonly reversePath: Address | null
  readonly origin: Acceptance['origin']
  readonly accountId: number | null
  readonly peer: string
}

/**
 * Who can deliver into a mailbox here without going through the queue: the accepting transaction then
 * inserts the mailbox row itself, which saves a second commit. Asked first; the queue takes the rest.
 */
export interface AtOnce {
  /**
   * The row, where the way is plain and known; undefined leaves it to the worker.
   * @param judged the address itself was named: whether its mailbox has room was asked
   */
  place(newborn: Newborn, address: string, judged: boolean): Delivery | undefined
  /** It is durable. */
  placed(id: string, address: string): void
}

/** A notice that is accepted with its message. */
interface Told {
  readonly notice: Acceptance
  readonly rests?: RestingNotice
}

const NOTHING: readonly string[] = []
const NONE_MOVED: readonly ArrayBuffer[] = []
const NO_OCTETS = new Uint8Array(0)

/** The topic under which workers hear that something may be due. */
export const queueTopic = 'queue'

export class Spool {
  readonly #store: Store
  readonly #clock: Clock
  readonly #notices: Notices
  readonly #lessee: Lessee
  readonly #atOnce: AtOnce | undefined

  constructor(store: Store, clock: Clock, notices: Notices, lessee: Lessee, atOnce?: AtOnce) {
    this.#atOnce = atOnce
    this.#store = store
    this.#notices = notices
    this.#clock = clock
    this.#lessee = lessee
  }

  /**
   * Resolves once the message is durable and ours (RFC 5321 §6.1), with the staged bodies that it has made
   * needless. Rejects with StoreError.
   */
  async accept(submission: Submission): Promise<readonly string[]> {
    const planned = this.#plan(submission)
    const expanded = this.#expanded(submission, planned)
    const told = expanded && (await expanded)
    const acceptance = told ? { ...planned, notices: [told.notice] } : planned
    const lending = lendingOf(submission, acceptance)
    let released: readonly string[]
    try {
      released = await this.#write(submission, acceptance)
    } catch (error) {
      lending?.end()
      throw error
    }
    this.#accepted(acceptance, told?.rests, lending)
    return released
  }

  async #write(submission: Submission, acceptance: Acceptance): Promise<readonly string[]> {
    const { named } = submission
    if (named !== undefined) return this.#store.write(acceptNamed, { ...named, acceptance })
    await this.#store.write(accept, acceptance, movedOf(submission, acceptance))
    return NOTHING
  }

  /** It is durable: who is to go on with it hears of it. */
  #accepted(acceptance: Acceptance, told?: RestingNotice, lending?: Lending): void {
    let leased = false
    // Any node may take what waits: this one, or another if this one has its hands full.
    let waiting = acceptance.notices !== undefined && acceptance.notices.length > 0
    for (const recipient of acceptance.recipients) {
      const { delivery, address } = recipient
      if (recipient.lease) leased = true
      else if (delivery === undefined) waiting ||= waits(recipient)
      else {
        this.#atOnce?.placed(acceptance.id, address)
        this.#store.wake(mailTopic(delivery.accountId))
      }
    }
    if (leased) this.#lessee.born(acceptance, told, lending)
    if (waiting) this.#store.wake(queueTopic)
  }

  /** The rows of a message. What is not delivered at once is leased to this node while it has room. */
  #plan(submission: Submission): Acceptance {
    const { sender } = submission.envelope
    const { body, head } = submission
    const { id, bodyKey } = submission.identity
    const bodyOctets = body instanceof Uint8Array ? body.length : body.sizeOctets
    const sizeOctets = Buffer.byteLength(head) + bodyOctets
    const { reversePath } = sender
    const receivedAt = this.#clock.now()
    const hold = holdOf(sender, receivedAt)
    const special = sender.deliverBy !== undefined
    const { origin, accountId, peer } = submission
    const facts = { bodyOctets, sizeOctets, reversePath, origin, accountId, peer }
    const newborn: Newborn = { id, bodyKey, head, ...facts }
    const path = reversePath === null ? '' : formatAddress(reversePath)
    const life: Lifetime = { receivedAt, deliverBy: sender.deliverBy }
    const birth: Birth = { accountId, reversePath: path, life }
    const berthed = (final: FinalRecipient): AcceptedRecipient => ({
      ...final,
      ...this.#lessee.berth(final.address, birth),
    })
    const recipients = submission.finals.map((final): AcceptedRecipient => {
      if (final.expanded) return final
      // What has a time of its own, or a wish of its own, is the worker's and the settler's.
      if (hold) return { ...final, hold }
      if (special || final.parameters) return berthed(final)
      // Who asked to hear of success is owed a notice, and that is the settler's.
      const silent = !final.notify?.includes('SUCCESS')
      const judged = final.aliasOf === null
      const delivery = silent ? this.#atOnce?.place(newborn, final.address, judged) : undefined
      return delivery ? { ...final, delivery } : berthed(final)
    })
    const atOnce = recipients.every(({ delivery }) => delivery !== undefined)
    return {
      id,
      bodyKey,
      origin,
      ...keptOf(submission, atOnce),
      sizeOctets,
      reversePath: path,
      bodyKind: sender.body,
      utf8: sender.utf8,
      ret: sender.ret ?? null,
      envelopeId: sender.envelopeId ?? null,
      parameters: formatCarriedSender(seenIn(submission)),
      priority: sender.priority ?? 0,
      accountId,
      peer,
      receivedAt,
      recipients,
    }
  }

  /** RFC 3461 §5.2.7.3: who asked to hear of success is told that an alias was expanded. */
  #expanded(submission: Submission, planned: Acceptance): Promise<Told | undefined> | undefined {
    const facts: NoticeFact[] = []
    for (const final of submission.finals) {
      if (!final.expanded || !final.notify?.includes('SUCCESS')) continue
      facts.push({
        address: final.address,
        originalRecipient: final.originalRecipient,
        action: 'expanded',
        status: '2.0.0',
        reason: 'the alias was expanded; each of its targets is handled on its own',
        at: planned.receivedAt,
      })
    }
    if (facts.length === 0) return undefined
    return this.#told(submission, planned, facts)
  }

  /** The notice; it rests where there is more to come of the message, from our own hands. */
  async #told(
    submission: Submission,
    planned: Acceptance,
    facts: readonly NoticeFact[],
  ): Promise<Told | undefined> {
    const message = queuedMessageOf(planned)
    const { head, body, prefix } = submission
    // As it is kept, with the fields that we have added.
    const content = () =>
      Buffer.concat([Buffer.from(head), body instanceof Uint8Array ? body : prefix])
    const notice = await this.#notices.compose(message, facts, content)
    const { restMs } = this.#lessee
    const more = planned.recipients.some(({ lease }) => lease !== undefined)
    if (notice === undefined || restMs === 0 || !more) return notice && { notice }
    const { id, bodyKey } = notice
    const dueAt = this.#clock.now() + restMs
    return { notice: resting(notice, restMs), rests: { notice: { id, bodyKey }, facts, dueAt } }
  }
}

/**
 * The body as it is lent, where nobody here needs it once the store was told, or a copy is lent on (`lendingOf`), and no
 * head where each delivery has its own; else a copy of both, beside each other as they go on.
 */
function keptOf(
  { head, body, named }: Submission,
  atOnce: boolean,
): Pick<Acceptance, 'head' | 'body'> {
  if (!(body instanceof Uint8Array)) {
    const { staged, sizeOctets } = body
    return { head: atOnce ? NO_OCTETS : ownText(head), body: { staged, sizeOctets } }
  }
  if (atOnce) return { head: NO_OCTETS, body: named === undefined ? body : ownOctets(body) }
  if (named === undefined && body.length >= AS_THEY_ARE_OCTETS) return { head: ownText(head), body }
  return inOneBuffer(head, body, named !== undefined)
}

/** With what a staged body was seen to be: whoever carries it away reads it once. */
function seenIn({ envelope: { sender }, body, plain }: Submission): Sender {
  if (!plain || body instanceof Uint8Array || body.ascii === undefined) return sender
  return { ...sender, seen: body.ascii ? '7bit' : '8bit' }
}

/** What is in our hands behind the commit, of a body that goes over to the store with its buffer. */
function lendingOf(
  { body: lent, plain }: Submission,
  { body, recipients }: Acceptance,
): Lending | undefined {
  const own = body !== lent || !(body instanceof Uint8Array) || body.length < AS_THEY_ARE_OCTETS
  if (own || recipients.every(({ lease }) => lease === undefined)) return undefined
  return new Lending(body, plain ? (isAscii(body) ? '7bit' : '8bit') : undefined)
}

/** A large body goes over to the store as it was lent. */
function movedOf({ body: lent }: Submission, { body }: Acceptance): readonly ArrayBuffer[] {
  if (body !== lent || !(body instanceof Uint8Array)) return NONE_MOVED
  const { buffer, length } = body
  return length >= AS_THEY_ARE_OCTETS && buffer instanceof ArrayBuffer ? [buffer] : NONE_MOVED
}

/** Until when its sender holds a message back (RFC 4865); what he lets go by now is not held. */
function holdOf({ release }: Sender, now: number): AcceptedRecipient['hold'] {
  if (release === undefined || release.atMs <= now) return undefined
  const reason = `held by its sender until ${formatDate(release.atMs)}`
  return { forMs: release.atMs - now, reason }
}

/** It is in the queue, and in nobody's hands. What is in a lane need not be looked for. */
function waits(r: AcceptedRecipient): boolean {
  return !r.lease && !r.lane && !r.expanded && !r.delivery
}

/** What the worker would read back of an acceptance, without reading. */
export function queuedMessageOf(a: Acceptance): QueuedMessage {
  const bodySize = a.body instanceof Uint8Array ? a.body.length : a.body.sizeOctets
  return {
    id: a.id,
    body_id: a.bodyKey,
    head: a.head,
    size_octets: a.sizeOctets ?? a.head.length + bodySize,
    origin: a.origin,
    reverse_path: a.reversePath,
    body_kind: a.bodyKind,
    utf8: a.utf8 ? 1 : 0,
    ret: a.ret,
    envelope_id: a.envelopeId,
    parameters: a.parameters ?? null,
    account_id: a.accountId,
    peer: a.peer,
    received_at: a.receivedAt,
  }
}
