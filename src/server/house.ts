/**
 * The house: every room of a running Postrider, joined. Built by start.ts in the real world and by
 * the simulated town in its own; it opens no listener and reads no file. It serves the connections
 * that a listener hands it (serve.ts) and works the queue.
 */
import type { AccountRoom } from '../account/open.ts'
import { openAccounts } from '../account/open.ts'
import { type AccountSettings, defaultHashCost, type HashCost } from '../account/settings.ts'
import type { Hooks } from '../hook/hooks.ts'
import type { Inbound } from '../inbound/role.ts'
import { Connections } from '../limit/connections.ts'
import { Failures } from '../limit/failures.ts'
import { parseStoredAddress } from '../mail/address.ts'
import { MaildropLocks } from '../mailbox/lock.ts'
import { queuedContent } from '../queue/content.ts'
import { identities } from '../queue/id.ts'
import { Notices } from '../queue/notice.ts'
import type { QueuedMessage } from '../queue/reader.ts'
import { Spool } from '../queue/spool.ts'
import type { Settled } from '../queue/writer.ts'
import { type Metrics, metrics } from '../record/metrics.ts'
import type { Route } from '../route/route.ts'
import { chooseRoute } from '../route/rule.ts'
import type { LoginAnswer, LoginQuestion } from '../sasl/mechanism.ts'
import type { Store } from '../store/store.ts'
import type { Job, JobRow } from '../transport/job.ts'
import { localTransport } from '../transport/local.ts'
import { Settler } from '../transport/settler.ts'
import { smtpTransport } from '../transport/smtp.ts'
import type { Transport } from '../transport/transport.ts'
import { Worker } from '../transport/worker.ts'
import type { Endpoint } from '../wire/effect.ts'
import type { ServerIdentity } from '../world/net.ts'
import type { World } from '../world/world.ts'
import { LocalDomains } from './local-domains.ts'
import type { Settings } from './settings.ts'

export interface HouseOptions {
  readonly world: World
  readonly store: Store
  /** The settings and hooks of the epoch in force. */
  readonly settings: () => Settings
  readonly hooks: () => Hooks | undefined
  readonly identity: ServerIdentity
  /** Addresses of ours that an MX record may name: never relayed to (RFC 5321 §5.1). */
  readonly ourAddresses: () => readonly string[]
  readonly hashCost?: HashCost
}

export interface House extends Omit<HouseOptions, 'hashCost'> {
  readonly accounts: AccountRoom
  readonly domains: LocalDomains
  readonly inbound: Inbound
  readonly connections: Connections
  readonly maildropLocks: MaildropLocks
  readonly metrics: Metrics
  readonly worker: Worker
  readonly settler: Settler
  readonly login: Inbound['login']
  /** The epoch has changed: forget what was remembered under the old one. */
  changed(): void
}

/** Jobs in memory at once, and of one route: a slow destination may not take all places. */
const JOBS_MAX = 2000
const JOBS_PER_ROUTE_MAX = 1000

/** Joins the rooms. Nothing runs before `worker.start()`. */
export async function buildHouse(options: HouseOptions): Promise<House> {
  const { world, store, settings, hooks } = options
  const room = await openAccounts(store, world, () =>
    accountSettings(settings(), options.hashCost ?? defaultHashCost),
  )
  const domains = await LocalDomains.open(store, world)
  const connections = new Connections(() => ({
    totalMax: settings().limits.connections,
    perAddressMax: settings().limits.perAddress,
  }))
  const counters = metrics({ connections: () => connections.total, jobs: () => worker.size })
  const login = guardedLogin(
    room,
    new Failures(world.clock, () => settings().limits.loginFailures),
    counters,
  )
  const identify = identities(world.clock, world.random)
  const notices = new Notices({
    hostname: () => settings().hostname,
    clock: world.clock,
    identify,
    directory: room.directory,
  })
  const node = Buffer.from(world.random.octets(8)).toString('hex')
  const settler = new Settler({
    world,
    store,
    node,
    notices,
    schedule: () => ({
      retryMs: settings().queue.retry,
      delayWarningMs: settings().queue.delayWarning,
      expireMs: settings().queue.expire,
    }),
    settled: (job, row, result) => note(world, counters, job, row, result),
  })
  const usualRoute = (address: string): Route => {
    const { smarthost } = settings().outbound
    const rules = { isLocal: (domain: string) => domains.has(domain) }
    const recipient = parseStoredAddress(address)
    return chooseRoute(
      smarthost ? { ...rules, smarthost: smarthostRoute(smarthost) } : rules,
      recipient,
    )
  }
  const transports = {
    local: localTransport(room.directory, world.clock),
    smtp: outboundTransport(options),
  }
  const worker: Worker = new Worker({
    world,
    store,
    node,
    settler,
    transports,
    usualRoute,
    route: (message, address) => hookedRoute(hooks(), usualRoute, message, address),
    content: message => queuedContent(store, world.disk, message),
    jobsMax: JOBS_MAX,
    jobsPerRouteMax: JOBS_PER_ROUTE_MAX,
  })
  const inbound: Inbound = {
    world,
    spool: new Spool(store, world.clock, notices, worker),
    directory: room.directory,
    identify,
    login,
    hooks,
    count: counters.message,
    settings: () => ({
      hostname: settings().hostname,
      hopsMax: settings().limits.hops,
      enforceSender: settings().submission.enforceSender,
      acceptQueueMax: settings().limits.acceptQueue,
      localPerMinuteMax: settings().limits.localPerMinute,
    }),
  }
  return {
    ...options,
    accounts: room,
    domains,
    inbound,
    connections,
    maildropLocks: new MaildropLocks(),
    metrics: counters,
    worker,
    settler,
    login,
    changed: () => {
      room.changed()
      transports.smtp.renew()
      void domains.refresh()
    },
  }
}

function accountSettings(settings: Settings, cost: HashCost): AccountSettings {
  const { separator, postmaster } = settings.addresses
  return {
    separator,
    ...(postmaster ? { postmaster: parseStoredAddress(postmaster) } : {}),
    cost,
    loginCacheMs: 5 * 60_000,
  }
}

/** Logins with a limit on failures, counted. */
function guardedLogin(room: AccountRoom, failures: Failures, counters: Metrics): Inbound['login'] {
  const told = (answer: LoginAnswer, remote: Endpoint): LoginAnswer => {
    if (answer.kind === 'denied') failures.add(remote.address)
    if (answer.kind === 'account') counters.login('accepted')
    else if (answer.kind !== 'verifier') counters.login(answer.kind)
    return answer
  }
  return (question: LoginQuestion, remote) => {
    if (failures.blocked(remote.address)) {
      return { kind: 'unavailable', why: 'too many failed logins; try again later' }
    }
    const answer = room.login.answer(question)
    return answer instanceof Promise ? answer.then(a => told(a, remote)) : told(answer, remote)
  }
}

function smarthostRoute(
  smarthost: NonNullable<Settings['outbound']['smarthost']>,
): Extract<Route, { kind: 'smarthost' }> {
  const { host, port, tls, username, password } = smarthost
  const login =
    username !== undefined && password !== undefined ? { login: { username, password } } : {}
  return { kind: 'smarthost', host, port, tls, ...login }
}

/** A user's own say in where mail goes; a hook that fails leaves the usual route. */
function hookedRoute(
  hooks: Hooks | undefined,
  usual: (address: string) => Route,
  message: QueuedMessage,
  address: string,
): Route | Promise<Route> {
  if (!hooks?.has('route')) return usual(address)
  const { domain } = parseStoredAddress(address)
  const facts = { recipient: address, domain, sender: message.reverse_path, id: message.id }
  return hooks.ask('route', facts).then(
    answer => (answer !== undefined && isRoute(answer) ? answer : usual(address)),
    () => usual(address),
  )
}

function isRoute(answer: { readonly kind: string }): answer is Route {
  return answer.kind === 'local' || answer.kind === 'mx' || answer.kind === 'smarthost'
}

/** The SMTP transport of the epoch in force; a new epoch gets a new one, and loads under way are finished. */
function outboundTransport(options: HouseOptions): Transport & { renew(): void } {
  let current = smtpTransport(options.world, outboundSettings(options))
  return {
    carry: (load, route) => current.carry(load, route),
    close: () => current.close(),
    renew() {
      void current.close()
      current = smtpTransport(options.world, outboundSettings(options))
    },
  }
}

function outboundSettings({ settings, ourAddresses }: HouseOptions) {
  const { outbound, hostname } = settings()
  return {
    hostname: outbound.hostname ?? hostname,
    port: outbound.port,
    connectTimeoutMs: outbound.connectTimeout,
    replyTimeoutMs: outbound.replyTimeout,
    tls: outbound.tls,
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
