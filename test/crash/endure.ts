/**
 * One data folder through everything: the real process on a small disk of its own, under load by every door, with
 * readers who take mail away, struck again and again (blows.ts) and started anew. At the end everything that was
 * acknowledged is counted and compared: it is with a reader, in a mailbox, or at the next hop; once, but for what
 * was in doubt. Called by torture.ts.
 */
import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { NotStarted, newFolder, type Server, startServer } from '../kit/server.ts'
import { Sink } from '../kit/sink.ts'
import { mountSmallDisk, type SmallDisk } from '../kit/small-disk.ts'
import { type Blow, blows, type Scene } from './blows.ts'
import { Load, numberOf } from './load.ts'
import { Taker } from './takers.ts'

const KB = 1024

export interface EndureOptions {
  readonly minutes: number
  readonly random: () => number
  /** Only blows whose names have one of these words; all without any. */
  readonly words: readonly string[]
  readonly restMs?: number
  readonly tell?: (line: string) => void
}

export interface EndureReport {
  readonly blows: Readonly<Record<string, number>>
  readonly acknowledged: number
  readonly taken: number
  readonly relayed: number
  readonly relayedTwice: number
  readonly doubtful: number
  readonly deferred: number
  readonly notStarted: number
}

/** Endures for so long. Throws AssertionError where a promise was broken. */
export async function endure(options: EndureOptions): Promise<EndureReport> {
  const disk = mountSmallDisk(192)
  try {
    return await new Endurance(options, disk).run()
  } finally {
    disk?.close()
  }
}

class Endurance {
  readonly #options: EndureOptions
  readonly #scene: Scene
  readonly #data: string
  readonly #load: Load
  readonly #takers = [new Taker(1, 'pop3'), new Taker(0, 'imap')]
  readonly #done = new Map<string, number>()
  #notStarted = 0

  constructor(options: EndureOptions, disk: SmallDisk | undefined) {
    this.#options = options
    this.#load = new Load({
      senders: 9,
      sizes: [900, 3 * KB, 500, 200 * KB, 12 * KB, 700, 130 * KB, 2 * KB],
      restMs: options.restMs ?? 0,
      remote: true,
      lmtp: true,
      both: true,
    })
    this.#scene = { disk, random: options.random }
    this.#data = join(disk?.folder ?? newFolder('endure'), 'data')
    mkdirSync(this.#data)
  }

  async run(): Promise<EndureReport> {
    const { minutes, words, random, tell } = this.#options
    const sink = await Sink.open()
    try {
      const able = blows.filter(
        ({ name, options }) =>
          (words.length === 0 || words.some(word => name.includes(word))) &&
          options(this.#scene) !== undefined,
      )
      const missing = blows.filter(({ options }) => options(this.#scene) === undefined)
      if (missing.length > 0) tell?.(`left out here: ${missing.map(({ name }) => name).join(', ')}`)
      const until = performance.now() + minutes * 60_000
      for (let round = 0; performance.now() < until; round++) {
        const blow = able[Math.floor(random() * able.length)] as Blow
        await this.#round(blow, sink)
        this.#done.set(blow.name, (this.#done.get(blow.name) ?? 0) + 1)
        if (round % 25 === 24) tell?.(JSON.stringify(await this.#judge(sink)))
      }
      return await this.#judge(sink)
    } finally {
      sink.close()
    }
  }

  #start(sink: Sink, how: ReturnType<Blow['options']> = {}): Promise<Server> {
    return startServer({
      data: this.#data,
      // What a copy has not synced would be lost with the power.
      first: true,
      timeoutMs: 120_000,
      smarthost: `127.0.0.1:${sink.port}`,
      set: { 'queue.retry': '1s', 'listeners.lmtp.enabled': true, 'limits.freeSpace': 0 },
      ...how,
    })
  }

  async #round(blow: Blow, sink: Sink): Promise<void> {
    const scene = this.#scene
    let server: Server | undefined
    const how = blow.options(scene)
    try {
      server = await this.#start(sink, how)
      this.#load.start(server)
      for (const taker of this.#takers) taker.start(server)
      await blow.strike(server, scene)
    } catch (error) {
      // Only what makes a start harder may keep it from starting.
      if (
        !(error instanceof NotStarted) ||
        how === undefined ||
        !('under' in how || 'env' in how)
      ) {
        throw error
      }
      this.#notStarted++
    }
    if (server !== undefined) {
      await server.stop('SIGKILL')
      await this.#load.stop()
      for (const taker of this.#takers) await taker.stop()
      const wild = server.log.filter(line => /uncaught|unhandled/i.test(line))
      assert.deepEqual(wild, [], `${blow.name}: nothing is thrown that nobody catches`)
    }
    blow.mend?.(scene)
  }

  /** A start without any blow: everything is to be somewhere. */
  async #judge(sink: Sink): Promise<EndureReport> {
    const { acknowledged, acknowledgedRemote, doubtful, deferred } = this.#load.sent
    const server = await this.#start(sink)
    const relayed = await drained(server, sink, acknowledgedRemote)
    for (const taker of this.#takers) {
      await taker.session(server).catch((error: unknown) => {
        throw new Error(`${String(error)}; the server said: ${server.log.slice(-20).join('\n')}`)
      })
    }
    const times = new Map<number, number>()
    for (const { seen } of this.#takers) {
      for (const number of seen.values()) times.set(number, (times.get(number) ?? 0) + 1)
    }
    const lost = [...acknowledged].filter(number => !times.has(number))
    assert.deepEqual(lost, [], 'what was acknowledged was read')
    const twice = [...times].filter(([, count]) => count > 1)
    assert.deepEqual(twice, [], 'no transaction is delivered twice')
    const known = (number: number) =>
      acknowledged.has(number) || doubtful.has(number) || deferred.has(number)
    const strange = [...times.keys()].filter(number => !known(number))
    assert.deepEqual(strange, [], 'nothing is there that was never sent to its end')
    assert.deepEqual(server.faults(), [])
    assert.equal((await server.stop()).code, 0)
    const check = await server.run('check', '--json')
    assert.equal(check.code, 0, check.out + check.err)
    return {
      blows: Object.fromEntries(this.#done),
      acknowledged: acknowledged.size,
      taken: times.size,
      relayed: relayed.size,
      relayedTwice: [...relayed.values()].filter(count => count > 1).length,
      doubtful: doubtful.size,
      deferred: deferred.size,
      notStarted: this.#notStarted,
    }
  }
}

/** Waits until all that was acknowledged for the outside is at the next hop; how often each came there. */
async function drained(
  server: Server,
  sink: Sink,
  wanted: ReadonlySet<number>,
): Promise<Map<number, number>> {
  for (let tries = 0; ; tries++) {
    const seen = new Map<number, number>()
    for (const message of sink.messages) {
      const number = numberOf(message)
      assert.ok(number !== undefined, `not octet for octet: ${message.toString('latin1', 0, 400)}`)
      seen.set(number, (seen.get(number) ?? 0) + 1)
    }
    const missing = [...wanted].filter(number => !seen.has(number))
    const { queued } = JSON.parse((await server.run('status', '--json')).out) as { queued: number }
    if (missing.length === 0 && queued === 0) return seen
    assert.ok(tries < 80, `not relayed: ${missing.join(' ')}; queued: ${queued}`)
    await sleep(500)
  }
}
