/**
 * `npm run soak`: half of what the server can take, for half an hour, while its mail is read and deleted. Nothing
 * may grow once it is warm: memory, heap, descriptors, the log of the store, the delay of the event loop, how long a
 * peer waits. Prints a line a minute and the judgement; `--plot FILE` draws it; exit 1 where something has grown.
 *
 *   npm run soak                                        thirty minutes
 *   npm run soak -- --docs                              drawn into docs/performance.md, with the judgement
 *   npm run soak -- --minutes 2 --plot /tmp/soak.svg    a look
 */
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { LineClient } from '../line-client.ts'
import { send } from '../load.ts'
import { machine, tools } from '../machine.ts'
import { measure } from '../measure.ts'
import { dataFolder, type Postrider, startPostrider } from '../peer/postrider.ts'
import { startSink } from '../peer/sink.ts'
import { linePlot } from '../plot.ts'
import { cpuSeconds, memoryOf } from '../proc.ts'
import { writePlot, writeSection } from '../table/document.ts'
import { emptyMailbox } from './reader.ts'

const { values: flags } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    plot: { type: 'string' },
    docs: { type: 'boolean', default: false },
  },
})
const say = (line: string) => process.stdout.write(`${line}\n`)

/** Connections of the load, which comes anew each second. */
const SESSIONS = 20
/** What is looked at, every so often. */
const EVERY_S = 5
/** The share of the time after which the server counts as warm. */
const WARM = 0.2
const PROBE_MS = 50
/** Its reader is on loopback, and does without TLS. */
const PLAIN = ['listeners.pop3.plaintextAuth=true']

interface Sample {
  readonly rssMb: number
  readonly heapMb: number
  readonly descriptors: number
  readonly logMb: number
  /** How late the event loop ran, the 99th percentile since it was asked last. */
  readonly delayMs: number
  /** The 99th percentile of the time until an RSET is answered, over the last seconds. */
  readonly replyMs: number
  readonly perSecond: number
  readonly cpu: number
}

/** What may be more at the end than when it was warm: by this factor, and by this much besides. */
const LIMITS = {
  rssMb: { title: 'memory (RSS)', unit: 'MB', factor: 1.05, more: 8 },
  // It goes up and down with each collection.
  heapMb: { title: 'JavaScript heap in use', unit: 'MB', factor: 1.2, more: 8 },
  // The load's connections are there in one look, and not in the next.
  descriptors: { title: 'open descriptors', unit: 'files', factor: 1.1, more: SESSIONS + 5 },
  logMb: { title: 'log of the store', unit: 'MB', factor: 1.2, more: 8 },
  delayMs: { title: 'delay of the event loop, 99th percentile', unit: 'ms', factor: 1.5, more: 10 },
  replyMs: { title: 'a reply within, 99th percentile', unit: 'ms', factor: 1.5, more: 10 },
} as const

/** Says RSET again and again on one connection: how long a peer waits for the event loop. */
class Probe {
  #times: number[] = []
  #stopped = false

  async run(port: number): Promise<void> {
    const client = await LineClient.open(port, /^220 /)
    await client.say('HELO probe.test\r\n', /^250 /)
    while (!this.#stopped) {
      const from = performance.now()
      await client.say('RSET\r\n', /^250 /)
      this.#times.push(performance.now() - from)
      await sleep(PROBE_MS)
    }
    client.close()
  }

  stop(): void {
    this.#stopped = true
  }

  /** The 99th percentile since the last call, in ms. */
  take(): number {
    const sorted = this.#times.toSorted((a, b) => a - b)
    this.#times = []
    return sorted[Math.floor(sorted.length * 0.99)] ?? 0
  }
}

async function soak(server: Postrider, data: string, minutes: number): Promise<Sample[]> {
  const load = { sizeOctets: 1024, sessions: SESSIONS, kept: true }
  await measure(server, 'deliver', { ...load, messages: 3_000 })
  const { rate } = await measure(server, 'deliver', { ...load, messages: 6_000 })
  const half = Math.round(rate / 2)
  say(`it takes ${rate.toFixed(0)} messages a second; it gets ${half}, and its mailbox is read`)
  const end = performance.now() + minutes * 60_000
  const goesOn = () => performance.now() < end
  let [sent, read] = [0, 0]
  const sending = async () => {
    while (goesOn()) {
      const next = performance.now() + 1_000
      await send({ ...load, messages: half }, server.port, server.local)
      sent += half
      await sleep(Math.max(0, next - performance.now()))
    }
  }
  const reading = async () => {
    while (goesOn()) {
      const took = await emptyMailbox(server.reader)
      read += took
      if (took < half / 4) await sleep(250)
    }
  }
  const probe = new Probe()
  const samples: Sample[] = []
  const watching = async () => {
    let [cpu, before] = [cpuSeconds(server.pid), 0]
    while (goesOn()) {
      await sleep(EVERY_S * 1_000)
      const now = cpuSeconds(server.pid)
      // Each look at /metrics begins it anew.
      const delay = await server.metric('postrider_event_loop_delay_seconds{quantile="0.99"}')
      samples.push({
        delayMs: delay * 1_000,
        heapMb: (await server.metric('postrider_heap_used_bytes')) / 1e6,
        rssMb: memoryOf(server.pid).rssMb,
        descriptors: readdirSync(`/proc/${server.pid}/fd`).length,
        logMb: logOctets(data) / 1e6,
        replyMs: probe.take(),
        perSecond: (sent - before) / EVERY_S,
        cpu: (now - cpu) / EVERY_S,
      })
      ;[cpu, before] = [now, sent]
      if ((samples.length * EVERY_S) % 60 === 0) say(line(samples))
    }
    probe.stop()
  }
  await Promise.all([sending(), reading(), watching(), probe.run(server.port)])
  say(`${sent} messages sent, ${read} read and deleted`)
  return samples
}

function logOctets(data: string): number {
  return readdirSync(data)
    .filter(name => name.endsWith('-wal'))
    .reduce((sum, name) => sum + statSync(join(data, name)).size, 0)
}

function line(samples: readonly Sample[]): string {
  const last = samples.at(-1) as Sample
  const minute = ((samples.length * EVERY_S) / 60).toFixed(0).padStart(3)
  const { rssMb, heapMb, descriptors, logMb, delayMs, replyMs, perSecond, cpu } = last
  return (
    `${minute} min: ${perSecond.toFixed(0)} messages/s, ${(cpu * 100).toFixed(0)} % CPU, RSS ${rssMb.toFixed(0)} MB, ` +
    `heap ${heapMb.toFixed(0)} MB, ${descriptors} descriptors, log ${logMb.toFixed(1)} MB, ` +
    `event loop ${delayMs.toFixed(0)} ms, a reply in ${replyMs.toFixed(1)} ms`
  )
}

/** The middle of what was seen in a part of the time. */
function middle(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}

/** What has grown between the first and the last third of the time when it was warm. */
function judge(samples: readonly Sample[]): { readonly good: boolean; readonly words: string[] } {
  const warm = samples.slice(Math.ceil(samples.length * WARM))
  const third = Math.max(1, Math.floor(warm.length / 3))
  let good = true
  const words: string[] = []
  for (const [name, limit] of Object.entries(LIMITS)) {
    const values = warm.map(sample => sample[name as keyof typeof LIMITS])
    const [first, last] = [middle(values.slice(0, third)), middle(values.slice(-third))]
    const met = last <= first * limit.factor + limit.more
    good &&= met
    words.push(
      `${limit.title}: ${first.toFixed(1)} ${limit.unit}, at the end ${last.toFixed(1)}: ${met ? 'has not grown' : 'HAS GROWN'}`,
    )
  }
  return { good, words }
}

function drawn(samples: readonly Sample[]): string {
  const panels = Object.entries(LIMITS).map(([name, { title, unit }]) => {
    const of = (sample: Sample) => sample[name as keyof typeof LIMITS]
    const points = samples.map((sample, i) => [((i + 1) * EVERY_S) / 60, of(sample)] as const)
    const x = (minutes: number) => `${minutes.toFixed(0)} min`
    return { title: `${title}, ${unit}`, lines: [{ name: '', points }], x }
  })
  return linePlot('Half of what it can take, read and deleted meanwhile', panels)
}

async function document(samples: readonly Sample[], words: readonly string[]): Promise<void> {
  const perSecond = middle(samples.map(sample => sample.perSecond))
  const where = (await machine()).split('\n').join('. ')
  const what = `${where}. ${flags.minutes} minutes, ${perSecond.toFixed(0)} messages a second.`
  writePlot('soak', drawn(samples))
  const list = words.map(word => `- ${word}`).join('\n')
  writeSection('soak', [what, list, '![soak](performance/soak.svg)'].join('\n\n'))
}

const able = await tools()
say(await machine())
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
for (const why of able.missing) say(`skipped: ${why}`)
if (able.load) {
  const root = mkdtempSync(join(process.env['BENCH_DIRECTORY'] ?? tmpdir(), 'postrider-soak-'))
  chmodSync(root, 0o755)
  process.on('exit', () => rmSync(root, { recursive: true, force: true, maxRetries: 3 }))
  const sink = await startSink(root, 'ours')
  const data = dataFolder(root, 'ours')
  const server = await startPostrider(data, sink.port, PLAIN)
  try {
    const samples = await soak(server, data, Number(flags.minutes))
    const { good, words } = judge(samples)
    for (const word of words) say(word)
    process.exitCode = good ? 0 : 1
    if (flags.plot !== undefined) writeFileSync(flags.plot, drawn(samples))
    if (flags.docs) await document(samples, words)
  } finally {
    await server.stop()
    await sink.stop()
    rmSync(root, { recursive: true, force: true })
  }
}
