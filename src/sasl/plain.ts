/**
 * PLAIN (RFC 4616), both sides: the password itself in one message, so under TLS only.
 *
 *   message = [authzid] UTF8NUL authcid UTF8NUL passwd
 */
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

export const plainServer: ServerMechanism = {
  name: 'PLAIN',
  plaintext: true,
  *start(initial) {
    const message = parsePlain(initial ?? (yield* challenge(noOctets)))
    if (message === undefined) return failed('malformed', 'not a PLAIN message')

    // A name or password that cannot be prepared, or is empty then, fails as a wrong one does (§2).
    const username = prepare(message.authcid)
    const password = prepare(message.passwd)
    const authorize = message.authzid === '' ? '' : prepare(message.authzid)
    if (username === undefined || password === undefined || authorize === undefined)
      return failed('denied', WRONG)

    return conclude(
      yield* ask({ kind: 'password', mechanism: 'PLAIN', username, authorize, password }),
    )
  },
}

export const plainClient: ClientMechanism = {
  name: 'PLAIN',
  plaintext: true,
  initial: true,
  by: 'password',
  *start({ username, password = '', authorize = '' }) {
    // A NUL in any part would move the borders between them.
    if (`${authorize}${username}${password}`.includes('\0')) return false
    yield encodeText(`${authorize}\0${username}\0${password}`)
    return true
  },
}

interface PlainMessage {
  readonly authzid: string
  readonly authcid: string
  readonly passwd: string
}

/** Exactly two NULs and UTF-8 between them (§2); undefined for anything else. */
function parsePlain(octets: Uint8Array): PlainMessage | undefined {
  const first = octets.indexOf(0)
  const second = first < 0 ? -1 : octets.indexOf(0, first + 1)
  if (second < 0) return undefined
  const authzid = decodeText(octets.subarray(0, first))
  const authcid = decodeText(octets.subarray(first + 1, second))
  const passwd = decodeText(octets.subarray(second + 1))
  if (authzid === undefined || authcid === undefined || passwd === undefined) return undefined
  return { authzid, authcid, passwd }
}
