/**
 * Logins with a limit on failures, counted. Of a mechanism that computes with what is kept a wrong answer is
 * not told here (the mechanism itself sees it): the visit takes what has not proven itself for a failure.
 */
import { createHash } from 'node:crypto'
import type { Login } from '../account/login.ts'
import type { Scope } from '../account/verifier.ts'
import { Precedence } from '../limit/precedence.ts'
import type { Visitor } from '../limit/visit.ts'
import type { Metrics } from '../record/metrics.ts'
import type { LoginAnswer, LoginQuestion } from '../sasl/mechanism.ts'
import type { Clock } from '../world/clock.ts'

/** Answers what a mechanism asks on the connection of a visitor, for what `scope` says. */
export type GuardedLogin = (
  question: LoginQuestion,
  visitor: Visitor,
  scope: Scope | 'odmr',
) => LoginAnswer | Promise<LoginAnswer>

/**
 * `secretOf`: the secret that a customer shares with us (`onDemand` in the config, RFC 2645 §5.1.2). It is good
 * for on-demand relay alone: whoever knows it may neither read nor send as that account.
 */
export function guardedLogin(
  accounts: { readonly login: Pick<Login, 'answer'> },
  counters: Pick<Metrics, 'login'>,
  secretOf: (username: string) => string | undefined,
  clock: Clock,
): GuardedLogin {
  const precedence = new Precedence(clock)
  const answerTo = (question: LoginQuestion, visitor: Visitor, wanted: Scope | 'odmr') => {
    const shared = wanted === 'odmr' && question.kind === 'secret' && question.scheme === 'password'
    const secret = shared ? secretOf(question.username) : undefined
    const scope = wanted === 'odmr' ? 'smtp' : wanted
    if (secret === undefined) {
      if (question.kind !== 'password' && question.kind !== 'token')
        return accounts.login.answer(question, scope)
      return inLine(question, visitor, scope)
    }
    const secrets = [{ octets: Buffer.from(secret), genuine: true }]
    return { kind: 'secret', secrets } as const
  }
  const inLine = (
    question: LoginQuestion & { readonly kind: 'password' | 'token' },
    { holder, tries }: Visitor,
    scope: Scope,
  ) => {
    const place = precedence.begin(holder, question.username, tries)
    const over = () => precedence.settled(holder, question.username)
    const answer = accounts.login.answer(question, scope, place)
    if (answer instanceof Promise) return answer.finally(over)
    over()
    return answer
  }
  const told = (question: LoginQuestion, answer: LoginAnswer, visitor: Visitor) => {
    const guess = answer.kind === 'denied' ? guessOf(question) : undefined
    if ('username' in question) {
      const { username } = question
      if (answer.kind === 'account') precedence.succeeded(visitor.holder, username)
      else if (answer.kind === 'denied') precedence.failed(visitor.holder, username)
    }
    const final = visitor.answered(question.kind, answer, guess)
    if (final.kind === 'account') counters.login('accepted')
    else if (final.kind === 'denied' || final.kind === 'unavailable') counters.login(final.kind)
    return final.kind === 'unavailable' ? comeLater(final, visitor) : final
  }
  /** Who goes on asking is answered at the pace of the crowd; somebody's first try may come again at once. */
  const comeLater = (answer: LoginAnswer, visitor: Visitor) => {
    const goesOn = visitor.tries > 0 || precedence.suspects(visitor.holder)
    precedence.later(visitor.holder)
    const waitMs = visitor.later()
    if (!goesOn || waitMs === 0) return answer
    return new Promise<LoginAnswer>(resolve => clock.after(waitMs, () => resolve(answer)))
  }
  return (question, visitor, scope) => {
    // What a try has proven is heard to its end.
    if (question.kind !== 'proven' && !visitor.mayLogIn()) {
      const why = 'too many failed logins; try again later'
      return comeLater({ kind: 'unavailable', why }, visitor)
    }
    const answer = answerTo(question, visitor, scope)
    return answer instanceof Promise
      ? answer.then(later => told(question, later, visitor))
      : told(question, answer, visitor)
  }
}

/** A guess as a number that tells nothing: whether two are the same is all that it is for. */
function guessOf(question: LoginQuestion): number | undefined {
  if (question.kind !== 'password') return undefined
  const { username, password } = question
  const text = `${username.length}:${username}${password}`
  return createHash('sha256').update(text, 'utf8').digest().readUInt32BE(0)
}
