/**
 * One attempt to carry a load: which recipients are still to be offered, in which form, and what became
 * of the others. Written by transport/smtp.ts host by host; it speaks to nobody.
 */
import type { Outcome } from '../mail/outcome.ts'
import type { Reply } from '../mail/status.ts'
import type { Route } from '../route/route.ts'
import type { Gates, Reach, Wait } from '../shape/gates.ts'
import type { Carry, Trouble } from '../smtp/client/question.ts'
import type { Log } from '../world/log.ts'
import { type Fitted, Fitting, type Parcel, type Unfit } from './fitting.ts'
import type { Hop } from './hop.ts'
import type { HopCarried } from './hop-answer.ts'
import type { Host } from './hosts.ts'
import { toBeParted } from './told-apart.ts'
import type { Carried } from './transport.ts'
import type { Way } from './way.ts'

const DIALOGUES_MAX = 3
const UP: Reach = { kind: 'up' }

export class Attempt {
  readonly #parcel: Parcel
  readonly #fitting: Fitting | undefined
  readonly #outcomes: (Outcome | undefined)[]
  /** Places in the envelope of those still to be offered. */
  #open: readonly number[]
  /** How many of them one transaction takes, as far as a host has shown. */
  #most = Number.POSITIVE_INFINITY
  readonly #troubles: { readonly trouble: Trouble; readonly host: Host }[] = []
  readonly #dialogues: string[] = []
  /** With what words hosts have turned us away, or ended a session. */
  readonly #partings: Reply[] = []
  /** A hop has said something about the message. */
  #heard = false
  /** The last session that broke off. */
  #broken: Trouble | undefined
  /** Why no host could even be looked for. */
  #lost: Extract<Reach, { kind: 'down' }> | undefined

  /** @param asItIs the content cannot be read twice: it is not looked at */
  constructor(parcel: Parcel, asItIs = false) {
    this.#parcel = parcel
    this.#fitting = asItIs ? undefined : new Fitting(parcel)
    this.#open = [...parcel.envelope.recipients.keys()]
    this.#outcomes = this.#open.map(() => undefined)
  }

  /** MT-PRIORITY of the message (RFC 6710). */
  get priority(): number {
    return this.#parcel.envelope.sender.priority ?? 0
  }

  /** The domain it is told apart by. */
  get domain(): string | undefined {
    return this.#parcel.domain
  }

  /** Why it goes back, to be parted. */
  parted(gates: Gates | undefined, route: Route): Wait | undefined {
    return toBeParted(gates, this.#parcel, route)
  }

  /** Whose turns are counted together. */
  get from(): string {
    return this.#parcel.from ?? ''
  }

  /**
   * The message as this hop takes it; undefined where all that was open has its outcome now: the hop
   * cannot take it, or it cannot be read.
   */
  fit(hop: Hop, log: Log): Fitted | undefined | Promise<Fitted | undefined> {
    const { facts, eightBit } = hop
    const { sizeOctets, content, envelope } = this.#parcel
    if (this.#fitting === undefined || facts === undefined) {
      return { kind: 'fitted', body: envelope.sender.body, sizeOctets, content, crlfOnly: false }
    }
    try {
      const fitted = this.#fitting.for(facts, eightBit)
      if (!(fitted instanceof Promise)) return this.#fits(fitted, hop, log)
      return fitted.then(
        known => this.#fits(known, hop, log),
        error => this.#unread(error, log),
      )
    } catch (error) {
      return this.#unread(error, log)
    }
  }

  /** Whether another node may carry it by now. */
  get lapsed(): boolean {
    return this.#parcel.lapsed?.() === true
  }

  /** The work at once, where the message goes as it is, by a hop that is at another one. */
  workNow(hop: Hop): Carry | undefined {
    if (this.#fitting === undefined || hop.facts === undefined || this.lapsed) return undefined
    try {
      const fitted = this.#fitting.for(hop.facts, hop.eightBit)
      return 'kind' in fitted && fitted.kind === 'fitted' ? this.work(fitted, hop) : undefined
    } catch {
      // Who reads it again in its turn hears why it cannot be read.
      return undefined
    }
  }

  #fits(fitted: Fitted | Unfit, { host }: Hop, log: Log): Fitted | undefined {
    if (fitted.kind === 'unfit') {
      this.#refuse(fitted, host)
      return undefined
    }
    // That a signature breaks is the price of delivery (RFC 6376 §5.3): it can be seen here.
    const { converted } = fitted
    const { id: message } = this.#parcel
    if (converted) log.info('message-converted', { message, host: host.name, ...converted })
    return fitted
  }

  #unread(error: unknown, log: Log): undefined {
    log.warn('source-failed', { message: this.#parcel.id, reason: String(error) })
    this.close('deferred', '4.3.0', 'the content of the message could not be read')
  }

  /** The message for those still open, as many as go at once; its content begins anew. */
  work(fitted: Fitted, { xforward }: Hop): Carry {
    const { body, sizeOctets, content, crlfOnly, undotted } = fitted
    const { id, envelope, forwarded, lapsed } = this.#parcel
    const { sender, recipients } = envelope
    const some = this.#now()
    const now = some.flatMap(at => recipients[at] ?? [])
    return {
      kind: 'carry',
      ...(id && { id }),
      envelope: { sender: { ...sender, body }, recipients: now },
      sizeOctets,
      content: content(),
      crlfOnly,
      ...(undotted && { undotted }),
      ...(some.length < this.#open.length && { more: true }),
      ...(xforward && forwarded && { forwarded }),
      ...(lapsed && { lapsed }),
    }
  }

  /**
   * Takes down what one transaction came to. 'again': some recipients were too many for it, and the
   * same connection takes them now; 'elsewhere': it broke off, and another host may do better.
   */
  note(carried: HopCarried & { readonly kind: 'carried' }): 'done' | 'again' | 'elsewhere' {
    const { outcomes, dialogue, trouble } = carried
    this.#say(dialogue)
    const tried = this.#now()
    const later = this.#open.slice(tried.length)
    for (const [i, at] of tried.entries()) this.#outcomes[at] = outcomes[i]
    // It says nothing of the host, and no other is tried.
    if (trouble !== undefined && this.lapsed) return 'done'
    if (trouble === undefined || outcomes.some(outcome => outcome.kind === 'delivered')) {
      this.#heard = true
    } else this.#broken = trouble
    if (trouble !== undefined) {
      this.#parted(trouble)
      // In doubt, another try now could only make a second copy likelier.
      this.#open = [...tried.filter((_at, i) => brokenOff(outcomes[i], trouble)), ...later]
      return this.#open.length > 0 ? 'elsewhere' : 'done'
    }
    // RFC 5321 §4.5.3.1.10: who was too many goes in a further transaction.
    const over = tried.filter((_at, i) => isTooMany(outcomes[i]))
    this.#open = [...over, ...later]
    if (this.#open.length === 0 || !promising(outcomes)) return 'done'
    if (over.length > 0) this.#most = tried.length - over.length
    return 'again'
  }

  /** A host that could not be made ready; the next one may be. */
  trouble(host: Host, trouble: Trouble, dialogue: string): void {
    this.#parted(trouble)
    this.#troubles.push({ trouble, host })
    this.#say(dialogue)
  }

  /** The hosts of the destination cannot be looked up. */
  unlocated(status: string, reason: string): Carried {
    this.#lost = { kind: 'down', status, reason }
    return this.close('deferred', status, reason)
  }

  /** All that is still without an outcome gets this one. */
  close(kind: 'deferred' | 'failed', status: string, reason: string): Carried {
    for (const [at, outcome] of this.#outcomes.entries()) {
      this.#outcomes[at] = outcome ?? { kind, status, reason }
    }
    return this.carried()
  }

  /** The end of a list of hosts of which none took it: the last word that leaves hope, or the last. */
  carried(): Carried {
    const last = this.#lastTrouble()
    const outcomes = this.#outcomes.map(
      (outcome): Outcome =>
        outcome ??
        (last === undefined
          ? { kind: 'deferred', status: '4.4.1', reason: 'no host was tried' }
          : fromTrouble(last.trouble, last.host)),
    )
    const dialogue = this.#dialogues.join('\n\n')
    const reach = this.#reach()
    return {
      outcomes,
      ...(dialogue === '' ? {} : { dialogue }),
      ...(reach === undefined ? {} : { reach }),
      ...(this.#partings.length === 0 ? {} : { partings: this.#partings }),
    }
  }

  /** It is not gone on with; what no host has heard or said anything of is as if it had not been tried. */
  recalled(): Carried {
    const carried = this.carried()
    const unheard = !this.#heard && this.#broken === undefined
    const untouched = unheard && this.#outcomes.every(outcome => outcome === undefined)
    return untouched ? { ...carried, recalled: true } : carried
  }

  #parted({ reply }: Trouble): void {
    if (reply !== undefined && this.#partings.length < DIALOGUES_MAX) this.#partings.push(reply)
  }

  #lastTrouble(): { readonly trouble: Trouble; readonly host: Host } | undefined {
    return (
      this.#troubles.findLast(({ trouble }) => trouble.kind === 'deferred') ?? this.#troubles.at(-1)
    )
  }

  /** What all this says of the destination: a host that refuses us for good has spoken for itself alone. */
  #reach(): Reach | undefined {
    if (this.#heard) return UP
    if (this.#lost !== undefined) return this.#lost
    if (this.#broken !== undefined) {
      const { status, reason } = this.#broken
      return { kind: 'shaky', status: status.replace(/^5/, '4'), reason }
    }
    const last = this.#lastTrouble()
    if (last === undefined) return undefined
    const { kind, status, reason } = fromTrouble(last.trouble, last.host)
    return kind === 'deferred' ? { kind: 'down', status, reason } : undefined
  }

  /** No hop like this one can take the message: conversion is needed and not possible (RFC 3463 X.6.3). */
  #refuse({ reason }: Unfit, { name, address }: Host): void {
    const why = `${name} cannot take the message as it is, and ${reason}`
    for (const at of this.#open) {
      this.#outcomes[at] = { kind: 'failed', status: '5.6.3', reason: why, host: name, address }
    }
    this.#open = []
  }

  #now(): readonly number[] {
    return this.#open.length > this.#most ? this.#open.slice(0, this.#most) : this.#open
  }

  #say(dialogue: string | undefined): void {
    if (dialogue === undefined || dialogue === '') return
    if (this.#dialogues.length >= DIALOGUES_MAX) this.#dialogues.shift()
    this.#dialogues.push(dialogue)
  }
}

function fromTrouble(trouble: Trouble, host: Host): Outcome {
  const { reason, reply } = trouble
  // A login that is refused is ours to mend (RFC 4954 §6): no mail is lost by it meanwhile.
  const kind = trouble.phase === 'auth' ? 'deferred' : trouble.kind
  const status = kind === 'deferred' ? trouble.status.replace(/^5/, '4') : trouble.status
  return {
    kind,
    status,
    reason: `${host.name}: ${reason}`,
    host: host.name,
    address: host.address,
    ...(reply === undefined ? {} : { reply }),
  }
}

function isTooMany(outcome: Outcome | undefined): boolean {
  return outcome?.kind === 'deferred' && outcome.tooMany === true
}

/**
 * Whether those who were too many may do better at once: some were taken, or were refused for reasons
 * of their own. Where the message itself must wait, so must they.
 */
function promising(outcomes: readonly Outcome[]): boolean {
  if (outcomes.some(outcome => outcome.kind === 'delivered')) return true
  const others = outcomes.filter(outcome => !isTooMany(outcome))
  return others.length > 0 && others.every(outcome => outcome.kind === 'failed')
}

/**
 * Lost without doubt and without a word of the hop on this recipient. 421 is a word on the session
 * alone (RFC 5321 §3.8), as long as the end of the message was not sent.
 */
function brokenOff(outcome: Outcome | undefined, { phase }: Trouble): boolean {
  if (outcome?.kind !== 'deferred' || outcome.inDoubt) return false
  return outcome.reply === undefined || (outcome.reply.code === 421 && phase !== 'dot')
}

/**
 * A greeting of 5yz (RFC 5321 §3.1) speaks for one host at one time: lists of addresses, overload and hosts that are being
 * set up say 554 too, and no mail is lost by it while it may wait. Only 521 of a host that a domain names is
 * meant for ever (RFC 7504 §3); of our own next hop it is a mistake that somebody will mend.
 */
export function forNow(trouble: Trouble, { to }: Way): Trouble {
  const never = trouble.reply?.code === 521 && 'domain' in to
  return trouble.phase === 'greeting' && !never ? { ...trouble, kind: 'deferred' } : trouble
}
