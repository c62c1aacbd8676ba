/**
 * AUTH (RFC 4954), the client's side: base64 and framing around a mechanism of sasl/. Called by
 * opening.ts where we have a login. Nothing said here enters the dialogue but the mechanism's name.
 */
import { type Round, type Rounds, roundOf } from '../../sasl/client-round.ts'
import { unanswered } from '../../sasl/exchange.ts'
import type { ClientMechanism } from '../../sasl/mechanism.ts'
import { strongest } from '../../sasl/registry.ts'
import { decodeBase64, encodeBase64 } from '../../wire/base64.ts'
import type { Trouble } from './question.ts'
import { classOf, offers, refused, type Script, type Talk } from './talk.ts'

/** RFC 5321 §4.5.3.1.4: a command line, which a long initial response would burst (RFC 4954 §4). */
const COMMAND_MAX_OCTETS = 510
/** Rounds of challenge and response; the longest mechanism needs three. */
const ROUNDS_MAX = 10

const none = new Uint8Array(0)

/** Logs in by the strongest mechanism that both sides know. */
export function* authenticate(talk: Talk): Script<Trouble | undefined> {
  const { login: credentials, plaintextLogin, chance } = talk.settings
  if (credentials === undefined) return undefined
  if (!offers(talk, 'AUTH')) return trouble('5.7.0', 'a login is wanted and AUTH was not offered')
  const offered = (talk.extensions.get('AUTH') ?? '').toUpperCase().split(/\s+/)
  const mechanism = strongest(offered, { tls: talk.tls, clear: plaintextLogin }, credentials)
  if (mechanism === undefined) {
    // A password in clear text is never the answer to a server (or a thief) that hides STARTTLS.
    const any = strongest(offered, { tls: talk.tls, clear: true }, credentials)
    return any === undefined
      ? trouble('5.7.4', `no mechanism of ours is offered (${offered.join(' ').slice(0, 200)})`)
      : trouble('5.7.11', `${any.name} sends the password itself and there is no TLS`)
  }
  const { host: hostname = '', protocol: service } = talk.settings
  const context = { chance, tls: talk.tls, offered, hostname, service }
  return yield* exchange(talk, mechanism, mechanism.start(credentials, context))
}

/**
 *     C: AUTH mechanism [initial-response]
 *     S: 334 challenge      (as often as the mechanism needs)
 *     C: response
 *     S: 235
 */
function* exchange(
  talk: Talk,
  mechanism: ClientMechanism,
  rounds: Rounds,
): Script<Trouble | undefined> {
  const first = yield* advance(talk, rounds, none)
  if (first.kind === 'over')
    return trouble('5.7.8', first.why ?? `${mechanism.name} cannot express this login`)
  /** A response that waits for the server's (empty) challenge. */
  let waiting: Uint8Array | undefined = mechanism.serverFirst ? undefined : first.octets
  let command = `AUTH ${mechanism.name}`
  // §4: an empty initial response is written "="; one that bursts the line waits.
  const initial = encodeBase64(first.octets) || '='
  if (mechanism.initial && command.length + 1 + initial.length <= COMMAND_MAX_OCTETS) {
    command += ` ${initial}`
    waiting = undefined
  }
  /** What the mechanism says of the server; undefined while it has not ended. */
  let proven: boolean | undefined
  let why: string | undefined
  talk.say(`${command}\r\n`, `AUTH ${mechanism.name} (secret)\r\n`)
  for (let count = 0; count < ROUNDS_MAX; count++) {
    const reply = yield 'auth'
    if (classOf(reply) !== 2 && reply.code !== 334) {
      // Where we gave up ourselves, our reason is better than the hop's answer to that.
      return why === undefined
        ? refused('auth', 'the login was refused', reply, '7.8')
        : trouble('5.7.8', why)
    }
    const challenge = reply.code === 334 ? decodeBase64(reply.lines[0]?.trim() ?? '') : none
    let response = waiting
    waiting = undefined
    if (response === undefined && proven === undefined && challenge !== undefined) {
      const round = yield* advance(talk, rounds, challenge)
      if (round.kind === 'over') {
        ;({ proven, why } = round)
        // Behind the server's own proof the client says nothing more, in an empty line.
        response = proven ? none : undefined
      } else response = round.octets
    }
    if (reply.code !== 334) {
      // A server that must prove itself and did not is an impostor.
      if (!proven)
        return trouble('5.7.8', why ?? `${mechanism.name}: the server did not prove itself`)
      talk.login = mechanism.name
      return undefined
    }
    // §4: "*" gives up, and the server then answers 501.
    talk.say(response === undefined ? '*\r\n' : `${encodeBase64(response)}\r\n`, '(secret)\r\n')
  }
  return trouble('5.5.0', `${mechanism.name}: the server asks without end`)
}

/** The mechanism's next response; what it wants done on the way is asked for. */
function* advance(talk: Talk, rounds: Rounds, challenge: Uint8Array): Script<Round> {
  let round = roundOf(rounds.next(challenge))
  while (round.kind === 'asked') {
    const answer = talk.askAside(round.step)
    if (answer === undefined) yield 'aside'
    round = roundOf(rounds.next(answer ?? talk.aside ?? unanswered))
  }
  return round
}

function trouble(status: string, reason: string): Trouble {
  return { kind: 'failed', phase: 'auth', status, reason }
}
