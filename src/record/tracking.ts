/** The ledger as the sender of a marked message may see it (RFC 3885): by the name that he gave it. */
import { reader } from '../store/store.ts'

export interface TrackedRow {
  readonly id: string
  readonly received_at: number
  /** With the mark in it (mail/carried.ts). */
  readonly parameters: string
}

export interface TrackedRecipientRow {
  readonly address: string
  readonly alias_of: string | null
  readonly original_recipient: string | null
  readonly state: string
  readonly status: string | null
  readonly remote: string | null
  readonly settled_at: number | null
  readonly attempted_at: number | null
}

/** The newest messages of that name: it should be one, but nothing makes a sender give it once. */
export const namedMessages = reader<string, readonly TrackedRow[]>(
  'record.namedMessages',
  (tx, envelopeId) =>
    tx.all(
      `SELECT id, received_at, parameters FROM message
       WHERE envelope_id = ?1 AND envelope_id IS NOT NULL AND parameters IS NOT NULL
       ORDER BY id DESC LIMIT 20`,
      envelopeId,
    ),
)

/** What became of its recipients; no answer has room for more than a thousand. */
export const trackedRecipients = reader<string, readonly TrackedRecipientRow[]>(
  'record.trackedRecipients',
  (tx, id) =>
    tx.all(
      `SELECT r.address, r.alias_of, r.original_recipient, r.state, r.status, r.remote, r.settled_at,
         CASE WHEN r.state = 'relayed' OR (r.state = 'delivered' AND r.remote IS NOT NULL) THEN r.settled_at
           ELSE (SELECT max(a.at) FROM attempt a WHERE a.message_id = r.message_id AND a.n = r.n) END AS attempted_at
       FROM recipient r WHERE r.message_id = ?1 ORDER BY r.n LIMIT 1000`,
      id,
    ),
)
