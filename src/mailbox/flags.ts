/**
 * Flags of messages, changed (RFC 9051 §6.4.6, RFC 7162 §3.1.3). One MODSEQ for all that one transaction
 * changes; what already is as wanted is left alone. Called by access/, a slice at a time.
 */
import { writer } from '../store/store.ts'
import type { Write } from '../world/sql.ts'
import { tallyOf, withUids } from './tally.ts'

export interface FlagsInput {
  readonly mailboxId: number
  readonly uids: readonly number[]
  readonly mode: 'set' | 'add' | 'remove'
  /** In any order and case; keywords take the spelling that the mailbox knows. */
  readonly flags: readonly string[]
  /** Messages with a higher MODSEQ are left alone and named. */
  readonly unchangedSince?: number
  /** Rights (RFC 4314) of who changes them: flags that they do not cover stay as they are. Absent is all. */
  readonly rights?: string
}

export interface FlagRow {
  readonly uid: number
  readonly flags: string
  readonly modSeq: number
}

export type FlagsChanged =
  | {
      readonly kind: 'changed'
      /** All of those asked for that are there, as they are now. */
      readonly rows: readonly FlagRow[]
      /** UIDs left alone by `unchangedSince`. */
      readonly modified: readonly number[]
    }
  /** The mailbox would have more keywords than it may. */
  | { readonly kind: 'too many keywords' }
  | { readonly kind: 'missing' }

/** More of them in one mailbox, and SELECT would tell more than it can. */
export const KEYWORDS_MAX = 1_000

const READ = withUids(
  `SELECT uid, flags, mod_seq AS "modSeq", size_octets AS "sizeOctets" FROM mailbox_message
   WHERE mailbox_id = ?1 AND uid {uids} ORDER BY uid`,
  2,
)
const CHANGE = `UPDATE mailbox_message SET flags = ?3, mod_seq = ?4, changed_mod_seq = ?4
  WHERE mailbox_id = ?1 AND uid = ?2`
const COUNT = `UPDATE mailbox SET mod_seq = ?2, unseen = unseen + ?3, doomed = doomed + ?4, keywords = ?5
  WHERE id = ?1`

export const changeFlags = writer(
  'mailbox.changeFlags',
  async (tx, input: FlagsInput): Promise<FlagsChanged> => {
    const { mailboxId, mode, unchangedSince, rights } = input
    const mailbox = await lock(tx, mailboxId)
    if (mailbox === undefined) return { kind: 'missing' }
    const known = new Map(split(mailbox.keywords).map(word => [word.toLowerCase(), word]))
    const flags = allowed(input.flags, rights).map(flag => spell(known, flag))
    const rows = await tx.all<FlagRow & { readonly sizeOctets: number }>(
      READ,
      mailboxId,
      JSON.stringify(input.uids),
    )
    const modSeq = mailbox.mod_seq + 1
    const modified: number[] = []
    const told: FlagRow[] = []
    const before: { flags: string; sizeOctets: number }[] = []
    const after: { uid: number; flags: string; sizeOctets: number }[] = []
    for (const row of rows) {
      if (unchangedSince !== undefined && row.modSeq > unchangedSince) {
        modified.push(row.uid)
        continue
      }
      const wanted = applied(split(row.flags), flags, mode, rights)
      if (wanted === row.flags) told.push({ uid: row.uid, flags: row.flags, modSeq: row.modSeq })
      else {
        told.push({ uid: row.uid, flags: wanted, modSeq })
        before.push(row)
        after.push({ uid: row.uid, flags: wanted, sizeOctets: row.sizeOctets })
      }
    }
    if (after.length === 0) return { kind: 'changed', rows: told, modified }
    if (mode !== 'remove' && known.size > KEYWORDS_MAX) return { kind: 'too many keywords' }
    const [was, is] = [tallyOf(before), tallyOf(after)]
    await tx.many(
      CHANGE,
      after.map(row => [mailboxId, row.uid, row.flags, modSeq]),
    )
    const keywords = mode === 'remove' ? mailbox.keywords : [...known.values()].join(' ')
    await tx.run(COUNT, mailboxId, modSeq, is.unseen - was.unseen, is.doomed - was.doomed, keywords)
    return { kind: 'changed', rows: told, modified }
  },
  ({ uids }) => uids.length,
)

/** RFC 4314 §2.1: s is for \\Seen, t for \\Deleted, w for all others. */
function covers(rights: string | undefined, flag: string): boolean {
  if (rights === undefined) return true
  return rights.includes(flag === '\\Seen' ? 's' : flag === '\\Deleted' ? 't' : 'w')
}

/** Those of the flags that these rights may set. */
export function allowed(flags: readonly string[], rights: string | undefined): readonly string[] {
  return rights === undefined ? flags : flags.filter(flag => covers(rights, flag))
}

/** The row is the mailbox's lock; an update that changes nothing takes it on every store. */
function lock(tx: Write, mailboxId: number) {
  return tx.get<{ mod_seq: number; keywords: string }>(
    'UPDATE mailbox SET mod_seq = mod_seq WHERE id = ?1 RETURNING mod_seq, keywords',
    mailboxId,
  )
}

/** The spelling the mailbox knows; a keyword it does not know is known from now on. */
function spell(known: Map<string, string>, flag: string): string {
  if (flag.startsWith('\\')) return flag
  const key = flag.toLowerCase()
  const word = known.get(key) ?? flag
  known.set(key, word)
  return word
}

function applied(
  has: readonly string[],
  flags: readonly string[],
  mode: FlagsInput['mode'],
  rights: string | undefined,
): string {
  const named = new Set(flags)
  const kept =
    mode === 'set'
      ? has.filter(flag => !covers(rights, flag))
      : has.filter(flag => !named.has(flag))
  return [...new Set(mode === 'remove' ? kept : [...kept, ...flags])].sort().join(' ')
}

function split(flags: string): string[] {
  return flags === '' ? [] : flags.split(' ')
}
