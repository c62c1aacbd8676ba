/**
 * Notices to the sender (RFC 3461 §6, RFC 3464): one message for all recipients of a load that he
 * is owed a word about. Composed here, written by the transaction that settles what it tells.
 *
 * A notice has the null reverse-path, and about a message with the null reverse-path there is none
 * (RFC 5321 §6.1): so notices never answer notices. One of ours that cannot be delivered may be told to
 * the postmaster, where he wants that; what tells him so is the last word.
 */
import type { Directory } from '../account/directory.ts'
import { type Address, parseStoredAddress } from '../mail/address.ts'
import { type CarriedSender, formatCarriedSender, parseCarriedSender } from '../mail/carried.ts'
import type { Reply } from '../mail/status.ts'
import { formatReceived } from '../mail/trace.ts'
import { formatNotice } from '../message/dsn.ts'
import type { Action, NoticeRecipient } from '../message/notice.ts'
import type { NoticeTexts } from '../message/notice-text.ts'
import type { Source } from '../wire/effect.ts'
import { ownText } from '../wire/own.ts'
import type { Clock } from '../world/clock.ts'
import type { Acceptance } from './acceptance.ts'
import { prefixOf } from './content.ts'
import { expandRecipients } from './expansion.ts'
import type { Identity } from './id.ts'
import type { QueuedMessage } from './reader.ts'
import type { Withdrawal } from './settlement.ts'

/** What the sender is told of one recipient. */
export interface NoticeFact {
  readonly address: string
  /** As the row keeps it: 'rfc822;joe@example.org'. */
  readonly originalRecipient: string | null
  readonly action: Action
  readonly status: string
  readonly reason: string
  /** When it happened, ms since the epoch. */
  readonly at: number
  readonly host?: string
  readonly remoteAddress?: string
  readonly reply?: Reply
  /** For 'delayed': until when we go on trying. */
  readonly retryUntil?: number
}

/** A notice that waits in the queue for word of others, and what it tells. */
export interface RestingNotice {
  readonly notice: Withdrawal
  readonly facts: readonly NoticeFact[]
  readonly dueAt: number
}

/** The notice, due only so much later. */
export function resting(notice: Acceptance, forMs: number): Acceptance {
  const hold = { forMs, reason: 'waits for word of other recipients' }
  return { ...notice, recipients: notice.recipients.map(each => ({ ...each, hold })) }
}

export interface NoticesOptions {
  readonly hostname: () => string
  readonly clock: Clock
  readonly identify: () => Identity
  readonly directory: Directory
  /** Whom an address reaches that we made ourselves (transit/). */
  readonly led: (address: Address) => Promise<Address>
  readonly settings: () => NoticeSettings
}

export interface NoticeSettings {
  readonly texts: NoticeTexts
  /** A failed message of up to this size comes back whole, unless RET=HDRS. */
  readonly fullMaxOctets: number
  /** Whether the postmaster hears of notices that cannot be delivered; they are on record in any case. */
  readonly undeliverable: 'record' | 'postmaster'
}

export class Notices {
  readonly #options: NoticesOptions

  constructor(options: NoticesOptions) {
    this.#options = options
  }

  /** The notice as a message to accept; undefined where there is nobody to tell. */
  async compose(
    message: QueuedMessage,
    facts: readonly NoticeFact[],
    content: () => Source,
  ): Promise<Acceptance | undefined> {
    const { directory, identify, clock } = this.#options
    const { texts, fullMaxOctets } = this.#options.settings()
    const carried = parseCarriedSender(message.parameters)
    const undeliverable = message.reverse_path === ''
    if (undeliverable && !this.#isForPostmaster(message, carried, facts)) return undefined
    const sender = undeliverable
      ? { local: 'postmaster', domain: '' }
      : parseStoredAddress(message.reverse_path)
    const forwardPath = await this.#options.led(sender)
    const finals = await expandRecipients(directory, [{ forwardPath, notify: 'NEVER' }])
    const hostname = this.#options.hostname()
    const identity = identify()
    const now = clock.now()
    const { deliverBy, release, priority, requireTls } = carried
    const notice = formatNotice({
      hostname,
      timeMs: now,
      id: identity.id,
      // The bare postmaster is one of this host, which a field of a header has to say.
      sender: sender.domain === '' ? { ...sender, domain: hostname } : sender,
      recipients: facts.map(recipientOf),
      arrivalMs: message.received_at,
      original: {
        prefix: await prefixOf(content(), Math.max(fullMaxOctets, HEADER_MAX_OCTETS)),
        sizeOctets: message.size_octets,
        body: message.body_kind as '7BIT' | '8BITMIME' | 'BINARYMIME',
        utf8: message.utf8 === 1,
        logId: message.id,
      },
      fullMaxBytes: fullMaxOctets,
      texts,
      ...(undeliverable && { undeliverable }),
      ...(message.envelope_id === null ? {} : { envelopeId: message.envelope_id }),
      ...retOf(message, requireTls === true),
      ...(deliverBy === undefined ? {} : { deliverByMs: deliverBy.atMs }),
      ...(release === undefined ? {} : { futureRelease: release.asked }),
    })
    return {
      id: identity.id,
      bodyKey: identity.bodyKey,
      origin: 'notice',
      head: ownText(traceOf(hostname, identity.id, sender, notice.utf8, now)),
      body: dedicated(notice.octets),
      reversePath: '',
      bodyKind: notice.body,
      utf8: notice.utf8,
      ret: null,
      envelopeId: null,
      // Word of a message is protected as the message was (RFC 8689 §5), and goes as it did (RFC 6710 §4.6).
      parameters: formatCarriedSender({
        ...(requireTls && { requireTls }),
        ...(priority && { priority }),
        ...(undeliverable && { lastWord: true }),
      }),
      ...(priority && { priority }),
      accountId: null,
      peer: `${hostname} (notice about ${message.id})`,
      receivedAt: now,
      recipients: finals,
    }
  }

  /** Only what we wrote ourselves, what failed for good, and what is no such word itself. */
  #isForPostmaster(
    { origin }: QueuedMessage,
    { lastWord }: CarriedSender,
    facts: readonly NoticeFact[],
  ): boolean {
    const { undeliverable } = this.#options.settings()
    const wanted = undeliverable === 'postmaster' && origin === 'notice' && lastWord !== true
    return wanted && facts.every(({ action }) => action === 'failed')
  }
}

/** So much of a header is looked at, however little comes back. */
const HEADER_MAX_OCTETS = 64 * 1024

/** RET= as asked; what requires TLS comes back as its header only, whatever was asked (RFC 8689 §5). */
function retOf({ ret }: QueuedMessage, requireTls: boolean): { ret?: 'FULL' | 'HDRS' } {
  if (requireTls) return { ret: 'HDRS' }
  return ret === null ? {} : { ret: ret as 'FULL' | 'HDRS' }
}

function recipientOf(fact: NoticeFact): NoticeRecipient {
  const cut = fact.originalRecipient?.indexOf(';') ?? -1
  return {
    address: parseStoredAddress(fact.address),
    action: fact.action,
    status: fact.status,
    reason: fact.reason,
    lastAttemptMs: fact.at,
    ...(fact.originalRecipient === null || cut < 0
      ? {}
      : {
          originalRecipient: {
            type: fact.originalRecipient.slice(0, cut),
            address: fact.originalRecipient.slice(cut + 1),
          },
        }),
    ...(fact.host === undefined && fact.remoteAddress === undefined
      ? {}
      : {
          remote: {
            ...(fact.host === undefined ? {} : { name: fact.host }),
            ...(fact.remoteAddress === undefined ? {} : { address: fact.remoteAddress }),
          },
        }),
    ...(fact.reply === undefined ? {} : { reply: fact.reply }),
    ...(fact.retryUntil === undefined ? {} : { retryUntilMs: fact.retryUntil }),
  }
}

/** Our own Received line, so that a loop of notices through others is seen as one. */
function traceOf(hostname: string, id: string, to: Address, utf8: boolean, now: number): string {
  return formatReceived({
    protocol: 'smtp',
    extended: true,
    authenticated: false,
    utf8,
    hello: hostname,
    remote: { address: '', port: 0 },
    by: hostname,
    id,
    recipient: to,
    timeMs: now,
  })
}

/** A buffer of its own: what crosses to the committer is cloned whole, not as a view. */
function dedicated(octets: Uint8Array): Uint8Array {
  return octets.byteLength === octets.buffer.byteLength ? octets : new Uint8Array(octets)
}
