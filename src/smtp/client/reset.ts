/** RSET where a transaction was left open (RFC 5321 §4.1.1.5); a hop that refuses it is left. Run by session.ts. */
import type { Trouble } from './question.ts'
import { classOf, replyText, type Script, type Talk } from './talk.ts'

export function* reset(talk: Talk): Script<Trouble | undefined> {
  talk.say('RSET\r\n')
  const reply = yield 'reset'
  if (classOf(reply) === 2) return undefined
  const reason = `RSET was refused: ${replyText(reply)}`
  return { kind: 'deferred', phase: 'idle', status: '4.5.0', reason, reply }
}
