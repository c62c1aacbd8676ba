/** The greeting (RFC 9051 §7.1): OK, or BYE where policy has no room for this client. */
import { capabilities } from './capability.ts'
import { ask, type Running, type Turn } from './turn.ts'

export function* greeting(turn: Turn): Running<boolean> {
  const answer = yield* ask<'connect'>({ kind: 'connect', peer: turn.peer })
  if (answer.kind === 'no') {
    turn.send(`* BYE ${answer.code === undefined ? '' : `[${answer.code}] `}${answer.why}\r\n`)
    return false
  }
  const { hostname, implementation } = turn.settings
  turn.send(`* OK [CAPABILITY ${capabilities(turn)}] ${hostname} ${implementation} ready\r\n`)
  return true
}
