/**
 * The roll of a mailbox: UID, flags and MODSEQ of each of its messages as arrays of numbers, so that to open it and
 * to tell the flags of all costs no row of the store. It is a memory that knows up to which MODSEQ it holds;
 * who asks it brings it up to date first (access/rolls.ts). Some sixteen octets a message.
 */
import { either } from '../store/dialect.ts'
import { farReader, reader } from '../store/store.ts'
import type { Read } from '../world/sql.ts'
import type { FolderChanges } from './change.ts'
import { DOOMED_NAME } from './folder.ts'

const SLICE = 4_096
/** Mailboxes have a dozen different sets of flags; a hostile one may have as many as messages. */
const SETS_MAX = 2_000
const SET_MAX_CHARS = 200
/** Stands for a set that is too long: no flag is called so. */
const TOO_LONG = '*'

/** Where a roll begins: what commits behind it is told twice, never missed. */
export interface RollStart {
  readonly modSeq: number
  readonly uidNext: number
  readonly messages: number
}

/** The numbers of a mailbox, before its messages are read; undefined where it is gone. */
export const rollStart = reader('mailbox.rollStart', (tx, mailboxId: number) =>
  tx.get<RollStart>(
    `SELECT mod_seq AS "modSeq", uid_next AS "uidNext", messages FROM mailbox
     WHERE id = ?1 AND substr(name, 1, 1) <> ?2`,
    mailboxId,
    DOOMED_NAME,
  ),
)

/** Some thousand messages as three texts: rows cost more, and objects of rows much more. */
export interface RollSlice {
  readonly count: number
  readonly uids: string | null
  readonly modSeqs: string | null
  /** A line for each. */
  readonly flags: string | null
}

const kept = `CASE WHEN length(flags) > ${SET_MAX_CHARS} THEN '${TOO_LONG}' ELSE flags END`
const rows = `(SELECT uid, mod_seq, flags FROM mailbox_message
  WHERE mailbox_id = ?1 AND uid > ?2 ORDER BY uid LIMIT ${SLICE}) AS slice`
const TEXTS = either({
  sqlite: `SELECT count(*) AS count, group_concat(uid) AS uids, group_concat(mod_seq) AS "modSeqs",
    group_concat(${kept}, char(10)) AS flags FROM ${rows}`,
  postgresql: `SELECT count(*) AS count, string_agg(uid::text, ',' ORDER BY uid) AS uids,
    string_agg(mod_seq::text, ',' ORDER BY uid) AS "modSeqs", string_agg(${kept}, chr(10) ORDER BY uid) AS flags FROM ${rows}`,
})

interface Behind {
  readonly mailboxId: number
  readonly uid: number
}

const sliceBehind = async (tx: Read, { mailboxId, uid }: Behind): Promise<RollSlice> =>
  (await tx.get<RollSlice>(TEXTS, mailboxId, uid)) ?? nothing

/** The messages behind a UID, a slice of them: some 3 ms where the pages are in memory. */
export const rollSlice = reader('mailbox.rollSlice', sliceBehind)
/** The same on a reader's thread, where they are not. */
export const farRollSlice = farReader('mailbox.farRollSlice', sliceBehind)

const nothing: RollSlice = { count: 0, uids: null, modSeqs: null, flags: null }

/** Whole numbers with commas between, from an index of the array on. */
function numbers(text: string, into: Uint32Array | Float64Array, from: number): void {
  if (text === '') return
  let at = from
  let value = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === 0x2c) {
      into[at++] = value
      value = 0
    } else value = value * 10 + code - 0x30
  }
  into[at] = value
}

/** Different sets of flags, each once. */
class Sets {
  readonly texts: string[] = []
  whole = true
  readonly #known = new Map<string, number>()

  /** Its number. What cannot be kept has one too, and then nothing here is worth asking. */
  of(text: string): number {
    const known = this.#known.get(text)
    if (known !== undefined) return known
    if (text === TOO_LONG || text.length > SET_MAX_CHARS || this.texts.length >= SETS_MAX) {
      this.whole = false
      return 0
    }
    this.#known.set(text, this.texts.length)
    return this.texts.push(text) - 1
  }

  note(lines: string, into: Uint16Array, from: number): void {
    let at = from
    for (let start = 0; start <= lines.length; ) {
      const end = lines.indexOf('\n', start)
      const text = lines.slice(start, end < 0 ? undefined : end)
      into[at++] = this.of(text)
      if (end < 0) break
      start = end + 1
    }
  }
}

/** Messages in the order of their UIDs: of the n-th the flags are `sets[setOf[n]]`. */
export interface StateTable extends Columns {
  /** Flags as they are in a row: sorted, a space between. */
  readonly sets: readonly string[]
}

interface Columns {
  readonly uids: Uint32Array
  readonly modSeqs: Float64Array
  readonly setOf: Uint16Array
}

function empty(room: number): Columns {
  return {
    uids: new Uint32Array(room),
    modSeqs: new Float64Array(room),
    setOf: new Uint16Array(room),
  }
}

/** Columns with room for so many, the first `count` as they were. */
function grown(columns: Columns, count: number, needed: number): Columns {
  if (needed <= columns.uids.length) return columns
  const more = empty(Math.ceil(needed * 1.25))
  more.uids.set(columns.uids.subarray(0, count))
  more.modSeqs.set(columns.modSeqs.subarray(0, count))
  more.setOf.set(columns.setOf.subarray(0, count))
  return more
}

export class Roll {
  #columns: Columns
  #count = 0
  readonly #sets = new Sets()
  #modSeq: number
  #uidNext: number

  /** Without messages: they are read in slices. */
  constructor({ modSeq, uidNext, messages }: RollStart) {
    this.#columns = empty(messages)
    this.#modSeq = modSeq
    this.#uidNext = uidNext
  }

  /** Where the next slice begins. */
  get lastUid(): number {
    return this.#columns.uids[this.#count - 1] ?? 0
  }

  /** Puts a slice behind those that are there; false where it was the last. */
  append({ count, uids, modSeqs, flags }: RollSlice): boolean {
    if (count > 0) {
      this.#columns = grown(this.#columns, this.#count, this.#count + count)
      numbers(uids ?? '', this.#columns.uids, this.#count)
      numbers(modSeqs ?? '', this.#columns.modSeqs, this.#count)
      this.#sets.note(flags ?? '', this.#columns.setOf, this.#count)
      this.#count += count
      this.#uidNext = Math.max(this.#uidNext, this.lastUid + 1)
    }
    return count === SLICE
  }

  /** Everything up to here is in it. */
  get modSeq(): number {
    return this.#modSeq
  }

  get uidNext(): number {
    return this.#uidNext
  }

  get count(): number {
    return this.#count
  }

  /** Whether it knows the flags; if not, it has the UIDs alone. */
  get whole(): boolean {
    return this.#sets.whole
  }

  /** Ascending: a view, which holds until the next change. */
  get uids(): Uint32Array {
    return this.#columns.uids.subarray(0, this.#count)
  }

  /** The UID of the first message without a flag. */
  firstWithout(flag: string): number | undefined {
    const lacking = this.#sets.texts.map(text => !text.split(' ').includes(flag))
    const { uids, setOf } = this.#columns
    for (let at = 0; at < this.#count; at++) if (lacking[setOf[at] as number]) return uids[at]
    return undefined
  }

  /** Those of the UIDs (ascending) that are there, with their flags and MODSEQs. */
  some(uids: readonly number[]): StateTable {
    const { uids: all, modSeqs, setOf } = this.#columns
    const { texts: sets } = this.#sets
    const from = this.#from(uids[0] ?? 0)
    const to = from + uids.length
    // Neighbours, as nearly always, are where they are looked for.
    if (
      to <= this.#count &&
      all[to - 1] === uids.at(-1) &&
      uids.every((uid, n) => all[from + n] === uid)
    ) {
      return {
        uids: all.slice(from, to),
        modSeqs: modSeqs.slice(from, to),
        setOf: setOf.slice(from, to),
        sets,
      }
    }
    const found = empty(uids.length)
    let count = 0
    let at = from
    for (const uid of uids) {
      while (at < this.#count && (all[at] as number) < uid) at++
      if (at === this.#count || all[at] !== uid) continue
      found.uids[count] = uid
      found.modSeqs[count] = modSeqs[at] as number
      found.setOf[count++] = setOf[at] as number
    }
    const { uids: there, modSeqs: changed, setOf: set } = found
    return {
      uids: there.subarray(0, count),
      modSeqs: changed.subarray(0, count),
      setOf: set.subarray(0, count),
      sets,
    }
  }

  /** Puts in what happened since a MODSEQ that is not behind its own; of two that overlap the later counts. */
  take({ modSeq, uidNext, present, vanished }: FolderChanges): void {
    if (modSeq < this.#modSeq) return
    for (const { uid, flags, modSeq: changed } of present) {
      const at = this.#from(uid)
      const there = at < this.#count && this.#columns.uids[at] === uid
      if (there && changed < (this.#columns.modSeqs[at] as number)) continue
      if (!there && uid < this.#uidNext) continue
      if (!there) {
        this.#columns = grown(this.#columns, this.#count, this.#count + 1)
        this.#count++
      }
      this.#columns.uids[at] = uid
      this.#columns.modSeqs[at] = changed
      this.#columns.setOf[at] = this.#sets.of(flags)
    }
    this.#remove(vanished)
    this.#modSeq = modSeq
    this.#uidNext = Math.max(this.#uidNext, uidNext)
  }

  #remove(vanished: readonly number[]): void {
    if (vanished.length === 0) return
    const gone = new Set(vanished)
    const { uids, modSeqs, setOf } = this.#columns
    let count = 0
    for (let at = 0; at < this.#count; at++) {
      if (gone.has(uids[at] as number)) continue
      uids[count] = uids[at] as number
      modSeqs[count] = modSeqs[at] as number
      setOf[count++] = setOf[at] as number
    }
    this.#count = count
  }

  /** The index of the first UID that is not below. */
  #from(uid: number): number {
    const { uids } = this.#columns
    let low = 0
    let high = this.#count
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((uids[middle] as number) < uid) low = middle + 1
      else high = middle
    }
    return low
  }
}
