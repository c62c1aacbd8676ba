/**
 * APOP's digest (RFC 1939 §7), as an exchange without a challenge: POP3's greeting was one. It is no SASL
 * mechanism, and asks what one would.
 */
import { createHash } from 'node:crypto'
import { ask, conclude, type Exchange, failed, rightOf, WRONG } from './exchange.ts'
import type { SaslResult } from './mechanism.ts'
import { prepare } from './prepare.ts'

/** `digest` is 32 hexadecimal digits in lower case. */
export function* apop(timestamp: string, name: string, digest: string): Exchange<SaslResult> {
  const username = prepare(name)
  if (username === undefined) return failed('denied', WRONG)
  const question = { mechanism: 'APOP', username } as const
  const known = yield* ask({ kind: 'secret', ...question, scheme: 'password' })
  if (known.kind !== 'secret') return conclude(known)
  const expected = (secret: Uint8Array) =>
    createHash('md5').update(timestamp, 'latin1').update(secret).digest()
  const right = rightOf(known.secrets, expected, Buffer.from(digest, 'hex'))
  if (right === undefined) return failed('denied', WRONG)
  return conclude(yield* ask({ kind: 'proven', ...question, authorize: '', ...right }))
}
