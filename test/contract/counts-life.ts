/** The life of counts that nodes tell each other (src/limit/count-row.ts), for rooms.test.ts: the same on every store. */
import assert from 'node:assert/strict'
import * as rows from '../../src/limit/count-row.ts'
import type { Witness } from './life.ts'

const MINUTE_MS = 60_000

export async function countsLife(w: Witness): Promise<void> {
  const tell = (node: string, sums: Readonly<Record<string, number>>, forMs = MINUTE_MS) =>
    w.write(rows.tellCounts, {
      node,
      rows: Object.entries(sums).map(([key, sum]) => ({ kind: 'failures', key, sum, forMs })),
    })
  const heardBy = async (node: string, since = 0) => {
    const { now, rows: heard } = await w.read(rows.countsTold, { node, since })
    w.log.pop()
    assert.ok(now > 0)
    const known = heard.map(({ key, node, sum, leftMs }) => {
      const left = Math.sign(leftMs)
      return `${node} ${key} ${sum} ${left > 0 ? '' : 'over'}`.trim()
    })
    return known.sort()
  }
  await tell('a', { "192.0.2.1' --": 3, '192.0.2.2': 1 })
  await tell('b', { "192.0.2.1' --": 5 })
  await tell('a', { "192.0.2.1' --": 4 })
  assert.deepEqual(await heardBy('b'), ["a 192.0.2.1' -- 4", 'a 192.0.2.2 1'])
  assert.deepEqual(await heardBy('a'), ["b 192.0.2.1' -- 5"])
  assert.deepEqual(await heardBy('a', Date.now() + 10 * MINUTE_MS), [])
  await tell('a', { '192.0.2.2': 0 }, -2 * MINUTE_MS)
  assert.deepEqual(await heardBy('b'), ["a 192.0.2.1' -- 4", 'a 192.0.2.2 0 over'])
  await w.write(rows.sweepCounts, null)
  assert.deepEqual(await heardBy('b'), ["a 192.0.2.1' -- 4"])
  await tell('a', {})
}
