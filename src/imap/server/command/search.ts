/**
 * SEARCH (RFC 9051 §6.4.4, RFC 3501 §6.4.4): which messages of the open mailbox match. With MODSEQ among its
 * keys the highest mod-sequence is told too (RFC 7162 §3.1.5).
 */
import type { Cursor } from '../../cursor.ts'
import { holds, readSearchKeys, type SearchKey } from '../../search-key.ts'
import { isTagTaken, keepUp } from '../context.ts'
import { limited, narrowedSearch } from '../message-limit.ts'
import { ask, bad, no, ok, type Result, type Running, refused, type Turn, viewOf } from '../turn.ts'
import { type Found, formatExtended, type Option, readReturn, savedOf } from './search-return.ts'

export const search = (turn: Turn, cursor: Cursor) => carryOut(turn, cursor, false)
export const uidSearch = (turn: Turn, cursor: Cursor) => carryOut(turn, cursor, true)

/** `search = "SEARCH" [SP search-return-opts] SP search-program`. */
function* carryOut(turn: Turn, cursor: Cursor, byUid: boolean): Running<Result> {
  cursor.space()
  const options = cursor.take('RETURN ') ? readReturn(cursor) : undefined
  if (options !== undefined) cursor.space()
  const key = readProgram(turn, cursor)
  if ('text' in key) return unsaved(turn, options, key)
  if (turn.enabled.uidOnly && namesNumbers(key.key)) return bad('say it by UID', 'UIDREQUIRED')
  if (isTagTaken(turn, options)) return bad('the tag is that of a search which is kept up to date')
  const view = viewOf(turn)
  const { key: narrowed, limit } = narrowedSearch(turn, view, key.key)
  const answer = yield* ask<'search'>({
    kind: 'search',
    key: view.key,
    search: view.search(narrowed, turn.saved),
  })
  if (answer.kind === 'no') return unsaved(turn, options, refused(answer))
  const found = answer.uids
    .map((uid, at): Found => {
      const sequence = view.sequence(uid)
      return { uid, number: byUid ? uid : sequence, sequence, modSeq: answer.modSeqs[at] ?? 0 }
    })
    .filter(({ sequence }) => sequence > 0)
  const result = tell(turn, found, options, { byUid, modSeq: asksModSeq(key.key) })
  if (options?.some(({ name }) => name === 'UPDATE')) {
    const uids = new Set(found.map(({ uid }) => uid))
    keepUp(turn, { tag: turn.tag, byUid, key: key.key, uids })
  }
  return limited(turn, result, limit)
}

/** RFC 5182 §2.1: a SAVE that is answered NO leaves an empty result; BAD leaves what was saved. */
export function unsaved(turn: Turn, options: readonly Option[] = [], result: Result): Result {
  if (result.kind === 'NO' && options.some(({ name }) => name === 'SAVE')) turn.saved = []
  return result
}

/** `cancelupdate = "CANCELUPDATE" 1*(SP quoted)`: tags of searches (RFC 5267 §4.3.5). */
export function* cancelUpdate(turn: Turn, cursor: Cursor): Running<Result> {
  const tags = new Set<string>()
  do {
    cursor.space()
    tags.add(cursor.string())
  } while (!cursor.ended && tags.size < 100)
  cursor.end()
  if (cursor.fault !== undefined) return bad(cursor.fault)
  turn.contexts = turn.contexts.filter(({ tag }) => !tags.has(tag))
  return ok('CANCELUPDATE completed')
}

interface Manner {
  readonly byUid: boolean
  readonly modSeq: boolean
}

function tell(
  turn: Turn,
  found: readonly Found[],
  options: readonly Option[] | undefined,
  manner: Manner,
): Result {
  if (manner.modSeq) turn.condstore()
  if (options === undefined && !turn.enabled.imap4rev2) {
    const numbers = found.map(({ number }) => ` ${number}`).join('')
    const highest = found.reduce((most, { modSeq }) => Math.max(most, modSeq), 0)
    const told = manner.modSeq && found.length > 0 ? ` (MODSEQ ${highest})` : ''
    turn.send(`* SEARCH${numbers}${told}\r\n`)
    return ok('SEARCH completed')
  }
  const wanted = options ?? [{ name: 'ALL' as const }]
  if (wanted.some(({ name }) => name === 'SAVE')) turn.saved = savedOf(found, wanted)
  // RFC 5182 §2.1: who only saves is told nothing.
  if (!wanted.every(({ name }) => name === 'SAVE')) {
    turn.send(formatExtended(turn.tag, found, wanted, manner))
  }
  return ok('SEARCH completed')
}

/** `search-program = ["CHARSET" SP charset SP] search-key *(SP search-key)`, to the end of the command. */
export function readProgram(turn: Turn, cursor: Cursor): { readonly key: SearchKey } | Result {
  let charset: string | undefined
  if (cursor.take('CHARSET ')) {
    charset = cursor.astring()
    cursor.space()
    // RFC 6855 §3: UTF-8 is the only one by then, and is not named.
    if (turn.enabled.utf8Accept) cursor.fail('no charset is named under UTF8=ACCEPT')
  }
  return readKeysIn(cursor, charset)
}

/** Search keys whose strings are of a charset; undefined where none was named. */
export function readKeysIn(
  cursor: Cursor,
  charset: string | undefined,
): { readonly key: SearchKey } | Result {
  if (cursor.fault !== undefined) return bad(cursor.fault)
  const decode = decoderOf(charset ?? 'UTF-8', charset === undefined)
  // RFC 3501 §6.4.4: the charsets that will do are told.
  if (decode === undefined) return no('no such charset', 'BADCHARSET (UTF-8 US-ASCII)')
  const key = readSearchKeys(cursor, decode)
  cursor.end()
  return cursor.fault === undefined ? { key } : bad(cursor.fault)
}

export function asksModSeq(key: SearchKey): boolean {
  return holds(key, ({ kind }) => kind === 'modseq')
}

/** Whether it speaks of sequence numbers: `$` are UIDs. */
export function namesNumbers(key: SearchKey): boolean {
  return holds(key, each => each.kind === 'sequence' && each.set !== '$')
}

/**
 * Reads search strings of that charset; undefined where nobody knows it.
 * @param unnamed what is no UTF-8 then is ISO 8859-1, as in headers: JavaMail searches so under UTF8=ACCEPT.
 */
function decoderOf(
  charset: string,
  unnamed: boolean,
): ((octets: string) => string | undefined) | undefined {
  let decoder: InstanceType<typeof TextDecoder>
  try {
    decoder = new TextDecoder(charset.toLowerCase(), { fatal: true })
  } catch {
    return undefined
  }
  return octets => {
    try {
      return decoder.decode(Buffer.from(octets, 'latin1')).normalize('NFC')
    } catch {
      return unnamed ? octets : undefined
    }
  }
}
