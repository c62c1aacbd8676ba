/** Further parameters of an envelope go into the queue and come out as they were. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  formatCarriedRecipient,
  formatCarriedSender,
  parseCarriedRecipient,
  parseCarriedSender,
} from './carried.ts'
import type { Recipient, Sender } from './envelope.ts'

const plain: Sender = { reversePath: null, body: '7BIT', utf8: false, ret: 'HDRS' }

test('usual mail carries nothing', () => {
  assert.equal(formatCarriedSender(plain), null)
  assert.deepEqual(parseCarriedSender(null), {})
  assert.deepEqual(parseCarriedRecipient(undefined), {})
})

test('every further parameter survives', () => {
  const further = {
    submitter: null,
    deliverBy: { atMs: -3, mode: 'R', trace: true },
    release: { atMs: 5, asked: 'for;5' },
    priority: -9,
    solicitations: ['net.example:ADV'],
    requireTls: true,
    tlsOptional: true,
    lastWord: true,
    verp: '+=',
    tracking: { certifier: 'YWJj', untilMs: 60 },
  } as const satisfies Partial<Sender>
  assert.deepEqual(parseCarriedSender(formatCarriedSender({ ...plain, ...further })), further)
  const recipient: Recipient = {
    forwardPath: { local: 'joe', domain: 'b.example' },
    validSince: { atMs: 7, action: 'C' },
  }
  assert.deepEqual(parseCarriedRecipient(formatCarriedRecipient(recipient)), {
    validSince: { atMs: 7, action: 'C' },
  })
})
