/**
 * What was found in bodies once and is kept: the envelope and the structure of a message as IMAP tells them, so
 * that a list of ten thousand messages opens none of them, and its heading, which a search looks through. The
 * texts are access/'s; here they are kept by the body's number and by the version of the scanner that
 * found them. They are a memory: where one is missing or of another version, the body is looked at again.
 * The sweep forgets those of bodies that are gone.
 */
import { farReader, reader, type Store, writer } from '../store/store.ts'
import { type Needless, sweepFound } from '../store/sweep.ts'
import type { Read } from '../world/sql.ts'
import { type FolderMessage, MESSAGE } from './change.ts'
import { readSome, someTexts } from './some.ts'

export interface Reading {
  readonly bodyId: number
  readonly envelope: string
  readonly structure: string
  readonly heading: string
}

/** A message with its own head, and what is known of its body: '' and null are nothing. */
export type ReadMessage = FolderMessage & {
  readonly head: Uint8Array
  readonly envelope: string | null
  readonly structure: string | null
}

/** A message with its own head, and the heading of its body if that is known. */
export type HeadedMessage = FolderMessage & {
  readonly head: Uint8Array
  readonly heading: string | null
}

const WITH_READING = 'mailbox_message m LEFT JOIN reading r ON r.body_id = m.body_id AND r.scanner'

const READ = someTexts(
  `SELECT ${MESSAGE}, m.head, r.envelope, r.structure FROM ${WITH_READING} = ?2
   WHERE m.mailbox_id = ?1 AND m.uid {uids} ORDER BY m.uid`,
  3,
)

interface Some {
  readonly mailboxId: number
  readonly uids: readonly number[]
  readonly scanner: number
}

/** Those of the messages that are there, by UID; for a slice of some hundreds. */
export const readMessages = reader(
  'mailbox.readMessages',
  (tx, { mailboxId, uids, scanner }: Some) =>
    readSome<ReadMessage>(tx, READ, uids, mailboxId, scanner),
)

/** What a heading must have: a text in a field of that name. */
export interface Likely {
  /** In lower case. */
  readonly field: string
  /** Printable ASCII, in lower case. */
  readonly text: string
}

/** A heading with "!" is not ASCII: in what it says, other letters may stand for those of the text. */
const UNSURE = `r.heading IS NULL OR r.heading = '' OR substr(r.heading, 1, 1) = '!'`
/** Without case, as far as ASCII has one. */
const CASELESS = {
  sqlite: { heading: 'r.heading', head: 'CAST(m.head AS TEXT)' },
  postgresql: {
    heading: 'lower(r.heading COLLATE "C")',
    head: `lower(encode(m.head, 'escape') COLLATE "C")`,
  },
}

const HEADED = `SELECT ${MESSAGE}, m.head, r.heading FROM ${WITH_READING} = ?2 WHERE m.mailbox_id = ?1`
const ALL = someTexts(`${HEADED} AND m.uid {uids} ORDER BY m.uid`, 3)

function likely(store: keyof typeof CASELESS): string {
  const { heading, head } = CASELESS[store]
  const has = `${heading} LIKE ?3 ESCAPE '\\' OR ${head} LIKE ?4 OR ${head} LIKE ?5`
  return `${HEADED} AND (${UNSURE} OR ${has}) AND m.uid {uids} ORDER BY m.uid`
}

const LIKELY = someTexts({ sqlite: likely('sqlite'), postgresql: likely('postgresql') }, 6)

/**
 * Messages with their headings, those of the UIDs that are there and may have what is likely: of the others it
 * is known that they have not. A message whose own head has the field is always among them.
 */
export function headedMessages(
  tx: Read,
  { mailboxId, uids, scanner }: Some,
  wanted?: Likely,
): Promise<HeadedMessage[]> {
  return wanted === undefined
    ? readSome(tx, ALL, uids, mailboxId, scanner)
    : readSome(tx, LIKELY, uids, mailboxId, scanner, ...patterns(wanted))
}

/** Of LIKE: the text anywhere in a heading; the field at the start of a head, or of a line of it. */
function patterns({ field, text }: Likely): [string, string, string] {
  const plain = (value: string) => value.replace(/[\\%_]/g, '\\$&')
  return [`%${plain(text)}%`, `${field}%`, `%\n${field}%`]
}

/** Keeps what was found, in place of what an older scanner had found; what was not looked for ('') stays. */
export const keepReadings = writer(
  'mailbox.keepReadings',
  async (tx, input: { readonly scanner: number; readonly found: readonly Reading[] }) => {
    const stays = (column: string) =>
      `${column} = CASE WHEN excluded.${column} = '' AND reading.scanner = excluded.scanner
         THEN reading.${column} ELSE excluded.${column} END`
    await tx.many(
      `INSERT INTO reading (body_id, scanner, envelope, structure, heading) VALUES (?1, ?2, ?3, ?4, ?5)
       ON CONFLICT (body_id) DO UPDATE SET ${['envelope', 'structure', 'heading'].map(stays).join(', ')},
         scanner = excluded.scanner`,
      input.found.map(({ bodyId, envelope, structure, heading }) => [
        ...[bodyId, input.scanner, envelope, structure, heading],
      ]),
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
