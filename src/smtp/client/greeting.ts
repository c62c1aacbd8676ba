/**
 * The greeting (RFC 5321 §3.1, §4.3.1): the server speaks first. Called by opening.ts.
 */
import type { Trouble } from './question.ts'
import { classOf, refused, type Script, type Talk } from './talk.ts'

/** Waits for 220; 554 and 521 (RFC 7504 §3.1) say that no mail is taken here. */
export function* greeting(talk: Talk): Script<Trouble | undefined> {
  const reply = yield 'greeting'
  if (classOf(reply) !== 2) return refused('greeting', 'greeted with a refusal', reply, '3.2')
  // §4.2: "220 <domain> text"; a greeting that names nobody is taken all the same.
  talk.greeting = /^[^\s\u0000-\u0020\u007f]{0,255}/.exec(reply.lines[0] ?? '')?.[0] ?? ''
  return undefined
}
