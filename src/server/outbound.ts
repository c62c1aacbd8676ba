/** The outbound half of a house: routes, transports, settler and worker, joined. */
import type { AccountRoom } from '../account/open.ts'
import { deliverAtOnce } from '../delivery/deliver.ts'
import { isAscii, parseStoredAddress } from '../mail/address.ts'
import { parseCarriedSender } from '../mail/carried.ts'
import { usageOf } from '../mailbox/quota.ts'
import { queuedContent } from '../queue/content.ts'
import type { DoubtPolicy } from '../queue/doubt.ts'
import type { Notices } from '../queue/notice.ts'
import type { QueuedMessage } from '../queue/reader.ts'
import type { Settled } from '../queue/settlement.ts'
import type { AtOnce } from '../queue/spool.ts'
import type { Metrics } from '../record/metrics.ts'
import type { Route } from '../route/route.ts'
import { Gates } from '../shape/gates.ts'
import { Limits } from '../shape/limits.ts'
import type { Transit } from '../transit/transit.ts'
import { discardTransport } from '../transport/discard.ts'
import { holdTransport } from '../transport/hold.ts'
import type { Departure, Job, JobRow } from '../transport/job.ts'
import { localTransport } from '../transport/local.ts'
import { maildirTransport } from '../transport/maildir.ts'
import { mboxTransport } from '../transport/mbox.ts'
import { onDemandTransport } from '../transport/on-demand.ts'
import { pipeTransport } from '../transport/pipe.ts'
import { rejectTransport } from '../transport/reject.ts'
import { Settler } from '../transport/settler.ts'
import { smtpTransport } from '../transport/smtp.ts'
import type { Transport } from '../transport/transport.ts'
import { undecidedTransport } from '../transport/undecided.ts'
import { unlooped } from '../transport/unlooped.ts'
import { Worker } from '../transport/worker.ts'
import type { World } from '../world/world.ts'
import type { HouseOptions } from './house.ts'
import type { LocalDomains } from './local-domains.ts'
import { ourselfOf } from './ourself.ts'
import { type Reasoned, type RoutedRow, Routing } from './routing.ts'
import { scheduleOf } from './schedules.ts'
import type { Settings } from './settings/settings.ts'
import { shapingRules } from './shaping-rules.ts'

export interface Outbound {
  readonly worker: Worker
  readonly settler: Settler
  /** The way to other hosts, of the epoch in force. */
  readonly smtp: Transport
  /** Where mail goes now, and what decides that: asked by `explain`. */
  reason(message: QueuedMessage, row: RoutedRow): Promise<Reasoned>
  /** The epoch has changed: connections of the old one are not used for new mail. */
  renew(): void
  readonly atOnce: AtOnce
  readonly routing: Routing
}

/** What the outbound half needs of the rest of the house. */
export interface OutboundNeeds extends HouseOptions {
  readonly accounts: AccountRoom
  readonly domains: LocalDomains
  readonly notices: Notices
  readonly transit: Transit
  readonly metrics: Metrics
}

function doubtPolicy({ queue }: Settings): DoubtPolicy {
  const { wait, tries, afterwards } = queue.inDoubt
  return { waitMs: wait, tries, afterwards }
}

export function buildOutbound(needs: OutboundNeeds): Outbound {
  const { world, store, settings } = needs
  const node = Buffer.from(world.random.octets(8)).toString('hex')
  const settler = new Settler({
    world,
    store,
    node,
    notices: needs.notices,
    inHand: id => worker.inHand(id),
    gatherMs: () => settings().notices.gather,
    schedule: (address, way) => scheduleOf(settings(), address, way),
    doubt: () => doubtPolicy(settings()),
    settled: (job, row, result) => note(world, needs.metrics, job, row, result),
  })
  const routing = new Routing(needs)
  const files = () => fileSettings(settings(), store.alone)
  const final = (transport: Transport) => unlooped(transport, world.log)
  const gates = new Gates(world.clock, () => ({
    initial: settings().outbound.initialConnections,
    most: settings().outbound.connectionsPerDestination,
    cohorts: settings().outbound.failedCohorts,
  }))
  const limits = new Limits(world.clock, gates, () => shapingRules(settings()))
  const stalled = (connections: number) => worker.stalled(connections)
  const smtp = renewable(() =>
    smtpTransport(world, { ...smtpSettings(needs), gates, limits, stalled }),
  )
  const worker: Worker = new Worker({
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
      mx: smtp,
      smarthost: smtp,
      discard: discardTransport,
      hold: holdTransport,
      reject: rejectTransport,
      pipe: final(pipeTransport(world, () => settings().addresses.separator)),
      maildir: final(maildirTransport(world, files)),
      mbox: final(mboxTransport(world, files)),
      undecided: undecidedTransport,
    },
    usualRoute: address => routing.guess(address),
    route: (message, row) => routing.route(message, row),
    departure: (message, row, route) => departureOf(needs.transit, message, row, route),
    content: message => queuedContent(store, world.disk, message),
    jobsMax: settings().queue.concurrency,
    gates,
    limits,
    // A message's own next attempt never comes before the probe: its waits are these, or longer.
    probes: () => {
      const { retry } = settings().queue
      return { firstMs: retry[0] ?? 60_000, mostMs: Math.max(...retry) }
    },
    ...(needs.pollMs === undefined ? {} : { pollMs: needs.pollMs }),
  })
  const reason = (message: QueuedMessage, row: RoutedRow) => routing.reason(message, row)
  const renew = () => {
    smtp.renew()
    void worker.reroute()
  }
  return { worker, settler, smtp, reason, renew, atOnce: atOnce(needs, routing), routing }
}

/**
 * How a copy leaves, where that is not as its message came: one that an alias sends on elsewhere, and what
 * lists and tags change. What a customer, a mailbox here or a program that keeps it gets goes to no stranger.
 */
export function departureOf(
  transit: Transit,
  { id, reverse_path, utf8, parameters }: QueuedMessage,
  { address, aliasOf }: Pick<JobRow, 'address' | 'aliasOf'>,
  route: Route,
): Departure | undefined {
  if (!leavesBy(route)) return undefined
  const { verp } = parseCarriedSender(parameters)
  const asked = verp === undefined ? {} : { verp }
  if (aliasOf === null && !transit.signs(asked)) return undefined
  const sender = reverse_path === '' ? null : parseStoredAddress(reverse_path)
  const copy = { address: parseStoredAddress(address), aliasOf }
  const reversePath = transit.leaving({ id, reversePath: sender, ...asked }, copy)
  // RFC 6531 §3.7.3: the trace of a message that is not internationalised has no address beyond ASCII.
  const named = aliasOf !== null && (utf8 === 1 || isAscii(aliasOf))
  if (!named && reversePath === undefined) return undefined
  return {
    ...(named && { deliveredTo: parseStoredAddress(aliasOf) }),
    ...(reversePath && { reversePath }),
  }
}

/** Whether strangers come behind it: other hosts, or a program that hands mail on, as to UUCP. */
function leavesBy(route: Route): boolean {
  return (
    route.kind === 'mx' || route.kind === 'smarthost' || (route.kind === 'pipe' && !route.final)
  )
}

/** Delivery by the accepting transaction: where the way is plainly to a mailbox here. */
function atOnce(needs: OutboundNeeds, routing: Routing): AtOnce {
  const { world, metrics, accounts } = needs
  return {
    place(newborn, address, judged) {
      if (!routing.isPlainLocal(newborn, address)) return undefined
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

/** A transport that can be replaced by one of a new epoch; loads under way are finished by the old one. */
function renewable(make: () => Transport): Transport & { renew(): void } {
  let current = make()
  return {
    carry: (load, route) => current.carry(load, route),
    recall: () => current.recall?.(),
    close: () => current.close(),
    renew() {
      void current.close()
      current = make()
    },
  }
}

export function smtpSettings({ settings, ourAddresses, pem }: Omit<HouseOptions, 'hashCost'>) {
  const now = settings()
  const { outbound, hostname } = now
  return {
    own: () => ownCertificate(outbound, pem),
    hostname: outbound.hostname ?? hostname,
    port: outbound.port,
    connectTimeoutMs: outbound.connectTimeout,
    replyTimeoutMs: outbound.replyTimeout,
    tls: outbound.tls,
    eightBit: outbound.eightBit,
    refusedGreeting: outbound.refusedGreeting,
    sourceAddresses: outbound.sourceAddress ?? [],
    addressFamily: outbound.addressFamily,
    connectionsPerRoute: outbound.connectionsPerDestination,
    connectionsMax: outbound.connections,
    idleMs: outbound.idle,
    isOurself: ourselfOf(now, ourAddresses),
  }
}

/** How mail is put into files. Nodes that share a database may share files too, and then none knows its own dead. */
function fileSettings({ hostname, data, addresses }: Settings, alone: boolean) {
  const { separator } = addresses
  const installation = `${hostname}:${encodeURIComponent(data)}`
  return { hostname, separator, ...(alone && { installation }) }
}

/** One line in the log and one count for each recipient that was settled or deferred. */
function note(world: World, counters: Metrics, job: Job, row: JobRow, result: Settled): void {
  const state = result.doubt && result.state === 'queued' ? 'doubt' : result.state
  counters.recipient(state, job.route.kind)
  const facts = {
    message: job.message.id,
    recipient: row.address,
    state,
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
