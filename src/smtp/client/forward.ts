/**
 * XFORWARD as a client: tells a hop, before MAIL, whom the message came from (Postfix, XFORWARD_README).
 * Called by transaction.ts where the route asks for it and the hop offers it. Whatever the hop says to
 * it, the message goes on: it is for the record alone.
 */
import type { Forwarded } from '../../mail/forwarded.ts'
import { xforwardCommands } from '../extension/xforward.ts'
import { offers, type Script, type Talk } from './talk.ts'

export function* forward(talk: Talk, forwarded: Forwarded): Script<void> {
  if (!offers(talk, 'XFORWARD')) return
  for (const command of xforwardCommands(forwarded, talk.extensions.get('XFORWARD') ?? '')) {
    talk.say(`${command}\r\n`)
    yield 'xforward'
  }
}
