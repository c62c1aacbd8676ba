/** Nodes that come and go, and what they lock (src/cluster), for rooms.test.ts: the same on every store. */
import assert from 'node:assert/strict'
import * as clusterReader from '../../src/cluster/reader.ts'
import * as cluster from '../../src/cluster/writer.ts'
import { at, node, type Witness } from './life.ts'

export async function nodesLife(w: Witness): Promise<void> {
  const facts = { id: node, host: 'h', pid: 1, version: '1', epoch: 'e1', startedAt: at }
  await w.write(cluster.beat, { ...facts, alone: false, draining: false })
  await w.write(cluster.beat, { ...facts, epoch: 'e2', alone: true, draining: true })
  const [row] = await w.read(clusterReader.listNodes, null)
  w.log.splice(-1, 1, { ...row, startedAt: 0, silentMs: 0 })
  assert.ok((row?.silentMs ?? -1) < 5_000)
  const lock = { accountId: 1, leaseMs: 60_000 }
  for (const holder of [node, 'n2', node]) {
    await w.write(cluster.takeMaildrop, { ...lock, holder })
    await w.write(cluster.keepMaildrop, { ...lock, holder })
  }
  await w.write(cluster.keepMaildrops, { holder: node, leaseMs: -1 })
  await w.write(cluster.keepMaildrop, { ...lock, holder: node })
  await w.write(cluster.takeMaildrop, { ...lock, holder: 'n2' })
  await w.write(cluster.giveMaildrop, { accountId: 1, holder: node })
  await w.write(cluster.takeMaildrop, { ...lock, holder: node })
  await w.write(cluster.giveMaildrop, { accountId: 1, holder: 'n2' })
  await w.write(cluster.takeMaildrop, { ...lock, holder: node })
  await w.write(cluster.leave, node)
  await w.read(clusterReader.listNodes, null)
  await w.write(cluster.takeMaildrop, { ...lock, holder: 'n2' })
}
