/**
 * A message made to fit its next hop: what it holds, not what was declared, decides what the hop must
 * take. Where it takes less, the message is re-encoded (RFC 6152 §3, RFC 3030 §3; message/survey.ts)
 * or cannot go. Asked by transport/attempt.ts for each host; it speaks to nobody.
 *
 * A message that fits is never copied. A small one is read once and held while it is carried. Of a large one is known
 * what it was seen to hold as it came (`Sender.seen`), and it is read to be sent; where that is not known it is read
 * to look at it, too, and twice more where it is converted.
 */
import type { BodyKind } from '../mail/envelope.ts'
import { Gauge } from '../message/gauge.ts'
import { rewriting } from '../message/rewrite.ts'
import { type Survey, Surveyor, type Wanted } from '../message/survey.ts'
import type { EightBit } from '../route/route.ts'
import type { HopFacts } from '../smtp/client/question.ts'
import type { Lent, Source, Transform } from '../wire/effect.ts'
import type { Load } from './transport.ts'

/** What is carried; a load of the queue is one. */
export type Parcel = Pick<Load, 'envelope' | 'sizeOctets' | 'content' | 'forwarded'> &
  Partial<Pick<Load, 'id' | 'head' | 'from' | 'lent' | 'lapsed' | 'domain'>>

/** The message as one hop takes it. */
export interface Fitted {
  readonly kind: 'fitted'
  /** What it holds, for BODY=. */
  readonly body: BodyKind
  readonly sizeOctets: number
  readonly content: () => Source | Lent
  /** It has no line end but CRLF, and may go by BDAT as it is. */
  readonly crlfOnly: boolean
  /** It has no line that begins with a dot. */
  readonly undotted?: boolean
  /** Set where it was re-encoded; `signed` where that broke a DKIM signature. */
  readonly converted?: { readonly to: '7bit' | '8bit'; readonly signed: boolean }
}

/** It holds what the hop cannot take and what must not be changed. */
export interface Unfit {
  readonly kind: 'unfit'
  readonly reason: string
}

/** Up to here a message is held whole; a body of the accept transaction and its head is smaller. */
const HELD_MAX_OCTETS = 196_608

interface Looked {
  readonly gauge: Gauge
  readonly content: () => Source | Lent
  /** For who does not give it back. */
  readonly own: () => Source
}

export class Fitting {
  readonly #parcel: Parcel
  #looked: Looked | Promise<Looked> | undefined
  /** By what was wanted of them. */
  readonly #converted = new Map<string, Promise<Fitted | Unfit | 'fits'>>()

  constructor(parcel: Parcel) {
    this.#parcel = parcel
  }

  /** At once where the content is at hand and goes as it is; throws or rejects where it cannot be read. */
  for(facts: HopFacts, eightBit: EightBit): Fitted | Unfit | Promise<Fitted | Unfit> {
    const { extensions } = facts
    const { sizeOctets, content, envelope } = this.#parcel
    const declared = envelope.sender.body
    const takesBinary = extensions.has('BINARYMIME') && extensions.has('CHUNKING')
    if (declared === 'BINARYMIME' && takesBinary) {
      return { kind: 'fitted', body: declared, sizeOctets, content, crlfOnly: false }
    }
    this.#looked ??= this.#look()
    const looked = this.#looked
    if (!(looked instanceof Promise)) return this.#fit(looked, facts, eightBit)
    return looked.then(known => this.#fit(known, facts, eightBit))
  }

  #fit(
    { gauge, content: seen, own }: Looked,
    { extensions }: HopFacts,
    eightBit: EightBit,
  ): Fitted | Unfit | Promise<Fitted | Unfit> {
    const { sizeOctets, envelope } = this.#parcel
    const { body: declared, utf8 } = envelope.sender
    const takesBinary = extensions.has('BINARYMIME') && extensions.has('CHUNKING')
    const converts = eightBit === 'convert'
    const asIs = (body: BodyKind): Fitted => {
      const crlfOnly = gauge.bareLineEnds === 0
      const undotted = !gauge.dotted
      return { kind: 'fitted', body, sizeOctets, content: seen, crlfOnly, undotted }
    }
    // What no line can hold goes as it is, wherever it can.
    const lines = converts && gauge.longLine && gauge.bareLineEnds === 0
    if (takesBinary && (gauge.nul || lines)) return asIs('BINARYMIME')
    // RFC 6531 §3.1 (8): a hop with SMTPUTF8 takes 8-bit content.
    const takes8bit = extensions.has('8BITMIME') || (utf8 && extensions.has('SMTPUTF8'))
    const wanted: Wanted = {
      most: takes8bit || !converts ? '8bit' : '7bit',
      binary: declared === 'BINARYMIME',
      shortLines: converts,
    }
    const plain = () => asIs(gauge.eightBit > 0 || declared === '8BITMIME' ? '8BITMIME' : '7BIT')
    if (!exceeds(gauge, wanted)) return plain()
    const key = `${wanted.most} ${eightBit}`
    const known = this.#converted.get(key)
    const converting = known ?? convert(wanted, own, sizeOctets)
    if (known === undefined) this.#converted.set(key, converting)
    return converting.then(converted => (converted === 'fits' ? plain() : converted))
  }

  #look(): Looked | Promise<Looked> {
    const { lent, content } = this.#parcel
    if (lent !== undefined) return { gauge: gaugeOf(lent), content: () => lent, own: content }
    const known = gaugeSeen(this.#parcel)
    if (known !== undefined) return { gauge: known, content, own: content }
    const source = content()
    if (!(source instanceof Uint8Array)) return this.#lookThrough(source)
    const gauge = new Gauge()
    gauge.push(source)
    const whole = () => source
    return { gauge: gauge.end(), content: whole, own: whole }
  }

  async #lookThrough(source: AsyncIterable<Uint8Array>): Promise<Looked> {
    const { sizeOctets, content } = this.#parcel
    const gauge = new Gauge()
    const held: Uint8Array[] | undefined = sizeOctets > HELD_MAX_OCTETS ? undefined : []
    for await (const octets of source) {
      gauge.push(octets)
      held?.push(octets)
    }
    gauge.end()
    if (held === undefined) return { gauge, content, own: content }
    const octets = held.length === 1 && held[0] !== undefined ? held[0] : Buffer.concat(held)
    const whole = () => octets
    return { gauge, content: whole, own: whole }
  }
}

/** What was seen as it came is not looked through again. */
function gaugeOf(lent: Lent): Gauge {
  const gauge = new Gauge()
  const pieces = lent.take()
  for (const [at, octets] of pieces.entries()) {
    if (lent.plain !== undefined && at === pieces.length - 1) gauge.passed(octets, lent.plain)
    else gauge.push(octets)
  }
  lent.giveBack()
  return gauge.end()
}

/** What stands in front is looked through, the body behind it was as it came. */
function gaugeSeen({ head, envelope, sizeOctets }: Parcel): Gauge | undefined {
  const { seen } = envelope.sender
  if (seen === undefined || head === undefined || sizeOctets < head.length) return undefined
  const gauge = new Gauge()
  gauge.push(head)
  return gauge.skipped(sizeOctets - head.length, seen) ? gauge.end() : undefined
}

/** Whether anything may have to be changed; which entity, only a survey can tell. */
function exceeds(gauge: Gauge, { most, binary, shortLines }: Wanted): boolean {
  if (binary || gauge.nul || gauge.bareLineEnds > 0) return true
  return (shortLines && gauge.longLine) || (most === '7bit' && gauge.eightBit > 0)
}

async function convert(
  wanted: Wanted,
  content: () => Source,
  sizeOctets: number,
): Promise<Fitted | Unfit | 'fits'> {
  const surveyor = new Surveyor(wanted)
  await each(content(), octets => surveyor.push(octets))
  const survey = surveyor.survey()
  if (survey.kind === 'fits') return 'fits'
  if (survey.kind === 'impossible') return { kind: 'unfit', reason: survey.reason }
  // What is told of the converted message, its size for one, is what it truly comes to.
  const gauge = new Gauge()
  const held: Uint8Array[] | undefined = sizeOctets > HELD_MAX_OCTETS ? undefined : []
  const take = (octets: Uint8Array) => {
    gauge.push(octets)
    held?.push(octets)
  }
  const transform = rewriting(survey)
  await each(content(), octets => take(transform.push(octets)))
  take(transform.end())
  gauge.end()
  const whole = held && Buffer.concat(held)
  return {
    kind: 'fitted',
    body: gauge.eightBit > 0 && wanted.most === '8bit' ? '8BITMIME' : '7BIT',
    sizeOctets: gauge.octets,
    content: () => whole ?? converted(content(), survey),
    crlfOnly: gauge.bareLineEnds === 0,
    converted: { to: wanted.most, signed: survey.signed },
  }
}

async function each(source: Source, take: (octets: Uint8Array) => void): Promise<void> {
  if (source instanceof Uint8Array) take(source)
  else for await (const octets of source) take(octets)
}

async function* converted(source: Source, survey: Survey & { readonly kind: 'convert' }) {
  const transform: Transform = rewriting(survey)
  if (source instanceof Uint8Array) yield transform.push(source)
  else for await (const octets of source) yield transform.push(octets)
  yield transform.end()
}
