/**
 * What a message's header asks of its transport: fields that carry a parameter of MAIL or RCPT through
 * servers that do not know it. They count where the envelope does not say the same itself, and what
 * they say is judged as the parameter would be. Called by reception.ts once the header is here.
 *
 * Usual mail has none of them, and costs one walk over its fields.
 */
import type { Envelope } from '../mail/envelope.ts'
import type { Field, Header } from '../message/header.ts'

/** Which fields count at a listener. */
export interface Heeding {
  /** The most that a priority may be; undefined where MT-PRIORITY is off. */
  readonly priorityMax?: number
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
}

const PRIORITY = 'mt-priority'

/** Undefined where the header asks nothing. */
export function heed(envelope: Envelope, header: Header, heeding: Heeding): Heeded | undefined {
  const asked = header.fields.some(isAsking)
  // An explicit 0 is what goes without saying, and every client that knows MT-PRIORITY says it.
  if (!asked && !envelope.sender.priority) return undefined
  return heedPriority(envelope, header, heeding.priorityMax)
}

/** The lengths tell the names apart from nearly all others before a letter is compared. */
function isAsking({ name }: Field): boolean {
  return name.length === PRIORITY.length && name === PRIORITY
}

/**
 * `MT-Priority: priority-value` (RFC 6758 §3.1, §4): the priority where MAIL has none. The message leaves
 * with one field that says what was decided (§3.3): a hop without MT-PRIORITY finds it there.
 */
function heedPriority(
  envelope: Envelope,
  header: Header,
  priorityMax: number | undefined,
): Heeded | undefined {
  if (priorityMax === undefined) return undefined
  const found = header.all(PRIORITY)
  const told = found.length === 1 && found[0] ? parsePriority(header.text(found[0])) : undefined
  const asked = envelope.sender.priority ?? told ?? 0
  const priority = Math.min(asked, priorityMax)
  const kept = told === priority
  return {
    envelope: { ...envelope, sender: { ...envelope.sender, priority } },
    omitted: kept ? [] : found,
    fields: kept ? '' : `MT-Priority: ${priority}\r\n`,
    ...(priority === asked ? {} : { priorityChangedTo: priority }),
  }
}

/** `[CFWS] priority-value [CFWS]`, with comments as `4 (ultra)`. */
function parsePriority(text: string): number | undefined {
  const bare = text.replace(/\((?:[^()\\]|\\.)*\)/g, ' ').trim()
  return /^(?:0|-?[1-9])$/.test(bare) ? Number(bare) : undefined
}
