/** Joins a Policy to the pump (wire/effect.ts): one for each connection. */
import type { Role } from '../../wire/effect.ts'
import type { Answer, Policy, Question } from './question.ts'

export function roleOf(policy: Policy): Role<Question, Answer> {
  return {
    ask: question =>
      question.kind === 'connect'
        ? policy.connect(question.peer)
        : policy.track(question.peer, question.envelopeId, question.secret),
    failed: question =>
      question.kind === 'connect'
        ? { kind: 'refused', why: 'out of order; try again later' }
        : { kind: 'unavailable', why: 'the ledger cannot be read just now; try again later' },
    closed: () => policy.closed(),
  }
}
