/** COMPRESS (RFC 4978): from the tagged answer on both sides speak in DEFLATE, the only mechanism there is. */
import type { Cursor } from '../../cursor.ts'
import { bad, no, ok, type Result, type Running, type Turn } from '../turn.ts'

/** `compress = "COMPRESS" SP algorithm`. What was pipelined behind it is thrown away: §3 forbids it. */
export function* compress(turn: Turn, cursor: Cursor): Running<Result> {
  cursor.space()
  const algorithm = cursor.word()
  cursor.end()
  if (cursor.fault !== undefined) return bad(cursor.fault)
  if (algorithm !== 'DEFLATE') return no('DEFLATE is all there is', 'CANNOT')
  return turn.compress() ? ok('DEFLATE begins') : no('DEFLATE is on already', 'COMPRESSIONACTIVE')
}
