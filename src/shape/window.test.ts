import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Window } from './window.ts'

const limits = { initial: 1, most: 20, cohorts: 1 }

/** So many loads of a full window go well. */
function go(window: Window, times: number, of = limits): number {
  for (let n = 0; n < times; n++) window.succeeded(window.size, of)
  return window.size
}

test('a window doubles with each cohort until its limit', () => {
  const window = new Window(1)
  const sizes = Array.from({ length: 6 }, () => go(window, window.size))
  assert.deepEqual(sizes, [2, 4, 8, 16, 20, 20])
})

test('a window that is not used does not open', () => {
  const window = new Window(1)
  for (let n = 0; n < 10; n++) window.succeeded(1, limits)
  assert.equal(window.size, 2)
})

test('the first failure takes one away at once, the next ones of its cohort nothing; then a cohort adds one', () => {
  const window = new Window(8)
  const many = { ...limits, cohorts: 10 }
  window.failed(1, many)
  assert.equal(window.size, 7)
  for (let n = 0; n < 6; n++) window.failed(1, many)
  assert.equal(window.size, 7)
  assert.equal(go(window, 7, many), 8)
})

test('a whole cohort that fails with no success between means that nobody is there', () => {
  const alone = new Window(1)
  assert.equal(alone.failed(1, limits), true)
  const half = new Window(1)
  assert.equal(half.failed(0.5, limits), false)
  assert.equal(half.failed(0.5, limits), true)
  const four = new Window(4)
  for (let n = 0; n < 3; n++) assert.equal(four.failed(1, limits), false)
  four.succeeded(1, limits)
  assert.equal(four.failed(1, limits), false)
})

test('however failures and successes come, it stays between one and the limit', () => {
  for (let seed = 1; seed < 200; seed++) {
    const window = new Window(5)
    for (let n = 0, chance = seed; n < 500; n++) {
      chance = (chance * 48_271) % 2_147_483_647
      if (chance % 3 === 0) window.failed(chance % 2 ? 1 : 0.5, { ...limits, cohorts: 1e9 })
      else window.succeeded(chance % 25, limits)
      assert.ok(window.size >= 1 && window.size <= limits.most)
    }
  }
})
