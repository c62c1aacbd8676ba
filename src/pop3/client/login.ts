/**
 * Logging in, the client's side: USER and PASS (RFC 1939 §7), or AUTH (RFC 5034). Nothing that holds
 * a secret is sent in the clear unless the settings say so.
 */
import { type Round, type Rounds, roundOf } from '../../sasl/client-round.ts'
import type { Credentials } from '../../sasl/mechanism.ts'
import { strongest } from '../../sasl/registry.ts'
import { decodeBase64, encodeBase64 } from '../../wire/base64.ts'
import { COMMAND_MAX_OCTETS } from '../command.ts'
import type { Result } from './question.ts'
import { serverReply } from './reply.ts'
import { awaitAside, awaitLine, type Dialogue, type Talk } from './talk.ts'

/** Rounds of challenge and response; the longest mechanism needs three. */
const ROUNDS_MAX = 10
const none = new Uint8Array(0)

export function* login(
  talk: Talk,
  credentials: Credentials,
  mechanisms: readonly string[],
): Dialogue<Result> {
  if (mechanisms.length > 0) return yield* authenticate(talk, credentials, mechanisms)
  const { username, password } = credentials
  if (password === undefined) return { kind: 'refused', text: 'USER and PASS need a password' }
  if (talk.tls === undefined && !talk.settings.plaintextAuth)
    return { kind: 'refused', text: 'no password of ours without TLS' }
  if (/[\r\n\0]/.test(username + password)) {
    return { kind: 'refused', text: 'USER and PASS cannot say this name or password' }
  }
  talk.say(`USER ${username}`)
  const named = serverReply(yield* awaitLine())
  if (named.kind !== 'ok') return named
  talk.say(`PASS ${password}`)
  return serverReply(yield* awaitLine())
}

function* authenticate(
  talk: Talk,
  credentials: Credentials,
  names: readonly string[],
): Dialogue<Result> {
  const { settings, tls } = talk
  const offered = names.map(name => name.toUpperCase())
  const mechanism = strongest(offered, { tls, clear: settings.plaintextAuth }, credentials)
  if (mechanism === undefined) return { kind: 'refused', text: 'no mechanism that both sides know' }
  const { chance, hostname = '' } = settings
  const rounds = mechanism.start(credentials, { chance, tls, offered, hostname, service: 'pop' })
  const first = yield* advance(rounds, none)
  if (first.kind === 'over')
    return { kind: 'refused', text: first.why ?? `${mechanism.name} cannot express this login` }
  let command = `AUTH ${mechanism.name}`
  /** A response that waits for the server's (empty) challenge. */
  let waiting: Uint8Array | undefined = mechanism.serverFirst ? undefined : first.octets
  const initial = encodeBase64(first.octets) || '='
  // RFC 5034 §4: an initial response must fit in a command line.
  if (mechanism.initial && command.length + initial.length + 3 <= COMMAND_MAX_OCTETS) {
    command += ` ${initial}`
    waiting = undefined
  }
  let proven: boolean | undefined
  talk.say(command)
  for (let count = 0; count < ROUNDS_MAX; count++) {
    const line = yield* awaitLine()
    if (line === undefined || !line.startsWith('+ ')) {
      const reply = serverReply(line)
      if (reply.kind !== 'ok') return reply
      if (proven === undefined && waiting === undefined) {
        const last = yield* advance(rounds, none)
        proven = last.kind === 'over' && last.proven
      }
      // A server that must prove itself and did not is an impostor.
      return proven ? reply : { kind: 'broken', why: 'the server did not prove itself' }
    }
    let response = waiting
    waiting = undefined
    const challenge = decodeBase64(line.slice(2))
    if (response === undefined && proven === undefined && challenge !== undefined) {
      const round = yield* advance(rounds, challenge)
      if (round.kind === 'over') {
        ;({ proven } = round)
        response = proven ? none : undefined
      } else response = round.octets
    }
    talk.say(response === undefined ? '*' : encodeBase64(response))
  }
  return { kind: 'broken', why: `${mechanism.name}: the server asks without end` }
}

/** The mechanism's next response; what it wants done on the way is asked for. */
function* advance(rounds: Rounds, challenge: Uint8Array): Dialogue<Round> {
  let round = roundOf(rounds.next(challenge))
  while (round.kind === 'asked') round = roundOf(rounds.next(yield* awaitAside(round.step)))
  return round
}
