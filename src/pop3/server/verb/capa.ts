/**
 * CAPA (RFC 2449 §5). The list depends on TLS and on nothing else: what is announced in both states
 * is the same in both (RFC 2449 §6), also to a client that asks again after its login.
 */
import { offeredOn } from '../../../sasl/registry.ts'
import { ok, replies, TERMINATOR } from '../../reply.ts'
import type { Input, Step, Turn } from '../turn.ts'

export function* capa(turn: Turn, argument: string): Generator<Step, boolean, Input> {
  if (argument !== '') return turn.refuse(replies.noArguments)
  turn.send(`${ok('capabilities follow')}${capabilities(turn).join('\r\n')}\r\n${TERMINATOR}`)
  return true
}

function capabilities(turn: Turn): string[] {
  const mechanisms = mechanismsOffered(turn)
  return [
    'TOP', // RFC 2449 §6.1
    'UIDL', // §6.8
    ...(passwordsTaken(turn) ? ['USER'] : []), // §6.2
    ...(mechanisms.length > 0 ? [`SASL ${mechanisms.join(' ')}`] : []), // RFC 5034 §3
    ...(turn.settings.startTls && turn.peer.tls === undefined ? ['STLS'] : []), // RFC 2595 §4
    'RESP-CODES', // §6.4
    'AUTH-RESP-CODE', // RFC 3206 §5
    'PIPELINING', // §6.6
    'EXPIRE NEVER', // §6.7
    'UTF8 USER', // RFC 6856 §2.1, and names and passwords in it (§2.2)
    'LANG', // RFC 6856 §3
    `IMPLEMENTATION ${turn.settings.implementation}`, // §6.9
  ]
}

/** Whether a password may cross this connection (RFC 8314 §4). */
export function passwordsTaken(turn: Turn): boolean {
  return turn.peer.tls !== undefined || turn.settings.plaintextAuth
}

/** The mechanisms that may be used now. */
export function mechanismsOffered({ settings, peer }: Turn): readonly string[] {
  const channel = { tls: peer.tls, clear: settings.plaintextAuth }
  return offeredOn(settings.mechanisms, channel).map(({ name }) => name)
}
