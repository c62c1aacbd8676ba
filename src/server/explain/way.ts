/** Where a route leads, found as an attempt would find it (transport/hosts.ts, transport/tls-policy.ts), with no connection made. */
import { deliver } from '../../delivery/deliver.ts'
import type { Address } from '../../mail/address.ts'
import { type Route, routeKey } from '../../route/route.ts'
import { locateDomain, locateHost } from '../../transport/hosts.ts'
import { smtpTransportDefaults } from '../../transport/smtp.ts'
import { tlsPolicy } from '../../transport/tls-policy.ts'
import type { House } from '../house.ts'
import { smtpSettings } from '../outbound.ts'
import type { ExplainedRecipient, ExplainedWay } from './explained.ts'

type Explained = Pick<ExplainedRecipient, 'transport' | 'text' | 'ways'>

export async function explainRoute(
  house: House,
  route: Route,
  carried: { readonly recipient: Address; readonly sizeOctets: number },
): Promise<Explained> {
  switch (route.kind) {
    case 'local':
      return { transport: 'local', text: await intoMailbox(house, carried) }
    case 'onDemand':
      return { transport: 'onDemand', text: `kept until ${route.domain} is asked for` }
    case 'mx':
    case 'smarthost': {
      const way = await explainWay(house, route)
      return { transport: way.protocol, text: routeKey(route), ways: [way] }
    }
  }
}

/** The delivery agent decides and writes nothing (delivery/deliver.ts): asked as for a message. */
async function intoMailbox(
  { inbound, world }: House,
  { recipient, sizeOctets }: { readonly recipient: Address; readonly sizeOctets: number },
): Promise<string> {
  const head = new Uint8Array(0)
  const parcel = { id: '', bodyKey: 0, head, sizeOctets, reversePath: null }
  const { directory, usage } = inbound
  const { outcome } = await deliver(directory, usage, parcel, recipient, world.clock.now())
  if (outcome.kind === 'delivered') return 'into its mailbox here'
  return `a mailbox here, ${outcome.kind}: ${outcome.status} ${outcome.reason}`
}

async function explainWay(
  house: House,
  route: Extract<Route, { readonly kind: 'mx' | 'smarthost' }>,
): Promise<ExplainedWay> {
  const { world } = house
  const settings = { ...smtpTransportDefaults, ...smtpSettings(house) }
  const { startTls, implicit, trust, clearInstead } = tlsPolicy(route, settings.tls)
  const located =
    route.kind === 'mx'
      ? await locateDomain(world, route.domain, settings)
      : await locateHost(world, route.host, settings.addressesMax)
  return {
    ...(route.kind === 'mx' ? { domain: route.domain } : { host: route.host }),
    port: route.kind === 'mx' ? settings.port : route.port,
    protocol: (route.kind === 'smarthost' && route.protocol) || 'smtp',
    hostname: settings.hostname,
    tls: implicit ? 'implicit' : startTls,
    certificate: trust === 'verify' ? 'verified' : 'any',
    clearInstead,
    ...(route.kind === 'smarthost' && route.login && { login: route.login.username }),
    ...(located.kind === 'hosts'
      ? { hosts: located.hosts }
      : { trouble: `${located.kind}: ${located.status} ${located.reason}` }),
  }
}
