/**
 * STARTTLS (RFC 3207). Called by opening.ts after EHLO. That nothing of the clear text survives the
 * handshake (response injection, CVE-2011-0411 on the client's side) is session.ts's part: it sees
 * the buffer.
 */
import type { Trouble } from './question.ts'
import { classOf, offers, refused, type Script, type Talk } from './talk.ts'

/** 'secure': 220 was given and the handshake is next; 'clear': the dialogue goes on as it is. */
export function* startTls(talk: Talk): Script<'secure' | 'clear' | Trouble> {
  const { startTls: wish } = talk.settings
  if (wish === 'never' || talk.tls !== undefined) return 'clear'
  if (!offers(talk, 'STARTTLS')) {
    return wish === 'opportunistic' ? 'clear' : trouble('TLS is required and was not offered')
  }
  talk.say('STARTTLS\r\n')
  const reply = yield 'starttls'
  if (classOf(reply) === 2) return 'secure'
  // §4: 454 or 5yz leave the connection as it was; without TLS it serves only who can do without.
  if (wish === 'opportunistic') return 'clear'
  return { ...refused('tls', 'STARTTLS was refused', reply), kind: 'deferred', status: '4.7.4' }
}

function trouble(reason: string): Trouble {
  return { kind: 'deferred', phase: 'tls', status: '4.7.4', reason }
}
