/**
 * CRAM-MD5 (RFC 2195), both sides: the server's challenge comes back as a keyed digest, so that the password
 * does not cross the wire; but both sides must hold it in the clear. Obsolete for all but on-demand relay,
 * whose clients and servers must know it (RFC 2645 §5.1.2).
 */
import { createHmac } from 'node:crypto'
import {
  ask,
  challenge,
  conclude,
  decodeText,
  encodeText,
  failed,
  noOctets,
  respond,
  rightOf,
  WRONG,
} from './exchange.ts'
import type { ClientMechanism, ServerMechanism } from './mechanism.ts'
import { prepare } from './prepare.ts'

const NONCE_OCTETS = 16

export const cramMd5Server: ServerMechanism = {
  name: 'CRAM-MD5',
  plaintext: false,
  serverFirst: true,
  *start(initial, { chance }) {
    if (initial !== undefined) return failed('malformed', 'CRAM-MD5 begins with the challenge')
    // §2: a challenge has the form of a Message-ID.
    const text = `<${Buffer.from(chance(NONCE_OCTETS)).toString('hex')}@postrider>`
    const response = decodeText(yield* challenge(encodeText(text))) ?? ''
    const parts = /^(.+) ([0-9a-f]{32})$/i.exec(response)
    if (parts === null) return failed('malformed', 'not a name and a digest')
    const username = prepare(parts[1] as string)
    if (username === undefined) return failed('denied', WRONG)
    const digest = Buffer.from(parts[2] as string, 'hex')
    const mechanism = 'CRAM-MD5'
    const known = yield* ask({ kind: 'secret', mechanism, username, scheme: 'password' })
    if (known.kind !== 'secret') return conclude(known)
    const right = rightOf(known.secrets, secret => cramDigest(secret, text), digest)
    if (right === undefined) return failed('denied', WRONG)
    return conclude(yield* ask({ kind: 'proven', mechanism, username, authorize: '', ...right }))
  },
}

export const cramMd5Client: ClientMechanism = {
  name: 'CRAM-MD5',
  plaintext: false,
  initial: false,
  serverFirst: true,
  by: 'password',
  *start({ username, password = '', authorize = '' }) {
    // The response has no room for another identity.
    if (authorize !== '' && authorize !== username) return false
    const text = yield* respond(noOctets)
    const digest = cramDigest(Buffer.from(password), text).toString('hex')
    yield encodeText(`${username} ${digest}`)
    return true
  },
}

/** The digest of a challenge under a shared secret. */
function cramDigest(secret: Uint8Array, text: string | Uint8Array): Buffer {
  return createHmac('md5', secret).update(text).digest()
}
