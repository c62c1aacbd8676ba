/**
 * A small account room for the tests of this room: the store in memory, a clock that the test moves,
 * chance from a seed, the cheapest hashes.
 */
import { openMemoryStore } from '../store/memory.ts'
import { silent } from '../world/log.ts'
import type { Random } from '../world/random.ts'
import { type AccountRoom, type Others, openAccounts } from './open.ts'
import { type AccountSettings, cheapHashCost, defaultAccountSettings } from './settings.ts'

export async function openTestRoom(changes: Partial<AccountSettings> = {}, others: Others = {}) {
  const time = { now: Date.UTC(2026, 0, 1) }
  const clock = {
    now: () => time.now,
    monotonic: () => time.now,
    after: () => ({ cancel() {} }),
  }
  const inner = await openMemoryStore({ now: clock.now })
  const counts = { reads: 0, writes: 0 }
  const store: typeof inner = new Proxy(inner, {
    get(target, name) {
      if (name === 'read') counts.reads++
      if (name === 'write') counts.writes++
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  const random = seeded(1)
  const settings: AccountSettings = { ...defaultAccountSettings, cost: cheapHashCost, ...changes }
  const open = (): Promise<AccountRoom> =>
    openAccounts(store, { clock, random, log: silent }, () => settings, others)
  return { ...(await open()), store, time, counts, clock, random, settings, reopen: open }
}

/** A small generator (mulberry32): the same chance each time. */
export function seeded(seed: number): Random {
  let state = seed
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
  return {
    octets: count => Uint8Array.from({ length: count }, () => next() & 0xff),
    below: limit => next() % limit,
  }
}
