/** The life of bans (src/limit/ban-row.ts), for rooms.test.ts: the same on every store. */
import assert from 'node:assert/strict'
import * as rows from '../../src/limit/ban-row.ts'
import type { Witness } from './life.ts'

const lengths = { first: 600_000, longest: 3_600_000, forget: 86_400_000 }

export async function bansLife(w: Witness): Promise<void> {
  const add = async (network: string, origin: 'limit' | 'operator', forMs?: number) => {
    const asked = { network, reason: "' OR 1=1 --", origin, lengths }
    const { row } = await w.write(rows.addBan, { ...asked, ...(forMs !== undefined && { forMs }) })
    w.log.pop()
    return [row.level, row.until_at - row.begun_at, row.origin] as const
  }
  const one = '192.0.2.1/32'
  assert.deepEqual(await add(one, 'limit'), [1, 600_000, 'limit'])
  assert.deepEqual(await add(one, 'limit'), [1, 600_000, 'limit'])
  assert.deepEqual(await add(one, 'operator'), [2, 1_800_000, 'operator'])
  assert.deepEqual(await add(one, 'operator', 5000), [3, 5000, 'operator'])
  assert.deepEqual(await add('2001:db8:0:1::/64', 'operator', 1e12), [1, 1e12, 'operator'])
  const seen = async (reader = rows.bansInForce) => {
    const { now, rows: all } = await w.read(reader, null)
    w.log.pop()
    assert.ok(all.every(row => row.until_at > now))
    return all.map(({ network }) => network)
  }
  assert.deepEqual(await seen(), ['2001:db8:0:1::/64', one])
  assert.deepEqual(await seen(rows.bansAtStart), ['2001:db8:0:1::/64', one])
  await w.write(rows.liftBan, one)
  await w.write(rows.liftBan, one)
  await w.write(rows.liftBan, '198.51.100.0/24')
  assert.deepEqual(await seen(), ['2001:db8:0:1::/64'])
  // What was lifted is still to be heard of by others. Two changes of one millisecond have no order.
  const { rows: changed } = await w.read(rows.bansChanged, 0)
  w.log.pop()
  assert.deepEqual(
    new Map(changed.map(({ network, level }) => [network, level])),
    new Map([
      ['2001:db8:0:1::/64', 1],
      [one, 0],
    ]),
  )
  await w.write(rows.sweepBans, lengths.forget)
  assert.deepEqual(await add(one, 'limit'), [1, 600_000, 'limit'])
}
