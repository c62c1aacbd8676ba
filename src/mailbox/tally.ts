/**
 * What a mailbox counts of its messages: kept in its row by the statements that change it, so that STATUS and
 * quota cost the same however many there are. Also how UIDs of one command are given to a statement.
 */
import { either } from '../store/dialect.ts'

export interface Tally {
  readonly messages: number
  /** Without \Seen. */
  readonly unseen: number
  /** With \Deleted. */
  readonly doomed: number
  readonly sizeOctets: number
}

export function tallyOf(
  messages: readonly { readonly flags: string; readonly sizeOctets: number }[],
): Tally {
  let unseen = 0
  let doomed = 0
  let sizeOctets = 0
  for (const message of messages) {
    if (!message.flags.includes('\\Seen')) unseen++
    if (message.flags.includes('\\Deleted')) doomed++
    sizeOctets += message.sizeOctets
  }
  return { messages: messages.length, unseen, doomed, sizeOctets }
}

/** Counts messages down: with the values of `lowering`. Takes the mailbox's lock, and one MODSEQ. */
export const LOWER = `UPDATE mailbox SET mod_seq = mod_seq + 1, messages = messages - ?2, unseen = unseen - ?3,
  doomed = doomed - ?4, size_octets = size_octets - ?5 WHERE id = ?1 RETURNING mod_seq`

export function lowering(
  mailboxId: number,
  tally: Tally,
): [number, number, number, number, number] {
  return [mailboxId, tally.messages, tally.unseen, tally.doomed, tally.sizeOctets]
}

/** A condition that holds for the UIDs of a JSON array, however many: `uid IN ...` of one value. */
export function uidsIn(n: number): { readonly sqlite: string; readonly postgresql: string } {
  return {
    sqlite: `IN (SELECT value FROM json_each(?${n}))`,
    postgresql: `IN (SELECT value::bigint FROM json_array_elements_text(?${n}::json))`,
  }
}

/** A text for both stores with `{uids}` where the condition on ?n stands. */
export function withUids(text: string, n: number): string {
  const { sqlite, postgresql } = uidsIn(n)
  return either({
    sqlite: text.replaceAll('{uids}', sqlite),
    postgresql: text.replaceAll('{uids}', postgresql),
  })
}
