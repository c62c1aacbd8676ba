/**
 * The town: several mail servers, the people who write to each other, one DNS, one network, and a
 * virtual time, all in one process and all from one seed. Tests say what happens in it; oracle.ts
 * says whether that may be.
 */
import { createWorld, type Duration, type Host, type Internet } from '../../src/world/sim/index.ts'
import { Ledger } from './ledger.ts'
import { MailServer, type ServerPlan } from './server.ts'
import { Tracer } from './trace.ts'
import { type Letter, type Try, User } from './user.ts'

export interface TownPlan {
  readonly seed: string | number
  readonly servers: readonly ServerPlan[]
  /** Segments cut by chance and late by chance; false keeps every write whole, for traces. */
  readonly rough?: boolean
}

export class Town {
  readonly internet: Internet
  /** The first node of each domain: it has the store. */
  readonly servers: MailServer[] = []
  /** All of them. */
  readonly nodes: MailServer[] = []
  readonly users = new Map<string, User>()
  readonly tracer: Tracer
  readonly #keeper: Host

  /** Use `createTown`. */
  constructor(plan: TownPlan) {
    this.internet = createWorld({ seed: plan.seed })
    this.tracer = new Tracer(() => this.internet.now)
    const { faults } = this.internet.network
    if (plan.rough !== true) {
      faults.cut = 'whole'
      faults.latencyMs = [10, 10]
    }
    faults.fate = segment => {
      this.tracer.segment(segment)
      return 'deliver'
    }
    // A machine that never crashes: it turns the others on again.
    this.#keeper = this.internet.host({ name: 'keeper.test', addresses: ['192.0.2.254'] })
    for (const [i, server] of plan.servers.entries()) this.#add(server, i)
  }

  get tries(): Try[] {
    return [...this.users.values()].flatMap(user => user.tries)
  }

  server(domain: string): MailServer {
    const found = this.servers.find(server => server.plan.domain === domain)
    if (!found) throw new Error(`no server for ${domain}`)
    return found
  }

  user(address: string): User {
    const found = this.users.get(address)
    if (!found) throw new Error(`nobody is called ${address}`)
    return found
  }

  /** Sends a letter and waits until its sender may forget it. */
  send(letter: Letter): Promise<void> {
    return this.internet.complete(this.user(letter.from).send(letter))
  }

  advance(duration: Duration): Promise<void> {
    return this.internet.advance(duration)
  }

  /** Runs something after so much virtual time; no crash stops it. */
  later(delayMs: number, run: () => void): void {
    this.#keeper.world.clock.after(delayMs, run)
  }

  /**
   * Final addresses that mail to this one must reach, as the plan has it, each with the addresses on
   * the way to it: a notice may name any of them.
   */
  ways(
    address: string,
    ways = new Map<string, Set<string>>(),
    above: readonly string[] = [],
  ): Map<string, Set<string>> {
    if (above.includes(address)) return ways
    const way = [...above, address]
    const [local = '', domain = ''] = address.split('@')
    const server = this.servers.find(one => one.plan.domain === domain)
    const targets = server?.plan.aliases?.[local]
    for (const target of targets ?? []) this.ways(target, ways, way)
    if (targets === undefined) {
      ways.set(address, new Set([...(ways.get(address) ?? []), ...way]))
    }
    return ways
  }

  #add(plan: ServerPlan, index: number): void {
    const address = `192.0.2.${index + 1}`
    const ledger = new Ledger(
      () => this.internet.now,
      line => this.tracer.ledger(`mx.${plan.domain}`, line),
    )
    const needs = { internet: this.internet, keeper: this.#keeper, ledger }
    const server = new MailServer(needs, plan, address)
    this.servers.push(server)
    const nodes = [server]
    for (let n = 1; n < (plan.nodes ?? 1); n++) {
      nodes.push(
        new MailServer(needs, plan, `192.0.2.${100 + index * 10 + n}`, { n, beside: server }),
      )
    }
    this.nodes.push(...nodes)
    const mua = this.internet.host({
      name: `mua.${plan.domain}`,
      addresses: [`198.51.100.${index + 1}`],
    })
    for (const [i, name] of plan.accounts.entries()) {
      const user = `${name}@${plan.domain}`
      this.users.set(user, new User(user, mua, nodes[i % nodes.length] as MailServer))
    }
  }
}

/** Builds a town; every server of it serves when this resolves. */
export async function createTown(plan: TownPlan): Promise<Town> {
  const town = new Town(plan)
  for (const server of town.nodes) await town.internet.complete(server.open())
  return town
}
