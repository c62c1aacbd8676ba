/**
 * AUTHENTICATE (RFC 9051 §6.2.2): a SASL exchange, with the initial response of RFC 4959 (SASL-IR) and
 * `*` to cancel.
 */
import { giveUp } from '../../../sasl/exchange.ts'
import type { SaslInput, SaslResult } from '../../../sasl/mechanism.ts'
import { serverMechanism } from '../../../sasl/registry.ts'
import { decodeBase64, encodeBase64 } from '../../../wire/base64.ts'
import type { Cursor } from '../../cursor.ts'
import { mechanismsOffered } from '../capability.ts'
import { ask, bad, line, no, type Result, type Running, type Turn } from '../turn.ts'
import { deniedBy, enter, unavailable } from './login.ts'

type Unfinished = 'cancelled' | 'malformed'

/** `authenticate = "AUTHENTICATE" SP auth-type [SP initial-resp] *(CRLF base64)`. */
export function* authenticate(turn: Turn, cursor: Cursor): Running<Result> {
  cursor.space()
  const wanted = cursor.word()
  const response = cursor.take(' ') ? cursor.atom() : undefined
  cursor.end()
  if (cursor.fault !== undefined) return bad(cursor.fault)
  if (!mechanismsOffered(turn).includes(wanted)) return notOffered(turn, wanted)
  const initial = response === undefined ? undefined : decodeInitial(response)
  if (response !== undefined && initial === undefined) return bad('the response is not base64')
  const result = yield* exchange(turn, wanted, initial)
  if (result === 'cancelled') return bad('authentication cancelled')
  if (result === 'malformed') return bad('malformed authentication exchange')
  if (result.kind === 'done') return enter(turn, result.account)
  switch (result.reason) {
    case 'malformed':
      turn.denied()
      return no('malformed authentication exchange', 'AUTHENTICATIONFAILED')
    case 'denied':
      return deniedBy(turn)
    case 'unavailable':
      return unavailable(result.limit === true)
  }
}

function notOffered({ settings }: Turn, wanted: string): Result {
  const known = settings.mechanisms.includes(wanted)
  return known && serverMechanism(wanted)?.plaintext
    ? no('passwords are taken under TLS only: use STARTTLS', 'PRIVACYREQUIRED')
    : no('no such mechanism', 'CANNOT')
}

const none = new Uint8Array(0)

function* exchange(
  turn: Turn,
  name: string,
  initial: Uint8Array | undefined,
): Running<SaslResult | Unfinished> {
  const mechanism = serverMechanism(name)
  if (mechanism === undefined) return 'malformed'
  const { settings, peer } = turn
  const steps = mechanism.start(initial, {
    chance: settings.chance,
    tls: peer.tls,
    offered: mechanismsOffered(turn),
    hostname: settings.hostname,
    service: 'imap',
  })
  let step = steps.next()
  while (step.done !== true) {
    let input: SaslInput
    if (step.value.kind === 'ask') {
      const { question } = step.value
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
  // OK carries no data: what goes with the success is one more challenge, and its answer is empty
  // (RFC 4422 §3.6).
  const last = yield* challenge(turn, result.final)
  if (typeof last === 'string') return last
  return last.length === 0 ? result : 'malformed'
}

function* challenge(turn: Turn, octets: Uint8Array): Running<Uint8Array | Unfinished> {
  turn.send(`+ ${encodeBase64(octets)}\r\n`)
  const answer = yield* line()
  if (answer.kind === 'overlong') return 'malformed'
  if (answer.text === '*') return 'cancelled'
  return decodeBase64(answer.text) ?? 'malformed'
}

/** initial-resp = base64 / "=": the latter is a response of no octets (RFC 4959 §3). */
function decodeInitial(text: string): Uint8Array | undefined {
  return text === '=' ? new Uint8Array(0) : decodeBase64(text)
}
