/** Where a route leads, found as an attempt would find it (transport/way.ts, transport/hosts.ts), with no connection made. */
import { deliver } from '../../delivery/deliver.ts'
import type { Address } from '../../mail/address.ts'
import { type Route, routeKey } from '../../route/route.ts'
import { locateDomain, locateHost } from '../../transport/hosts.ts'
import { smtpTransportDefaults } from '../../transport/smtp.ts'
import { hopsInTurn, type Way, waysOf } from '../../transport/way.ts'
import type { House } from '../house.ts'
import { smtpSettings } from '../outbound.ts'
import type { ExplainedRecipient, ExplainedWay } from './explained.ts'

type Explained = Pick<ExplainedRecipient, 'transport' | 'text' | 'ways' | 'givenUp'>

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
    case 'discard':
      return { transport: 'discard', text: 'taken, and gone without a word' }
    case 'hold':
      return { transport: 'hold', text: `held until the operator lets it go: ${route.reason}` }
    case 'reject':
      return { transport: 'reject', text: `sent back: ${route.status} ${route.text}` }
    case 'undecided':
      return { transport: 'undecided', text: `deferred: ${route.reason}` }
    case 'pipe':
      return { transport: 'pipe', text: route.argv.join(' ') }
    case 'maildir':
    case 'mbox':
      return { transport: route.kind, text: `into ${route.path}` }
    case 'mx':
    case 'smarthost': {
      const settings = { ...smtpTransportDefaults, ...smtpSettings(house) }
      const { random } = house.world
      const ways = await Promise.all(
        waysOf(route, hopsInTurn(route, random), settings, false).map(way =>
          explainWay(house, way),
        ),
      )
      const protocol = (route.kind === 'smarthost' && route.protocol) || 'smtp'
      const troubles = ways.map(({ trouble }) => trouble)
      const givenUp = troubles.every(trouble => trouble?.startsWith('failed: '))
        ? troubles[0]?.replace('failed: ', '')
        : undefined
      const how = { transport: protocol, text: routeKey(route), ways } as const
      return givenUp === undefined ? how : { ...how, givenUp }
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

async function explainWay(house: House, way: Way): Promise<ExplainedWay> {
  const { world } = house
  const { to, port, protocol, hostname, login, family } = way
  const settings = { ...smtpTransportDefaults, ...smtpSettings(house), family }
  const { startTls, implicit, trust, clearInstead } = way.tls
  const located =
    'domain' in to
      ? await locateDomain(world, to.domain, settings)
      : await locateHost(world, to.host, settings.addressesMax, family)
  return {
    ...to,
    port,
    protocol,
    hostname,
    tls: implicit ? 'implicit' : startTls,
    certificate: trust === 'verify' ? 'verified' : 'any',
    clearInstead,
    ...(login && { login: login.username }),
    ...(located.kind === 'hosts'
      ? { hosts: located.hosts }
      : { trouble: `${located.kind}: ${located.status} ${located.reason}` }),
  }
}
