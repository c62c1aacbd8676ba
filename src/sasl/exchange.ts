/**
 * The few steps that every server mechanism is written with: challenge the client, ask policy, and
 * end. A mechanism reads top to bottom with them, as its RFC does. Nothing here throws on octets.
 */
import { timingSafeEqual } from 'node:crypto'
import type { AsideAnswer } from '../world/aside.ts'
import type {
  ClientStep,
  LoginAnswer,
  LoginQuestion,
  SaslInput,
  SaslResult,
  SaslStep,
  Secret,
} from './mechanism.ts'

export type Failure = Extract<SaslResult, { kind: 'failed' }>
export type Exchange<T> = Generator<SaslStep, T, SaslInput>

export type ClientExchange<T> = Generator<ClientStep, T, Uint8Array | AsideAnswer>

/** In place of an answer that nobody gave. */
export const unanswered = { kind: 'unavailable', why: 'no answer was given' } as const

export const noOctets = new Uint8Array(0)

/** One reason for a wrong name, a wrong password and a disabled account: nobody learns which. */
export const WRONG = 'wrong user name or password'

/**
 * Sends a challenge and gives the client's response. 'words' are told as they are where the protocol has
 * room for them, and not at all where it has none.
 */
export function* challenge(octets: Uint8Array, form?: 'words'): Exchange<Uint8Array> {
  const input = yield { kind: 'challenge', octets, ...(form === 'words' && { words: true }) }
  // Only a protocol room with a bug resumes a challenge with an answer; no octets will match nothing.
  return input instanceof Uint8Array ? input : noOctets
}

/** The client's side: responds, and gives the server's next challenge. */
export function* respond(octets: Uint8Array): ClientExchange<Uint8Array> {
  const input = yield octets
  // Only a protocol room with a bug resumes a response with an answer.
  return input instanceof Uint8Array ? input : noOctets
}

/** Asks policy and gives its answer. */
export function* ask(question: LoginQuestion): Exchange<LoginAnswer> {
  const input = yield { kind: 'ask', question }
  return input instanceof Uint8Array ? unanswered : input
}

/** Tells a mechanism that nobody goes on with it, so that it gives back what it holds. */
export function giveUp(steps: Exchange<SaslResult>): void {
  steps.return(failed('denied', 'given up'))
}

/** The end of an exchange, from policy's last word on the identity. */
export function conclude(answer: LoginAnswer, final?: Uint8Array): SaslResult {
  switch (answer.kind) {
    case 'account':
      return final === undefined
        ? { kind: 'done', account: answer.account }
        : { kind: 'done', account: answer.account, final }
    case 'denied':
      return { ...failed('denied', answer.why), ...(answer.proven && { proven: true }) }
    case 'unavailable':
      return { ...failed('unavailable', answer.why), ...(answer.limit && { limit: true }) }
    case 'verifier':
    case 'secret':
    case 'gss':
      return failed('unavailable', 'a verifier was given where an account was asked for')
  }
}

export function failed(reason: Failure['reason'], why: string): Failure {
  return { kind: 'failed', reason, why }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The octets as UTF-8 (RFC 3629); undefined where they are not, or where a NUL is among them. */
export function decodeText(octets: Uint8Array): string | undefined {
  if (octets.includes(0)) return undefined
  try {
    return utf8.decode(octets)
  } catch {
    return undefined
  }
}

/** The text as UTF-8 octets. */
export function encodeText(text: string): Uint8Array {
  return Buffer.from(text, 'utf8')
}

/** Compares in a time that does not depend on the octets. */
export function sameOctets(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b)
}

/**
 * Which of the kept secrets a client's response was made with, as a part of the question that follows;
 * undefined for none. All are tried, a made-up one too, so that time tells nothing.
 */
export function rightOf(
  secrets: readonly Secret[],
  expected: (secret: Uint8Array) => Uint8Array,
  response: Uint8Array,
): { readonly credential?: string } | undefined {
  const [right] = secrets.filter(
    each => sameOctets(expected(each.octets), response) && each.genuine,
  )
  if (right === undefined) return undefined
  return right.credential === undefined ? {} : { credential: right.credential }
}
