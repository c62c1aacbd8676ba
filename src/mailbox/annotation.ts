/**
 * Notes at a mailbox or at the server (RFC 5464): a user's own, and everybody's. They go with the mailbox.
 * Called by access/.
 */
import { reader, writer } from '../store/store.ts'

export interface AnnotationRow {
  readonly entry: string
  readonly value: Uint8Array
}

/** Of one mailbox; 0 is the server itself. */
export interface AnnotationPlace {
  readonly mailboxId: number
  readonly accountId: number
}

/** What one user sees there: his own and everybody's. */
export const annotationsOf = reader(
  'mailbox.annotations',
  (tx, { mailboxId, accountId }: AnnotationPlace) =>
    tx.all<AnnotationRow>(
      `SELECT entry, value FROM annotation WHERE mailbox_id = ?1 AND account_id IN (0, ?2) ORDER BY entry`,
      mailboxId,
      accountId,
    ),
)

/** Bounds of ours, for what one user, or all together, note at one mailbox. */
const ENTRIES_MAX = 200
const OCTETS_MAX = 1_048_576

/** Notes what has a value and forgets what has none; 'too many' leaves all as it was. */
export const annotate = writer(
  'mailbox.annotate',
  async (
    tx,
    input: AnnotationPlace & {
      readonly notes: readonly { readonly entry: string; readonly value: Uint8Array | null }[]
    },
  ): Promise<'done' | 'too many'> => {
    const { mailboxId, accountId, notes } = input
    // The mailbox's row is the lock; the server's own notes are each user's, one session at a time as it comes.
    await tx.run('UPDATE mailbox SET mod_seq = mod_seq WHERE id = ?1', mailboxId)
    const ownerOf = (entry: string) => (entry.startsWith('/private/') ? accountId : 0)
    const known = await tx.all<{ account_id: number; entry: string; octets: number }>(
      `SELECT account_id, entry, length(value) AS octets FROM annotation
       WHERE mailbox_id = ?1 AND account_id IN (0, ?2)`,
      mailboxId,
      accountId,
    )
    const sizes = new Map(known.map(row => [`${row.account_id} ${row.entry}`, row.octets]))
    for (const { entry, value } of notes) {
      const key = `${ownerOf(entry)} ${entry}`
      if (value === null) sizes.delete(key)
      else sizes.set(key, value.length)
    }
    const octets = [...sizes.values()].reduce((sum, size) => sum + size, 0)
    const grows = notes.some(({ value }) => value !== null)
    if (grows && (sizes.size > ENTRIES_MAX || octets > OCTETS_MAX)) return 'too many'
    const keyOf = (entry: string) => [mailboxId, ownerOf(entry), entry] as const
    await tx.many(
      'DELETE FROM annotation WHERE mailbox_id = ?1 AND account_id = ?2 AND entry = ?3',
      notes.map(({ entry }) => [...keyOf(entry)]),
    )
    const last = new Map(notes.map(note => [note.entry, note.value]))
    await tx.many(
      'INSERT INTO annotation (mailbox_id, account_id, entry, value) VALUES (?1, ?2, ?3, ?4)',
      [...last].flatMap(([entry, value]) => (value === null ? [] : [[...keyOf(entry), value]])),
    )
    return 'done'
  },
)
