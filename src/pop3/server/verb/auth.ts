/**
 * AUTH (RFC 5034): a SASL exchange, with the initial response of §4, `*` to cancel, and the bare
 * `AUTH` that lists mechanisms, which old clients send in place of CAPA.
 */
import { giveUp } from '../../../sasl/exchange.ts'
import type { SaslInput, SaslResult } from '../../../sasl/mechanism.ts'
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

const none = new Uint8Array(0)

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
  let step = steps.next()
  while (step.done !== true) {
    let input: SaslInput
    if (step.value.kind === 'ask') {
      const question = step.value.question
      input = yield* ask<'login'>({ kind: 'login', peer: turn.peer, question })
    } else {
      const { octets: said, words } = step.value
      const octets = yield* challenge(turn, words ? none : said)
      if (typeof octets === 'string') {
        giveUp(steps)
        return octets
      }
      input = octets
    }
    step = steps.next(input)
  }
  const result = step.value
  if (result.kind === 'failed' || result.final === undefined) return result
  // +OK carries no data: what goes with the success is one more challenge, and its answer is empty
  // (RFC 4422 §3.6, RFC 5034 §4).
  const last = yield* challenge(turn, result.final)
  if (typeof last === 'string') return last
  return last.length === 0 ? result : 'malformed'
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
  if (text === '=') return new Uint8Array(0)
  return text === '' ? undefined : decodeBase64(text)
}
