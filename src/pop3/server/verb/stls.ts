/**
 * STLS (RFC 2595 §4). Whatever was learned in the clear is forgotten, and whatever came behind the
 * command is thrown away: it was never protected, so it is never carried out (CVE-2011-0411).
 */
import { ok, replies } from '../../reply.ts'
import type { Input, Step, Turn } from '../turn.ts'

export function* stls(turn: Turn, argument: string): Generator<Step, boolean, Input> {
  if (argument !== '') return turn.refuse(replies.noArguments)
  if (turn.peer.tls !== undefined) return turn.refuse(replies.tlsActive)
  if (!turn.settings.startTls) return turn.refuse(replies.noTls)
  turn.send(ok('begin TLS negotiation'))
  turn.secure()
  return true
}
