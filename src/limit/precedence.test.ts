import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Precedence } from './precedence.ts'

test('who logged in from his address before goes first, who guesses last, whoever he guesses at', () => {
  let now = 0
  const precedence = new Precedence({ monotonic: () => now })
  const rank = (holder: string, name: string) => {
    const { rank: found } = precedence.begin(holder, name)
    precedence.settled(holder, name)
    return found
  }
  precedence.succeeded('192.0.2.1', 'Ann@a.test')
  for (let i = 0; i < 5; i++) precedence.failed('198.51.100.1', 'ann@a.test')
  assert.equal(rank('192.0.2.1', 'ann@a.test'), 0)
  assert.equal(rank('192.0.2.1', 'bob@a.test'), 1)
  assert.equal(rank('198.51.100.1', 'bob@a.test'), 2)
  assert.equal(rank('203.0.113.1', 'ann@a.test'), 3)
  assert.equal(rank('198.51.100.1', 'ann@a.test'), 4)
  for (let i = 0; i < 3; i++) precedence.failed('192.0.2.1', 'ann@a.test')
  assert.equal(rank('192.0.2.1', 'ann@a.test'), 4)
  now = 10 * 60_000
  assert.equal(rank('192.0.2.1', 'ann@a.test'), 0)
  assert.equal(rank('198.51.100.1', 'ann@a.test'), 1)
})

test('what many try at once is suspect before any answer is known', () => {
  const precedence = new Precedence({ monotonic: () => 0 })
  precedence.succeeded('192.0.2.1', 'ann@a.test')
  const ranks = Array.from({ length: 5 }, () => precedence.begin('192.0.2.1', 'ann@a.test').rank)
  assert.deepEqual(ranks, [0, 0, 0, 4, 4])
  for (let i = 0; i < 5; i++) precedence.settled('192.0.2.1', 'ann@a.test')
  assert.equal(precedence.begin('192.0.2.1', 'ann@a.test').rank, 0)
})
