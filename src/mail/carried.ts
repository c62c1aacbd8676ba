/**
 * What MAIL and RCPT asked for beyond RFC 5321, 3461 and 6152, as the queue keeps it: one JSON text, or
 * null where nothing was asked, as nearly always. A parameter that is not named here is
 * forgotten once its message is accepted. Called by queue/ (to write) and transport/job.ts (to read back).
 */
import type { Recipient, Sender } from './envelope.ts'

/** Fields of the envelope that travel by this text; those with a column of their own do not. */
const SENDER = [
  'submitter',
  'deliverBy',
  'release',
  'priority',
  'solicitations',
  'requireTls',
  'tlsOptional',
  'tracking',
  'lastWord',
  'verp',
  'rewritten',
  'seen',
  'envelopeIdAsWritten',
] as const satisfies readonly (keyof Sender)[]
const RECIPIENT = [
  'validSince',
  'unmarked',
  'looped',
  'originalAsWritten',
] as const satisfies readonly (keyof Recipient)[]

export type CarriedSender = Pick<Sender, (typeof SENDER)[number]>
export type CarriedRecipient = Pick<Recipient, (typeof RECIPIENT)[number]>

export function formatCarriedSender(sender: CarriedSender): string | null {
  return format(sender, SENDER)
}

export function formatCarriedRecipient(recipient: Recipient): string | null {
  return format(recipient, RECIPIENT)
}

/** The fields again, as they were written; only the queue's own text comes here. */
export function parseCarriedSender(text: string | null | undefined): CarriedSender {
  return text == null ? {} : (JSON.parse(text) as CarriedSender)
}

export function parseCarriedRecipient(text: string | null | undefined): CarriedRecipient {
  return text == null ? {} : (JSON.parse(text) as CarriedRecipient)
}

function format<T extends object>(whole: T, keys: readonly (keyof T & string)[]): string | null {
  let carried: Record<string, unknown> | undefined
  for (const key of keys) {
    // The only number is the priority, and 0 is the usual one.
    if (whole[key] === undefined || whole[key] === 0) continue
    carried ??= {}
    carried[key] = whole[key]
  }
  return carried === undefined ? null : JSON.stringify(carried)
}
