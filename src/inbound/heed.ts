/**
 * What a message's header asks of its transport: fields that carry a parameter of MAIL or RCPT through
 * servers that do not know it. They count where the envelope does not say the same itself, and what
 * they say is judged as the parameter would be. Called by reception.ts once the header is here.
 *
 * Usual mail has none of them, and costs one walk over its fields.
 */
import type { Envelope } from '../mail/envelope.ts'
import type { Verdict } from '../mail/verdict.ts'
import type { Field, Header } from '../message/header.ts'
import { heedPriority, PRIORITY } from './heed-priority.ts'
import { heedSolicitation, SOLICITATION } from './heed-solicitation.ts'

/** What counts at a listener. */
export interface Heeding {
  /** The most that a priority may be; undefined where MT-PRIORITY is off. */
  readonly priorityMax?: number
  /** Classes of solicitation that are refused. */
  readonly unwanted: readonly string[]
}

/** What came of them. */
export interface Heeded {
  /** As the header amends it. */
  readonly envelope: Envelope
  /** Fields that do not belong into the message any more, and what stands in their place. */
  readonly omitted: readonly Field[]
  readonly fields: string
  /** The priority that was given in place of the one asked for (RFC 6710 §4.1). */
  readonly priorityChangedTo?: number
  /** The message is not taken. */
  readonly refused?: Verdict
}

/** Undefined where the header asks nothing. */
export function heed(envelope: Envelope, header: Header, heeding: Heeding): Heeded | undefined {
  if (!envelope.sender.priority && !header.fields.some(isAsking)) return undefined
  const first = heedSolicitation(envelope, header, heeding.unwanted)
  const second = heedPriority(first.envelope ?? envelope, header, heeding.priorityMax)
  return { envelope, omitted: [], fields: '', ...first, ...second }
}

/** Lengths tell these names apart from nearly all others before a letter is compared. */
function isAsking({ name }: Field): boolean {
  switch (name.length) {
    case PRIORITY.length:
      return name === PRIORITY
    case SOLICITATION.length:
      return name === SOLICITATION
    default:
      return false
  }
}
