/** NAMESPACE (RFC 2342, RFC 9051 §6.3.10): one's own mailboxes, and those of others who share them (RFC 4314). */
import type { Cursor } from '../../cursor.ts'
import { DELIMITER, formatMailboxName, OTHER_USERS } from '../../mailbox-name.ts'
import { bad, ok, type Result, type Running, type Turn } from '../turn.ts'

export function* namespace(turn: Turn, cursor: Cursor): Running<Result> {
  cursor.end()
  if (cursor.fault !== undefined) return bad(cursor.fault)
  const others = formatMailboxName(`${OTHER_USERS}${DELIMITER}`, turn.enabled.utf8)
  turn.send(`* NAMESPACE (("" "/")) ((${others} "/")) NIL\r\n`)
  return ok('NAMESPACE completed')
}
