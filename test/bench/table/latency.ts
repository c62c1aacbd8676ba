/** How long a message takes at a fixed load: each is due at its own moment, and its time counts from there. */
import type { Contestant } from '../contestants.ts'
import { generate } from '../generator/generate.ts'
import type { Told } from '../generator/job.ts'
import { measure } from '../measure.ts'
import type { Peer } from '../peer/peer.ts'
import { until } from '../program.ts'
import { contest } from './contest.ts'
import type { Figure } from './figure.ts'

const SESSIONS = 50
const LOAD = { sessions: SESSIONS, sizeOctets: 1024, kept: true }
/** Who is later than this behind the end has not kept up. */
const LATE_MS = 2_000
const PERCENTILES = ['p50', 'p99', 'p999'] as const

export const NAMES: Readonly<Record<(typeof PERCENTILES)[number], string>> = {
  p50: '50 %',
  p99: '99 %',
  p999: '99.9 %',
}

export interface Latency {
  /** Messages of 1 KB a second. */
  readonly rate: number
  readonly seconds: number
  readonly warmS: number
  /** Before that, at full speed, to whoever is compiled as it runs. */
  readonly hotMessages: number
}

/** A figure for each percentile, without who measured them. */
export async function latency(
  root: string,
  field: readonly Contestant[],
  { rate, seconds, warmS, hotMessages }: Latency,
): Promise<Omit<Figure, 'seconds' | 'command'>[]> {
  const able = field.filter(({ works, ways }) => works.includes('deliver') && ways.includes('smtp'))
  const told = new Map<string, Told>()
  const failed = await contest(root, 'deliver', able, async ({ with: withPeer }) => {
    for (const { name, warms } of able) {
      await withPeer(name, async peer => {
        if (warms && hotMessages > 0) {
          await measure(peer, 'deliver', { ...LOAD, messages: hotMessages })
        }
        await paced(peer, rate, warmS)
        told.set(name, await paced(peer, rate, seconds))
      })
    }
  })
  return PERCENTILES.map(percentile => ({
    ...({ group: 'latency', unit: 'ms', better: 'less', failed } as const),
    cell: `${rate.toLocaleString('en-US')} a second, ${NAMES[percentile]}`,
    values: Object.fromEntries(
      [...told]
        .filter(([name]) => !(name in failed))
        .map(([name, { [percentile]: ms }]) => [name, [ms]]),
    ),
  }))
}

async function paced(peer: Peer, rate: number, seconds: number): Promise<Told> {
  const messages = Math.max(SESSIONS, Math.round(rate * seconds))
  const before = await peer.done('deliver')
  const limitMs = (messages / rate) * 1000 + LATE_MS
  const told = await generate(
    {
      do: 'send',
      ...LOAD,
      messages,
      port: peer.port,
      to: peer.local,
      security: 'clear',
      rate,
      limitMs,
    },
    limitMs + 20_000,
  )
  if (told.count < messages) {
    const taken = Math.round(told.count / told.seconds)
    throw new Error(`did not keep up: took ${taken} a second`)
  }
  // What it still has to deliver must not disturb the next.
  const all = before + messages
  await until(
    `${peer.name} to be done`,
    async () => ((await peer.done('deliver')) >= all ? true : undefined),
    { everyMs: 100, limitMs: 30_000 },
  )
  return told
}
