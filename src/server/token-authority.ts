/**
 * Whose an access token is: by its signature (RFC 9068) or by asking who gave it (RFC 7662). Then issuer,
 * audience, scopes and the claim with the address decide. Called by account/login.ts.
 */
import { createHash } from 'node:crypto'
import type { TokenAnswer, TokenAuthority } from '../account/authority.ts'
import { Recent } from '../account/recent.ts'
import { type Place, Slots } from '../limit/slots.ts'
import type { TokenError } from '../sasl/mechanism.ts'
import type { Clock } from '../world/clock.ts'
import { askHttp } from '../world/node/ask-http.ts'
import { tokenVerifier, type Verified } from '../world/node/verify-token.ts'
import type { OauthSettings } from './settings/authority.ts'

const KEPT_MAX = 10_000
const KEPT_MS = 60_000
const TOKEN_MAX = 16_384
const AT_ONCE = 16
const WAITING_MAX = 256

export function tokenAuthority(settings: OauthSettings, clock: Clock): TokenAuthority {
  const { issuer, jwks, audience, timeout } = settings
  const verify =
    jwks === undefined
      ? introspector(settings, clock)
      : tokenVerifier({ jwks, issuer, timeoutMs: timeout, ...(audience && { audience }) })
  const slots = new Slots(AT_ONCE, WAITING_MAX)
  const check = async (token: string, place?: Place): Promise<TokenAnswer> => {
    if (token === '' || token.length > TOKEN_MAX) return refused('invalid_token', settings)
    const verified = await slots.run(() => verify(token), place)
    if (verified.kind === 'busy') return { kind: 'unavailable', why: 'too many tokens at once' }
    return judged(verified.value, settings)
  }
  return { check }
}

function judged(verified: Verified, settings: OauthSettings): TokenAnswer {
  if (verified.kind === 'unavailable') return verified
  if (verified.kind === 'refused') return refused('invalid_token', settings)
  const { claims } = verified
  const granted = new Set([...words(claims['scope']), ...words(claims['scp'])])
  if (!settings.scopes.every(scope => granted.has(scope)))
    return refused('insufficient_scope', settings)
  const name = settings.claims
    // An address that nobody has verified may be anybody's.
    .filter(claim => claim !== 'email' || claims['email_verified'] !== false)
    .map(claim => claims[claim])
    .find(value => typeof value === 'string' && value !== '')
  return typeof name === 'string'
    ? { kind: 'owner', names: [name] }
    : refused('invalid_token', settings)
}

function refused(status: TokenError['status'], settings: OauthSettings): TokenAnswer {
  const { scopes, configuration, issuer } = settings
  const slash = issuer.endsWith('/') ? '' : '/'
  const found = configuration ?? `${issuer}${slash}.well-known/openid-configuration`
  const error = {
    ...{ status, configuration: found },
    ...(scopes.length > 0 && { scope: scopes.join(' ') }),
  }
  return { kind: 'refused', error }
}

/** `scope` is a text of words, `scp` may be a list. */
function words(value: unknown): readonly string[] {
  if (typeof value === 'string') return value.split(' ')
  return Array.isArray(value) ? value.filter(one => typeof one === 'string') : []
}

/** Asks about a token; what was good is known for a minute, or until it ends. */
function introspector(
  { introspection, issuer, audience, timeout }: OauthSettings,
  clock: Clock,
): (token: string) => Promise<Verified> {
  const kept = new Recent<{ readonly verified: Verified; readonly until: number }>(
    KEPT_MAX,
    KEPT_MS,
  )
  const { url = '', clientId = '', clientSecret = '' } = introspection ?? {}
  const login = `${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`
  const headers = {
    authorization: `Basic ${Buffer.from(login).toString('base64')}`,
    'content-type': 'application/x-www-form-urlencoded',
    accept: 'application/json',
  }
  return async token => {
    const key = createHash('sha256').update(token).digest('base64')
    const known = kept.get(key, clock.monotonic())
    if (known !== undefined && known.until > clock.now()) return known.verified
    const body = new URLSearchParams({ token, token_type_hint: 'access_token' }).toString()
    try {
      const { status, json } = await askHttp({ url, headers, body, timeoutMs: timeout })
      if (status !== 200 || typeof json !== 'object' || json === null)
        return { kind: 'unavailable', why: `introspection was answered ${status}` }
      const claims = json as Readonly<Record<string, unknown>>
      const until = typeof claims['exp'] === 'number' ? claims['exp'] * 1000 : Infinity
      const isOurs =
        claims['active'] === true &&
        until > clock.now() &&
        (claims['iss'] === undefined || claims['iss'] === issuer) &&
        (audience === undefined || words(claims['aud']).some(one => audience.includes(one)))
      if (!isOurs) return { kind: 'refused', why: 'not active, or for another' }
      const verified: Verified = { kind: 'claims', claims }
      kept.set(key, { verified, until }, clock.monotonic())
      return verified
    } catch (error) {
      return { kind: 'unavailable', why: `introspection: ${String(error)}` }
    }
  }
}
