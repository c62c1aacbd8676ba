/**
 * The long form of faults.ts, for `npm run torture -- cluster`: three nodes, one of them with a clock an
 * hour off, messages of all sizes, and a fault every few seconds in an order left to chance. Leases and
 * locks of the dead are waited for, not shortened: what a node held is taken over within a minute.
 */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { MIXED_SIZES } from '../crash/load.ts'
import { findPostgres, noPostgres } from '../kit/postgres.ts'
import { Cluster, type ClusterNode } from './cluster.ts'

const HOUR_AHEAD = {
  NODE_OPTIONS: `--import=${new URL('../kit/wrong-clock.ts', import.meta.url).href}`,
  POSTRIDER_TEST_CLOCK_MS: '3600000',
}

type Fault = (cluster: Cluster, node: ClusterNode) => Promise<unknown>

const end = (name: string) =>
  `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'postrider ${name}%'`

const faults: Readonly<Record<string, Fault>> = {
  'listeners ended': cluster => cluster.sql(end('wakes')),
  'writers ended': cluster => cluster.sql(end('writer')),
  'readers ended': cluster => cluster.sql(end('reader')),
  'network cut': async (_, node) => node.proxy.cut(),
  'cable pulled for 8 s': async (_, node) => {
    node.proxy.pull(true)
    await sleep(8_000)
    node.proxy.pull(false)
  },
  'node stopped for 3 s': async (_, node) => {
    process.kill(node.server.pid, 'SIGSTOP')
    await sleep(3_000)
    process.kill(node.server.pid, 'SIGCONT')
  },
  'answers 30 ms late': async (_, node) => {
    node.proxy.delay(30)
    node.proxy.cut()
    await sleep(3_000)
    node.proxy.delay(0)
    node.proxy.cut()
  },
  'database killed': async cluster => {
    await cluster.postgres.kill()
    await sleep(Math.random() * 3_000)
    await cluster.postgres.start()
  },
  'node killed': async (cluster, node) => {
    await cluster.stop(node, 'SIGKILL')
    await sleep(Math.random() * 2_000)
    await cluster.restart(node)
  },
  'node restarted': async (cluster, node) => {
    await cluster.stop(node, 'SIGTERM')
    await cluster.restart(node)
  },
}

/** Storms for so many faults; what was seen, as a line. Throws AssertionError where a promise was broken. */
export async function storm(rounds: number): Promise<string> {
  const binaries = findPostgres()
  if (binaries === undefined) return `skipped: ${noPostgres}`
  const cluster = await Cluster.open(binaries, { nodes: 2, senders: 4, sizes: MIXED_SIZES })
  try {
    await cluster.add(HOUR_AHEAD)
    cluster.begin()
    const done = new Map<string, number>()
    for (let round = 0; round < rounds; round++) {
      const names = Object.keys(faults)
      const name = names[(round + Math.floor(Math.random() * 3)) % names.length] as string
      const node = cluster.nodes[Math.floor(Math.random() * cluster.nodes.length)] as ClusterNode
      await faults[name]?.(cluster, node)
      done.set(name, (done.get(name) ?? 0) + 1)
      await sleep(500 + Math.random() * 1_500)
    }
    // A node that is killed for good: its mail is carried, and its maildrop read, within a minute.
    const [dead] = cluster.nodes as [ClusterNode]
    await cluster.stop(dead, 'SIGKILL')
    const from = performance.now()
    const report = await cluster.judge(75_000)
    const seconds = Math.round((performance.now() - from) / 1000)
    assert.ok(report.acknowledged > rounds * 10)
    return `${JSON.stringify(report)} after ${JSON.stringify([...done])}; all settled ${seconds} s after the last kill`
  } finally {
    await cluster.close()
  }
}

/** A node that cannot reach its database, or is stopped, for longer than a lease, while the other goes on. */
export async function longAway(how: 'pulled' | 'stopped'): Promise<string> {
  const binaries = findPostgres()
  if (binaries === undefined) return `skipped: ${noPostgres}`
  const cluster = await Cluster.open(binaries, { nodes: 2, senders: 4 })
  try {
    cluster.begin()
    await sleep(1_500)
    const [node] = cluster.nodes as [ClusterNode]
    const { pid } = node.server
    if (how === 'pulled') node.proxy.pull(true)
    else process.kill(pid, 'SIGSTOP')
    await sleep(60_000)
    if (how === 'pulled') node.proxy.pull(false)
    else process.kill(pid, 'SIGCONT')
    await sleep(3_000)
    return JSON.stringify(await cluster.judge(75_000))
  } finally {
    await cluster.close()
  }
}
