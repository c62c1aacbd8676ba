/**
 * Access tokens that are JWTs (RFC 9068), verified by the keys of who gives them: fetched once, kept ten
 * minutes, looked for anew at most twice a minute, with a deadline. Signatures with a shared secret and `none` are
 * not taken. Used by server/token-authority.ts.
 */
import type { JWTPayload } from 'jose'

const ALGORITHMS = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
]
/** How far clocks may be apart. */
const TOLERANCE_S = 30

export type Verified =
  | { readonly kind: 'claims'; readonly claims: JWTPayload }
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'unavailable'; readonly why: string }

export interface TokenKeys {
  readonly jwks: string
  readonly issuer: string
  readonly audience?: readonly string[]
  readonly timeoutMs: number
}

export function tokenVerifier({
  jwks,
  issuer,
  audience,
  timeoutMs,
}: TokenKeys): (token: string) => Promise<Verified> {
  const load = async () => {
    const { createRemoteJWKSet, errors, jwtVerify } = await import('jose')
    const keys = createRemoteJWKSet(new URL(jwks), {
      timeoutDuration: timeoutMs,
      cooldownDuration: 30_000,
      cacheMaxAge: 600_000,
    })
    return { errors, verify: (token: string) => jwtVerify(token, keys, options) }
  }
  let loading: ReturnType<typeof load> | undefined
  const options = {
    ...{ issuer, algorithms: ALGORITHMS, clockTolerance: TOLERANCE_S, requiredClaims: ['exp'] },
    ...(audience && { audience: [...audience] }),
  }
  return async token => {
    loading ??= load()
    const { errors, verify } = await loading
    try {
      const { payload } = await verify(token)
      return { kind: 'claims', claims: payload }
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      const ours =
        error instanceof errors.JWKSTimeout ||
        error instanceof errors.JWKSInvalid ||
        !(error instanceof errors.JOSEError) ||
        // The host of the keys answered something else than keys.
        error.code === 'ERR_JOSE_GENERIC'
      return { kind: ours ? 'unavailable' : 'refused', why }
    }
  }
}
