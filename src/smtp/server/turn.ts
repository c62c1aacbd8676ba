/**
 * A turn: one command from its line to its last reply, as a generator. It yields what it waits for
 * and is resumed with that. Where policy answers at once nothing is yielded. The
 * functions here are all that a verb may wait for; session.ts is what resumes it.
 */
import type { Verdict } from '../../mail/verdict.ts'
import type { LoginAnswer, LoginQuestion } from '../../sasl/mechanism.ts'
import type { Conversation } from './conversation.ts'
import type { Answer, IncludeAnswer, Node, Question, StartAnswer } from './question.ts'

/** 'answer': of policy. 'line': of the AUTH exchange. 'content', 'chunk': of the message. 'tls': is on. */
export type Wait = 'answer' | 'line' | 'content' | 'chunk' | 'tls'

export type Resumed = Answer | ResponseLine | undefined

/** A line of an AUTH exchange. */
export type ResponseLine = { readonly kind: 'response'; readonly text: string } | 'overlong'

export type Turn = Generator<Wait, void, Resumed>
export type Waiting<T> = Generator<Wait, T, Resumed>

/** Asks for a verdict. */
export function* ask(conversation: Conversation, question: Question): Waiting<Verdict> {
  return (conversation.sink.ask(question) ?? (yield 'answer')) as Verdict
}

/** Asks for a verdict on each of several: RCPTs, or the accept of LMTP. */
export function* askEach(
  conversation: Conversation,
  question: Question,
): Waiting<readonly Verdict[]> {
  return (conversation.sink.ask(question) ?? (yield 'answer')) as readonly Verdict[]
}

/** Asks what a SASL mechanism wants to know. */
export function* askLogin(
  conversation: Conversation,
  question: LoginQuestion,
): Waiting<LoginAnswer> {
  const asked: Question = { kind: 'login', peer: conversation.peer, question }
  return (conversation.sink.ask(asked) ?? (yield 'answer')) as LoginAnswer
}

/** Asks to start what waits for a node (RFC 1985). */
export function* askStart(conversation: Conversation, node: Node): Waiting<StartAnswer> {
  const asked: Question = { kind: 'start', peer: conversation.peer, node }
  return (conversation.sink.ask(asked) ?? (yield 'answer')) as StartAnswer
}

/** Asks to take in what a URL names (RFC 4468). */
export function* askInclude(
  conversation: Conversation,
  question: Extract<Question, { kind: 'include' }>,
): Waiting<IncludeAnswer> {
  return (conversation.sink.ask(question) ?? (yield 'answer')) as IncludeAnswer
}

/** Asks whether the roles may change (RFC 2645). */
export function* askExchange(
  conversation: Conversation,
  verb: 'ATRN' | 'TURN',
  domains: readonly string[],
): Waiting<Verdict> {
  return yield* ask(conversation, { kind: 'exchange', peer: conversation.peer, verb, domains })
}

/** Waits for the client's next line in an AUTH exchange. */
export function* response(): Waiting<ResponseLine> {
  return (yield 'line') as ResponseLine
}
