/**
 * Where each recipient of the queue goes: the user's hook, then the rules of the config (route/decide.ts),
 * with what they ask for read from the store. Asked at every attempt, so that a change of the config counts
 * for mail already queued. Used by outbound.ts.
 */
import { addressOfAccount } from '../account/reader.ts'
import type { HookAnswer } from '../hook/hook.ts'
import type { Hooks } from '../hook/hooks.ts'
import type { InboundRules } from '../inbound/role.ts'
import { parseStoredAddress } from '../mail/address.ts'
import { fieldTexts } from '../message/field-texts.ts'
import { HEADER_MAX_OCTETS, prefixOf, queuedContent } from '../queue/content.ts'
import type { QueuedMessage } from '../queue/reader.ts'
import type { Newborn } from '../queue/spool.ts'
import { type Decision, decide, type Passed, type RouteRules } from '../route/decide.ts'
import type { Facts, Need, Origin } from '../route/match.ts'
import type { Route } from '../route/route.ts'
import { routeByHops } from '../route/to.ts'
import type { Store } from '../store/store.ts'
import type { JobRow } from '../transport/job.ts'
import type { World } from '../world/world.ts'
import type { LocalDomains } from './local-domains.ts'
import { hopsOfSettings, type Rules, rulesOf } from './route-rules.ts'
import type { Settings } from './settings/settings.ts'

export interface RoutingNeeds {
  readonly world: World
  readonly store: Store
  readonly settings: () => Settings
  readonly hooks: () => Hooks | undefined
  readonly domains: LocalDomains
}

/** What of a row the rules are told. */
export type RoutedRow = Pick<JobRow, 'address' | 'released' | 'via'> & {
  /** The header of a message that is not there to be read (`explain`). */
  readonly header?: Facts['header']
}

type Decided = Extract<Decision, { readonly kind: 'decided' }>

/** Where a recipient goes, what of the config decided it, and which rules were passed over before. */
export interface Reasoned {
  readonly route: Route
  /** 'routes[2]', 'domains', 'outbound.smarthost', 'hooks.route' ... */
  readonly by: string
  readonly passed: readonly Passed[]
}

export class Routing {
  readonly #needs: RoutingNeeds
  /** What was read of a message, for all of its recipients. */
  readonly #read = new WeakMap<QueuedMessage, Map<Need, Promise<Partial<Facts>>>>()

  constructor(needs: RoutingNeeds) {
    this.#needs = needs
  }

  /** Never rejects. */
  route(message: QueuedMessage, row: RoutedRow): Route | Promise<Route> {
    if (row.via) return this.#via(row.via, row.address)
    if (this.#needs.hooks()?.has('route')) {
      return this.reason(message, row).then(({ route }) => route)
    }
    const decision = this.#byRules(message, row)
    return decision instanceof Promise ? decision.then(({ route }) => route) : decision.route
  }

  /** The same, with what decided it and which rules were passed over. Never rejects. */
  async reason(message: QueuedMessage, row: RoutedRow): Promise<Reasoned> {
    if (row.via) return { route: this.#via(row.via, row.address), by: 'queue reroute', passed: [] }
    const hooks = this.#needs.hooks()
    if (hooks?.has('route')) {
      const facts = factsOf(message, row)
      const { domain } = facts.recipient
      const { sizeOctets = 0, origin, peer } = facts
      const told = { recipient: row.address, domain, sender: message.reverse_path, id: message.id }
      const answer = await hooks
        .ask('route', { ...told, origin, peer, sizeOctets })
        .catch(() => undefined)
      const route = this.#hooked(answer, facts)
      if (route !== undefined) return { route, by: 'hooks.route', passed: [] }
    }
    const passed: Passed[] = []
    return { ...(await this.#byRules(message, row, passed)), passed }
  }

  /** As far as the address alone tells. */
  guess(address: string): Route {
    const recipient = parseStoredAddress(address)
    const { byAddress } = this.#rules()
    const decision = decide(byAddress, { ...NOTHING, recipient })
    return decision.kind === 'decided' ? decision.route : { kind: 'local' }
  }

  /** Whether what is just being accepted is for a mailbox here, and no rule or hook needs to see more of it. */
  isPlainLocal(newborn: Newborn, address: string): boolean {
    if (this.#needs.hooks()?.has('route')) return false
    const { all } = this.#rules()
    const recipient = parseStoredAddress(address)
    if (all.rules.length === 0) return recipient.domain === '' || all.isLocal(recipient.domain)
    const { reversePath: sender, origin, sizeOctets, accountId } = newborn
    const peer = peerAddress(newborn.peer)
    const facts = { recipient, sender, origin, peer, sizeOctets }
    const decision = decide(all, accountId === null ? { ...facts, account: null } : facts)
    return decision.kind === 'decided' && decision.route.kind === 'local'
  }

  /** What sessions hear of the rules. A hook may lead mail elsewhere, and is asked later: nothing is refused then. */
  readonly inbound: InboundRules = {
    relaysFor: domain => this.#rules().relaysFor(domain),
    names: domain => this.#rules().names(domain),
    refuseAny: () => this.#rules().refuses && !this.#needs.hooks()?.has('route'),
    refusal: facts => {
      const routes = facts.map(one => decide(this.#rules().all, one))
      const refused = routes.map(one =>
        one.kind === 'decided' && one.route.kind === 'reject' ? one.route : undefined,
      )
      return refused.every(route => route !== undefined) ? refused[0] : undefined
    },
  }

  /** The way that an operator has set: his word counts for more than hooks and rules. */
  #via(via: string, address: string): Route {
    const recipient = parseStoredAddress(address)
    const hops = hopsOfSettings(this.#needs.settings())
    if (via === 'mx') return { kind: 'mx', domain: recipient.domain }
    if (hops.has(via)) return routeByHops([via], hops)(recipient)
    const reason = `it was rerouted by "${via}", which is no more in outbound.hops`
    return { kind: 'undecided', reason }
  }

  #rules(): Rules {
    const { settings, domains } = this.#needs
    return rulesOf(settings(), domains)
  }

  /** A user's own say in where mail goes; a hook that fails leaves the usual route. */
  #hooked(answer: HookAnswer<'route'> | { readonly kind: 'defer' } | undefined, facts: Facts) {
    if (answer === undefined || answer.kind === 'defer') return undefined
    if (answer.kind === 'hold' && facts.released) return undefined
    if (answer.kind !== 'hops') return answer
    const hops = hopsOfSettings(this.#needs.settings())
    const unknown = answer.hops.find(name => !hops.has(name))
    if (unknown === undefined) return routeByHops(answer.hops, hops)(facts.recipient)
    const reason = `there is no hop "${unknown}" in outbound.hops`
    this.#needs.world.log.error('hook failed', { hook: 'route', reason })
    return undefined
  }

  #byRules(message: QueuedMessage, row: RoutedRow, passed?: Passed[]): Decided | Promise<Decided> {
    const { all } = this.#rules()
    const facts = factsOf(message, row)
    const decision = decide(all, facts, passed)
    if (decision.kind === 'decided') return decision
    return this.#readOn(all, message, facts, passed).catch((error: unknown): Decided => {
      const { by } = decision
      this.#needs.world.log.error('route', { message: message.id, error: String(error) })
      const reason = `what ${by} asks for could not be read`
      return { kind: 'decided', route: { kind: 'undecided', reason }, by }
    })
  }

  /** Reads what the rules ask for, one after the other, until they can tell. */
  async #readOn(
    rules: RouteRules,
    message: QueuedMessage,
    first: Facts,
    passed: Passed[] | undefined,
  ): Promise<Decided> {
    for (let facts = first; ; ) {
      if (passed) passed.length = 0
      const decision = decide(rules, facts, passed)
      if (decision.kind === 'decided') return decision
      facts = { ...facts, ...(await this.#look(message, decision.need)) }
    }
  }

  #look(message: QueuedMessage, need: Need): Promise<Partial<Facts>> {
    const known = this.#read.get(message) ?? new Map<Need, Promise<Partial<Facts>>>()
    this.#read.set(message, known)
    const looking = known.get(need) ?? this.#factOf(message, need)
    known.set(need, looking)
    return looking
  }

  async #factOf(message: QueuedMessage, need: Need): Promise<Partial<Facts>> {
    const { store, world } = this.#needs
    if (need === 'size') return { sizeOctets: message.size_octets }
    if (need === 'header') {
      const source = queuedContent(store, world.disk, message)
      return { header: fieldTexts(await prefixOf(source, HEADER_MAX_OCTETS)) }
    }
    const { account_id: id } = message
    const address = id === null ? undefined : await store.read(addressOfAccount, id)
    return { account: address === undefined ? null : parseStoredAddress(address) }
  }
}

const NOTHING = { sender: null, origin: 'mx', peer: '', account: null } as const

function factsOf(message: QueuedMessage, row: RoutedRow): Facts {
  const { reverse_path: path, account_id: account } = message
  return {
    recipient: parseStoredAddress(row.address),
    sender: path === '' ? null : parseStoredAddress(path),
    origin: message.origin as Origin,
    peer: peerAddress(message.peer),
    sizeOctets: message.size_octets,
    ...(account === null && { account: null }),
    ...(row.released && { released: true }),
    ...(row.header && { header: row.header }),
  }
}

/** Of who handed it in himself: what he told of others (XFORWARD) decides nothing. */
function peerAddress(peer: string): string {
  return /\[([^[\]]*)\]$/.exec(peer)?.[1] ?? ''
}
