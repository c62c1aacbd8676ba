/** `mailq`, as programs that watch queues read it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { QueueItem } from '../server/operation.ts'
import { mailq } from './show-mailq.ts'

const receivedAt = new Date(2026, 10, 7, 9, 5, 3).getTime()

function item(message: string, n: number, more: Partial<QueueItem> = {}): QueueItem {
  const known = { sender: 'joe@example.org', state: 'deferred', receivedAt, dueAt: 0 } as const
  return { message, n, address: `r${n}@x.test`, attempts: 1, sizeOctets: 1500, ...known, ...more }
}

test('an empty queue is said to be empty', () => {
  const shown = mailq()
  assert.equal(shown.page([]) + shown.end(), 'Mail queue is empty\n')
})

test('a message is told once, each reason above its recipients, and the last line says how many wait', () => {
  const shown = mailq()
  const refused = { reason: 'connect to mx.x.test: refused' }
  // The second page begins within a message.
  const text =
    shown.page([item('0a1b2c3d4e5f6g7h', 0, refused), item('0a1b2c3d4e5f6g7h', 1, refused)]) +
    shown.page([
      item('0a1b2c3d4e5f6g7h', 2, { state: 'queued' }),
      item('1a1b2c3d4e5f6g7h', 0, { state: 'leased', sender: '', address: 'bad\u001b[2J@x.test' }),
      item('2a1b2c3d4e5f6g7h', 0, { state: 'held', reason: `held: ${'long '.repeat(20)}` }),
    ]) +
    shown.end()
  assert.equal(
    text,
    `----Queue ID----- --Size-- ---Arrival Time---- --Sender/Recipient------
0a1b2c3d4e5f6g7h      1500 Sat Nov 07 09:05:03 joe@example.org
                                             (connect to mx.x.test: refused)
                                               r0@x.test
                                               r1@x.test
                                               r2@x.test

1a1b2c3d4e5f6g7h*     1500 Sat Nov 07 09:05:03 <>
                                               bad\\x1b[2J@x.test

2a1b2c3d4e5f6g7h!     1500 Sat Nov 07 09:05:03 joe@example.org
(held: ${'long '.repeat(20)})
                                               r0@x.test

-- 5 Kbytes in 3 Requests.
`,
  )
})
