/**
 * DIGEST-MD5 (RFC 2831), both sides, for authentication alone (qop `auth`). Obsolete (RFC 6331) and off by
 * default; both sides must keep what is as good as the password. Every nonce is for one exchange: a response
 * that was recorded, or one to an older challenge, is answered by a new challenge (`stale`) or refused.
 */
import { digestResponse, digestSecret } from './digest-md5-keys.ts'
import { type Directives, parseDirectives, quote, single } from './digest-md5-message.ts'
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
  sameOctets,
  WRONG,
} from './exchange.ts'
import type { ClientMechanism, ServerContext, ServerMechanism } from './mechanism.ts'
import { prepare } from './prepare.ts'

const NONCE_OCTETS = 18
/** The only count of a nonce that is for one exchange (§2.1.2 nonce-count). */
const FIRST = '00000001'

export const digestMd5Server: ServerMechanism = {
  name: 'DIGEST-MD5',
  plaintext: false,
  *start(initial, context) {
    const realm = context.hostname
    const nonce = Buffer.from(context.chance(NONCE_OCTETS)).toString('base64')
    // §2.2: who begins with a response has a nonce of before, and we remember none.
    const stale = initial !== undefined && initial.length > 0 ? ',stale=true' : ''
    const offer = `realm=${quote(realm)},nonce=${quote(nonce)},qop="auth"${stale},charset=utf-8,algorithm=md5-sess`
    const response = readResponse(yield* challenge(encodeText(offer)))
    if (response === undefined) return failed('malformed', 'not a digest-response')
    if (response.nonce !== nonce || response.nc !== FIRST)
      return failed('denied', 'the nonce is not of this exchange')
    if (response.realm !== realm || !isOurs(response.uri, context))
      return failed('denied', 'the realm or the digest-uri is of another')

    const username = prepare(response.username)
    const authorize = response.authzid ? prepare(response.authzid) : ''
    if (username === undefined || authorize === undefined) return failed('denied', WRONG)
    const mechanism = 'DIGEST-MD5'
    const question = { kind: 'secret', mechanism, username, scheme: 'digest-md5', realm } as const
    const known = yield* ask(question)
    if (known.kind !== 'secret') return conclude(known)
    const expected = (secret: Uint8Array) => digestResponse(secret, response, 'AUTHENTICATE')
    const right = rightOf(known.secrets, expected, response.response)
    if (right === undefined) return failed('denied', WRONG)
    const secret = known.secrets.find(each => sameOctets(expected(each.octets), response.response))
    const rspauth = digestResponse(secret?.octets ?? new Uint8Array(16), response, '')
    return conclude(
      yield* ask({ kind: 'proven', mechanism, username, authorize, ...right }),
      encodeText(`rspauth=${Buffer.from(rspauth).toString()}`),
    )
  },
}

interface Response {
  readonly username: string
  readonly realm: string
  readonly nonce: string
  readonly cnonce: string
  readonly nc: string
  readonly uri: string
  readonly authzid: string | undefined
  readonly response: Uint8Array
}

/** §2.1.2: each directive once at most, those that must be there, and no protection that was not offered. */
function readResponse(octets: Uint8Array): Response | undefined {
  const latin = parseDirectives(Buffer.from(octets).toString('latin1'))
  const utf8 = latin && single(latin, 'charset')?.toLowerCase() === 'utf-8'
  const read = utf8 ? parseDirectives(decodeText(octets) ?? '') : latin
  if (read === undefined || [...read.values()].some(values => values.length > 1)) return undefined
  const [username, nonce, cnonce, nc, uri, response] = [
    ...['username', 'nonce', 'cnonce', 'nc', 'digest-uri', 'response'],
  ].map(name => single(read, name))
  if (!username || !nonce || !cnonce || !nc || !uri) return undefined
  if (!/^[0-9a-f]{8}$/.test(nc) || !/^[0-9a-f]{32}$/.test(response ?? '')) return undefined
  if ((single(read, 'qop') ?? 'auth') !== 'auth') return undefined
  return {
    ...{ username, nonce, cnonce, nc, uri, realm: single(read, 'realm') ?? '' },
    authzid: single(read, 'authzid'),
    response: Buffer.from(response ?? ''),
  }
}

/** digest-uri = serv-type "/" host [ "/" serv-name ]: the service is checked, as hosts have many names. */
function isOurs(uri: string, { service }: ServerContext): boolean {
  const [type, host] = uri.split('/')
  return type?.toLowerCase() === service && host !== undefined && host !== ''
}

export const digestMd5Client: ClientMechanism = {
  name: 'DIGEST-MD5',
  plaintext: false,
  initial: false,
  serverFirst: true,
  by: 'password',
  *start({ username, password = '', authorize }, { chance, hostname, service }) {
    const offer = parseDirectives(Buffer.from(yield* respond(noOctets)).toString('latin1'))
    const chosen = offer && choose(offer)
    if (chosen === undefined) return false
    const { realm, nonce, utf8 } = chosen
    // Without the directive names are in ISO 8859-1, which has not every name (§2.1.1 charset).
    if (!utf8 && !/^[\0-\xff]*$/.test(username + password)) return false
    const facts = {
      ...{ nonce, cnonce: Buffer.from(chance(NONCE_OCTETS)).toString('base64'), nc: FIRST },
      ...{ uri: `${service}/${hostname}`, authzid: authorize || undefined },
    }
    const secret = digestSecret(username, realm, password)
    const response = Buffer.from(digestResponse(secret, facts, 'AUTHENTICATE')).toString()
    const words = [
      ...(utf8 ? ['charset=utf-8'] : []),
      `username=${quote(username)}`,
      ...(realm === '' ? [] : [`realm=${quote(realm)}`]),
      `nonce=${quote(nonce)}`,
      `nc=${FIRST}`,
      `cnonce=${quote(facts.cnonce)}`,
      `digest-uri=${quote(facts.uri)}`,
      `response=${response}`,
      'qop=auth',
      ...(facts.authzid === undefined ? [] : [`authzid=${quote(facts.authzid)}`]),
    ]
    const last = yield* respond(Buffer.from(words.join(','), utf8 ? 'utf8' : 'latin1'))
    // §2.1.3: a server that does not know the secret cannot say this.
    const said = parseDirectives(Buffer.from(last).toString('latin1'))
    const expected = digestResponse(secret, facts, '')
    return said !== undefined && sameOctets(Buffer.from(single(said, 'rspauth') ?? ''), expected)
  },
}

/** What we can answer of a digest-challenge (§2.1.1): of several realms the first. */
function choose(
  offer: Directives,
): { readonly realm: string; readonly nonce: string; readonly utf8: boolean } | undefined {
  const nonce = single(offer, 'nonce')
  const qop = (single(offer, 'qop') ?? 'auth').split(/[ \t]*,[ \t]*/)
  if (!nonce || single(offer, 'algorithm') !== 'md5-sess' || !qop.includes('auth')) return undefined
  const [realm = ''] = offer.get('realm') ?? []
  const utf8 = single(offer, 'charset')?.toLowerCase() === 'utf-8'
  return { realm: utf8 ? Buffer.from(realm, 'latin1').toString('utf8') : realm, nonce, utf8 }
}
