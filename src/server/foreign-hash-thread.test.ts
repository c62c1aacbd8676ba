/** Foreign hashes in a thread of their own: the same answers, each to its question. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { foreignHashThread } from './foreign-hash-thread.ts'

test('each check has its answer, many at once', async () => {
  const check = foreignHashThread()
  const words = ['a', 'b', 'c', 'd', 'e']
  const answers = words.flatMap(word => [
    check(`{PLAIN}${word}`, word),
    check(`{PLAIN}${word}`, 'x'),
  ])
  assert.deepEqual(
    await Promise.all(answers),
    words.flatMap(() => [true, false]),
  )
})
