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
  WRONG,
} from './exchange.ts'
import type { ClientMechanism, ServerMechanism } from './mechanism.ts'
import { prepare } from './prepare.ts'

const NONCE_OCTETS = 16

export const cramMd5Server: ServerMechanism = {
  name: 'CRAM-MD5',
  plaintext: false,
  *start(initial, chance) {
    if (initial !== undefined) return failed('malformed', 'CRAM-MD5 begins with the challenge')
    // §2: a challenge has the form of a Message-ID.
    const text = `<${Buffer.from(chance(NONCE_OCTETS)).toString('hex')}@postrider>`
    const response = decodeText(yield* challenge(encodeText(text))) ?? ''
    const parts = /^(.+) ([0-9a-f]{32})$/i.exec(response)
    if (parts === null) return failed('malformed', 'not a name and a digest')
    const username = prepare(parts[1] as string)
    if (username === undefined) return failed('denied', WRONG)
    const digest = (parts[2] as string).toLowerCase()
    return conclude(
      yield* ask({ kind: 'cram', mechanism: 'CRAM-MD5', username, challenge: text, digest }),
    )
  },
}

export const cramMd5Client: ClientMechanism = {
  name: 'CRAM-MD5',
  plaintext: false,
  initial: false,
  serverFirst: true,
  *start({ username, password, authorize = '' }) {
    // The response has no room for another identity.
    if (authorize !== '' && authorize !== username) return false
    const text = yield noOctets
    yield encodeText(`${username} ${cramDigest(password, text)}`)
    return true
  },
}

/** The digest of a challenge under a shared secret, in hexadecimal. */
export function cramDigest(secret: string, text: string | Uint8Array): string {
  return createHmac('md5', secret).update(text).digest('hex')
}
