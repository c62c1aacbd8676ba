/**
 * XOAUTH2, both sides: what Google and Microsoft spoke before RFC 7628 and still do. The token's owner must be
 * whom the client names; errors are told as in OAUTHBEARER, and answered by an empty response.
 *
 *   "user=" name ^A "auth=Bearer " token ^A ^A
 */
import { ask, challenge, decodeText, encodeText, failed, noOctets, respond } from './exchange.ts'
import type { ClientMechanism, ServerMechanism } from './mechanism.ts'
import { concludeToken } from './oauthbearer.ts'

const MESSAGE = /^user=([^\x01]+)\x01auth=bearer +([A-Za-z0-9\-._~+/]+=*)\x01\x01$/i

export const xoauth2Server: ServerMechanism = {
  name: 'XOAUTH2',
  plaintext: true,
  *start(initial) {
    const text = decodeText(initial ?? (yield* challenge(noOctets))) ?? ''
    const [, authorize, token] = MESSAGE.exec(text) ?? []
    if (authorize === undefined || token === undefined)
      return failed('malformed', 'not a message of XOAUTH2')
    const asked = { username: authorize, authorize, token }
    const question = { kind: 'token', mechanism: 'XOAUTH2', ...asked } as const
    return yield* concludeToken(yield* ask(question), ({ status, scope = '' }) => ({
      status: status === 'insufficient_scope' ? '403' : '401',
      schemes: 'bearer',
      scope,
    }))
  },
}

export const xoauth2Client: ClientMechanism = {
  name: 'XOAUTH2',
  plaintext: true,
  initial: true,
  by: 'token',
  *start({ username, token = '', authorize = username }) {
    const message = `user=${authorize}\x01auth=Bearer ${token}\x01\x01`
    if (!MESSAGE.test(message)) return false
    const error = yield* respond(encodeText(message))
    if (error.length === 0) return true
    yield noOctets
    return false
  },
}
