import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Places } from './places.ts'

/** Takes all the room that one party has, one place after the other. */
function greedy(places: Places, party: string): number {
  while (places.room(party) > 0) places.take([party])
  return places.of(party)
}

test('one alone gets half of all places', () => {
  const places = new Places(100)
  assert.equal(greedy(places, 'a'), 50)
})

test('of k who want all there is each gets a share of k + 1, and as much is left for who comes next', () => {
  for (const k of [1, 3, 9, 50]) {
    const places = new Places(1000)
    for (let round = 0; round < 1000; round++) {
      for (let n = 0; n < k; n++) if (places.room(`${n}`) > 0) places.take([`${n}`])
    }
    const share = 1000 / (k + 1)
    for (let n = 0; n < k; n++) assert.ok(Math.abs(places.of(`${n}`) - share) <= 1)
    assert.ok(places.room('newcomer') >= Math.floor(share / 2) - 1)
  }
})

test('what is taken at once never leaves less than the taker has', () => {
  const places = new Places(200)
  for (const party of ['a', 'b', 'c']) {
    const room = places.room(party)
    for (let n = 0; n < room; n++) places.take([party])
    assert.ok(places.free + 1 >= places.of(party))
  }
})

test('places that are left are free again, and those of silent hosts are not counted', () => {
  const places = new Places(10)
  greedy(places, 'a')
  places.leave(['a'])
  assert.equal(places.free, 6)
  places.stalled = 3
  assert.equal(places.free, 9)
  places.stalled = 1000
  assert.equal(places.free, 10, 'no more than are taken')
})
