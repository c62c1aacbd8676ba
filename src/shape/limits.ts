/**
 * What the rules of shaping allow now, for this node: asked by the worker before a load begins, and by the
 * transport at the moment it would send. Which rules a destination has is known once its hosts are. Nothing
 * here waits: who may not go waits in the rule's lane.
 *
 * A domain of which a rule or an operator says something has its mail told apart, also where a fixed hop takes it with
 * that of all others (docs/decisions/0014): by what holds for the hop, and what holds for the domain.
 */
import { routeKey } from '../route/route.ts'
import { formatCount, formatDuration } from '../wire/measure.ts'
import type { Clock } from '../world/clock.ts'
import { domainLane, type Gates, type Wait } from './gates.ts'
import { type Batch, batchOf, Tokens } from './rate.ts'
import {
  type Aim,
  matchesRule,
  namesDomain,
  namesDomains,
  type Rate,
  ruleLane,
  type ShapingRule,
  warmUpRate,
} from './rule.ts'

/** Destinations whose hosts are remembered. */
const SITES_MAX = 20_000

interface Site {
  readonly rules: readonly ShapingRule[]
  /** Of which config. */
  readonly of: readonly ShapingRule[]
}

export class Limits {
  readonly #clock: Clock
  readonly #gates: Gates
  readonly #rules: () => readonly ShapingRule[]
  readonly #sites = new Map<string, Site>()
  /** By lane. */
  readonly #tokens = new Map<string, Tokens>()
  /** Connections by destination. */
  readonly #open = new Map<string, number>()
  /** Those rules that name domains. */
  #named: Site | undefined
  /** Of all nodes, which one this is. */
  #share = { nodes: 1, rank: 0 }

  constructor(clock: Clock, gates: Gates, rules: () => readonly ShapingRule[]) {
    this.#clock = clock
    this.#gates = gates
    this.#rules = rules
  }

  /** How many nodes share the limits on connections, and our place among them; behind all of them nothing is ours. */
  shared(nodes: number, rank: number): void {
    this.#share = { nodes: Math.max(1, nodes), rank }
  }

  /** Whether any domain may be told apart: mostly none is, and nobody need look which. */
  get apartAny(): boolean {
    return this.#gates.closesDomains || this.#byDomain().length > 0
  }

  /** Whether this one is: its mail then goes by loads of its own, whichever way it goes. */
  apart(domain: string): boolean {
    if (this.#gates.closesDomains && this.#gates.closed(domainLane(domain))) return true
    return this.#byDomain().some(rule => namesDomain(rule, domain))
  }

  /** The name of the connections that a load shares: a domain has its own where a rule says something of them. */
  siteOf({ route, domain }: Aim): string {
    const own = this.#byDomain().some(
      rule =>
        (rule.connections ?? rule.messagesPerConnection) !== undefined &&
        domain !== undefined &&
        namesDomain(rule, domain),
    )
    return siteName(own ? { route, domain } : { route })
  }

  /** The hosts of a destination were found. */
  located(aim: Aim, hosts: readonly string[]): void {
    const rules = this.#rules()
    if (rules.length === 0) return
    const { route, domain } = aim
    if (domain !== undefined) this.located({ route }, hosts)
    const [oldest] = this.#sites.keys()
    if (oldest !== undefined && this.#sites.size >= SITES_MAX) this.#sites.delete(oldest)
    const mine = rules.filter(rule => matchesRule(rule, aim, hosts))
    this.#sites.set(siteName(aim), { rules: mine, of: rules })
  }

  /** The rules that hold for a destination, as far as is known. */
  rulesOf(aim: Aim): readonly ShapingRule[] {
    const rules = this.#rules()
    if (rules.length === 0) return rules
    const site = this.#sites.get(siteName(aim))
    if (site?.of === rules) return site.rules
    return rules.filter(rule => rule.match.mx === undefined && matchesRule(rule, aim, []))
  }

  /** Why nothing may go there now; a token is not taken. */
  wait(aim: Aim): Wait | undefined {
    const suspended = this.#suspended(aim)
    if (suspended !== undefined) return suspended
    for (const rule of this.rulesOf(aim)) {
      const closed = this.#gates.wait(ruleLane(rule))
      if (closed !== undefined) return closed
      if (this.#barred(rule)) return busy(rule)
      for (const { lane, rate } of this.#rates(rule)) {
        if (this.tokens(lane) < 1) return slow(lane, rate)
      }
    }
    return undefined
  }

  /** Takes what one message needs, or says why it may not go. */
  spend(aim: Aim): Wait | undefined {
    const wait = this.wait(aim)
    if (wait !== undefined) return wait
    const now = this.#clock.monotonic()
    for (const rule of this.rulesOf(aim)) {
      for (const { lane } of this.#rates(rule)) this.#tokens.get(lane)?.spend(now)
    }
    return undefined
  }

  /** Whether one more connection may be opened, by the name of those it would share (`siteOf`). */
  mayOpen(gate: string): boolean {
    return this.#counted(gate).every(rule => this.#inUse(rule) < this.#most(rule))
  }

  /** Whether there is one too many: what was opened before its rules were known. */
  exceeded(gate: string): boolean {
    return this.#counted(gate).some(rule => this.#inUse(rule) > this.#most(rule))
  }

  opened(gate: string): void {
    this.#open.set(gate, (this.#open.get(gate) ?? 0) + 1)
  }

  shut(gate: string): void {
    const left = (this.#open.get(gate) ?? 0) - 1
    if (left > 0) this.#open.set(gate, left)
    else this.#open.delete(gate)
  }

  /** Whether a rule keeps a destination closed just now. */
  closes(gate: string): boolean {
    const rules = this.#sites.get(gate)?.rules ?? NONE
    return rules.some(rule => this.#gates.wait(ruleLane(rule)) !== undefined)
  }

  /** Whether nothing of a lane is for this node. */
  bars(lane: string): boolean {
    return this.#rules().some(rule => ruleLane(rule) === lane && this.#barred(rule))
  }

  /** The destinations that a rule's lane holds up, as far as they are known. */
  heldBy(lane: string): readonly string[] {
    const held = [...this.#sites].filter(([, { rules }]) =>
      rules.some(rule => ruleLane(rule) === lane),
    )
    return held.map(([gate]) => gate)
  }

  messagesTo(gate: string, usual: number): number {
    return (this.#sites.get(gate)?.rules ?? NONE).reduce(
      (least, rule) => Math.min(least, rule.messagesPerConnection ?? least),
      usual,
    )
  }

  /** The lanes of a destination's rates. */
  lanesOf(aim: Aim): readonly string[] {
    return this.rulesOf(aim).flatMap(rule => this.#rates(rule).map(({ lane }) => lane))
  }

  /** Why something waits behind others in the lane of a rate. */
  behind(aim: Aim, lane: string): Wait {
    const rates = this.rulesOf(aim).flatMap(rule => this.#rates(rule))
    const found = rates.find(one => one.lane === lane)
    return found ? slow(lane, found.rate) : { lane, status: '4.4.5', reason: 'it waits its turn' }
  }

  /** How the tokens of a lane are granted, where it has any. */
  batch(lane: string): Batch | undefined {
    for (const rule of this.#rules()) {
      for (const one of this.#rates(rule)) if (one.lane === lane) return batchOf(one.rate)
    }
    return undefined
  }

  tokens(lane: string): number {
    return this.#tokens.get(lane)?.left(this.#clock.monotonic()) ?? 0
  }

  granted(lane: string, tokens: number, untilMs: number): void {
    const held = this.#tokens.get(lane) ?? new Tokens()
    held.granted(tokens, untilMs)
    this.#tokens.set(lane, held)
  }

  /** The domain is suspended by itself. */
  #suspended({ route, domain }: Aim): Wait | undefined {
    if (!this.#gates.closesDomains) return undefined
    const own = domain ?? (route.kind === 'mx' ? route.domain : undefined)
    return own === undefined ? undefined : this.#gates.wait(domainLane(own))
  }

  /** The rules that name domains; looked for once for each config. */
  #byDomain(): readonly ShapingRule[] {
    const of = this.#rules()
    if (this.#named?.of !== of) this.#named = { rules: of.filter(namesDomains), of }
    return this.#named.rules
  }

  #rates(rule: ShapingRule): readonly { readonly lane: string; readonly rate: Rate }[] {
    if (rule.rate === undefined && rule.warmUp === undefined) return NONE
    const lane = ruleLane(rule)
    const warm = warmUpRate(rule, this.#clock.now())
    return [
      ...(rule.rate === undefined ? [] : [{ lane: `${lane} rate`, rate: rule.rate }]),
      ...(warm === undefined ? [] : [{ lane: `${lane} warm-up`, rate: warm }]),
    ]
  }

  #counted(gate: string): readonly ShapingRule[] {
    const rules = this.#sites.get(gate)?.rules ?? NONE
    return rules.filter(({ connections }) => connections !== undefined)
  }

  #inUse({ name }: ShapingRule): number {
    let open = 0
    for (const [gate, connections] of this.#open) {
      const rules = this.#sites.get(gate)?.rules
      if (rules?.some(rule => rule.name === name)) open += connections
    }
    return open
  }

  #barred(rule: ShapingRule): boolean {
    return rule.connections !== undefined && this.#most(rule) === 0
  }

  /** Our part of what all nodes may have: the parts of all are the whole. */
  #most({ connections = 0 }: ShapingRule): number {
    const { nodes, rank } = this.#share
    if (rank >= nodes) return 0
    return Math.floor(connections / nodes) + (rank < connections % nodes ? 1 : 0)
  }
}

const NONE: readonly never[] = []

/** By MX a domain has a route of its own already. */
function siteName({ route, domain }: Aim): string {
  const name = routeKey(route)
  return domain === undefined || route.kind === 'mx' ? name : `${name} for ${domain}`
}

function busy(rule: ShapingRule): Wait {
  const reason = `all connections that "${rule.name}" allows are other nodes'`
  return { lane: ruleLane(rule), status: '4.4.5', reason }
}

function slow(lane: string, { messages, perMs }: Rate): Wait {
  const most = formatCount(messages, 'message')
  const reason = `no more than ${most} in ${formatDuration(perMs)} ${messages === 1 ? 'goes' : 'go'} there`
  return { lane, status: '4.4.5', reason }
}
