/**
 * The promise of the 250, on the real process: it is killed by SIGKILL again and again while senders
 * are at it, started again on the same folder, and at the end every message is counted and compared.
 * Used by kill.test.ts in a small form and by torture.ts in a long one.
 */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { newFolder, type Server, startServer } from '../kit/server.ts'
import { Sink } from '../kit/sink.ts'
import { Load, type LoadOptions, MIXED_SIZES, numberOf } from './load.ts'

export interface KillOptions {
  readonly rounds: number
  readonly senders: number
  /** How long senders work before each kill: from, to. */
  readonly workMs: readonly [number, number]
  /** Chance, for the moments. */
  readonly random: () => number
  /** Kills some starts as well, before or while they recover. */
  readonly killStarts?: boolean
  readonly sizes?: LoadOptions['sizes']
  readonly chunkOctets?: number
  readonly restMs?: number
}

export interface KillReport {
  readonly acknowledged: number
  readonly relayed: number
  readonly doubtful: number
  readonly doubtfulStored: number
  readonly relayedTwice: number
  readonly stagedLeft: number
}

/** Kills, restarts, counts. Throws AssertionError where a promise was broken. */
export async function killUnderLoad(options: KillOptions): Promise<KillReport> {
  const data = newFolder('kill')
  const sink = await Sink.open()
  const load = new Load({
    senders: options.senders,
    sizes: options.sizes ?? MIXED_SIZES,
    ...(options.chunkOctets === undefined ? {} : { chunkOctets: options.chunkOctets }),
    restMs: options.restMs ?? 0,
    remote: true,
  })
  const start = () =>
    startServer({
      data,
      timeoutMs: 120_000,
      smarthost: `127.0.0.1:${sink.port}`,
      set: { 'queue.retry': '1s' },
    })
  try {
    for (let round = 0; round < options.rounds; round++) {
      if (options.killStarts && round > 0) await killStart(start, options.random)
      const server = await start()
      load.start(server)
      const [from, to] = options.workMs
      await sleep(from + options.random() * (to - from))
      await server.stop('SIGKILL')
      await load.stop()
    }
    const server = await start()
    return await count(server, load, sink)
  } finally {
    sink.close()
  }
}

/** A start that does not live to see its first connection. */
async function killStart(start: () => Promise<Server>, random: () => number): Promise<void> {
  const server = await start()
  await sleep(random() * 30)
  await server.stop('SIGKILL')
}

async function count(server: Server, load: Load, sink: Sink): Promise<KillReport> {
  const { acknowledged, acknowledgedRemote, doubtful, refusals } = load.sent
  assert.deepEqual([...refusals], [], 'nothing was refused')
  const relayed = await drained(server, sink, acknowledgedRemote)
  const stored = await storedNumbers(server)
  const lost = [...acknowledged].filter(number => !stored.has(number))
  assert.deepEqual(lost, [], 'acknowledged messages are in the mailbox')
  const twice = [...stored].filter(([, times]) => times > 1).map(([number]) => number)
  assert.deepEqual(twice, [], 'no transaction is delivered twice')
  const strange = [...stored.keys()].filter(n => !acknowledged.has(n) && !doubtful.has(n))
  assert.deepEqual(strange, [], 'nothing is there that was never sent to its end')
  assert.deepEqual(server.faults(), [])
  assert.equal((await server.stop()).code, 0)
  const check = await server.run('check', '--json')
  assert.equal(check.code, 0, check.out + check.err)
  const staged = readdirSync(join(server.data, 'bodies')).length
  return {
    acknowledged: acknowledged.size,
    relayed: relayed.size,
    doubtful: doubtful.size,
    doubtfulStored: [...doubtful].filter(number => stored.has(number)).length,
    relayedTwice: [...relayed.values()].filter(times => times > 1).length,
    stagedLeft: staged - [...stored.keys()].filter(n => isStaged(load, n)).length,
  }
}

function isStaged(load: Load, number: number): boolean {
  return load.sizeOf(number) > 128 * 1024
}

/** Waits until all that was acknowledged for the outside is at the next hop. */
async function drained(
  server: Server,
  sink: Sink,
  wanted: ReadonlySet<number>,
): Promise<Map<number, number>> {
  for (let tries = 0; ; tries++) {
    const seen = tally(sink.messages)
    const missing = [...wanted].filter(number => !seen.has(number))
    const queued = JSON.parse((await server.run('status', '--json')).out) as { queued: number }
    if (missing.length === 0 && queued.queued === 0) return seen
    assert.ok(tries < 40, `not relayed: ${missing.join(' ')}; queued: ${queued.queued}`)
    await sleep(250)
  }
}

/** Message by message: all together may be gigabytes. */
async function storedNumbers(server: Server): Promise<Map<number, number>> {
  const seen = new Map<number, number>()
  const reader = await server.pop3(server.account(1))
  const count = Number((await reader.ask('STAT')).split(' ')[1])
  for (let place = 1; place <= count; place++) {
    const status = await reader.ask(`RETR ${place}`)
    assert.match(status, /^\+OK/)
    add(seen, await reader.multiline())
  }
  reader.end()
  return seen
}

function tally(messages: readonly Buffer[]): Map<number, number> {
  const seen = new Map<number, number>()
  for (const message of messages) add(seen, message)
  return seen
}

function add(seen: Map<number, number>, message: Buffer): void {
  const number = numberOf(message)
  assert.ok(number !== undefined, `not octet for octet: ${message.subarray(0, 600).toString()}`)
  seen.set(number, (seen.get(number) ?? 0) + 1)
}
