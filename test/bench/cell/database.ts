/**
 * The same mail on both stores: one node on SQLite, one node and two nodes on one PostgreSQL, and
 * Postfix, in turn. fsync is on everywhere. The database's own CPU is counted apart, so that what more
 * machines would bring can be computed.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { findPostgres, startPostgres } from '../../kit/postgres.ts'
import { type Load, send } from '../load.ts'
import type { Peer } from '../peer/peer.ts'
import { startPostfix } from '../peer/postfix.ts'
import { dataFolder, type Postrider, startPostrider } from '../peer/postrider.ts'
import { startSink } from '../peer/sink.ts'
import { cpuSeconds } from '../proc.ts'
import { until } from '../program.ts'

export type StoreName = 'sqlite' | 'one node' | 'two nodes' | 'postfix'

export interface StoreRun {
  readonly rate: number
  /** Seconds of CPU for 1,000 messages: of the nodes together, and of PostgreSQL. */
  readonly nodeCpu: number
  readonly databaseCpu: number
}

const LOAD: Omit<Load, 'messages'> = { sizeOctets: 1024, sessions: 20, kept: true }

/** undefined where no PostgreSQL can be had. */
export async function databaseCell(
  root: string,
  messages: number,
  pairs: number,
  withPostfix: boolean,
): Promise<ReadonlyMap<StoreName, StoreRun[]> | undefined> {
  const binaries = findPostgres()
  if (!binaries) return undefined
  const folder = mkdtempSync(join(root, 'cell-'))
  const stops: (() => Promise<void>)[] = []
  try {
    const postgres = await startPostgres(binaries, { fsync: true })
    stops.unshift(() => postgres.stop())
    const sink = await startSink(folder, 'ours')
    stops.unshift(sink.stop)
    const url = await postgres.fresh()
    const started = async (name: string, set: readonly string[]): Promise<Postrider> => {
      const peer = await startPostrider(dataFolder(folder, name), sink.port, set)
      stops.unshift(peer.stop)
      return peer
    }
    const sqlite = await started('sqlite', [])
    const first = await started('first', [`database=${url}`])
    const second = await started('second', [`database=${url}`])
    const contestants = new Map<StoreName, readonly Peer[]>([
      ['sqlite', [sqlite]],
      ['one node', [first]],
      ['two nodes', [first, second]],
    ])
    if (withPostfix) {
      const other = await startSink(folder, 'postfix')
      stops.unshift(other.stop)
      const postfix = await startPostfix(folder, other)
      stops.unshift(postfix.stop)
      contestants.set('postfix', [postfix])
    }
    const runs = new Map<StoreName, StoreRun[]>()
    for (let pair = -1; pair < pairs; pair++) {
      for (const [name, peers] of contestants) {
        const count = name === 'postfix' ? messages / 6 : messages
        const run = await together(peers, Math.round(pair < 0 ? count / 4 : count), postgres.pid())
        // The first round warms up.
        if (pair >= 0) runs.set(name, [...(runs.get(name) ?? []), run])
      }
    }
    return runs
  } finally {
    for (const stop of stops) await stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Sends the load to all peers at once, a share to each, until all of it is in mailboxes. */
async function together(
  peers: readonly Peer[],
  messages: number,
  databasePid: number,
): Promise<StoreRun> {
  const share = Math.round(messages / peers.length)
  const sessions = Math.round(LOAD.sessions / peers.length)
  const cpu = () => peers.reduce((sum, peer) => sum + cpuSeconds(peer.pid), 0)
  const before = { cpu: cpu(), database: cpuSeconds(databasePid) }
  const done = await Promise.all(peers.map(async peer => peer.done('deliver')))
  const from = performance.now()
  await Promise.all(
    peers.map(peer => send({ ...LOAD, sessions, messages: share }, peer.port, peer.local)),
  )
  await until(
    'all mail to be delivered',
    async () => {
      const now = await Promise.all(peers.map(async peer => peer.done('deliver')))
      return now.every((count, i) => count >= (done[i] ?? 0) + share) ? true : undefined
    },
    { everyMs: 30, limitMs: 120_000 },
  )
  const seconds = (performance.now() - from) / 1000
  const total = share * peers.length
  return {
    rate: total / seconds,
    nodeCpu: ((cpu() - before.cpu) * 1000) / total,
    databaseCpu: ((cpuSeconds(databasePid) - before.database) * 1000) / total,
  }
}
