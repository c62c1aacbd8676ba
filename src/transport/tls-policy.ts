/**
 * How a hop is secured: which TLS a route wants, whose certificates count, and whether clear text
 * will do where TLS fails (RFC 3207, RFC 7435, RFC 8314). Decided here, done by transport/hop.ts.
 */
import { hopsOf, type NextHop, type RemoteRoute } from '../route/route.ts'

export interface TlsPolicy {
  readonly startTls: 'never' | 'opportunistic' | 'require'
  /** TLS from the first octet (RFC 8314 §3.3). */
  readonly implicit: boolean
  /** 'opportunistic' takes any certificate: against who only listens, any will do (RFC 7435 §1.2). */
  readonly trust: 'opportunistic' | 'verify'
  /** A failed handshake is followed by a connection in the clear. */
  readonly clearInstead: boolean
  /** A password may go in clear text, since the route was told to speak it. */
  readonly plaintextLogin: boolean
}

export type MxTls = 'opportunistic' | 'never' | 'require'

const policies = {
  never: policy('never', { plaintextLogin: true }),
  opportunistic: policy('opportunistic', { clearInstead: true }),
  require: policy('require', { trust: 'verify' }),
  implicit: policy('never', { implicit: true, trust: 'verify' }),
} as const

/** The policy behind a word of the settings. */
export function tlsPolicy(tls: NextHop['tls']): TlsPolicy {
  return policies[tls]
}

/**
 * Whether a message that requires TLS may go this way at all (RFC 8689 §4.2.1): by a fixed host whose
 * certificate is verified. The hosts of a domain are named by a DNS that nobody has signed.
 */
export function isProven(route: RemoteRoute): boolean {
  const verified = ({ tls }: NextHop) => tls === 'require' || tls === 'implicit'
  return route.kind === 'smarthost' && hopsOf(route).every(verified)
}

/** The same without TLS, for the second try; a password stays at home then. */
export function inTheClear(before: TlsPolicy): TlsPolicy {
  return { ...before, startTls: 'never', implicit: false, clearInstead: false }
}

function policy(startTls: TlsPolicy['startTls'], more: Partial<TlsPolicy>): TlsPolicy {
  return {
    startTls,
    implicit: false,
    trust: 'opportunistic',
    clearInstead: false,
    plaintextLogin: false,
    ...more,
  }
}
