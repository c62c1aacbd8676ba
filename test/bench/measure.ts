/** One run of one load against one peer: from its first octet until all of it is done durably. */
import { type Load, send } from './load.ts'
import type { Peer, Work } from './peer/peer.ts'
import { cpuSeconds, writesOf } from './proc.ts'
import { until } from './program.ts'

export interface Measured {
  /** Messages a second, from the start until all are done. */
  readonly rate: number
  /** Seconds of CPU of the server and its children, for 1,000 messages. */
  readonly cpuPer1000: number
  /** For each message; of the process alone. */
  readonly writeCalls: number
  readonly writeOctets: number
  readonly diskOctets: number
  /** Commits for each message, where the server counts them. */
  readonly commits?: number
}

/** How the load is brought, and how long that and the peer's work may take. */
export interface Manner {
  /** May say when its first octet left, in ms since the epoch, where it does something else before. */
  send(load: Load, peer: Peer, to: string): Promise<number | undefined | void>
  readonly limitMs: number
}

const BY_SOURCE: Manner = { send: (load, peer, to) => send(load, peer.port, to), limitMs: 120_000 }

export async function measure(
  peer: Peer,
  work: Work,
  load: Load,
  manner = BY_SOURCE,
): Promise<Measured> {
  const { messages } = load
  const doneBefore = await peer.done(work)
  const commitsBefore = await peer.commits?.()
  const writesBefore = writesOf(peer.pid)
  const cpuBefore = cpuSeconds(peer.pid)
  const before = performance.now()
  const began = await manner.send(load, peer, work === 'deliver' ? peer.local : peer.remote)
  const from = began ? began - performance.timeOrigin : before
  // A peer that keeps nothing is done when it has answered.
  const all = doneBefore === Number.POSITIVE_INFINITY ? doneBefore : doneBefore + messages
  await until(
    `${peer.name} to be done`,
    async () => ((await peer.done(work)) >= all ? true : undefined),
    { everyMs: 30, limitMs: manner.limitMs },
  )
  const seconds = (performance.now() - from) / 1000
  const writes = writesOf(peer.pid)
  const commits = await peer.commits?.()
  return {
    rate: messages / seconds,
    cpuPer1000: ((cpuSeconds(peer.pid) - cpuBefore) * 1000) / messages,
    writeCalls: (writes.calls - writesBefore.calls) / messages,
    writeOctets: (writes.octets - writesBefore.octets) / messages,
    diskOctets: (writes.diskOctets - writesBefore.diskOctets) / messages,
    ...(commits === undefined || commitsBefore === undefined
      ? {}
      : { commits: (commits - commitsBefore) / messages }),
  }
}
