/** The outbound half of a house: routes, transports, settler and worker, joined. */
import type { AccountRoom } from '../account/open.ts'
import { deliverAtOnce } from '../delivery/deliver.ts'
import type { Hooks } from '../hook/hooks.ts'
import { parseStoredAddress } from '../mail/address.ts'
import { usageOf } from '../mailbox/quota.ts'
import { queuedContent } from '../queue/content.ts'
import type { Notices } from '../queue/notice.ts'
import type { QueuedMessage } from '../queue/reader.ts'
import type { Schedule } from '../queue/schedule.ts'
import type { AtOnce } from '../queue/spool.ts'
import type { Settled } from '../queue/writer.ts'
import type { Metrics } from '../record/metrics.ts'
import type { Route } from '../route/route.ts'
import { chooseRoute } from '../route/rule.ts'
import type { Transit } from '../transit/transit.ts'
import type { Departure, Job, JobRow } from '../transport/job.ts'
import { localTransport } from '../transport/local.ts'
import { onDemandTransport } from '../transport/on-demand.ts'
import { Settler } from '../transport/settler.ts'
import { smtpTransport } from '../transport/smtp.ts'
import type { Transport } from '../transport/transport.ts'
import { Worker } from '../transport/worker.ts'
import type { World } from '../world/world.ts'
import type { HouseOptions } from './house.ts'
import type { LocalDomains } from './local-domains.ts'
import { customerOf } from './on-demand.ts'
import type { Settings } from './settings.ts'

/** Where a recipient would go, and what decided: 'domains', 'outbound.smarthost', 'hooks.route' ... */
export interface Reasoned {
  readonly route: Route
  readonly by: string
}

export interface Outbound {
  readonly worker: Worker
  readonly settler: Settler
  /** The way to other hosts, of the epoch in force. */
  readonly smtp: Transport
  /** Where mail goes now, and what decides that: asked by `explain`. */
  reason(message: QueuedMessage, address: string): Promise<Reasoned>
  /** The epoch has changed: connections of the old one are not used for new mail. */
  renew(): void
  readonly atOnce: AtOnce
}

/** What the outbound half needs of the rest of the house. */
export interface OutboundNeeds extends HouseOptions {
  readonly accounts: AccountRoom
  readonly domains: LocalDomains
  readonly notices: Notices
  readonly transit: Transit
  readonly metrics: Metrics
}

export function buildOutbound(needs: OutboundNeeds): Outbound {
  const { world, store, settings, hooks, domains } = needs
  const node = Buffer.from(world.random.octets(8)).toString('hex')
  const settler = new Settler({
    world,
    store,
    node,
    notices: needs.notices,
    schedule: () => scheduleOf(settings()),
    settled: (job, row, result) => note(world, needs.metrics, job, row, result),
  })
  const usualRoute = (address: string): Route => usual(settings(), domains, address)
  const smtp = renewable(() => smtpTransport(world, smtpSettings(needs)))
  const worker = new Worker({
    world,
    store,
    node,
    settler,
    transports: {
      local: localTransport(
        needs.accounts.directory,
        accountId => store.read(usageOf, accountId),
        world.clock,
      ),
      onDemand: onDemandTransport,
      smtp,
    },
    usualRoute,
    departure: (message, row, route) => departureOf(needs.transit, message, row, route),
    route: (message, address) => hookedRoute(hooks(), usualRoute, message, address),
    content: message => queuedContent(store, world.disk, message),
    jobsMax: settings().queue.concurrency,
    // A slow destination may not take all places.
    jobsPerRouteMax: Math.ceil(settings().queue.concurrency / 2),
    ...(needs.pollMs === undefined ? {} : { pollMs: needs.pollMs }),
  })
  const reason = async (message: QueuedMessage, address: string): Promise<Reasoned> => {
    const route = await hookedRoute(hooks(), usualRoute, message, address)
    return { route, by: hooks()?.has('route') ? 'hooks.route' : decidedBy[route.kind] }
  }
  const renew = () => smtp.renew()
  return { worker, settler, smtp, reason, renew, atOnce: atOnce(needs, usualRoute) }
}

/** What of the config leads to each kind of route. */
const decidedBy: Readonly<Record<Route['kind'], string>> = {
  local: 'domains',
  onDemand: 'onDemand',
  smarthost: 'outbound.smarthost',
  mx: 'mx',
}

export function scheduleOf({ queue }: Settings): Schedule {
  return {
    retryMs: queue.retry,
    jitter: queue.jitter,
    delayWarningMs: queue.delayWarning,
    expireMs: queue.expire,
  }
}

/** The route without hooks: here, by the smart host, or to the domain's own hosts. */
function usual(settings: Settings, domains: LocalDomains, address: string): Route {
  const isLocal = (domain: string) => domains.has(domain)
  const isOnDemand = (domain: string) => customerOf(settings, domain)?.wait === true
  const { smarthost } = settings.outbound
  if (!smarthost) return chooseRoute({ isLocal, isOnDemand }, parseStoredAddress(address))
  const { host, port, tls, protocol = 'smtp', username, password, xforward } = smarthost
  const login =
    username !== undefined && password !== undefined ? { login: { username, password } } : {}
  const rules = {
    isLocal,
    isOnDemand,
    smarthost: {
      kind: 'smarthost' as const,
      host,
      port,
      tls,
      protocol,
      ...login,
      ...(xforward && { xforward }),
    },
  }
  return chooseRoute(rules, parseStoredAddress(address))
}

/** Under whose name a copy leaves. What its customer or a mailbox here gets is not forwarded to strangers. */
export function departureOf(
  transit: Transit,
  { id, reverse_path }: QueuedMessage,
  { address, aliasOf }: Pick<JobRow, 'address' | 'aliasOf'>,
  route: Route,
): Departure | undefined {
  if (aliasOf === null || (route.kind !== 'mx' && route.kind !== 'smarthost')) return undefined
  const sender = reverse_path === '' ? null : parseStoredAddress(reverse_path)
  const { domain } = parseStoredAddress(address)
  const reversePath = transit.leaving({ id, reversePath: sender }, { domain, aliasOf })
  return reversePath && { reversePath }
}

/** Delivery by the accepting transaction: where the usual route is local and no hook has a say. */
function atOnce(needs: OutboundNeeds, usualRoute: (address: string) => Route): AtOnce {
  const { world, metrics, accounts, hooks } = needs
  return {
    place(newborn, address, judged) {
      if (hooks()?.has('route') || usualRoute(address).kind !== 'local') return undefined
      const recipient = parseStoredAddress(address)
      return deliverAtOnce(accounts.directory, newborn, recipient, world.clock.now(), judged)
        ?.delivery
    },
    placed(message, recipient) {
      metrics.recipient('delivered', 'local')
      world.log.debug('recipient', { message, recipient, state: 'delivered' })
    },
  }
}

/** A user's own say in where mail goes; a hook that fails leaves the usual route. */
function hookedRoute(
  hooks: Hooks | undefined,
  usualRoute: (address: string) => Route,
  message: QueuedMessage,
  address: string,
): Route | Promise<Route> {
  if (!hooks?.has('route')) return usualRoute(address)
  const { domain } = parseStoredAddress(address)
  const facts = { recipient: address, domain, sender: message.reverse_path, id: message.id }
  return hooks.ask('route', facts).then(
    answer => (answer !== undefined && isRoute(answer) ? answer : usualRoute(address)),
    () => usualRoute(address),
  )
}

function isRoute(answer: { readonly kind: string }): answer is Route {
  return answer.kind === 'local' || answer.kind === 'mx' || answer.kind === 'smarthost'
}

/** A transport that can be replaced by one of a new epoch; loads under way are finished by the old one. */
function renewable(make: () => Transport): Transport & { renew(): void } {
  let current = make()
  return {
    carry: (load, route) => current.carry(load, route),
    close: () => current.close(),
    renew() {
      void current.close()
      current = make()
    },
  }
}

export function smtpSettings({ settings, ourAddresses, pem }: Omit<HouseOptions, 'hashCost'>) {
  const { outbound, hostname } = settings()
  return {
    own: () => ownCertificate(outbound, pem),
    hostname: outbound.hostname ?? hostname,
    port: outbound.port,
    connectTimeoutMs: outbound.connectTimeout,
    replyTimeoutMs: outbound.replyTimeout,
    tls: outbound.tls,
    eightBit: outbound.eightBit,
    connectionsPerRoute: outbound.connectionsPerDestination,
    connectionsMax: outbound.connections,
    idleMs: outbound.idle,
    isOurself: (name: string, address?: string) =>
      name === hostname.toLowerCase() ||
      (address !== undefined && ourAddresses().includes(address)),
  }
}

/** One line in the log and one count for each recipient that was settled or deferred. */
function note(world: World, counters: Metrics, job: Job, row: JobRow, result: Settled): void {
  counters.recipient(result.state, job.route.kind)
  const facts = {
    message: job.message.id,
    recipient: row.address,
    state: result.state,
    status: result.status,
    remote: result.remote,
    reason: result.reason,
  }
  if (result.state === 'delivered' || result.state === 'relayed')
    world.log.debug('recipient', facts)
  else world.log.info('recipient', facts)
}

/** What we show to servers that ask for a certificate of ours. */
export function ownCertificate(
  { identity }: Settings['outbound'],
  pem: (file: string) => string,
): { readonly certificate: string; readonly key: string } | undefined {
  return identity && { certificate: pem(identity.certificate), key: pem(identity.key) }
}
