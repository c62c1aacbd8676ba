/** Cells of rates: as many messages a second as each peer takes, by size, sessions, way and TLS. */
import type { Contestant, Way } from '../contestants.ts'
import { generate } from '../generator/generate.ts'
import { type Load, send } from '../load.ts'
import { type Manner, measure } from '../measure.ts'
import type { Peer, Work } from '../peer/peer.ts'
import { contest } from './contest.ts'
import type { Figure, Values } from './figure.ts'

export interface RateCell {
  readonly name: string
  readonly group: 'rate' | 'tls'
  readonly work: Work
  readonly way: Way
  readonly load: Omit<Load, 'messages'>
  /** True: by the bench's own generator, which knows TLS; else by smtp-source. */
  readonly own?: boolean
  readonly points?: Figure['points']
  readonly quick?: boolean
  /** So many, and no more, where a run of some seconds would be too few or too much for the disk. */
  readonly messages?: number
}

const [KB, MB] = [1024, 1024 * 1024]
const kept = (sizeOctets: number, sessions = 20) => ({ sizeOctets, sessions, kept: true })
const each = (sizeOctets: number, sessions = 20) => ({ sizeOctets, sessions, kept: false })
const smtp = { group: 'rate', way: 'smtp' } as const
const deliver = { ...smtp, work: 'deliver' } as const
const tls = { group: 'tls', work: 'deliver', own: true } as const
const sizes = 'messages a second by size, 20 sessions'
const counts = 'messages of 1 KB a second by sessions'
const size = (x: number) => ({ points: [{ chart: sizes, x }] })
const sessions = (x: number) => ({ points: [{ chart: counts, x }] })
const both = { points: [...size(KB).points, ...sessions(20).points] }

export const RATE_CELLS: readonly RateCell[] = [
  { ...smtp, name: 'accept 1 KB', work: 'accept', load: kept(KB), quick: true },
  { ...deliver, name: 'deliver 1 KB', load: kept(KB), ...both, quick: true },
  { ...deliver, name: 'deliver 10 KB', load: kept(10 * KB), ...size(10 * KB) },
  { ...deliver, name: 'deliver 100 KB', load: kept(100 * KB), ...size(100 * KB), quick: true },
  { ...deliver, name: 'deliver 1 MB', load: kept(MB), ...size(MB) },
  {
    ...{ ...deliver, name: 'deliver 25 MB, 4 sessions', ...size(25 * MB) },
    ...{ load: kept(25 * MB, 4), messages: 4 },
  },
  { ...deliver, name: 'deliver 1 KB, 1 session', load: kept(KB, 1), ...sessions(1) },
  { ...deliver, name: 'deliver 1 KB, 100 sessions', load: kept(KB, 100), ...sessions(100) },
  { ...deliver, name: 'deliver 1 KB, 1,000 sessions', load: kept(KB, 1_000), ...sessions(1_000) },
  { ...deliver, name: 'deliver 1 KB, a connection each', load: each(KB) },
  { ...smtp, name: 'relay 1 KB', work: 'relay', load: kept(KB), quick: true },
  { ...smtp, name: 'relay 100 KB', work: 'relay', load: kept(100 * KB) },
  { ...deliver, way: 'lmtp', name: 'LMTP 1 KB', load: kept(KB), quick: true },
  { ...deliver, way: 'lmtp', name: 'LMTP 100 KB', load: kept(100 * KB) },
  { ...tls, way: 'smtp', name: 'in the clear, 1 KB, kept', load: kept(KB) },
  { ...tls, way: 'starttls', name: 'STARTTLS, 1 KB, kept', load: kept(KB), quick: true },
  { ...tls, way: 'smtp', name: 'in the clear, a connection each', load: each(KB) },
  { ...tls, way: 'starttls', name: 'STARTTLS, a connection each', load: each(KB) },
]

export interface Pace {
  readonly rounds: number
  /** Of the run before the rounds: of whoever is as fast at once, and of whoever is compiled as it runs. */
  readonly warmS: number
  readonly hotS: number
  /** Of a run. */
  readonly runS: number
}

/** One run that takes longer has failed. */
const LIMIT_MS = 40_000

export async function rates(
  root: string,
  cell: RateCell,
  field: readonly Contestant[],
  { rounds, warmS, hotS, runS }: Pace,
): Promise<Pick<Figure, 'values' | 'cpu' | 'failed'>> {
  const able = field.filter(
    ({ works, ways }) => works.includes(cell.work) && ways.includes(cell.way),
  )
  const values: Record<string, number[]> = {}
  const cpu: Record<string, number[]> = {}
  const failed = await contest(root, cell.work, able, async ({ peers, with: withPeer }) => {
    const fewest = cell.messages ?? cell.load.sessions
    const counts = new Map<string, number>()
    const run = (peer: Peer, messages: number) =>
      measure(peer, cell.work, { ...cell.load, messages }, manner(cell))
    for (const { name, warms } of able) {
      const longS = warms ? hotS : warmS
      await withPeer(name, async peer => {
        // How many a run takes is learnt from a few, and from ever more until it is warm.
        let messages = cell.messages ?? Math.max(20, fewest)
        let { rate } = await run(peer, messages)
        while (cell.messages === undefined && messages / rate < longS) {
          messages = countOf(Math.min(rate * 1.5, (messages * 10) / longS), longS, messages + 1)
          rate = (await run(peer, messages)).rate
        }
        counts.set(name, cell.messages ?? countOf(rate, runS, fewest))
      })
    }
    for (let round = 0; round < rounds; round++) {
      for (const name of [...peers.keys()]) {
        await withPeer(name, async peer => {
          const measured = await run(peer, counts.get(name) ?? fewest)
          values[name] = [...(values[name] ?? []), measured.rate]
          cpu[name] = [...(cpu[name] ?? []), measured.cpuPer1000]
        })
      }
    }
  })
  // Who has failed in the midst has no figure.
  const whole = (of: Values) =>
    Object.fromEntries(Object.entries(of).filter(([name]) => !(name in failed)))
  return { values: whole(values), cpu: whole(cpu), failed }
}

function countOf(rate: number, seconds: number, fewest: number): number {
  return Math.max(fewest, Math.round(rate * seconds))
}

function manner(cell: RateCell): Manner {
  const { way, own } = cell
  return {
    limitMs: LIMIT_MS,
    send: async (load, peer, to) => {
      const port = way === 'lmtp' ? (peer.lmtpPort ?? 0) : peer.port
      if (!own) return send({ ...load, lmtp: way === 'lmtp' }, port, to, LIMIT_MS)
      const security = way === 'starttls' ? 'starttls' : 'clear'
      return (await generate({ do: 'send', ...load, port, to, security }, LIMIT_MS)).beganAt
    },
  }
}
