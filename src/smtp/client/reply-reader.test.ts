/** What a hop says, as it comes into reasons, notices and the log. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ReplyReader } from './reply-reader.ts'

const rows: readonly (readonly [said: string, read: string])[] = [
  ['550 5.1.1 grüße 你好 👋\r\n', 'grüße 你好 👋'],
  ['550 5.1.1 a\u001b[31mb\u0007\u007f\r\n', 'a?[31mb??'],
  ['550 5.1.1 a\u009b31mb\u0085c\u2028d\u2029\r\n', 'a?31mb?c?d?'],
]

for (const [said, read] of rows) {
  test(`${JSON.stringify(said)} drives no terminal and begins no line`, () => {
    const reader = new ReplyReader()
    reader.push(Buffer.from(said))
    const reply = reader.next()
    assert.ok(typeof reply === 'object')
    assert.deepEqual(reply.lines, [read])
  })
}
