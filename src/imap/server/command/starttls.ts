/** STARTTLS (RFC 9051 §6.2.1): what was pipelined behind it is thrown away unread (RFC 3207 §4.2 alike). */
import type { Cursor } from '../../cursor.ts'
import { bad, no, ok, type Result, type Running, type Turn } from '../turn.ts'

export function* starttls(turn: Turn, cursor: Cursor): Running<Result> {
  cursor.end()
  if (cursor.fault !== undefined) return bad(cursor.fault)
  if (turn.peer.tls !== undefined) return bad('TLS is on already')
  if (!turn.settings.startTls) return no('TLS is not available here')
  turn.secure()
  return ok('begin TLS now')
}
