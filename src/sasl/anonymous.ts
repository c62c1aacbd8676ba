/**
 * ANONYMOUS (RFC 4505), both sides: a nobody, who may leave a word to be traced by. Off unless the
 * operator names the account that nobodies get.
 *
 *   message = [ email / token ], at most 255 characters
 */
import { ask, challenge, conclude, decodeText, encodeText, failed, noOctets } from './exchange.ts'
import type { ClientMechanism, ServerMechanism } from './mechanism.ts'
import { prepare } from './prepare.ts'

const TRACE_MAX = 255

export const anonymousServer: ServerMechanism = {
  name: 'ANONYMOUS',
  plaintext: false,
  *start(initial) {
    const trace = decodeText(initial ?? (yield* challenge(noOctets)))
    if (trace === undefined || Array.from(trace).length > TRACE_MAX)
      return failed('malformed', 'not a trace of at most 255 characters')
    return conclude(
      yield* ask({ kind: 'anonymous', mechanism: 'ANONYMOUS', username: prepare(trace) ?? '' }),
    )
  },
}

export const anonymousClient: ClientMechanism = {
  name: 'ANONYMOUS',
  plaintext: false,
  initial: true,
  by: 'password',
  *start({ username }) {
    if (username.includes('\0') || Array.from(username).length > TRACE_MAX) return false
    yield encodeText(username)
    return true
  },
}
