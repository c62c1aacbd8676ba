/**
 * The house: every room of a running Postrider, joined. Built by start.ts in the real world and by
 * the simulated town in its own; it opens no listener and reads no file. It serves the connections
 * that a listener hands it (serve.ts) and works the queue (outbound.ts).
 */
import { referredBy } from '../access/burl.ts'
import { MailWatch } from '../access/watch.ts'
import { type AccountRoom, type Others, openAccounts } from '../account/open.ts'
import { defaultHashCost, type HashCost } from '../account/settings.ts'
import { SharedMaildropLocks } from '../cluster/maildrop-locks.ts'
import type { Hooks } from '../hook/hooks.ts'
import { Checkpoints } from '../inbound/checkpoint.ts'
import type { Inbound, InboundSettings } from '../inbound/role.ts'
import { FreeSpace } from '../limit/free-space.ts'
import { Outgoing, type OutgoingLimits } from '../limit/outgoing.ts'
import { type MaildropLocking, MaildropLocks } from '../mailbox/lock.ts'
import { usageOf } from '../mailbox/quota.ts'
import { identities } from '../queue/id.ts'
import { Spool } from '../queue/spool.ts'
import { type Metrics, metrics } from '../record/metrics.ts'
import type { Store } from '../store/store.ts'
import type { Settler } from '../transport/settler.ts'
import type { Worker } from '../transport/worker.ts'
import type { ServerIdentity } from '../world/net.ts'
import type { Vitals } from '../world/vitals.ts'
import type { World } from '../world/world.ts'
import { accountSettings } from './auth.ts'
import { inlineUpTo } from './bodies.ts'
import { guardedLogin } from './guarded-login.ts'
import { identityRules } from './identity-rules.ts'
import { LocalDomains } from './local-domains.ts'
import { openNotices } from './notices.ts'
import { OnDemandMail, sharedSecretOf } from './on-demand.ts'
import { oncePer } from './once.ts'
import { buildOutbound, type Outbound } from './outbound.ts'
import type { Settings } from './settings/settings.ts'
import { openThresholds, type Thresholds } from './thresholds.ts'
import { openTransit } from './transit.ts'

export interface HouseOptions {
  readonly world: World
  readonly store: Store
  /** The settings and hooks of the epoch in force. */
  readonly settings: () => Settings
  readonly hooks: () => Hooks | undefined
  readonly identity: ServerIdentity
  /** The text of a PEM file that the settings name, as it is now. */
  readonly pem: (file: string) => string
  /** Addresses of ours that an MX record may name: never relayed to (RFC 5321 §5.1). */
  readonly ourAddresses: () => readonly string[]
  readonly hashCost?: HashCost
  /** Who else is asked about names and passwords (server/authorities.ts). */
  readonly others?: Others
  /** How the process is; absent: it never has too much to do. */
  readonly vitals?: () => Vitals
  /** How often the store is looked at where nobody tells of a change (transport/worker.ts, limit/bans.ts). */
  readonly pollMs?: number
}

export interface House extends Omit<HouseOptions, 'hashCost' | 'vitals'>, Thresholds {
  readonly accounts: AccountRoom
  readonly domains: LocalDomains
  readonly inbound: Inbound
  readonly maildropLocks: MaildropLocking
  /** Who waits for news of mailboxes. */
  readonly mailWatch: MailWatch
  readonly metrics: Metrics
  readonly worker: Worker
  readonly settler: Settler
  readonly reason: Outbound['reason']
  readonly onDemand: OnDemandMail
  readonly login: Inbound['login']
  /** The epoch has changed: forget what was remembered under the old one. */
  changed(): void
}

/** Joins the rooms. Nothing runs before `worker.start()`. */
export async function buildHouse(options: HouseOptions): Promise<House> {
  const { world, store, settings, hooks } = options
  const told = () => accountSettings(settings(), options.hashCost ?? defaultHashCost)
  const accounts = await openAccounts(store, world, told, options.others)
  const domains = await LocalDomains.open(store, world, () => settings().hostname)
  const room = new FreeSpace(world.disk, world.log, () => settings().limits.freeSpace)
  const turnedAway = { add: (labels: string) => counters.turnedAway.add(labels) }
  const thresholds = await openThresholds(options, room, turnedAway, () => worker.node)
  const { bans, load, visits } = thresholds
  const counters = metrics({
    connections: () => visits.connections.total,
    jobs: () => worker.size,
    closed: () => worker.shape.gates.counts,
    bans: () => bans.size,
    overload: () => load.causes,
    commits: () => store.stats().commits,
    writes: () => store.stats().jobs,
  })
  const secretOf = (username: string) => sharedSecretOf(settings(), username)
  const login = guardedLogin(accounts, counters, secretOf, world.clock)
  const identify = identities(world.clock, world.random, () => store.slot())
  const { directory } = accounts
  const transit = await openTransit(options, domains)
  const notices = openNotices(options, { directory, identify, transit })
  const needs = { ...options, accounts, domains, notices, transit, metrics: counters }
  const { worker, settler, smtp, reason, renew, atOnce, routing } = buildOutbound(needs)
  const onDemand = new OnDemandMail({ world, store, settings, worker, smtp })
  const checkpoint = () => checkpointSettings(settings())
  const inbound: Inbound = {
    world,
    spool: new Spool(store, world.clock, notices, worker, atOnce),
    checkpoints: new Checkpoints({ world, store, identify, settings: checkpoint }),
    directory,
    identify,
    login,
    usage: accountId => store.read(usageOf, accountId),
    outgoing: new Outgoing(store, address => outgoingOf(settings().limits, address)),
    hooks,
    onDemand,
    rules: routing.inbound,
    refer: (account, url) => referredBy({ store, world }, account, url),
    transit,
    room,
    count: counters.message,
    settings: oncePer(settings, inboundSettings),
  }
  thresholds.shared?.open()
  return {
    ...options,
    accounts,
    domains,
    inbound,
    ...thresholds,
    maildropLocks: store.alone
      ? new MaildropLocks()
      : new SharedMaildropLocks(store, world, worker.node),
    mailWatch: new MailWatch(store),
    metrics: counters,
    worker,
    settler,
    reason,
    onDemand,
    login,
    changed() {
      accounts.changed()
      renew()
      void domains.refresh()
    },
  }
}

function checkpointSettings({ checkpoint }: Settings) {
  return { perPeerMaxOctets: checkpoint.perPeer, totalMaxOctets: checkpoint.total }
}

/** What one account may send: its own limits, where it has some, in place of those for all. */
function outgoingOf({ outgoing, outgoingOf }: Settings['limits'], address: string): OutgoingLimits {
  return { ...outgoing, ...outgoingOf[address] }
}

function inboundSettings(settings: Settings): InboundSettings {
  const { hostname, limits, submission, outbound } = settings
  return {
    hostname,
    hopsMax: limits.hops,
    enforceSender: submission.enforceSender,
    identities: identityRules(submission),
    tellsSubmitter: [outbound.smarthost, ...Object.values(outbound.hops)].some(
      hop => hop && 'username' in hop && hop.username !== undefined,
    ),
    acceptQueueMax: limits.acceptQueue,
    localPerMinuteMax: limits.localPerMinute,
    inlineUpToOctets: inlineUpTo(settings),
  }
}
