/**
 * What is to be diagnosed where it is our own server: the domains and listeners of the running server, or of the
 * config where none runs. Called by `diagnose` without a subject.
 */
import { isForTests, type Plan, type Server } from '../diagnose/plan.ts'
import { isImplicitTls, MAIL_LISTENERS, PROTOCOLS } from '../server/settings/listener-name.ts'
import { call } from './call.ts'
import type { CommonOptions, Face } from './face.ts'
import { locate } from './locate.ts'

/** More domains than these are not looked at one by one. */
const DOMAINS_MAX = 10

export async function ownServer(
  face: Face,
  flags: CommonOptions,
): Promise<{ readonly plan: Plan; readonly names: readonly string[] }> {
  const settings = await locate(face, flags)
  const { domains } = await call(face, flags, 'domain.list', {})
  const { listeners } = await call(face, flags, 'status', {})
  const own = domains.slice(0, DOMAINS_MAX).map(({ name }) => name)
  const hostname = settings.hostname.toLowerCase()
  const forTests = isForTests(hostname)
  const servers = MAIL_LISTENERS.flatMap((name): readonly Server[] => {
    const listener = settings.listeners[name]
    const protocol = PROTOCOLS[name]
    if (!listener.enabled || !isDiagnosed(protocol)) return []
    const known = listeners[name]
    const port = typeof known === 'number' ? known : listener.port
    const everywhere = listener.address === '::' || listener.address === '0.0.0.0'
    const address = everywhere ? '127.0.0.1' : listener.address
    const submission = name === 'submission' || name === 'submissions'
    const tls = isImplicitTls(name) ? 'implicit' : 'starttls'
    const facts = { ...(submission && { submission }), ...(forTests && { forTests }) }
    return [{ host: hostname, address, port, protocol, tls, ...facts }]
  })
  return {
    plan: {
      domains: own.filter(domain => !isForTests(domain)),
      forTests: own.filter(isForTests),
      servers,
      recipients: own.flatMap(domain => [`postmaster@${domain}`, `abuse@${domain}`]),
    },
    names: [hostname, ...new Set(servers.flatMap(({ address }) => address ?? []))],
  }
}

/** What users and other servers speak; LMTP, ODMR and MTQP are for a few who know each other. */
function isDiagnosed(
  protocol: (typeof PROTOCOLS)[keyof typeof PROTOCOLS],
): protocol is Server['protocol'] {
  return protocol === 'smtp' || protocol === 'pop3' || protocol === 'imap'
}
