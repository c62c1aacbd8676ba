/** However often it is asked for: once at a time, and once more behind who asked last. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { oneMore } from './one-more.ts'

test('who asks while it is done has it done once more behind that, however many ask', async () => {
  const under: (() => void)[] = []
  const ask = oneMore(() => new Promise(done => under.push(done)))
  for (let i = 0; i < 300; i++) ask()
  assert.equal(under.length, 1)
  under[0]?.()
  await new Promise(setImmediate)
  assert.equal(under.length, 2, 'once for all who have asked meanwhile')
  under[1]?.()
  await new Promise(setImmediate)
  assert.equal(under.length, 2)
  ask()
  assert.equal(under.length, 3)
})
