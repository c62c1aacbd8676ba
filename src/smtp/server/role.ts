/**
 * Joins a Policy to the pump (wire/effect.ts): questions as data become calls of the policy's
 * methods. Made once for each connection; a policy that throws is answered `451 4.3.0` for.
 */
import { accept, defer, refuse, type Verdict } from '../../mail/verdict.ts'
import type { Noted, Role } from '../../wire/effect.ts'
import type { Answer, Later, Policy, Question } from './question.ts'

/** Who hears what the session does, and says how long what it says is to wait, ms. */
export interface Witness {
  noted(what: Noted): number
}

export function roleOf(policy: Policy, witness?: Witness): Role<Question, Answer> {
  return new PolicyRole(policy, witness)
}

/** One object for each of thousands of connections, where closures would be five. */
class PolicyRole implements Role<Question, Answer> {
  readonly #policy: Policy
  readonly #witness: Witness | undefined

  constructor(policy: Policy, witness: Witness | undefined) {
    this.#policy = policy
    this.#witness = witness
  }

  ask(question: Question): Later<Answer> {
    return put(this.#policy, question)
  }

  failed(question: Question): Answer {
    return failure(question)
  }

  content(octets: Uint8Array, from: number, to: number): Promise<void> | undefined {
    return this.#policy.content(octets, from, to)
  }

  noted(what: Noted): number {
    return this.#witness?.noted(what) ?? 0
  }

  closed(): void {
    this.#policy.closed()
  }
}

function put(policy: Policy, question: Question): Later<Answer> {
  switch (question.kind) {
    case 'connect':
      return policy.connect(question.peer)
    case 'hello':
      return policy.hello(question.peer)
    case 'login':
      return policy.login(question.peer, question.question)
    case 'mail':
      return policy.mail(question.peer, question.sender)
    case 'rcpts':
      return policy.rcpts(question.peer, question.envelope, question.recipients)
    case 'data':
      return policy.data(question.peer, question.envelope)
    case 'accept':
      return acceptance(policy, question)
    case 'include':
      return policy.include?.(question) ?? NOT_HERE
    case 'abandon':
      policy.abandon(question.interrupted)
      return accept()
    case 'verify':
      return policy.verify(question.peer, question.text)
    case 'expand':
      return policy.expand(question.peer, question.text)
    case 'start':
      return policy.start(question.peer, question.node)
    case 'exchange':
      return policy.exchange(question.peer, question.verb, question.domains)
  }
}

function acceptance(
  policy: Policy,
  { peer, envelope, sizeOctets, plain }: Question & { readonly kind: 'accept' },
): Later<readonly Verdict[]> {
  return policy.accept(peer, envelope, sizeOctets, plain)
}

/** RFC 4468 §6, its detail by RFC 5248. */
const NOT_HERE = refuse(554, '7.14', 'No URL is resolved here')

/** A temporary refusal in the form the question wants. */
function failure(question: Question): Answer {
  const verdict = defer(451, '3.0', 'Local error, try again later')
  switch (question.kind) {
    case 'rcpts':
      return question.recipients.map(() => verdict)
    case 'accept':
      return question.envelope.recipients.map(() => verdict)
    case 'login':
      return { kind: 'unavailable', why: 'policy failed' }
    case 'start':
      // RFC 1985 §5.3 has a code of its own for this.
      return defer(458, '3.0', `Unable to queue messages for node ${question.node.text}`)
    default:
      return verdict
  }
}
