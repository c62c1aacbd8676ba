/**
 * How many accepts of 1 KB a second the committer makes durable, and what one costs the main thread.
 * Run: node test/bench/store.ts [callers ...]. Prints the median and range of five rounds.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStore } from '../../src/store/open.ts'
import { silent } from '../../src/world/log.ts'
import { accept } from './store-room.ts'

const rounds = 5
const jobs = 20_000
const clock = {
  now: Date.now,
  monotonic: () => performance.now(),
  after: () => ({ cancel() {} }),
}

async function round(callers: number): Promise<{ rate: number; mainMicros: number }> {
  const directory = mkdtempSync(
    join(process.env['BENCH_DIRECTORY'] ?? tmpdir(), 'postrider-bench-'),
  )
  const modules = [new URL('./store-room.ts', import.meta.url)]
  const store = await openStore({ path: join(directory, 'mail.db'), modules, clock, log: silent })
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
  await store.close()
  rmSync(directory, { recursive: true })
  return { rate: jobs / seconds, mainMicros: (busyMs * 1_000) / jobs }
}

function medianAndRange(values: readonly number[], digits: number): string {
  const sorted = values.toSorted((a, b) => a - b)
  const [median, least, most] = [sorted[Math.floor(sorted.length / 2)], sorted[0], sorted.at(-1)]
  return `${median?.toFixed(digits)} (${least?.toFixed(digits)}-${most?.toFixed(digits)})`
}

const asked = process.argv.slice(2).map(Number)
for (const callers of asked.length > 0 ? asked : [20, 100]) {
  const results: Awaited<ReturnType<typeof round>>[] = []
  for (let i = 0; i < rounds; i++) results.push(await round(callers))
  const rates = medianAndRange(
    results.map(({ rate }) => rate),
    0,
  )
  const micros = medianAndRange(
    results.map(({ mainMicros }) => mainMicros),
    1,
  )
  console.log(`${callers} callers: ${rates} accepts/s, ${micros} µs of the main thread each`)
}
