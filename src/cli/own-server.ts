/**
 * What is to be diagnosed where it is our own server: the domains and listeners of the running server, or of the
 * config where none runs. Called by `diagnose` without a subject.
 */
import { isForTests, type Plan, type Server } from '../diagnose/plan.ts'
import { call } from './call.ts'
import type { CommonOptions, Face } from './face.ts'
import { locate } from './locate.ts'

/** More domains than these are not looked at one by one. */
const DOMAINS_MAX = 10

const LISTENERS = [
  ['smtp', 'smtp', 'starttls'],
  ['submission', 'smtp', 'starttls'],
  ['submissions', 'smtp', 'implicit'],
  ['pop3', 'pop3', 'starttls'],
  ['pop3s', 'pop3', 'implicit'],
  ['imap', 'imap', 'starttls'],
  ['imaps', 'imap', 'implicit'],
] as const

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
  const servers = LISTENERS.flatMap(([name, protocol, tls]): readonly Server[] => {
    const listener = settings.listeners[name]
    if (!listener.enabled) return []
    const known = listeners[name]
    const port = typeof known === 'number' ? known : listener.port
    const everywhere = listener.address === '::' || listener.address === '0.0.0.0'
    const address = everywhere ? '127.0.0.1' : listener.address
    const submission = name === 'submission' || name === 'submissions'
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
