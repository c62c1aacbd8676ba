/**
 * One session's view of its mailbox (RFC 9051 §2.3.1.2, §5.2, §7.4.1, §7.5.1): which message has which
 * sequence number *for this client*. The mailbox moves on by itself; the view moves only when the client
 * was told, so two sessions may number differently and both are right. Expunges are held back while
 * the client may be using numbers (RFC 9051 §7.5.1: never during FETCH, STORE or SEARCH).
 *
 * Four octets a message is all it keeps, besides what happened and was not told yet. It speaks to
 * nobody: `take` puts changes in, `tell` gives the lines to send.
 */
import { rightFor, SYSTEM_FLAGS } from '../flag.ts'
import { formatNumbers, type NumberRange, type NumberSet, normalRanges } from '../number-set.ts'
import { type SearchKey, withRecent } from '../search-key.ts'
import type { Changes, FlagState, OpenedMailbox, SearchQuestion } from './question.ts'

/** What the client's dialect of updates is. */
export interface Telling {
  /** Sequence numbers may change now. */
  readonly expunges: boolean
  /** MODSEQ stands in FETCH (RFC 7162 §3.2). */
  readonly modSeq: boolean
  /** UID stands in FETCH, asked for or not (RFC 9051 §7.5.2, RFC 7162 §3.2.4). */
  readonly uid: boolean
  /** VANISHED in place of EXPUNGE (RFC 7162 §3.2.10). */
  readonly qresync: boolean
  /** UIDFETCH in place of FETCH, and VANISHED (RFC 9586 §3.3). */
  readonly uidOnly: boolean
}

export class View {
  readonly key: number
  /** Its name, as this client knows it. */
  mailbox: string
  readonly readOnly: boolean
  /** What may be done in it (RFC 4314); absent is all. */
  readonly #rights: string | undefined
  readonly uidValidity: number
  /** Everything up to here was put in. */
  modSeq: number
  /** Everything up to here was told, expunges too: from here a client may count (RFC 7162 §3.2.5). */
  settledModSeq: number
  uidNext: number
  #uids: Uint32Array
  #count: number
  /** Gone, but still numbered here. Ascending. */
  #vanished: readonly number[] = []
  readonly #changed = new Map<number, FlagState>()
  /** New messages with keywords that FLAGS has not told. */
  #strange: FlagState[] = []
  #toldExists: number
  /** In lower case: what FLAGS has told. */
  readonly #keywords: Map<string, string>
  /** New or changed since it was last asked for: for searches that are kept up to date (context.ts). */
  readonly #touched = new Set<number>()
  /** Mod-sequences of what this session itself did and told, until `take` has passed them. */
  readonly #own = new Map<number, number>()
  /** UIDs of which this session was the first to be told (RFC 3501 §2.3.2), from and to. */
  readonly #recent: { readonly from: number; readonly to: number }[] = []
  #toldRecent: number

  constructor(mailbox: string, opened: OpenedMailbox) {
    this.mailbox = mailbox
    this.key = opened.key
    this.readOnly = opened.readOnly
    this.#rights = opened.rights
    this.uidValidity = opened.uidValidity
    this.modSeq = opened.highestModSeq
    this.settledModSeq = opened.highestModSeq
    this.uidNext = opened.uidNext
    this.#uids = new Uint32Array(opened.uids)
    this.#count = this.#uids.length
    this.#toldExists = this.#count
    this.#keywords = new Map(opened.keywords.map(word => [word.toLowerCase(), word]))
    this.#claim(opened.recentFrom, opened.uidNext)
    this.#toldRecent = this.recent
  }

  /** How many messages the client knows of. */
  get exists(): number {
    return this.#toldExists
  }

  /** How many of them are recent. */
  get recent(): number {
    return this.#recent.reduce((sum, { from, to }) => {
      const [first, behind] = [this.#lowerBound(from), this.#lowerBound(to + 1)]
      return sum + Math.max(0, Math.min(behind, this.#toldExists) - first)
    }, 0)
  }

  /** Ascending UIDs of the messages the client knows of: index + 1 is the sequence number. */
  get uids(): Uint32Array {
    return this.#uids.subarray(0, this.#toldExists)
  }

  /** UIDs that the client knows, behind that one. */
  uidsBehind(uid: number): number[] {
    return Array.from(this.#uids.subarray(this.#lowerBound(uid + 1), this.#toldExists))
  }

  /** The sequence number of a UID; 0 where the client knows no such message. */
  sequence(uid: number): number {
    const at = this.#lowerBound(uid)
    return at < this.#toldExists && this.#uids[at] === uid ? at + 1 : 0
  }

  /** The same of many, ascending. */
  sequences(uids: ArrayLike<number>): Uint32Array {
    const sequences = new Uint32Array(uids.length)
    let at = this.#lowerBound(uids[0] ?? 0)
    for (let n = 0; n < uids.length; n++) {
      const uid = uids[n] as number
      while (at < this.#toldExists && (this.#uids[at] as number) < uid) at++
      if (at < this.#toldExists && this.#uids[at] === uid) sequences[n] = at + 1
    }
    return sequences
  }

  /**
   * The UIDs of a set of sequence numbers; undefined where one is out of range (RFC 9051 §9 seq-number:
   * that is an error). `*` in an empty mailbox is one too.
   */
  bySequence(set: NumberSet, saved: readonly number[]): number[] | undefined {
    if (set === '$') return this.#known(saved)
    if (this.#toldExists === 0 || !set.every(range => this.#inRange(range))) return undefined
    const uids: number[] = []
    for (const [from, to] of normalRanges(set, this.#toldExists)) {
      for (let at = from - 1; at < to; at++) uids.push(this.#uids[at] as number)
    }
    return uids
  }

  /** The UIDs of a set of UIDs that exist here: those that do not are passed over (RFC 9051 §6.4.9). */
  byUid(set: NumberSet, saved: readonly number[]): number[] {
    if (set === '$') return this.#known(saved)
    const uids: number[] = []
    const largest = this.#uids[this.#toldExists - 1] ?? 0
    for (const [from, to] of normalRanges(set, largest)) {
      for (let at = this.#lowerBound(from); at < this.#toldExists; at++) {
        const uid = this.#uids[at] as number
        if (uid > to) break
        uids.push(uid)
      }
    }
    return uids
  }

  /** What is to be searched for. */
  search(key: SearchKey, saved: readonly number[]): SearchQuestion {
    return { key: withRecent(key, this.#recent), uids: this.uids, saved }
  }

  /** Notes what this session did and told itself: `take` will not tell it again. */
  own(states: readonly FlagState[]): void {
    for (const { uid, modSeq } of states) {
      this.#own.set(uid, modSeq)
      this.#touched.add(uid)
    }
  }

  /** Puts in what happened since `modSeq`. */
  take(changes: Changes): void {
    this.#claim(changes.recentFrom, changes.uidNext)
    this.modSeq = changes.highestModSeq
    this.uidNext = changes.uidNext
    const added: number[] = []
    const last = this.#uids[this.#count - 1] ?? 0
    for (const state of changes.present) {
      this.#touched.add(state.uid)
      // One that is told again, since it came while we asked, is known by then.
      if (state.uid > last) {
        added.push(state.uid)
        if (state.flags.some(flag => this.#isStrange(flag))) this.#strange.push(state)
      } else if (this.#own.get(state.uid) !== state.modSeq && this.#has(state.uid)) {
        this.#changed.set(state.uid, state)
      }
    }
    this.#append(added)
    const gone = changes.vanished.filter(uid => this.#has(uid))
    if (gone.length > 0) {
      const all = new Set([...this.#vanished, ...gone])
      this.#vanished = [...all].sort((a, b) => a - b)
      for (const uid of gone) this.#changed.delete(uid)
    }
    for (const [uid, modSeq] of this.#own) if (modSeq <= this.modSeq) this.#own.delete(uid)
  }

  /** What the client knows and is gone: told by the next `tell` that may tell it. */
  get leaving(): readonly number[] {
    return this.#known(this.#vanished)
  }

  /** Ascending; those that are gone are not among them. */
  takeTouched(): readonly number[] {
    const touched = [...this.#touched].filter(uid => this.#has(uid)).sort((a, b) => a - b)
    this.#touched.clear()
    return touched
  }

  /** Whether there is something that may be told now. */
  hasNews(expunges: boolean): boolean {
    return (
      this.#changed.size > 0 ||
      this.#toldExists !== this.#count ||
      (expunges && this.#vanished.length > 0)
    )
  }

  /** The untagged lines that bring the client up to date (RFC 9051 §7.4.1, §7.5). */
  tell(telling: Telling): string {
    let text = ''
    if (telling.expunges || this.#vanished.length === 0) this.settledModSeq = this.modSeq
    if (telling.expunges && this.#vanished.length > 0) text += this.#tellVanished(telling)
    if (this.#toldExists !== this.#count) {
      this.#toldExists = this.#count
      text += `* ${this.#count} EXISTS\r\n`
    }
    const { recent } = this
    if (recent !== this.#toldRecent) {
      this.#toldRecent = recent
      text += `* ${recent} RECENT\r\n`
    }
    const changed = [...this.#changed.values()].sort((a, b) => a.uid - b.uid)
    this.#changed.clear()
    text += this.flagsLine([...this.#strange, ...changed])
    this.#strange = []
    for (const state of changed) text += this.fetchFlags(state, telling)
    return text
  }

  /** FLAGS once more, where these have keywords that it has not told yet (RFC 9051 §7.3.5); '' else. */
  flagsLine(states: readonly FlagState[]): string {
    const before = this.#keywords.size
    for (const { flags } of states) {
      for (const flag of flags) {
        if (this.#isStrange(flag)) this.#keywords.set(flag.toLowerCase(), flag)
      }
    }
    return this.#keywords.size === before ? '' : `* FLAGS (${this.#flags().join(' ')})\r\n`
  }

  #isStrange(flag: string): boolean {
    return !flag.startsWith('\\') && !this.#keywords.has(flag.toLowerCase())
  }

  /** PERMANENTFLAGS: those that this client may change, for good (RFC 4314 §4); `more` says whether it may make new ones. */
  permanentFlags(more: boolean): string {
    if (this.readOnly) return ''
    const rights = this.#rights ?? 'stw'
    const mine = this.#flags().filter(flag => rights.includes(rightFor(flag)))
    return [...mine, ...(more && rights.includes('w') ? ['\\*'] : [])].join(' ')
  }

  #flags(): string[] {
    return [...SYSTEM_FLAGS, ...this.#keywords.values()]
  }

  /** Flags as they are told, \\Recent among them. */
  flagsOf({ uid, flags }: Pick<FlagState, 'uid' | 'flags'>): string {
    return (this.isRecent(uid) ? [...flags, '\\Recent'] : flags).join(' ')
  }

  isRecent(uid: number): boolean {
    // They ascend, and are many where two sessions took turns in being the first.
    const range = this.#recent[lowerBound(this.#recent, uid)]
    return range !== undefined && range.from <= uid
  }

  /** `* 3 FETCH (FLAGS (...))`; '' for a message that the client does not know. */
  fetchFlags(
    state: FlagState,
    { modSeq, uid, uidOnly }: Pick<Telling, 'modSeq' | 'uid' | 'uidOnly'>,
  ): string {
    const sequence = this.sequence(state.uid)
    if (sequence === 0) return ''
    const items = [
      ...(uid && !uidOnly ? [`UID ${state.uid}`] : []),
      `FLAGS (${this.flagsOf(state)})`,
      ...(modSeq ? [`MODSEQ (${state.modSeq})`] : []),
    ]
    const head = uidOnly ? `${state.uid} UIDFETCH` : `${sequence} FETCH`
    return `* ${head} (${items.join(' ')})\r\n`
  }

  #claim(from: number | undefined, uidNext: number): void {
    const last = this.#recent.at(-1)
    if (from === undefined || from >= uidNext) return
    if (last !== undefined && last.to + 1 >= from) {
      this.#recent[this.#recent.length - 1] = { from: last.from, to: uidNext - 1 }
    } else this.#recent.push({ from, to: uidNext - 1 })
  }

  #tellVanished({ qresync, uidOnly }: Telling): string {
    const vanished = this.#vanished
    this.#vanished = []
    let text = ''
    if (qresync || uidOnly) {
      // What the client was never told of cannot vanish for it.
      const known = vanished.filter(uid => this.sequence(uid) > 0)
      if (known.length > 0) text = `* VANISHED ${formatNumbers(known)}\r\n`
    } else {
      // From the last to the first: no number that is still to be told changes meanwhile.
      for (let at = vanished.length - 1; at >= 0; at--) {
        const sequence = this.sequence(vanished[at] as number)
        if (sequence > 0) text += `* ${sequence} EXPUNGE\r\n`
      }
    }
    this.#remove(vanished)
    return text
  }

  #remove(uids: readonly number[]): void {
    const gone = new Set(uids)
    let kept = 0
    let toldKept = 0
    for (let at = 0; at < this.#count; at++) {
      const uid = this.#uids[at] as number
      if (gone.has(uid)) continue
      this.#uids[kept++] = uid
      if (at < this.#toldExists) toldKept++
    }
    this.#count = kept
    this.#toldExists = toldKept
  }

  #append(uids: readonly number[]): void {
    if (this.#count + uids.length > this.#uids.length) {
      const grown = new Uint32Array(Math.max(64, Math.ceil(1.25 * (this.#count + uids.length))))
      grown.set(this.#uids.subarray(0, this.#count))
      this.#uids = grown
    }
    for (const uid of uids) this.#uids[this.#count++] = uid
  }

  #inRange({ from, to }: NumberRange): boolean {
    const fits = (n: number | '*') => n === '*' || n <= this.#toldExists
    return fits(from) && fits(to)
  }

  /** Of these, those that the client knows. */
  #known(uids: readonly number[]): number[] {
    return uids.filter(uid => this.sequence(uid) > 0)
  }

  #has(uid: number): boolean {
    const at = this.#lowerBound(uid)
    return at < this.#count && this.#uids[at] === uid
  }

  /** The index of the first UID that is not below. */
  #lowerBound(uid: number): number {
    let low = 0
    let high = this.#count
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#uids[middle] as number) < uid) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** The index of the first range that does not end below. */
function lowerBound(ranges: readonly { readonly to: number }[], uid: number): number {
  let low = 0
  let high = ranges.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((ranges[middle]?.to ?? 0) < uid) low = middle + 1
    else high = middle
  }
  return low
}
