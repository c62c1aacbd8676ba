/**
 * What one account may send in an hour and in a day, for all nodes together. What was sent is counted in the
 * store, in hours and days as clocks have them (UTC): a message is counted by one write before it is taken,
 * and none that would exceed a limit is. Accounts without limits cost nothing. Called by inbound/submission.ts.
 */
import { reader, type Store, StoreError, writer } from '../store/store.ts'
import type { Write } from '../world/sql.ts'

/** 0 is no limit. */
export interface OutgoingLimits {
  readonly messagesPerHour: number
  readonly messagesPerDay: number
  readonly recipientsPerHour: number
  readonly recipientsPerDay: number
}

interface Span {
  readonly spanMs: number
  readonly name: 'hour' | 'day'
  readonly messages: number
  readonly recipients: number
}

/** Why no more is taken from an account just now. */
export interface Exceeded {
  readonly what: 'messages' | 'recipients'
  readonly most: number
  readonly per: 'hour' | 'day'
}

const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000

function spansOf(limits: OutgoingLimits): Span[] {
  const { messagesPerHour, messagesPerDay, recipientsPerHour, recipientsPerDay } = limits
  const spans: Span[] = [
    { spanMs: HOUR_MS, name: 'hour', messages: messagesPerHour, recipients: recipientsPerHour },
    { spanMs: DAY_MS, name: 'day', messages: messagesPerDay, recipients: recipientsPerDay },
  ]
  return spans.filter(({ messages, recipients }) => messages > 0 || recipients > 0)
}

interface Count {
  readonly span_ms: number
  readonly messages: number
  readonly recipients: number
}

interface Reservation {
  readonly accountId: number
  readonly spans: readonly Span[]
  readonly messages: number
  readonly recipients: number
}

/** What an account has sent in the hour and the day that are now. */
export const outgoingCounts = reader<number, Count[]>('limit.outgoingCounts', (tx, accountId) =>
  tx.all(
    `SELECT span_ms, messages, recipients FROM outgoing
     WHERE account_id = ?1 AND begun_at = :now - :now % span_ms`,
    accountId,
  ),
)

/** Counts a message, unless it would exceed a limit: then nothing is counted. */
export const reserveOutgoing = writer<Reservation, Exceeded | null>(
  'limit.reserveOutgoing',
  async (tx, { accountId, spans, messages, recipients }) => {
    for (const [i, span] of spans.entries()) {
      if (await add(tx, accountId, span, messages, recipients)) continue
      for (const before of spans.slice(0, i))
        await add(tx, accountId, before, -messages, -recipients)
      return exceededBy(span, await tx.get<Count>(COUNTED, accountId, span.spanMs), messages)
    }
    return null
  },
)

const COUNTED = `SELECT span_ms, messages, recipients FROM outgoing
  WHERE account_id = ?1 AND span_ms = ?2 AND begun_at = :now - :now % span_ms`

async function add(
  tx: Write,
  accountId: number,
  { spanMs, messages: most, recipients: mostRecipients }: Span,
  messages: number,
  recipients: number,
): Promise<boolean> {
  if (mostRecipients > 0 && recipients > mostRecipients) return false
  const fresh = `outgoing.begun_at <> excluded.begun_at`
  const sum = (column: string) =>
    `CASE WHEN ${fresh} THEN excluded.${column} ELSE outgoing.${column} + excluded.${column} END`
  const changed = await tx.run(
    `INSERT INTO outgoing (account_id, span_ms, begun_at, messages, recipients)
     VALUES (?1, ?2, :now - :now % ?2, ?3, ?4)
     ON CONFLICT (account_id, span_ms) DO UPDATE SET
       messages = ${sum('messages')}, recipients = ${sum('recipients')}, begun_at = excluded.begun_at
     WHERE (?5 = 0 OR ${fresh} OR outgoing.messages + excluded.messages <= ?5)
       AND (?6 = 0 OR ${fresh} OR outgoing.recipients + excluded.recipients <= ?6)`,
    accountId,
    spanMs,
    messages,
    recipients,
    most,
    mostRecipients,
  )
  return changed > 0
}

function exceededBy(span: Span, counted: Count | undefined, messages: number): Exceeded {
  const full = span.messages > 0 && (counted?.messages ?? 0) + messages > span.messages
  return full
    ? { what: 'messages', most: span.messages, per: span.name }
    : { what: 'recipients', most: span.recipients, per: span.name }
}

export class Outgoing {
  readonly #store: Store
  readonly #limitsOf: (address: string) => OutgoingLimits

  constructor(store: Store, limitsOf: (address: string) => OutgoingLimits) {
    this.#store = store
    this.#limitsOf = limitsOf
  }

  /** Whether anything is counted for it at all. */
  limits(account: { readonly address: string }): boolean {
    return spansOf(this.#limitsOf(account.address)).length > 0
  }

  /** Whether an account may send one more message to so many recipients; nothing is counted. */
  async looks(
    account: { readonly id: number; readonly address: string },
    recipients: number,
  ): Promise<Exceeded | undefined> {
    const spans = spansOf(this.#limitsOf(account.address))
    if (spans.length === 0) return undefined
    const counts = await this.#store.read(outgoingCounts, account.id)
    for (const span of spans) {
      const counted = counts.find(({ span_ms }) => span_ms === span.spanMs)
      const { messages, recipients: most } = span
      if (messages > 0 && (counted?.messages ?? 0) >= messages) {
        return exceededBy(span, counted, 1)
      }
      if (most > 0 && (counted?.recipients ?? 0) + recipients > most) {
        return { what: 'recipients', most, per: span.name }
      }
    }
    return undefined
  }

  /** Counts a message, or says why it is not taken; 'unknown' where the store cannot tell just now. */
  async reserve(
    account: { readonly id: number; readonly address: string },
    recipients: number,
  ): Promise<Exceeded | 'unknown' | undefined> {
    const spans = spansOf(this.#limitsOf(account.address))
    if (spans.length === 0) return undefined
    const asked = { accountId: account.id, spans, messages: 1, recipients }
    try {
      return (await this.#store.write(reserveOutgoing, asked)) ?? undefined
    } catch (error) {
      if (error instanceof StoreError) return 'unknown'
      throw error
    }
  }
}
