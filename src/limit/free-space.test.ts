import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Disk } from '../world/disk.ts'
import { silent } from '../world/log.ts'
import { FreeSpace } from './free-space.ts'

const reserve = 1000
const rows: readonly (readonly [free: number, octets: number, fits: boolean])[] = [
  [5000, 0, true],
  [5000, 4000, true],
  [5000, 4001, false],
  [1000, 0, true],
  [1000, 1, false],
  [999, 0, false],
  [0, 0, false],
  [Number.POSITIVE_INFINITY, 1e15, true],
]
for (const [free, octets, fits] of rows) {
  test(`of ${free} free octets ${octets} more are ${fits ? '' : 'not '}taken`, async () => {
    for (const freeOctets of [() => free, async () => free]) {
      const room = new FreeSpace({ freeOctets } as unknown as Disk, silent, () => reserve)
      assert.equal(await room.for(octets), fits)
    }
  })
}

test('without a reserve, or where nobody knows what is free, all is taken at once', () => {
  const full = { freeOctets: () => 0 } as unknown as Disk
  assert.equal(new FreeSpace(full, silent, () => 0).for(1), true)
  assert.equal(new FreeSpace({} as unknown as Disk, silent, () => 1).for(1), true)
})

test('the operator is told once that the room is gone, and once that it is back', () => {
  let free = 0
  const told: string[] = []
  const say = (event: string) => void told.push(event)
  const log = { ...silent, warn: say, info: say }
  const room = new FreeSpace({ freeOctets: () => free } as unknown as Disk, log, () => reserve)
  for (free of [5000, 10, 0, 10, 5000, 5000, 10]) void room.for(1)
  assert.deepEqual(told, ['disk.no-room', 'disk.room-again', 'disk.no-room'])
})
