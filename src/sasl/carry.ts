/**
 * Carries one exchange of a mechanism (RFC 4422 §3) through a protocol: SMTP's AUTH, POP3's, IMAP's AUTHENTICATE.
 * The order stands here; how a challenge is written, and what `*` is called, is the protocol's own.
 */
import { type Exchange, failed, giveUp } from './exchange.ts'
import type { LoginAnswer, LoginQuestion, SaslResult } from './mechanism.ts'

/** What a protocol lends to an exchange. `Ended` is how it says that the client did not go on. */
export interface Carrier<Step, Input, Ended> {
  /** Asks policy. */
  readonly ask: (question: LoginQuestion) => Generator<Step, LoginAnswer, Input>
  /** Sends a challenge, as `words` where it is none for a program, and waits for the response. */
  readonly challenge: (
    octets: Uint8Array,
    words: boolean,
  ) => Generator<Step, Uint8Array | Ended, Input>
}

/** Runs the exchange to its end; whatever the mechanism holds is given back where the client stops. */
export function* carry<Step, Input, Ended>(
  steps: Exchange<SaslResult>,
  { ask, challenge }: Carrier<Step, Input, Ended>,
): Generator<Step, SaslResult | Ended, Input> {
  let step = steps.next()
  while (!step.done) {
    if (step.value.kind === 'ask') {
      step = steps.next(yield* ask(step.value.question))
      continue
    }
    const response = yield* challenge(step.value.octets, step.value.words === true)
    if (!(response instanceof Uint8Array)) {
      giveUp(steps)
      return response
    }
    step = steps.next(response)
  }
  const result = step.value
  if (result.kind === 'failed' || result.final === undefined) return result
  // None of these protocols has data with success: it goes as one more challenge, and the answer to it
  // is empty (RFC 4422 §3.6, RFC 4954 §4, RFC 5034 §4).
  const last = yield* challenge(result.final, false)
  if (!(last instanceof Uint8Array)) return last
  return last.length === 0 ? result : failed('malformed', 'the last response was not empty')
}
