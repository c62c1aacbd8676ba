/**
 * From the first octet to "ready for mail": greeting, EHLO, STARTTLS, EHLO again, AUTH. Run by
 * session.ts, once from the start and once more behind the TLS handshake.
 */
import { authenticate } from './auth.ts'
import { greeting } from './greeting.ts'
import { hello } from './hello.ts'
import type { Trouble } from './question.ts'
import { startTls } from './starttls.ts'
import type { Script, Talk } from './talk.ts'

export type Opened = 'ready' | 'secure' | Trouble

/** The opening on a new connection. */
export function* opening(talk: Talk): Script<Opened> {
  const refusal = (yield* greeting(talk)) ?? (yield* hello(talk))
  if (refusal !== undefined) return refusal
  const tls = yield* startTls(talk)
  if (tls !== 'clear') return tls
  return (yield* authenticate(talk)) ?? 'ready'
}

/** RFC 3207 §4.2: after TLS the dialogue begins anew, without a greeting. */
export function* reopening(talk: Talk): Script<Opened> {
  return (yield* hello(talk)) ?? (yield* authenticate(talk)) ?? 'ready'
}
