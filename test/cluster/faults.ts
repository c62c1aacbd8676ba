/**
 * Two nodes and one database under load, and everything that can break breaks once: connections are cut,
 * the one that listens is ended, a cable is pulled, the database is killed, a node is killed, and a third
 * node comes whose clock is an hour off. Lived through by nodes.test.ts; `npm run torture -- cluster` has the long form.
 */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Cluster, ClusterReport } from './cluster.ts'

export async function everythingBreaks(cluster: Cluster): Promise<ClusterReport> {
  const [a, b] = cluster.nodes
  assert.ok(a && b)
  cluster.begin()
  await sleep(600)

  const ended = await cluster.sql(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'postrider wakes'`,
  )
  assert.equal(ended.length, 2, 'both nodes were listening')
  await sleep(300)
  a.proxy.cut()
  await sleep(300)
  await cluster.sql(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'postrider writer%'`,
  )
  await sleep(300)
  b.proxy.pull(true)
  await sleep(1_200)
  b.proxy.pull(false)
  await sleep(300)

  await cluster.postgres.kill()
  await sleep(400)
  await cluster.postgres.start()
  await sleep(600)

  const before = cluster.sink.messages.length
  await cluster.stop(a, 'SIGKILL')
  await cluster.expireTheDead()
  await sleep(300)
  const c = await cluster.add({
    NODE_OPTIONS: `--import=${new URL('../kit/wrong-clock.ts', import.meta.url).href}`,
    POSTRIDER_TEST_CLOCK_MS: '3600000',
  })
  const said = JSON.parse(c.server.log.at(-1) ?? '{}') as { time?: string }
  assert.ok(Date.parse(said.time ?? '') > Date.now() + 3_500_000, 'its clock is an hour ahead')
  c.load.start(c.server)
  await cluster.restart(a)
  await sleep(800)
  for (let waits = 0; cluster.sink.messages.length === before; waits++) {
    assert.ok(waits < 200, 'mail goes on')
    await sleep(50)
  }
  return cluster.judge()
}
