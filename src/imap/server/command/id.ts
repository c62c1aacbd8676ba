/** ID (RFC 2971): who the client is, and who we are. What it says is neither kept nor believed. */
import type { Cursor } from '../../cursor.ts'
import { formatString } from '../../encode.ts'
import { bad, ok, type Result, type Running, type Turn } from '../turn.ts'

/** RFC 2971 §3.3: at most 30 fields. */
const STRINGS_MAX = 60

/** `id = "ID" SP id_params_list`; `"(" #(string SP nstring) ")" / nil`. */
export function* id(turn: Turn, cursor: Cursor): Running<Result> {
  cursor.space()
  if (!cursor.take('NIL')) {
    const strings = cursor.list(() => cursor.nstring(), STRINGS_MAX)
    if (strings.length % 2 !== 0) cursor.fail('ID takes pairs of a field and its value')
    if (strings.some((each, at) => at % 2 === 0 && each === undefined)) {
      cursor.fail('a field of ID has no name')
    }
  }
  cursor.end()
  if (cursor.fault !== undefined) return bad(cursor.fault)
  const { implementation, version } = turn.settings
  const pairs = ['name', implementation, 'version', version].map(each => formatString(each))
  turn.send(`* ID (${pairs.join(' ')})\r\n`)
  return ok('ID completed')
}
