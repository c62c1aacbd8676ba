/** NAMESPACE (RFC 2342, RFC 9051 §6.3.10): one's own mailboxes, and no others. */
import type { Cursor } from '../../cursor.ts'
import { bad, ok, type Result, type Running, type Turn } from '../turn.ts'

export function* namespace(turn: Turn, cursor: Cursor): Running<Result> {
  cursor.end()
  if (cursor.fault !== undefined) return bad(cursor.fault)
  turn.send('* NAMESPACE (("" "/")) NIL NIL\r\n')
  return ok('NAMESPACE completed')
}
