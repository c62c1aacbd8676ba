/**
 * Several real servers on one real PostgreSQL, each behind a network of its own that can be cut, under
 * load, with somebody who reads; and the oracle: whatever happened to nodes, network and database,
 * everything acknowledged is delivered exactly once, UIDs never repeat, and check finds nothing.
 */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { findings } from '../../src/store/check.ts'
import { openPostgresStore } from '../../src/store/postgres/open.ts'
import { silent } from '../../src/world/log.ts'
import { nodeClock } from '../../src/world/node/clock.ts'
import { nodeRandom } from '../../src/world/node/random.ts'
import { Load, numberOf } from '../crash/load.ts'
import { type Binaries, type PostgresServer, startPostgres } from '../kit/postgres.ts'
import { type Proxy as Network, openProxy } from '../kit/proxy.ts'
import { newFolder, type Server, startServer } from '../kit/server.ts'
import { Sink } from '../kit/sink.ts'
import { Reader } from './reader.ts'

/** One of the nodes; its server changes with every start. */
export interface ClusterNode {
  readonly proxy: Network
  readonly load: Load
  readonly data: string
  readonly env: NodeJS.ProcessEnv
  server: Server
  up: boolean
}

export interface ClusterReport {
  readonly acknowledged: number
  readonly relayed: number
  /** The client never heard an answer: there once, or not at all. */
  readonly doubtful: number
  readonly deferred: number
  /** Deferred in doubt, because no answer to COMMIT could be had. */
  readonly deferredStored: number
  readonly relayedTwice: number
  readonly inUse: number
}

export interface ClusterOptions {
  readonly nodes: number
  readonly senders: number
  readonly fsync?: boolean
  /** How long each sender rests behind a message. */
  readonly restMs?: number
  readonly sizes?: readonly number[]
  readonly set?: Readonly<Record<string, string | number | boolean>>
}

const SMALL = [900, 3000, 500, 12_000]

export class Cluster {
  readonly postgres: PostgresServer
  readonly sink: Sink
  readonly nodes: ClusterNode[] = []
  readonly reader = new Reader()
  readonly #database: string
  readonly #schema: string
  readonly #options: ClusterOptions

  private constructor(
    postgres: PostgresServer,
    sink: Sink,
    database: string,
    options: ClusterOptions,
  ) {
    this.postgres = postgres
    this.sink = sink
    this.#database = database
    this.#schema = decodeURIComponent(/search_path%3D([^&]+)/.exec(database)?.[1] ?? 'public')
    this.#options = options
  }

  /** Starts the database and the nodes; nothing is sent yet. */
  static async open(binaries: Binaries, options: ClusterOptions): Promise<Cluster> {
    const postgres = await startPostgres(binaries, { fsync: options.fsync ?? true })
    const sink = await Sink.open()
    const cluster = new Cluster(postgres, sink, await postgres.fresh(), options)
    try {
      for (let n = 0; n < options.nodes; n++) await cluster.add()
      return cluster
    } catch (error) {
      // Whoever opened it has nothing to close, and what goes on keeps his process alive.
      await cluster.close()
      throw error
    }
  }

  /** One more node. @param env its environment, for a clock that is wrong */
  async add(env: NodeJS.ProcessEnv = {}): Promise<ClusterNode> {
    const proxy = await openProxy(this.postgres.port)
    const data = newFolder('node')
    const server = await this.#start(proxy, data, env).catch(async (error: unknown) => {
      await proxy.close()
      throw error
    })
    const load = new Load({
      senders: this.#options.senders,
      sizes: this.#options.sizes ?? SMALL,
      restMs: this.#options.restMs ?? 0,
      remote: true,
      first: 1 + this.nodes.length * 1_000_000,
    })
    const node: ClusterNode = { proxy, data, env, load, server, up: true }
    this.nodes.push(node)
    return node
  }

  /** Begins load on all nodes, and reading. */
  begin(): void {
    for (const node of this.nodes) if (node.up) node.load.start(node.server)
    this.reader.start(() => this.nodes.filter(node => node.up).map(node => node.server))
  }

  async stop(node: ClusterNode, signal: NodeJS.Signals) {
    node.up = false
    const ended = await node.server.stop(signal)
    await node.load.stop()
    return ended
  }

  /** Starts a node that was stopped, and its load. */
  async restart(node: ClusterNode): Promise<void> {
    node.server = await this.#start(node.proxy, node.data, node.env)
    node.up = true
    node.load.start(node.server)
  }

  /** SQL on the nodes' tables, past every proxy. */
  sql(text: string): Promise<Record<string, unknown>[]> {
    return this.postgres.sql(text.replaceAll('@', `${this.#schema}.`))
  }

  async count(where: string): Promise<number> {
    const [row] = await this.sql(`SELECT count(*)::int AS n FROM @recipient WHERE ${where}`)
    return Number(row?.['n'])
  }

  /** Lets the time run out for what the dead held: nobody waits for a lease in a quick test. */
  async expireTheDead(): Promise<void> {
    const pids = this.nodes.filter(node => node.up).map(node => node.server.pid)
    const living = `(SELECT id FROM @node WHERE pid IN (${[0, ...pids].join(', ')}))`
    await this.sql(
      `UPDATE @recipient SET due_at = 0 WHERE state = 'leased' AND leased_by NOT IN ${living}`,
    )
    await this.sql(`UPDATE @maildrop_lock SET until_at = 0 WHERE holder NOT IN ${living}`)
  }

  /** Ends load and reading, waits until the queue is empty, counts and compares. */
  async judge(patienceMs = 15_000): Promise<ClusterReport> {
    await Promise.all(this.nodes.map(node => node.load.stop()))
    await this.reader.stop()
    await this.#drained(patienceMs)
    const [first] = this.nodes.filter(node => node.up)
    assert.ok(first)
    // The dead may hold the maildrop for as long as a lease is.
    for (const until = Date.now() + 60_000; Date.now() < until; await sleep(1_000)) {
      if (await this.reader.session(first.server)) return this.#verdict()
    }
    assert.fail('the mailbox could not be read to its end')
  }

  async #verdict(): Promise<ClusterReport> {
    const report = this.#compare()
    assert.deepEqual(await this.#findings(), [], 'check finds nothing')
    return report
  }

  async close(): Promise<void> {
    for (const node of this.nodes) {
      if (node.up) await this.stop(node, 'SIGKILL')
      await node.proxy.close()
    }
    this.sink.close()
    await this.postgres.stop()
  }

  #start(proxy: Network, data: string, env: NodeJS.ProcessEnv): Promise<Server> {
    const [first] = this.nodes
    return startServer({
      data,
      env,
      smarthost: `127.0.0.1:${this.sink.port}`,
      ...(first === undefined ? {} : { beside: first.server }),
      set: {
        database: this.#database.replace(`:${this.postgres.port}/`, `:${proxy.port}/`),
        'queue.retry': '1s',
        ...this.#options.set,
      },
    })
  }

  /** Not by the command: while this process waits for one, its proxies stand still. */
  async #findings() {
    const world = { clock: nodeClock, random: nodeRandom, log: silent }
    const store = await openPostgresStore({ url: this.#database, ...world })
    try {
      return await findings(store)
    } finally {
      await store.close()
    }
  }

  async #drained(patienceMs: number): Promise<void> {
    const until = Date.now() + patienceMs
    for (;;) {
      const open = await this.count(`state IN ('queued', 'leased', 'held')`)
      if (open === 0) return
      assert.ok(Date.now() < until, `${open} recipients are still on their way`)
      await sleep(100)
    }
  }

  #compare(): ClusterReport {
    const union = (of: (load: Load) => Iterable<number>) =>
      new Set(this.nodes.flatMap(({ load }) => [...of(load)]))
    const acknowledged = union(load => load.sent.acknowledged)
    const remote = union(load => load.sent.acknowledgedRemote)
    const doubtful = union(load => load.sent.doubtful)
    const deferred = union(load => load.sent.deferred)
    const stored = tally(this.reader.seen.values())
    const relayed = tally(this.sink.messages.map(message => numberOf(message) ?? -1))
    const lost = [...acknowledged].filter(number => !stored.has(number))
    assert.deepEqual(lost, [], 'what was acknowledged is in the mailbox')
    const twice = [...stored].filter(([, times]) => times > 1).map(([number]) => number)
    assert.deepEqual(twice, [], 'no transaction is delivered twice')
    const unsent = [...remote].filter(number => !relayed.has(number))
    assert.deepEqual(unsent, [], 'what was acknowledged for elsewhere is there')
    const known = (n: number) => acknowledged.has(n) || doubtful.has(n) || deferred.has(n)
    const strange = [...stored.keys(), ...relayed.keys()].filter(number => !known(number))
    assert.deepEqual(strange, [], 'nothing is there that was never sent to its end')
    return {
      acknowledged: acknowledged.size,
      relayed: relayed.size,
      doubtful: doubtful.size,
      deferred: deferred.size,
      deferredStored: [...deferred].filter(number => stored.has(number)).length,
      relayedTwice: [...relayed.values()].filter(times => times > 1).length,
      inUse: this.reader.inUse,
    }
  }
}

function tally(numbers: Iterable<number>): Map<number, number> {
  const seen = new Map<number, number>()
  for (const number of numbers) seen.set(number, (seen.get(number) ?? 0) + 1)
  return seen
}
