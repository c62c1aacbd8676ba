/**
 * The machinery of every inbound role: answers an SMTP session's questions by the role's rules, the
 * user's hooks and the limits, takes the content in, and answers `accept` only once the message is
 * durable (RFC 5321 §6.1).
 */
import type { HookFacts, HookName } from '../hook/hook.ts'
import type { Envelope, Recipient, Sender } from '../mail/envelope.ts'
import { formatPeer } from '../mail/forwarded.ts'
import { accept, type Verdict } from '../mail/verdict.ts'
import { seam } from '../message/complete.ts'
import { scanHeader } from '../message/header.ts'
import { expandRecipients } from '../queue/expansion.ts'
import type { LoginAnswer, LoginQuestion } from '../sasl/mechanism.ts'
import type { Including, Later, Node, Peer, Policy, StartAnswer } from '../smtp/server/question.ts'
import { StoreError } from '../store/store.ts'
import { leaving } from './authorship.ts'
import type { Transfer } from './checkpoint.ts'
import type { Door } from './door.ts'
import { rewrittenSender } from './heed-rewriting.ts'
import { included } from './include.ts'
import { Intake } from './intake.ts'
import { expandName, verifyName } from './look-up.ts'
import { judgeHops, stopLoops } from './loop.ts'
import { type Meant, meantBy } from './meant.ts'
import { withoutNeedlessUtf8 } from './needless-utf8.ts'
import { isFull, judgeDisk, NO_ROOM } from './no-room.ts'
import { Reading } from './reading.ts'
import { receivedField } from './received.ts'
import { refusedMessage, refusedRecipient } from './refused-route.ts'
import type { Inbound, Role } from './role.ts'
import { judgeMailbox, judgeRoom, judgeRooms } from './room-left.ts'
import { withSubmitter } from './submitter.ts'
import { withTlsWish } from './tls-required.ts'
import * as said from './turned-away.ts'
import { judgeTenure } from './valid-since.ts'

/** What has come of a message. */
interface Content {
  readonly intake: Intake
  readonly reading: Reading
  readonly transfer: Transfer | undefined
}

/** To whom the roles have changed, and for which domains' mail. */
export interface Exchanged {
  readonly peer: Peer
  readonly domains: readonly string[]
}

export class Reception implements Policy {
  readonly #inbound: Inbound
  readonly #role: Role
  readonly #door: Door
  #intake: Intake | undefined
  /** The transaction, where its client gave it a name (RFC 1845). */
  #transfer: Transfer | undefined
  /** Its header. */
  #reading: Reading | undefined
  #closed = false
  #exchanged: Exchanged | undefined

  constructor(inbound: Inbound, role: Role, door: Door) {
    this.#door = door
    this.#inbound = inbound
    this.#role = role
  }

  connect(peer: Peer): Later<Verdict> {
    const may = this.#door.visitor.admission(peer.remote.address)
    if (may.kind === 'turned') return said.turnedAway(may)
    return this.#hooked('connect', accept(), () => ({ peer }))
  }

  hello(peer: Peer): Later<Verdict> {
    return this.#hooked('hello', accept(), () => ({ peer }))
  }

  login(_peer: Peer, question: LoginQuestion): Later<LoginAnswer> {
    return this.#inbound.login(question, this.#door.visitor, this.#role.scope ?? 'smtp')
  }

  mail(peer: Peer, sender: Sender): Later<Verdict> {
    const may = this.#door.visitor.message()
    if (may.kind === 'turned') return said.noMessage(may)
    const written = rewrittenSender(this.#door.heeding.rewriting, sender)
    const judged = after(this.#role.mail(peer, written), taken =>
      judgeDisk(this.#inbound.room, sender, taken),
    )
    const verdict = after(judged, judged => this.#hooked('mail', judged, () => ({ peer, sender })))
    if (sender.transactionId === undefined) return verdict
    return after(verdict, taken => (taken.kind === 'accept' ? this.#named(peer, sender) : taken))
  }

  /** RFC 1845 §3: a transaction that broke off goes on where it was. */
  async #named(peer: Peer, sender: Sender): Promise<Verdict> {
    const transfer = await this.#inbound.checkpoints.begin(peer, sender)
    if ('kind' in transfer) return transfer
    if (this.#closed) transfer.interrupted()
    else this.#transfer = transfer
    const resume = transfer.resumption
    return resume === undefined ? accept() : { kind: 'accept', resume }
  }

  rcpts(
    peer: Peer,
    envelope: Envelope,
    recipients: readonly Recipient[],
  ): Later<readonly Verdict[]> {
    const may = this.#door.visitor.recipients(recipients.length)
    if (!may) return recipients.map(() => said.TOO_MANY_RECIPIENTS)
    const verdicts = recipients.map((named): Later<Verdict> => {
      const verdict = after(this.#meant(peer, envelope, named), meant =>
        this.#judgeRcpt(peer, envelope, meant),
      )
      return after(verdict, judged =>
        this.#hooked('rcpt', judged, () => ({ peer, envelope, recipient: named })),
      )
    })
    return verdicts.every(v => !(v instanceof Promise))
      ? (verdicts as Verdict[])
      : Promise.all(verdicts.map(verdict => Promise.resolve(verdict)))
  }

  #meant(peer: Peer, { sender }: Envelope, named: Recipient): Later<Meant> {
    const { routes, heeding } = this.#door
    return meantBy(this.#inbound, { peer, sender, role: this.#role, routes, heeding }, named)
  }

  #judgeRcpt(peer: Peer, envelope: Envelope, { recipient, verdict: known }: Meant): Later<Verdict> {
    const verdict = known ?? this.#role.rcpt(peer, envelope, recipient)
    const { sender } = envelope
    return after(verdict, taken => {
      if (said.isNobody(taken)) this.#door.visitor.unknownRecipient()
      if (taken.kind !== 'accept') return taken
      const sending = { origin: this.#role.origin, peer, sender }
      const barred = refusedRecipient(this.#inbound, sending, recipient.forwardPath)
      return barred ?? judgeMailbox(this.#inbound, recipient, sender.sizeOctets ?? 0)
    })
  }

  data(peer: Peer, envelope: Envelope): Later<Verdict> {
    return after(
      this.#hooked('data', accept(), () => ({ peer, envelope })),
      verdict => {
        if (verdict.kind !== 'accept' || this.#transfer?.complete) return verdict
        const intake = this.#makeIntake(peer, envelope)
        this.#intake = intake
        if (this.#transfer === undefined) return verdict
        return this.#transfer.start(envelope, intake).then(refused => refused ?? verdict)
      },
    )
  }

  #makeIntake(peer: Peer, envelope: Envelope): Intake {
    const { world, settings } = this.#inbound
    const { heeding } = this.#door
    const needs = { inbound: this.#inbound, role: this.#role, heeding, peer }
    const reading = new Reading(needs, envelope)
    this.#reading = reading
    const omit = (prefix: Uint8Array) => reading.omitted(prefix)
    return new Intake(world.disk, omit, settings().inlineUpToOctets, this.#inbound.room)
  }

  content(octets: Uint8Array, from: number, to: number): Promise<void> | undefined {
    const wait = this.#intake?.push(octets, from, to)
    const kept = this.#transfer?.keep(octets, from, to)
    return kept && wait ? wait.then(() => kept) : (wait ?? kept)
  }

  include(asked: Including) {
    return included(this.#inbound, asked, async octets => this.content(octets, 0, octets.length))
  }

  async accept(peer: Peer, envelope: Envelope, _octets: number, plain: boolean) {
    if (this.#intake) this.#intake.plain = plain
    if (this.#door.protocol === 'lmtp') return this.#acceptEach(peer, envelope)
    const transfer = this.#transfer
    this.#transfer = undefined
    const verdict = transfer?.complete
      ? transfer.repeated()
      : await this.#judge(peer, envelope, transfer)
    if (verdict.kind === 'refuse') transfer?.forgotten()
    else transfer?.interrupted()
    this.#count(verdict)
    return [verdict]
  }

  /**
   * RFC 2033 §4.2: each reply is true for its recipient. Who has left or was disabled since RCPT gets the
   * reply that RCPT would give now; the message is taken for the others, and their replies tell of that.
   */
  async #acceptEach(peer: Peer, envelope: Envelope): Promise<readonly Verdict[]> {
    const { recipients, sender } = envelope
    const now = await this.#askAgain(peer, envelope)
    const kept = recipients.filter((_recipient, at) => now[at]?.kind === 'accept')
    if (kept.length === 0) this.abandon(false)
    const verdict =
      kept.length === 0
        ? accept()
        : await this.#judge(peer, { sender, recipients: kept }, undefined)
    const verdicts = now.map(each => (each.kind === 'accept' ? verdict : each))
    for (const each of verdicts) this.#count(each)
    return verdicts
  }

  /** What the role says of each recipient at the end of the message; never rejects. */
  async #askAgain(peer: Peer, envelope: Envelope): Promise<readonly Verdict[]> {
    try {
      return await Promise.all(
        envelope.recipients.map(async named => {
          const { recipient, verdict: known } = await this.#meant(peer, envelope, named)
          const verdict = known ?? (await this.#role.rcpt(peer, envelope, recipient))
          if (verdict.kind !== 'accept') return verdict
          return judgeRoom(this.#inbound, recipient.forwardPath, this.#intake?.sizeOctets ?? 0)
        }),
      )
    } catch (error) {
      const facts = { remote: peer.remote.address, error: String(error) }
      this.#inbound.world.log.error('accept.failed', facts)
      return envelope.recipients.map(() => said.SERVICE_DOWN)
    }
  }

  /** One verdict for the whole message; never rejects. */
  async #judge(peer: Peer, envelope: Envelope, transfer: Transfer | undefined): Promise<Verdict> {
    const intake = this.#intake
    const reading = this.#reading
    this.#intake = undefined
    if (!intake || !reading) return said.SERVICE_DOWN
    if (this.#door.gauge.underWay >= this.#inbound.settings().acceptQueueMax) {
      intake.abandon()
      return said.BUSY
    }
    this.#door.gauge.underWay++
    try {
      const verdict = await this.#take(peer, envelope, { intake, reading, transfer })
      if (verdict.kind !== 'accept') intake.abandon()
      return verdict
    } catch (error) {
      intake.abandon()
      if (error instanceof StoreError && error.reason === 'conflict') {
        const elsewhere = await transfer?.elsewhere(envelope).catch(() => undefined)
        if (elsewhere !== undefined) return elsewhere
      }
      const facts = { remote: peer.remote.address, error: String(error) }
      this.#inbound.world.log.error('accept.failed', facts)
      return isFull(error) ? NO_ROOM : said.SERVICE_DOWN
    } finally {
      intake.over()
      this.#door.gauge.underWay--
    }
  }

  abandon(interrupted: boolean): void {
    this.#intake?.abandon()
    this.#intake = undefined
    if (interrupted) this.#transfer?.interrupted()
    else this.#transfer?.forgotten()
    this.#transfer = undefined
  }

  verify(_peer: Peer, text: string): Later<Verdict> {
    const relays = this.#role.origin !== 'mx'
    return verifyName(this.#inbound.directory, this.#door.vrfy, text, relays)
  }

  /** Asked only where the listener has EXPN. */
  expand(_peer: Peer, text: string): Later<Verdict> {
    return expandName(this.#inbound.directory, text)
  }

  start(peer: Peer, node: Node): Later<StartAnswer> {
    return this.#inbound.onDemand.start(peer, node)
  }

  exchange(peer: Peer, verb: 'ATRN' | 'TURN', domains: readonly string[]): Later<Verdict> {
    return after(this.#inbound.onDemand.exchange(peer, verb, domains), answer => {
      if (answer.kind !== 'exchange') return answer
      this.#exchanged = { peer, domains: answer.domains }
      return accept()
    })
  }

  /** What is to go over the connection that was handed over. */
  get exchanged(): Exchanged | undefined {
    return this.#exchanged
  }

  closed(): void {
    this.#closed = true
    this.abandon(true)
  }

  /** Judges the complete message, stamps it, and makes it durable. */
  async #take(
    peer: Peer,
    asked: Envelope,
    { intake, reading, transfer }: Content,
  ): Promise<Verdict> {
    const { settings, world, spool, identify, directory } = this.#inbound
    const { hostname, hopsMax } = settings()
    const { prefix, sizeOctets } = intake
    const { origin } = this.#role
    const header = scanHeader(prefix, { partial: sizeOctets > prefix.length })
    const travelled = judgeHops(header, hopsMax)
    if (travelled.kind !== 'accept') return travelled
    const heeded = reading.heed(asked, header)
    const { envelope = asked, fields = '', priorityChangedTo, refused } = heeded ?? {}
    if (refused) return refused
    // RFC 7293 §7: who fails the demand of a header fails the message.
    for (const recipient of heeded?.demanding ?? []) {
      const verdict = await judgeTenure(this.#inbound.directory, recipient)
      if (verdict.kind !== 'accept') return verdict
    }
    const all = envelope.recipients.map(each => this.#meant(peer, envelope, each))
    const known = all.some(each => each instanceof Promise)
      ? await Promise.all(all.map(async each => each))
      : (all as Meant[])
    const recipients = known.map(({ recipient }) => recipient)
    // A user may well send on what came to himself.
    const meant = origin === 'submission' ? recipients : stopLoops(header, recipients)
    if ('kind' in meant) return meant
    // What is known at once is not waited for: of a usual message that is all but the store's answer.
    const room = judgeRooms(this.#inbound, meant, sizeOctets)
    const roomy = room instanceof Promise ? await room : room
    if (roomy.kind !== 'accept') return roomy
    const identity = identify()
    const judging = reading.judged()
    const written = judging instanceof Promise ? await judging : judging
    if ('kind' in written) return written
    const completing = this.#role.complete(peer, envelope, written.header, identity)
    const completion = completing instanceof Promise ? await completing : completing
    if (completion.kind !== 'complete') return completion
    const asking = this.#hooked('accept', accept(), () => ({
      peer,
      envelope,
      sizeOctets,
      id: identity.id,
      head: Buffer.from(prefix).toString('latin1'),
    }))
    const hooked = asking instanceof Promise ? await asking : asking
    if (hooked.kind !== 'accept') return hooked
    const { sender } = envelope
    const expanding = expandRecipients(directory, meant, sender.tracking !== undefined)
    const finals = expanding instanceof Promise ? await expanding : expanding
    const barred = refusedMessage(this.#inbound, { origin, peer, sender }, finals, intake)
    if (barred !== undefined) return barred
    const stamp = { protocol: this.#door.protocol, hostname, id: identity.id }
    const received = receivedField(peer, envelope, { ...stamp, timeMs: world.clock.now() })
    const text = `queued as ${identity.id}`
    const anew = written === heeded?.written ? [] : written.omitted.map(({ name }) => name)
    const told = withSubmitter(this.#inbound, peer, leaving(envelope, completion, anew), origin)
    const kept = told instanceof Promise ? await told : told
    const head = received + written.front.join('') + fields + completion.fields + seam(header)
    const body = intake.lend() ?? (await intake.finish())
    if (transfer !== undefined) await transfer.settled()
    const released = await spool.accept({
      identity,
      origin,
      envelope: withTlsWish(withoutNeedlessUtf8(kept, head, body), header),
      finals,
      head,
      body,
      plain: intake.plain,
      accountId: peer.account?.id ?? null,
      peer: formatPeer(peer.hello, peer.remote.address, peer.forwarded),
      prefix,
      ...(transfer === undefined ? {} : { named: transfer.record(sizeOctets, text) }),
    })
    transfer?.accepted(released)
    if (priorityChangedTo === undefined) return accept(text)
    // RFC 6710 §4.1: the new priority stands first.
    const changed = `${priorityChangedTo} is the new priority; ${text}`
    return { kind: 'accept', text: changed, detail: '3.6' }
  }

  /** A hook may only tighten what policy has accepted; it is not asked about what is refused. */
  #hooked<Name extends Exclude<HookName, 'route' | 'login'>>(
    name: Name,
    verdict: Verdict,
    facts: () => HookFacts<Name>,
  ): Later<Verdict> {
    const hooks = this.#inbound.hooks()
    if (verdict.kind !== 'accept' || !hooks?.has(name)) return verdict
    return hooks.ask(name, facts()).then(answer => (answer as Verdict | undefined) ?? verdict)
  }

  #count(verdict: Verdict): void {
    if (verdict.kind === 'accept') this.#inbound.count('accepted')
    else this.#inbound.count(verdict.kind === 'defer' ? 'deferred' : 'refused')
  }
}

/** Goes on with a value that is here or comes later, without a tick where it is here. */
function after<A, B>(value: Later<A>, next: (value: A) => Later<B>): Later<B> {
  return value instanceof Promise ? value.then(next) : next(value)
}
