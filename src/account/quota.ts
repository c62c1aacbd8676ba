/**
 * How much mail an account may hold (RFC 9208): octets and messages over all its mailboxes. The limit is the
 * account's own or the config's; what is held is counted by mailbox/quota.ts. Asked at RCPT, at the end of the
 * content, at delivery, APPEND and COPY.
 */

/** 0 is no limit. */
export interface QuotaLimit {
  readonly octets: number
  readonly messages: number
}

export interface QuotaUsage {
  readonly octets: number
  readonly messages: number
}

/** As the account's row has it: null leaves it to the config. */
export interface QuotaRow {
  readonly quotaOctets: number | null
  readonly quotaMessages: number | null
}

export const noLimit: QuotaLimit = { octets: 0, messages: 0 }

/** The limit that holds for an account; undefined where there is none. */
export function limitOf(row: QuotaRow, standard: QuotaLimit): QuotaLimit | undefined {
  const octets = row.quotaOctets ?? standard.octets
  const messages = row.quotaMessages ?? standard.messages
  return octets === 0 && messages === 0 ? undefined : { octets, messages }
}

/** 'full': not now; 'never': it would not fit into an empty account either. */
export type Room = 'room' | 'full' | 'never'

export function roomFor(limit: QuotaLimit, used: QuotaUsage, more: QuotaUsage): Room {
  const over = (most: number, has: number) => most > 0 && has > most
  if (over(limit.octets, more.octets) || over(limit.messages, more.messages)) return 'never'
  const octets = over(limit.octets, used.octets + more.octets)
  return octets || over(limit.messages, used.messages + more.messages) ? 'full' : 'room'
}
