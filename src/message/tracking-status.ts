/**
 * The answer to a question about a message (RFC 3886): a message/tracking-status part for each time it came
 * here, in a multipart/related (RFC 3887 §4). Called by access/mtqp.ts.
 */
import { formatDate } from '../wire/date.ts'
import { field, printable, remoteName, typedAddress } from './dsn-status.ts'
import { join, type Part, part } from './part.ts'

/** RFC 3886 §3.3.3. */
export type TrackingAction =
  | 'failed'
  | 'delayed'
  | 'delivered'
  | 'expanded'
  | 'relayed'
  | 'transferred'
  | 'opaque'

export interface TrackedRecipient {
  readonly address: string
  readonly originalRecipient?: { readonly type: string; readonly address: string }
  readonly action: TrackingAction
  /** RFC 3463; what is none is left to its action. */
  readonly status: string | null
  readonly remote?: { readonly name?: string; readonly address?: string }
  readonly lastAttemptMs?: number
  /** For 'delayed'. */
  readonly retryUntilMs?: number
}

/** One time the message came here. */
export interface TrackedMessage {
  readonly envelopeId: string
  readonly hostname: string
  readonly arrivalMs: number
  readonly recipients: readonly TrackedRecipient[]
}

const FALLBACK: Readonly<Record<TrackingAction, string>> = {
  failed: '5.0.0',
  delayed: '4.0.0',
  delivered: '2.0.0',
  expanded: '2.0.0',
  relayed: '2.1.9',
  transferred: '2.4.0',
  opaque: '2.0.0',
}

/** The whole part, header and all, in ASCII. @param id makes its boundary */
export function formatTracking(messages: readonly TrackedMessage[], id: string): Uint8Array {
  const whole = join('related; type="message/tracking-status"', messages.map(statusPart), id)
  return Buffer.from(`${whole.fields}\r\n${whole.text}`, 'latin1')
}

/** RFC 3886 §3.2: a group about the message, then one for each recipient. */
function statusPart(message: TrackedMessage): Part {
  const groups = [
    [
      field('Original-Envelope-Id', printable(message.envelopeId, false)),
      field('Reporting-MTA', `dns; ${message.hostname}`),
      `Arrival-Date: ${formatDate(message.arrivalMs)}\r\n`,
    ].join(''),
    ...message.recipients.map(recipientFields),
  ]
  return part('message/tracking-status', { encoding: '7bit', text: groups.join('\r\n') })
}

/** RFC 3886 §3.3, in its order. */
function recipientFields(recipient: TrackedRecipient): string {
  const { action, address, originalRecipient: original, remote, lastAttemptMs } = recipient
  const { type, address: first } = original ?? { type: 'rfc822', address }
  const said = recipient.status ?? ''
  const fits = /^[245]\.\d{1,3}\.\d{1,3}$/.test(said) && said[0] === FALLBACK[action][0]
  const host = remote === undefined ? '' : remoteName(remote)
  return [
    field('Original-Recipient', typedAddress(type, first, false)),
    field('Final-Recipient', typedAddress('rfc822', address, false)),
    `Action: ${action}\r\n`,
    `Status: ${fits ? said : FALLBACK[action]}\r\n`,
    host === '' ? '' : field('Remote-MTA', `dns; ${host}`),
    lastAttemptMs === undefined ? '' : `Last-Attempt-Date: ${formatDate(lastAttemptMs)}\r\n`,
    recipient.retryUntilMs === undefined || action !== 'delayed'
      ? ''
      : `Will-Retry-Until: ${formatDate(recipient.retryUntilMs)}\r\n`,
  ].join('')
}
