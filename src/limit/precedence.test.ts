import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Precedence } from './precedence.ts'

/** Ranks as they are at one moment, and whether one yields. */
function scripted() {
  let now = 0
  const precedence = new Precedence({ monotonic: () => now })
  const place = (holder: string, name: string, tries = 0) => {
    const found = precedence.begin(holder, name, tries)
    precedence.settled(holder, name)
    return found
  }
  return {
    ...{ precedence, place },
    rank: (holder: string, name: string, tries?: number) => place(holder, name, tries).rank,
    pass(ms: number) {
      now += ms
    },
  }
}

function assertRises(ranks: readonly number[]): void {
  assert.deepEqual(
    ranks,
    [...new Set(ranks)].toSorted((a, b) => a - b),
  )
}

test('who logged in from his address before goes first, who guesses last, whoever he guesses at', () => {
  const { precedence, rank, pass } = scripted()
  precedence.succeeded('192.0.2.1', 'Ann@a.test')
  for (let i = 0; i < 5; i++) precedence.failed('198.51.100.1', 'ann@a.test')
  assert.equal(rank('192.0.2.1', 'ann@a.test'), 0)
  assertRises([
    rank('192.0.2.1', 'ann@a.test'),
    rank('192.0.2.1', 'bob@a.test'),
    // A stranger at a name that is guessed at goes before who guesses, be it at a name of his invention.
    rank('203.0.113.1', 'ann@a.test'),
    rank('198.51.100.1', 'nobody@a.test'),
    rank('198.51.100.1', 'ann@a.test'),
  ])
  for (let i = 0; i < 3; i++) precedence.failed('192.0.2.1', 'ann@a.test')
  assert.ok(rank('192.0.2.1', 'ann@a.test') > rank('203.0.113.1', 'ann@a.test'))
  pass(10 * 60_000)
  assert.equal(rank('192.0.2.1', 'ann@a.test'), 0)
  assert.equal(rank('198.51.100.1', 'ann@a.test'), rank('203.0.113.1', 'ann@a.test'))
})

test('from one address a first try goes before the tries of connections that had one', () => {
  const { precedence, rank } = scripted()
  for (let i = 0; i < 50; i++) precedence.failed('127.0.0.1', 'ann@a.test')
  assertRises([
    rank('127.0.0.1', 'ann@a.test'),
    rank('127.0.0.1', 'nobody@a.test', 1),
    rank('127.0.0.1', 'ann@a.test', 1),
    rank('127.0.0.1', 'nobody@a.test', 9),
  ])
  assert.equal(rank('127.0.0.1', 'ann@a.test', 9), rank('127.0.0.1', 'ann@a.test', 900))
})

test('who was told to come later has had his turn, and who goes on leaves a slot to others', () => {
  const { precedence, place } = scripted()
  const [first, other] = ['192.0.2.1', '203.0.113.1']
  precedence.later(first)
  assert.ok(place(first, 'nobody@a.test').rank > place(other, 'ann@a.test').rank)
  assert.equal(place(first, 'nobody@a.test').yields, false)
  for (let i = 0; i < 2; i++) precedence.later(first)
  assert.equal(place(first, 'nobody@a.test').yields, true)
  precedence.succeeded(first, 'ann@a.test')
  assert.deepEqual(place(first, 'ann@a.test'), { rank: 0, lane: first, yields: false })
})

test('what many try at once is suspect before any answer is known', () => {
  const precedence = new Precedence({ monotonic: () => 0 })
  precedence.succeeded('192.0.2.1', 'ann@a.test')
  const begin = () => precedence.begin('192.0.2.1', 'ann@a.test', 0)
  const places = Array.from({ length: 5 }, begin)
  assert.deepEqual(
    places.map(({ rank }) => rank > 0),
    [false, false, false, true, true],
  )
  assert.deepEqual(
    places.map(({ yields }) => yields),
    [false, false, false, true, true],
  )
  for (let i = 0; i < 5; i++) precedence.settled('192.0.2.1', 'ann@a.test')
  assert.equal(begin().rank, 0)
})

test('of a name without end the beginning counts, and no more of it is kept', () => {
  const { precedence, rank } = scripted()
  const long = 'x'.repeat(8000)
  precedence.failed('192.0.2.1', `${long}1`)
  const known = `${long}2`
  precedence.succeeded('203.0.113.1', known)
  assert.equal(rank('203.0.113.1', `${long}3`), 0)
  assert.ok(rank('203.0.113.2', `${long}4`) > rank('203.0.113.2', 'x@a.test'))
})
