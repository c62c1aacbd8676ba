/**
 * Mail that customers ask for: who may start or take what (`onDemand` in the config), and the deliveries
 * that come of it. Asked by the sessions through inbound/role.ts; transport/pickup.ts carries the mail.
 */
import { domainToUnicode } from 'node:url'
import { addressKey, canonicalDomain } from '../account/address.ts'
import type { OnDemand, Refusal } from '../inbound/role.ts'
import { parseStoredAddress } from '../mail/address.ts'
import { defer, refuse } from '../mail/verdict.ts'
import { LEASE_MS } from '../queue/claim.ts'
import { newbornFor, pendingFor } from '../queue/reader.ts'
import type { Route } from '../route/route.ts'
import { timeouts } from '../smtp/client/state.ts'
import type { Node, Peer, StartAnswer } from '../smtp/server/question.ts'
import type { Store } from '../store/store.ts'
import { takeOver } from '../transport/hop.ts'
import { hopTransport, type PickedUp, patient, pickUp } from '../transport/pickup.ts'
import { tlsPolicy } from '../transport/tls-policy.ts'
import type { Transport } from '../transport/transport.ts'
import type { Worker } from '../transport/worker.ts'
import { isWithin } from '../wire/network.ts'
import { sleep } from '../world/clock.ts'
import type { Connection } from '../world/net.ts'
import type { World } from '../world/world.ts'
import type { Settings } from './settings/settings.ts'

type Customer = Settings['onDemand'][string] & { readonly domain: string }

/** Deliveries begun by ETRN at once; who asks for more is told to come back. */
const RUNS_MAX = 50

/** How often, and how many times, we look whether what was accepted this moment has come to where it waits. */
const BIRTH_MS = 25
const BIRTH_LOOKS = 40

export interface OnDemandNeeds {
  readonly world: World
  readonly store: Store
  readonly settings: () => Settings
  readonly worker: Worker
  /** How mail goes to a customer's own host. */
  readonly smtp: Transport
}

export class OnDemandMail implements OnDemand {
  readonly #needs: OnDemandNeeds
  /** Domains whose mail is being sent because of an ETRN. */
  readonly #running = new Set<string>()

  constructor(needs: OnDemandNeeds) {
    this.#needs = needs
  }

  takes(domain: string): boolean {
    return customerOf(this.#needs.settings(), domain) !== undefined
  }

  /** RFC 1985: begins the delivery and answers at once; a domain that is being sent is not begun twice. */
  async start(peer: Peer, node: Node): Promise<StartAnswer> {
    const customers = this.#named(node).filter(customer => mayStart(customer, peer))
    if (customers.length === 0) {
      // One answer whether we know the node or not: nobody learns here for whom we keep mail.
      return defer(459, '7.1', `Node ${node.text} not allowed: you may not start it`)
    }
    let messages = 0
    let underWay = false
    for (const customer of customers) {
      const waiting = await this.#waiting(spellings(customer.domain))
      messages += waiting
      if (this.#running.has(customer.domain)) underWay = true
      else if (waiting === 0) continue
      else if (this.#running.size >= RUNS_MAX) {
        return defer(458, '3.2', `Unable to queue messages for node ${node.text}: too many at once`)
      } else void this.#deliver(customer)
    }
    return { kind: 'pending', messages, underWay }
  }

  /** RFC 2645 §5.2.1: all of the domains must be his, and something must wait. */
  async exchange(peer: Peer, verb: 'ATRN' | 'TURN', domains: readonly string[]) {
    const refused = (code: 450 | 453, text: string): Refusal =>
      // RFC 821 §4.3 knows no refusal of TURN but 502.
      (verb === 'TURN'
        ? refuse(502, '5.1', text)
        : defer(code, code === 450 ? '7.1' : '0.0', text)) as Refusal
    const his = customersOf(this.#needs.settings()).filter(customer => mayTake(customer, peer))
    const wanted = domains.map(canonicalDomain)
    const chosen = wanted.length === 0 ? his : his.filter(({ domain }) => wanted.includes(domain))
    if (chosen.length === 0 || new Set(wanted).size > chosen.length) {
      return refused(450, `${verb} request refused: not all of the domains are yours`)
    }
    const all = chosen.flatMap(({ domain }) => spellings(domain))
    if ((await this.#waiting(all)) === 0) return refused(453, 'You have no mail')
    return { kind: 'exchange' as const, domains: all }
  }

  /**
   * How many messages wait. One that got its 250 this moment is on its way there, in a node's hands; who asks
   * now means it too.
   */
  async #waiting(domains: readonly string[]): Promise<number> {
    const { world, store } = this.#needs
    for (let looks = 0; looks < BIRTH_LOOKS; looks++) {
      if (!(await store.read(newbornFor, { domains, leaseMs: LEASE_MS }))) break
      await sleep(world.clock, BIRTH_MS)
    }
    return store.read(pendingFor, domains)
  }

  /** The roles have changed: all that waits goes over the customer's connection. Never rejects. */
  async sendOver(connection: Connection, peer: Peer, domains: readonly string[]): Promise<void> {
    const { world, worker, settings } = this.#needs
    const { outbound, hostname } = settings()
    const { address } = connection.remote
    const opened = await takeOver(world, connection, {
      host: { name: peer.hello, address },
      port: connection.remote.port,
      hostname: outbound.hostname ?? hostname,
      protocol: 'smtp',
      // It is secured already, or its customer did without.
      tls: tlsPolicy('never'),
      connectTimeoutMs: outbound.connectTimeout,
      timeouts: timeouts(outbound.replyTimeout),
      eightBit: outbound.eightBit,
    })
    if (opened.kind === 'trouble') {
      world.log.info('exchange.failed', { remote: address, reason: opened.trouble.reason })
      return
    }
    const transport = hopTransport(opened.hop, world.log)
    const route: Route = { kind: 'onDemand', domain: domains[0] ?? '' }
    await this.#carried('exchange', domains, pickUp(worker, domains, { route, transport }))
    await transport.close()
  }

  async #deliver({ domain, host }: Customer): Promise<void> {
    const { worker, smtp } = this.#needs
    const route: Route = host
      ? { kind: 'smarthost', ...host, tls: 'opportunistic' }
      : { kind: 'mx', domain }
    this.#running.add(domain)
    const domains = spellings(domain)
    const way = { route, transport: patient(smtp) }
    await this.#carried('etrn', domains, pickUp(worker, domains, way))
    this.#running.delete(domain)
  }

  /** Says in the log what came of a round; a store that fails ends the round, and nothing is lost by it. */
  async #carried(event: string, domains: readonly string[], round: Promise<PickedUp>) {
    const { log } = this.#needs.world
    try {
      log.info(event, { domains, ...(await round) })
    } catch (error) {
      log.error(`${event}.failed`, { domains, error: String(error) })
    }
  }

  #named({ kind, name }: Node): readonly Customer[] {
    if (kind === 'queue') return []
    const wanted = canonicalDomain(name)
    return customersOf(this.#needs.settings()).filter(
      ({ domain }) => domain === wanted || (kind === 'subdomains' && domain.endsWith(`.${wanted}`)),
    )
  }
}

const known = new WeakMap<Settings, ReadonlyMap<string, Customer>>()

/** By domain in canonical form; computed once for the settings of an epoch. */
function customerMap(settings: Settings): ReadonlyMap<string, Customer> {
  let map = known.get(settings)
  if (map === undefined) {
    map = new Map(
      Object.entries(settings.onDemand).map(([name, customer]) => {
        const domain = canonicalDomain(name)
        return [domain, { ...customer, domain }]
      }),
    )
    known.set(settings, map)
  }
  return map
}

function customersOf(settings: Settings): readonly Customer[] {
  return [...customerMap(settings).values()]
}

/** The customer who has the domain, if any. */
export function customerOf(settings: Settings, domain: string): Customer | undefined {
  const map = customerMap(settings)
  return map.size === 0 ? undefined : (map.get(domain) ?? map.get(canonicalDomain(domain)))
}

/** The secret an account proves itself with by CRAM-MD5, if a customer has one. */
export function sharedSecretOf(settings: Settings, username: string): string | undefined {
  const key = addressKey(parseStoredAddress(username))
  return customersOf(settings).find(
    customer => customer.secret !== undefined && isAccountOf(customer, key),
  )?.secret
}

function isAccountOf({ accounts }: Customer, key: string): boolean {
  return accounts.some(address => addressKey(parseStoredAddress(address)) === key)
}

/** ETRN sends nothing to who asks, so that an address is proof enough (RFC 1985 §7). */
function mayStart(customer: Customer, peer: Peer): boolean {
  return mayTake(customer, peer) || isWithin(peer.remote.address, customer.peers)
}

/** By an account, or by a certificate that the listener's roots have verified. */
function mayTake(customer: Customer, { account, tls }: Peer): boolean {
  if (account !== undefined && isAccountOf(customer, account.address)) return true
  if (tls?.verified !== true) return false
  const { certificates } = customer
  return [tls.peerName, tls.fingerprint].some(it => it !== undefined && certificates.includes(it))
}

/** As recipients may have it: the queue keeps a domain as it was written. */
function spellings(domain: string): string[] {
  const unicode = domainToUnicode(domain)
  return unicode === domain || unicode === '' ? [domain] : [domain, unicode]
}
