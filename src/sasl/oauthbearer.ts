/**
 * OAUTHBEARER (RFC 7628), both sides: an access token in place of a password (RFC 6750), under TLS only. Why a
 * token was not taken is told as JSON in a challenge, which the client answers with one octet before the
 * exchange fails.
 *
 *   client-resp = gs2-header kvsep *( key "=" value kvsep ) kvsep
 */
import {
  ask,
  challenge,
  conclude,
  decodeText,
  type Exchange,
  encodeText,
  failed,
  noOctets,
  respond,
} from './exchange.ts'
import type {
  ClientMechanism,
  LoginAnswer,
  SaslResult,
  ServerMechanism,
  TokenError,
} from './mechanism.ts'
import { formatName, parseName } from './scram-message.ts'

/** kvsep. */
const SEP = '\x01'
/** b64token (RFC 6750 §2.1); the scheme's name in any case. */
const BEARER = /^bearer +([A-Za-z0-9\-._~+/]+=*)$/i

export const oauthBearerServer: ServerMechanism = {
  name: 'OAUTHBEARER',
  plaintext: true,
  *start(initial) {
    const text = decodeText(initial ?? (yield* challenge(noOctets)))
    const message = text === undefined ? undefined : parseMessage(text)
    if (message === undefined) return failed('malformed', 'not a client response of RFC 7628')
    const { authorize, token } = message
    const asked = { username: authorize, authorize, token }
    const question = { kind: 'token', mechanism: 'OAUTHBEARER', ...asked } as const
    return yield* concludeToken(yield* ask(question), ({ status, scope, configuration }) => ({
      status,
      ...(scope !== undefined && { scope }),
      ...(configuration !== undefined && { 'openid-configuration': configuration }),
    }))
  },
}

/** §3.2.3: what is wrong is told in a challenge; whatever the client says to that, it is over. */
export function* concludeToken(
  answer: LoginAnswer,
  told: (error: TokenError) => object,
): Exchange<SaslResult> {
  if (answer.kind === 'denied')
    yield* challenge(encodeText(JSON.stringify(told(answer.token ?? { status: 'invalid_token' }))))
  return conclude(answer)
}

interface Message {
  readonly authorize: string
  readonly token: string
}

/** An empty `auth` asks where tokens are to be had (§4.3): its token is ''. */
function parseMessage(text: string): Message | undefined {
  const match = /^(?:n|y),(a=[^,\x01]+)?,\x01((?:[A-Za-z]+=[^\x01]*\x01)*)\x01$/.exec(text)
  if (match === null) return undefined
  const [, named, pairs = ''] = match
  const authorize = named === undefined ? '' : parseName('a=', named)
  const values = pairs.split(SEP).filter(pair => pair.startsWith('auth='))
  const [auth] = values
  if (authorize === undefined || auth === undefined || values.length > 1) return undefined
  if (auth === 'auth=') return { authorize, token: '' }
  const token = BEARER.exec(auth.slice('auth='.length))?.[1]
  return token === undefined ? undefined : { authorize, token }
}

export const oauthBearerClient: ClientMechanism = {
  name: 'OAUTHBEARER',
  plaintext: true,
  initial: true,
  by: 'token',
  *start({ username, token = '', authorize = username }, { hostname, port }) {
    if (!BEARER.test(`Bearer ${token}`) || `${authorize}${hostname}`.includes(SEP)) return false
    const header = authorize === '' ? 'n,,' : `n,a=${formatName(authorize)},`
    const pairs = [
      ...(hostname === '' ? [] : [`host=${hostname}`]),
      ...(port === undefined ? [] : [`port=${port}`]),
      `auth=Bearer ${token}`,
    ]
    const error = yield* respond(encodeText(`${header}${SEP}${pairs.join(SEP)}${SEP}${SEP}`))
    if (error.length === 0) return true
    // §3.2.3: the server's words are answered by one octet, and its refusal follows.
    yield encodeText(SEP)
    return false
  },
}
