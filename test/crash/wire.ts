/**
 * The real process and a world outside that cannot be relied on: the next hop comes and goes within transactions,
 * the name server is silent, fails, lies, or names a thousand hosts. At the end all that was acknowledged is at the
 * next hop, octet for octet; twice only where the ledger knows of a doubt. Called by torture.ts.
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { SqliteConnection } from '../../src/world/node/sqlite.ts'
import { type Mood, startNames } from '../bench/peer/names.ts'
import { startServer } from '../kit/server.ts'
import { Sink } from '../kit/sink.ts'
import { Load, numberOf } from './load.ts'

export interface WireReport {
  readonly acknowledged: number
  readonly flaps: number
  readonly twice: number
  readonly doubts: number
}

const THERE = '127.0.1.1'
/** Where all other hosts are: nobody listens there. */
const NOBODY = '127.0.1.9'
const MOODS: readonly Mood[] = ['well', 'well', 'silent', 'failing', 'lying', 'thousand']

/** Throws AssertionError where a promise was broken. */
export async function badWire(options: {
  readonly seconds: number
  readonly random: () => number
}): Promise<WireReport> {
  const { random } = options
  let mood: Mood = 'well'
  const names = await startNames(
    domain => (domain === 'remote.example' ? THERE : NOBODY),
    () => mood,
  )
  let sink = await Sink.open(0, THERE)
  const { port } = sink
  const taken: Buffer[][] = [sink.messages]
  const set = {
    'dns.servers': `127.0.0.1:${names.port}`,
    'outbound.port': port,
    'queue.retry': '500ms,1s',
  }
  const server = await startServer({ set })
  const load = new Load({ senders: 4, sizes: [200, 2_000, 60_000], restMs: 20, remote: true })
  let flaps = 0
  try {
    load.start(server)
    const end = performance.now() + options.seconds * 1000
    while (performance.now() < end) {
      await sleep(50 + random() * 700)
      mood = MOODS[Math.floor(random() * MOODS.length)] ?? 'well'
      if (random() < 0.5) continue
      flaps += 1
      sink.close()
      await sleep(random() * 500)
      sink = await Sink.open(port, THERE)
      taken.push(sink.messages)
    }
    mood = 'well'
    await load.stop()
    const { acknowledgedRemote, refusals } = load.sent
    assert.deepEqual([...refusals], [], 'nothing was refused')
    const seen = await arrived(taken, acknowledgedRemote)
    assert.deepEqual(server.faults(), [])
    assert.equal((await server.stop()).code, 0)
    const doubts = doubtsOf(server.data)
    const twice = [...seen].filter(([, times]) => times > 1).map(([number]) => number)
    assert.deepEqual(
      twice.filter(number => !doubts.has(number)),
      [],
      'twice without a doubt',
    )
    const acknowledged = acknowledgedRemote.size
    return { acknowledged, flaps, twice: twice.length, doubts: doubts.size }
  } finally {
    sink.close()
    await names.stop()
  }
}

/** Waits until all of them are at the next hop; gives how often each. */
async function arrived(
  taken: readonly (readonly Buffer[])[],
  wanted: ReadonlySet<number>,
): Promise<ReadonlyMap<number, number>> {
  for (let tries = 0; ; tries++) {
    const seen = new Map<number, number>()
    for (const message of taken.flat()) {
      const number = numberOf(message)
      assert.ok(number !== undefined, `not octet for octet: ${message.toString('latin1', 0, 600)}`)
      seen.set(number, (seen.get(number) ?? 0) + 1)
    }
    const missing = [...wanted].filter(number => !seen.has(number))
    if (missing.length === 0) return seen
    assert.ok(tries < 120, `not relayed: ${missing.join(' ')}`)
    await sleep(500)
  }
}

/** The numbers of messages that the ledger has a doubt of. */
function doubtsOf(data: string): ReadonlySet<number> {
  const connection = new SqliteConnection(join(data, 'postrider.db'), { readOnly: true })
  const sql = "SELECT address FROM recipient WHERE doubts > 0 AND domain = 'remote.example'"
  const rows = connection.all<{ address: string }>(sql, [])
  connection.close()
  return new Set(rows.map(({ address }) => Number(/^n(\d+)@/.exec(address)?.[1])))
}
