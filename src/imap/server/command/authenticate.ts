/**
 * AUTHENTICATE (RFC 9051 §6.2.2): a SASL exchange, with the initial response of RFC 4959 (SASL-IR) and
 * `*` to cancel.
 */
import { carry } from '../../../sasl/carry.ts'
import { noOctets } from '../../../sasl/exchange.ts'
import type { SaslResult } from '../../../sasl/mechanism.ts'
import { serverMechanism } from '../../../sasl/registry.ts'
import { decodeBase64, encodeBase64 } from '../../../wire/base64.ts'
import type { Cursor } from '../../cursor.ts'
import { mechanismsOffered } from '../capability.ts'
import { ask, bad, line, no, type Result, type Running, readAway, type Turn } from '../turn.ts'
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
      return deniedBy(turn, result.proven)
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
  return yield* carry(steps, {
    ask: question => ask<'login'>({ kind: 'login', peer, question }),
    challenge: (octets, words) => challenge(turn, words ? noOctets : octets),
  })
}

function* challenge(turn: Turn, octets: Uint8Array): Running<Uint8Array | Unfinished> {
  turn.send(`+ ${encodeBase64(octets)}\r\n`)
  const answer = yield* line()
  if (answer.kind === 'overlong' || answer.literal !== undefined) {
    yield* readAway(turn, answer.literal)
    return 'malformed'
  }
  if (answer.text === '*') return 'cancelled'
  return decodeBase64(answer.text) ?? 'malformed'
}

/** initial-resp = base64 / "=": the latter is a response of no octets (RFC 4959 §3). */
function decodeInitial(text: string): Uint8Array | undefined {
  return text === '=' ? noOctets : decodeBase64(text)
}
