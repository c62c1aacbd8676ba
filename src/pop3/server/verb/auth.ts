/**
 * AUTH (RFC 5034): a SASL exchange, with the initial response of §4, `*` to cancel, and the bare
 * `AUTH` that lists mechanisms, which old clients send in place of CAPA.
 */
import { carry } from '../../../sasl/carry.ts'
import { noOctets } from '../../../sasl/exchange.ts'
import type { SaslResult } from '../../../sasl/mechanism.ts'
import { serverMechanism } from '../../../sasl/registry.ts'
import { decodeBase64, encodeBase64 } from '../../../wire/base64.ts'
import { ok, replies, TERMINATOR } from '../../reply.ts'
import { enter } from '../enter.ts'
import { ask, type Input, line, type Step, type Turn } from '../turn.ts'
import { mechanismsOffered } from './capa.ts'

/** `AUTH [mechanism [initial-response]]`. */
export function* auth(turn: Turn, argument: string): Generator<Step, boolean, Input> {
  const offered = mechanismsOffered(turn)
  if (argument === '') {
    turn.send(ok('mechanisms') + offered.map(name => `${name}\r\n`).join('') + TERMINATOR)
    return false
  }
  const [name = '', response, ...more] = argument.split(' ')
  if (more.length > 0) return turn.refuse(replies.badAuth)
  const wanted = name.toUpperCase()
  if (!offered.includes(wanted)) {
    const known = turn.settings.mechanisms.includes(wanted)
    const plaintext = known && serverMechanism(wanted)?.plaintext
    return turn.refuse(plaintext ? replies.plaintextRefused : replies.noMechanism)
  }
  const result = yield* exchange(turn, wanted, response)
  if (result === 'cancelled') return turn.refuse(replies.cancelled)
  if (result === 'malformed') return turn.denied(replies.badSasl)
  if (result.kind === 'done') return yield* enter(turn, result.account)
  switch (result.reason) {
    case 'malformed':
      return turn.denied(replies.badSasl)
    case 'denied':
      return turn.denied(replies.denied)
    case 'unavailable':
      return turn.refuse(replies.unavailable)
  }
}

function* exchange(
  turn: Turn,
  name: string,
  response: string | undefined,
): Generator<Step, SaslResult | 'cancelled' | 'malformed', Input> {
  const initial = response === undefined ? undefined : decodeInitial(response)
  if (response !== undefined && initial === undefined) return 'malformed'
  const mechanism = serverMechanism(name)
  if (mechanism === undefined) return 'malformed'
  const { settings, peer } = turn
  const steps = mechanism.start(initial, {
    chance: settings.chance,
    tls: peer.tls,
    offered: mechanismsOffered(turn),
    hostname: settings.hostname,
    service: 'pop',
  })
  return yield* carry(steps, {
    ask: question => ask<'login'>({ kind: 'login', peer, question }),
    challenge: (octets, words) => challenge(turn, words ? noOctets : octets),
  })
}

function* challenge(
  turn: Turn,
  octets: Uint8Array,
): Generator<Step, Uint8Array | 'cancelled' | 'malformed', Input> {
  turn.send(`+ ${encodeBase64(octets)}\r\n`)
  const answer = yield* line()
  if (answer.kind === 'overlong') return 'malformed'
  if (answer.text === '*') return 'cancelled'
  return decodeBase64(answer.text) ?? 'malformed'
}

/** initial-response = base64 / "=": the latter is a response of no octets (RFC 5034 §6). */
function decodeInitial(text: string): Uint8Array | undefined {
  if (text === '=') return noOctets
  return text === '' ? undefined : decodeBase64(text)
}
