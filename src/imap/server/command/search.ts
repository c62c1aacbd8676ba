/** SEARCH (RFC 9051 §6.4.4, RFC 3501 §6.4.4): which messages of the open mailbox match. */
import type { Cursor } from '../../cursor.ts'
import { formatString } from '../../encode.ts'
import { formatNumbers } from '../../number-set.ts'
import { readSearchKeys } from '../../search-key.ts'
import { ask, bad, no, ok, type Result, type Running, refused, type Turn, viewOf } from '../turn.ts'

export const search = (turn: Turn, cursor: Cursor) => carryOut(turn, cursor, false)
export const uidSearch = (turn: Turn, cursor: Cursor) => carryOut(turn, cursor, true)

/** `search = "SEARCH" [SP search-return-opts] SP search-program`. */
function* carryOut(turn: Turn, cursor: Cursor, byUid: boolean): Running<Result> {
  cursor.space()
  const options = readReturn(cursor)
  let charset = 'UTF-8'
  if (cursor.take('CHARSET ')) {
    charset = cursor.astring()
    cursor.space()
  }
  const decode = decoderOf(charset)
  // RFC 3501 §6.4.4: the charsets that will do are told.
  if (decode === undefined) return no('no such charset', 'BADCHARSET (UTF-8 US-ASCII)')
  const key = readSearchKeys(cursor, decode)
  cursor.end()
  if (cursor.fault !== undefined) return bad(cursor.fault)
  const view = viewOf(turn)
  const answer = yield* ask<'search'>({
    kind: 'search',
    key: view.key,
    search: { key, uids: view.uids, saved: turn.saved },
  })
  if (answer.kind === 'no') return refused(answer)
  const uids = answer.uids.filter(uid => view.sequence(uid) > 0)
  const numbers = byUid ? uids : uids.map(uid => view.sequence(uid))
  if (options === undefined && !turn.enabled.imap4rev2) {
    turn.send(`* SEARCH${numbers.map(number => ` ${number}`).join('')}\r\n`)
  } else turn.send(extended(turn.tag, numbers, options ?? ['ALL'], byUid))
  return ok('SEARCH completed')
}

const RETURN = ['MIN', 'MAX', 'ALL', 'COUNT']

/** `"RETURN" SP "(" [search-return-opt *(SP search-return-opt)] ")"`; an empty list means ALL. */
function readReturn(cursor: Cursor): readonly string[] | undefined {
  if (!cursor.take('RETURN ')) return undefined
  const options = cursor.list(() => cursor.word(), RETURN.length)
  const unknown = options.find(each => !RETURN.includes(each))
  if (unknown !== undefined) cursor.fail(`SEARCH returns no ${unknown.slice(0, 40)}`)
  cursor.space()
  return options.length === 0 ? ['ALL'] : options
}

/** `ESEARCH` (RFC 4731, RFC 9051 §7.3.4); what would be empty is left out, but for COUNT. */
function extended(
  tag: string,
  numbers: readonly number[],
  options: readonly string[],
  byUid: boolean,
): string {
  const parts: string[] = []
  if (numbers.length > 0) {
    if (options.includes('MIN')) parts.push(`MIN ${numbers[0]}`)
    if (options.includes('MAX')) parts.push(`MAX ${numbers.at(-1)}`)
    if (options.includes('ALL')) parts.push(`ALL ${formatNumbers(numbers)}`)
  }
  if (options.includes('COUNT')) parts.push(`COUNT ${numbers.length}`)
  const told = parts.map(part => ` ${part}`).join('')
  return `* ESEARCH (TAG ${formatString(tag)})${byUid ? ' UID' : ''}${told}\r\n`
}

/** Reads search strings of that charset; undefined where nobody knows it. */
function decoderOf(charset: string): ((octets: string) => string | undefined) | undefined {
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
      return undefined
    }
  }
}
