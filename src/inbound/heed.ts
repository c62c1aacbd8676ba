/**
 * What a message's header asks of its transport: fields that carry a parameter of MAIL or RCPT through
 * servers that do not know it. They count where the envelope does not say the same itself, and what
 * they say is judged as the parameter would be. Called by reception.ts once the header is here.
 *
 * Usual mail has none of them, and costs one walk over its fields.
 */
import type { Address } from '../mail/address.ts'
import type { Envelope, Recipient } from '../mail/envelope.ts'
import type { Verdict } from '../mail/verdict.ts'
import type { Amended } from '../message/amend.ts'
import type { Field, Header } from '../message/header.ts'
import type { Rewriting } from '../transit/rewriting.ts'
import { heedPriority, PRIORITY } from './heed-priority.ts'
import { heedRewriting } from './heed-rewriting.ts'
import { heedSolicitation, SOLICITATION } from './heed-solicitation.ts'
import { heedValidSince, VALID_SINCE } from './heed-valid-since.ts'

/** What counts at a listener. */
export interface Heeding {
  /** The most that a priority may be; undefined where MT-PRIORITY is off. */
  readonly priorityMax?: number
  /** Classes of solicitation that are refused. */
  readonly unwanted: readonly string[]
  /** Whether RRVS is on. */
  readonly tenure: boolean
  /** How addresses of users are written, where they are not left as they are. */
  readonly rewriting?: Rewriting
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
  /** The header as it is judged and completed, where its addresses were rewritten. */
  readonly written?: Amended
  /** Recipients whose mailbox must have had one owner since a time, as the header alone has it (RFC 7293). */
  readonly demanding?: readonly Recipient[]
  /** The message is not taken. */
  readonly refused?: Verdict
}

/**
 * Undefined where the header asks nothing.
 * @param isHere whether a recipient is one of ours
 */
export function heed(
  envelope: Envelope,
  header: Header,
  heeding: Heeding,
  isHere: (address: Address) => boolean,
): Heeded | undefined {
  if (heeding.rewriting === undefined) return heedAsked(envelope, header, heeding, isHere)
  const rewritten = heedRewriting(envelope, header, heeding.rewriting)
  const asked = heedAsked(rewritten.envelope, header, heeding, isHere)
  return { omitted: [], fields: '', ...rewritten, ...asked }
}

function heedAsked(
  envelope: Envelope,
  header: Header,
  heeding: Heeding,
  isHere: (address: Address) => boolean,
): Heeded | undefined {
  if (!envelope.sender.priority && !header.fields.some(isAsking)) return undefined
  const first = heedSolicitation(envelope, header, heeding.unwanted)
  const second = heedPriority(first.envelope ?? envelope, header, heeding.priorityMax)
  const sofar = { envelope, omitted: [], fields: '', ...first, ...second }
  if (!heeding.tenure) return sofar
  const third = heedValidSince(sofar.envelope, header, isHere)
  return { ...sofar, ...third, omitted: [...sofar.omitted, ...(third.omitted ?? [])] }
}

/** Lengths tell these names apart from nearly all others before a letter is compared. */
function isAsking({ name }: Field): boolean {
  switch (name.length) {
    case PRIORITY.length:
      return name === PRIORITY
    case SOLICITATION.length:
      return name === SOLICITATION
    case VALID_SINCE.length:
      return name === VALID_SINCE
    default:
      return false
  }
}
