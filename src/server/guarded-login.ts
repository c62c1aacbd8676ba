/**
 * Logins with a limit on failures, counted. Of a mechanism that computes with what is kept a wrong answer is
 * not told here (the mechanism itself sees it), so that each try counts as a failure until it has proven itself.
 */
import type { AccountRoom } from '../account/open.ts'
import type { Scope } from '../account/verifier.ts'
import type { Failures } from '../limit/failures.ts'
import type { Metrics } from '../record/metrics.ts'
import type { LoginAnswer, LoginQuestion } from '../sasl/mechanism.ts'
import type { Endpoint } from '../wire/effect.ts'

/** Answers what a mechanism asks on a connection from `remote`, for what `scope` says. */
export type GuardedLogin = (
  question: LoginQuestion,
  remote: Endpoint,
  scope: Scope,
) => LoginAnswer | Promise<LoginAnswer>

/** `secretOf`: the secret that a customer shares with us (`onDemand` in the config, RFC 2645 §5.1.2). */
export function guardedLogin(
  accounts: AccountRoom,
  failures: Failures,
  counters: Metrics,
  secretOf: (username: string) => string | undefined,
): GuardedLogin {
  const answerTo = (question: LoginQuestion, scope: Scope) => {
    const shared = question.kind === 'secret' && question.scheme === 'password'
    const secret = shared ? secretOf(question.username) : undefined
    if (secret === undefined) return accounts.login.answer(question, scope)
    const secrets = [{ octets: Buffer.from(secret), genuine: true }]
    return { kind: 'secret', secrets } as const
  }
  const told = (kind: LoginQuestion['kind'], answer: LoginAnswer, remote: Endpoint) => {
    const open = answer.kind === 'verifier' || answer.kind === 'secret'
    if (kind === 'proven' && answer.kind === 'account') failures.forgive(remote.address)
    if (kind !== 'proven' && (answer.kind === 'denied' || open)) failures.add(remote.address)
    if (answer.kind === 'account') counters.login('accepted')
    else if (answer.kind === 'denied' || answer.kind === 'unavailable') counters.login(answer.kind)
    return answer
  }
  return (question, remote, scope) => {
    // What a try has proven is heard to its end: it was counted when it began.
    if (question.kind !== 'proven' && failures.blocked(remote.address)) {
      return { kind: 'unavailable', why: 'too many failed logins; try again later' }
    }
    const answer = answerTo(question, scope)
    return answer instanceof Promise
      ? answer.then(a => told(question.kind, a, remote))
      : told(question.kind, answer, remote)
  }
}
