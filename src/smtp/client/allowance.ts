/**
 * What is left on one connection of the LIMITS that its hop has set (RFC 9422). Kept by the session,
 * asked by transaction.ts before a word is said: what the hop would refuse is not even tried.
 */
import type { Recipient } from '../../mail/envelope.ts'
import { type Limits, parseLimits } from '../extension/limits.ts'

export class Allowance {
  #limits: Limits = {}
  #mails = 0
  readonly #domains = new Set<string>()

  /** EHLO was answered; the answer to an EHLO under TLS replaces what was said before it. */
  offered(parameters: string | undefined): void {
    this.#limits = parameters === undefined ? {} : parseLimits(parameters)
  }

  /** MAIL is said. */
  begin(): void {
    this.#mails += 1
  }

  /** True where the hop takes no further MAIL on this connection. */
  get spent(): boolean {
    return this.#mails >= (this.#limits.mails ?? Number.POSITIVE_INFINITY)
  }

  /** True where a recipient may be named as number `named` + 1 of a transaction; it then counts. */
  admits({ forwardPath }: Recipient, named: number): boolean {
    const { recipients = Number.POSITIVE_INFINITY, domains } = this.#limits
    if (named >= recipients) return false
    if (domains === undefined) return true
    const domain = forwardPath.domain.toLowerCase()
    if (this.#domains.size >= domains && !this.#domains.has(domain)) return false
    this.#domains.add(domain)
    return true
  }
}
