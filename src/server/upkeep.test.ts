/** What is under way when a server stops is no fault, and what fails while it runs is one. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StoreError } from '../store/store.ts'
import type { Fetcher } from './fetcher.ts'
import type { House } from './house.ts'
import { keepUp } from './upkeep.ts'

const closed = new StoreError('closed', 'the store is closed')

for (const [what, stops, error, faults] of [
  ['a store that is closed behind a stop', true, closed, 0],
  ['a store that is closed while the server runs', false, closed, 1],
  ['a broken store behind a stop', true, new StoreError('broken', 'no disk'), 1],
] as const) {
  test(`${what}: ${faults} faults`, async () => {
    const told: string[] = []
    const house = {
      world: {
        clock: { now: () => 0, monotonic: () => 0, after: () => ({ cancel() {} }) },
        log: { error: (event: string) => told.push(event), warn: () => {} },
        disk: { list: async function* () {} },
      },
      store: { read: () => Promise.reject(error), write: () => Promise.reject(error) },
      bans: { close() {} },
    } as unknown as House
    const end = keepUp(house, {} as Fetcher, () => undefined)
    if (stops) end()
    await new Promise(resolve => setImmediate(resolve))
    assert.equal(told.length, faults, told.join(' '))
  })
}
