/**
 * The house: every room of a running Postrider, joined. Built by start.ts in the real world and by
 * the simulated town in its own; it opens no listener and reads no file. It serves the connections
 * that a listener hands it (serve.ts) and works the queue (outbound.ts).
 */
import { MailWatch } from '../access/watch.ts'
import { type AccountRoom, openAccounts } from '../account/open.ts'
import { type AccountSettings, defaultHashCost, type HashCost } from '../account/settings.ts'
import { SharedMaildropLocks } from '../cluster/maildrop-locks.ts'
import type { Hooks } from '../hook/hooks.ts'
import { Checkpoints } from '../inbound/checkpoint.ts'
import type { Inbound, InboundSettings } from '../inbound/role.ts'
import { Connections } from '../limit/connections.ts'
import { Failures } from '../limit/failures.ts'
import { FreeSpace } from '../limit/free-space.ts'
import { type Address, parseStoredAddress } from '../mail/address.ts'
import { type MaildropLocking, MaildropLocks } from '../mailbox/lock.ts'
import { usageOf } from '../mailbox/quota.ts'
import { identities } from '../queue/id.ts'
import { Notices } from '../queue/notice.ts'
import { Spool } from '../queue/spool.ts'
import { type Metrics, metrics } from '../record/metrics.ts'
import { cramDigest } from '../sasl/cram-md5.ts'
import type { LoginAnswer, LoginQuestion } from '../sasl/mechanism.ts'
import { sameOctets } from '../sasl/scram-keys.ts'
import type { Store } from '../store/store.ts'
import type { Settler } from '../transport/settler.ts'
import type { Worker } from '../transport/worker.ts'
import type { Endpoint } from '../wire/effect.ts'
import type { ServerIdentity } from '../world/net.ts'
import type { World } from '../world/world.ts'
import { inlineUpTo } from './bodies.ts'
import { LocalDomains } from './local-domains.ts'
import { OnDemandMail, sharedSecretOf } from './on-demand.ts'
import { buildOutbound } from './outbound.ts'
import type { Settings } from './settings.ts'
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
  /** How often the queue is looked at where nothing is known to be due (transport/worker.ts). */
  readonly pollMs?: number
}

export interface House extends Omit<HouseOptions, 'hashCost'> {
  readonly accounts: AccountRoom
  readonly domains: LocalDomains
  readonly inbound: Inbound
  readonly connections: Connections
  readonly maildropLocks: MaildropLocking
  /** Who waits for news of mailboxes. */
  readonly mailWatch: MailWatch
  readonly metrics: Metrics
  readonly worker: Worker
  readonly settler: Settler
  readonly onDemand: OnDemandMail
  readonly login: Inbound['login']
  /** The epoch has changed: forget what was remembered under the old one. */
  changed(): void
}

/** Joins the rooms. Nothing runs before `worker.start()`. */
export async function buildHouse(options: HouseOptions): Promise<House> {
  const { world, store, settings, hooks } = options
  const cost = options.hashCost ?? defaultHashCost
  const accounts = await openAccounts(store, world, () => accountSettings(settings(), cost))
  const domains = await LocalDomains.open(store, world, () => settings().hostname)
  const connections = new Connections(() => ({
    totalMax: settings().limits.connections,
    perAddressMax: settings().limits.perAddress,
  }))
  const counters = metrics({
    connections: () => connections.total,
    jobs: () => worker.size,
    commits: () => store.stats().commits,
    writes: () => store.stats().jobs,
  })
  const failures = new Failures(world.clock, () => settings().limits.loginFailures)
  const secretOf = (username: string) => sharedSecretOf(settings(), username)
  const login = guardedLogin(accounts, failures, counters, secretOf)
  const identify = identities(world.clock, world.random, () => store.slot())
  const { directory } = accounts
  const hostname = () => settings().hostname
  const transit = await openTransit(options, domains)
  const led = (address: Address) => transit.led(address)
  const notices = new Notices({ hostname, clock: world.clock, identify, directory, led })
  const needs = { ...options, accounts, domains, notices, transit, metrics: counters }
  const { worker, settler, smtp, renew, atOnce } = buildOutbound(needs)
  const onDemand = new OnDemandMail({ world, store, settings, worker, smtp })
  const checkpoint = () => ({
    perPeerMaxOctets: settings().checkpoint.perPeer,
    totalMaxOctets: settings().checkpoint.total,
  })
  const inbound: Inbound = {
    world,
    spool: new Spool(store, world.clock, notices, worker, atOnce),
    checkpoints: new Checkpoints({ world, store, identify, settings: checkpoint }),
    directory,
    identify,
    login,
    usage: accountId => store.read(usageOf, accountId),
    hooks,
    onDemand,
    transit,
    room: new FreeSpace(world.disk, world.log, () => settings().limits.freeSpace),
    count: counters.message,
    settings: () => inboundSettings(settings()),
  }
  return {
    ...options,
    accounts,
    domains,
    inbound,
    connections,
    maildropLocks: store.alone
      ? new MaildropLocks()
      : new SharedMaildropLocks(store, world, worker.node),
    mailWatch: new MailWatch(store),
    metrics: counters,
    worker,
    settler,
    onDemand,
    login,
    changed() {
      accounts.changed()
      renew()
      void domains.refresh()
    },
  }
}

function inboundSettings(settings: Settings): InboundSettings {
  const { hostname, limits, submission, outbound } = settings
  return {
    hostname,
    hopsMax: limits.hops,
    enforceSender: submission.enforceSender,
    tellsSubmitter: outbound.smarthost?.username !== undefined,
    acceptQueueMax: limits.acceptQueue,
    localPerMinuteMax: limits.localPerMinute,
    inlineUpToOctets: inlineUpTo(settings),
  }
}

function accountSettings(settings: Settings, cost: HashCost): AccountSettings {
  const { separator, postmaster } = settings.addresses
  return {
    separator,
    quota: { octets: settings.quota.storage, messages: settings.quota.messages },
    hostname: settings.hostname.toLowerCase(),
    ...(postmaster ? { postmaster: parseStoredAddress(postmaster) } : {}),
    cost,
    loginCacheMs: 5 * 60_000,
  }
}

/**
 * Logins with a limit on failures, counted. Of SCRAM a wrong proof is not told here (the mechanism
 * itself sees it), so that each try counts as a failure until it has proven itself.
 */
function guardedLogin(
  accounts: AccountRoom,
  failures: Failures,
  counters: Metrics,
  secretOf: (username: string) => string | undefined,
): Inbound['login'] {
  /** By CRAM-MD5 only customers log in, who share a secret with us (`onDemand` in the config). */
  const answerTo = (question: LoginQuestion) => {
    if (question.kind !== 'cram') return accounts.login.answer(question)
    const { username, challenge, digest, mechanism } = question
    const right = cramDigest(secretOf(username) ?? '', challenge)
    const proven = sameOctets(Buffer.from(right), Buffer.from(digest))
    if (!proven || secretOf(username) === undefined) return accounts.login.answer(question)
    return accounts.login.answer({ kind: 'proven', mechanism, username, authorize: '' })
  }
  const told = (kind: LoginQuestion['kind'], answer: LoginAnswer, remote: Endpoint) => {
    if (kind === 'proven' && answer.kind === 'account') failures.forgive(remote.address)
    if (kind !== 'proven' && (answer.kind === 'denied' || answer.kind === 'verifier'))
      failures.add(remote.address)
    if (answer.kind === 'account') counters.login('accepted')
    else if (answer.kind !== 'verifier') counters.login(answer.kind)
    return answer
  }
  return (question: LoginQuestion, remote) => {
    // What a try has proven is heard to its end: it was counted when it began.
    if (question.kind !== 'proven' && failures.blocked(remote.address)) {
      return { kind: 'unavailable', why: 'too many failed logins; try again later' }
    }
    const answer = answerTo(question)
    return answer instanceof Promise
      ? answer.then(a => told(question.kind, a, remote))
      : told(question.kind, answer, remote)
  }
}
