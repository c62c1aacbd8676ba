/**
 * How many accepts of 1 KB a second the committer makes durable, and what one costs the main thread: on
 * SQLite and on a PostgreSQL of its own, synced both, in turn. Run: node test/bench/store.ts [callers
 * ...]. Prints the median and range of five rounds, and of the ratio of the pairs.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStore } from '../../src/store/open.ts'
import { openPostgresStore } from '../../src/store/postgres/open.ts'
import type { Store } from '../../src/store/store.ts'
import { silent } from '../../src/world/log.ts'
import { nodeClock } from '../../src/world/node/clock.ts'
import { nodeRandom } from '../../src/world/node/random.ts'
import { findPostgres, noPostgres, startPostgres } from '../kit/postgres.ts'
import { accept } from './store-room.ts'

const rounds = 5
const jobs = 20_000
const clock = {
  now: Date.now,
  monotonic: () => performance.now(),
  after: () => ({ cancel() {} }),
}

interface Place {
  readonly store: Store
  end(): void
}

async function sqlite(): Promise<Place> {
  const directory = mkdtempSync(
    join(process.env['BENCH_DIRECTORY'] ?? tmpdir(), 'postrider-bench-'),
  )
  const modules = [new URL('./store-room.ts', import.meta.url)]
  const store = await openStore({ path: join(directory, 'mail.db'), modules, clock, log: silent })
  return { store, end: () => rmSync(directory, { recursive: true }) }
}

interface Result {
  readonly rate: number
  readonly mainMicros: number
  /** Jobs of a commit. */
  readonly shared: number
}

async function round(callers: number, open: () => Promise<Place>): Promise<Result> {
  const { store, end } = await open()
  const octets = new Uint8Array(1_024).fill(65)
  const head = new Uint8Array(200).fill(66)
  let next = 0
  const caller = async (): Promise<void> => {
    while (next < jobs) {
      const n = next++
      await store.write(accept, {
        id: `${n.toString(36)}-${'x'.repeat(12)}`,
        bodyKey: n + 1,
        octets,
        head,
        reversePath: 'sender@example.com',
        recipients: ['someone@example.org'],
      })
    }
  }
  const from = performance.now()
  const idle = performance.eventLoopUtilization()
  await Promise.all(Array.from({ length: callers }, caller))
  const seconds = (performance.now() - from) / 1_000
  const busyMs = performance.eventLoopUtilization(idle).active
  const { commits } = store.stats()
  await store.close()
  end()
  return { rate: jobs / seconds, mainMicros: (busyMs * 1_000) / jobs, shared: jobs / commits }
}

function medianAndRange(values: readonly number[], digits: number): string {
  const sorted = values.toSorted((a, b) => a - b)
  const [median, least, most] = [sorted[Math.floor(sorted.length / 2)], sorted[0], sorted.at(-1)]
  return `${median?.toFixed(digits)} (${least?.toFixed(digits)}-${most?.toFixed(digits)})`
}

function tell(where: string, callers: number, results: readonly Result[]): void {
  const rate = medianAndRange(
    results.map(result => result.rate),
    0,
  )
  const micros = medianAndRange(
    results.map(result => result.mainMicros),
    1,
  )
  const shared = medianAndRange(
    results.map(result => result.shared),
    1,
  )
  console.log(
    `${where}, ${callers} callers: ${rate} accepts/s, ${micros} µs of the main thread each, ${shared} in a commit`,
  )
}

const binaries = findPostgres()
const server = binaries && (await startPostgres(binaries, { fsync: true }))
if (server === undefined) console.log(noPostgres)
const asked = process.argv.slice(2).map(Number)
for (const callers of asked.length > 0 ? asked : [20, 100]) {
  const ours: Result[] = []
  const theirs: Result[] = []
  for (let i = 0; i < rounds; i++) {
    ours.push(await round(callers, sqlite))
    if (server === undefined) continue
    const url = await server.fresh()
    const options = { url, clock: nodeClock, random: nodeRandom, log: silent }
    const store = () => openPostgresStore(options).then(opened => ({ store: opened, end() {} }))
    theirs.push(await round(callers, store))
  }
  tell('SQLite', callers, ours)
  if (server === undefined) continue
  tell('PostgreSQL', callers, theirs)
  const ratios = theirs.map(({ rate }, i) => rate / (ours[i]?.rate ?? Number.NaN))
  console.log(`PostgreSQL against SQLite, ${callers} callers: ${medianAndRange(ratios, 2)}`)
}
await server?.stop()
