/**
 * Kerberos as an authority: the system's library for tickets, and whose a principal is. What cannot be had (the
 * package, the library, a key) is said in one line of the log, and no mechanism that needs it is offered.
 */
import type { KerberosAuthority } from '../account/authority.ts'
import type { GssAnswer } from '../world/gss.ts'
import type { Log } from '../world/log.ts'
import { nodeGss, servicesOf } from '../world/node/gss.ts'
import type { KerberosSettings } from './settings/authority.ts'

/** Names of RFC 4752's services, as GSSAPI registered them. */
const SERVICES = ['smtp', 'imap', 'pop']

/** `ready` resolves once it is known what may be offered. */
export function kerberosAuthority(
  settings: KerberosSettings,
  log: Log,
): { readonly authority: KerberosAuthority; readonly ready: Promise<void> } {
  const { keytab, service, library, realms, principals } = settings
  const options = {
    ...(keytab !== undefined && { keytab }),
    ...(service !== undefined && { service }),
    ...(library !== undefined && { library }),
  }
  const gss = nodeGss(options)
  let services: readonly string[] = []
  const probe = async () => {
    const found = await servicesOf(options, SERVICES)
    services = found.services
    const missing = SERVICES.filter(each => !services.includes(each))
    if (missing.length > 0)
      log.warn('kerberos is not offered', { services: missing.join(' '), why: found.why })
  }
  const authority: KerberosAuthority = {
    get services() {
      return services
    },
    async step(step) {
      const answer = await gss.step(step)
      tell(log, answer)
      return answer
    },
    accountOf: principal => principals[principal] ?? addressOf(principal, realms),
  }
  return { authority, ready: probe() }
}

/** The client is told no reason; the operator needs one. No name or token of a client stands in it. */
function tell(log: Log, answer: GssAnswer): void {
  if (answer.kind === 'denied') log.info('ticket refused', { why: answer.why })
  if (answer.kind === 'unavailable') log.warn('kerberos cannot answer', { why: answer.why })
}

/**
 * `name@REALM` in the realm's domain. A principal of several parts (`alice/admin`, a service, the anonymous one) is
 * not its first part, and one with something escaped in it is none that mail knows.
 */
function addressOf(
  principal: string,
  realms: Readonly<Record<string, string>>,
): string | undefined {
  const [, name, realm = ''] = /^([^@/\\]+)@([^@/\\]+)$/.exec(principal) ?? []
  if (name === undefined) return undefined
  const all = Object.keys(realms).length === 0
  const domain = all
    ? realm.toLowerCase()
    : Object.hasOwn(realms, realm)
      ? realms[realm]
      : undefined
  return domain === undefined ? undefined : `${name}@${domain}`
}
