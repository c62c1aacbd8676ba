/**
 * What was found in bodies once and is kept: the envelope and the structure of a message as IMAP tells them, so
 * that a list of ten thousand messages opens none of them. The texts are access/'s; here they are kept by the
 * body's number and by the version of the scanner that found them. They are a memory: where one is missing or
 * of another version, the body is looked at again. The sweep forgets those of bodies that are gone.
 */
import { farReader, reader, type Store, writer } from '../store/store.ts'
import { type Needless, sweepFound } from '../store/sweep.ts'
import type { FolderMessage } from './change.ts'
import { withUids } from './tally.ts'

export interface Reading {
  readonly envelope: string
  readonly structure: string
}

/** A message with its own head, and what is known of its body. */
export type ReadMessage = FolderMessage & {
  readonly head: Uint8Array
  readonly envelope: string | null
  readonly structure: string | null
}

const READ = withUids(
  `SELECT m.uid, m.flags, m.mod_seq AS "modSeq", m.internal_date AS "internalDate", m.size_octets AS "sizeOctets",
     m.message_id AS "messageId", m.body_id AS "bodyId", coalesce(m.saved_at, m.internal_date) AS "savedAt",
     m.head, r.envelope, r.structure
   FROM mailbox_message m LEFT JOIN reading r ON r.body_id = m.body_id AND r.scanner = ?3
   WHERE m.mailbox_id = ?1 AND m.uid {uids} ORDER BY m.uid`,
  2,
)

/** Those of the messages that are there, by UID; for a slice of some hundreds. */
export const readMessages = reader(
  'mailbox.readMessages',
  (
    tx,
    input: {
      readonly mailboxId: number
      readonly uids: readonly number[]
      readonly scanner: number
    },
  ) => tx.all<ReadMessage>(READ, input.mailboxId, JSON.stringify(input.uids), input.scanner),
)

/** Keeps what was found, in place of what an older scanner had found. */
export const keepReadings = writer(
  'mailbox.keepReadings',
  async (
    tx,
    input: {
      readonly scanner: number
      readonly found: readonly (Reading & { readonly bodyId: number })[]
    },
  ) => {
    await tx.many(
      `INSERT INTO reading (body_id, scanner, envelope, structure) VALUES (?1, ?2, ?3, ?4)
       ON CONFLICT (body_id) DO UPDATE SET scanner = excluded.scanner, envelope = excluded.envelope,
         structure = excluded.structure`,
      input.found.map(each => [each.bodyId, input.scanner, each.envelope, each.structure]),
    )
    return null
  },
)

/** Of up to 2,000 readings behind `after`, those whose bodies are gone. */
export const needlessReadings = farReader(
  'mailbox.needlessReadings',
  async (tx, after: number): Promise<Needless> => {
    const end = await tx.get<{ reached: number | null }>(
      `SELECT max(body_id) AS reached
       FROM (SELECT body_id FROM reading WHERE body_id > ?1 ORDER BY body_id LIMIT 2000) AS slice`,
      after,
    )
    const reached = end?.reached ?? undefined
    if (reached === undefined) return { reached, ids: [] }
    const rows = await tx.all<{ body_id: number }>(
      `SELECT r.body_id FROM reading r WHERE r.body_id > ?1 AND r.body_id <= ?2
       AND NOT EXISTS (SELECT 1 FROM body b WHERE b.id = r.body_id)`,
      after,
      reached,
    )
    return { reached, ids: rows.map(row => row.body_id) }
  },
)

export const forgetReadings = writer('mailbox.forgetReadings', (tx, ids: readonly number[]) =>
  tx.many(
    'DELETE FROM reading WHERE body_id = ?1',
    ids.map(id => [id]),
  ),
)

/** Forgets what is known of bodies that are gone: those that went with their last message took it along. */
export async function sweepReadings(store: Pick<Store, 'read' | 'write'>): Promise<void> {
  await sweepFound(store, needlessReadings, forgetReadings)
}
