/** What is packed for another thread is what comes out there, cloned as threads clone it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Acceptance, AcceptedRecipient } from './acceptance.ts'
import { acceptanceCrossing } from './acceptance-crossing.ts'

const every = Uint8Array.from({ length: 256 }, (_, n) => n)

const plain: AcceptedRecipient = {
  address: 'jo@d.test',
  domain: 'd.test',
  notify: 'FAILURE',
  originalRecipient: 'rfc822;jo@d.test',
  aliasOf: 'all@d.test',
}

const lane = { name: 'mx d.test', forMs: 5, status: '4.4.1', reason: 'down' }

const delivery = {
  accountId: 7,
  mailboxName: 'Größe',
  messageId: 'm1',
  bodyId: 2 ** 52 + 1,
  head: 'Received: from ö.test\r\n',
  sizeOctets: 99,
  internalDate: 1_790_000_000_000,
  flags: '\\Flagged',
}

const usual: Acceptance = {
  id: 'm1',
  bodyKey: 2 ** 52 + 1,
  origin: 'mx',
  head: every,
  sizeOctets: 512,
  body: every,
  reversePath: 'ö@x.test',
  bodyKind: '8BITMIME',
  utf8: true,
  ret: 'HDRS',
  envelopeId: 'e',
  parameters: '{"mtrk":1}',
  priority: -3,
  accountId: 4,
  peer: '[192.0.2.1]',
  receivedAt: 1_790_000_000_001,
  recipients: [
    plain,
    { ...plain, notify: null, originalRecipient: null, aliasOf: null, delivery },
    { ...plain, delivery: { ...delivery, head: every } },
    { ...plain, parameters: '{"by":1}', lease: { by: 'n1', leaseMs: 45_000 } },
    { ...plain, hold: { forMs: 9, reason: 'until then' } },
    { ...plain, expanded: true },
    { ...plain, lane },
  ],
}

const { sizeOctets: _size, ...sizeless } = usual

for (const { name, acceptance } of [
  { name: 'all that a message and its recipients may have', acceptance: usual },
  { name: 'a body without octets', acceptance: { ...usual, body: new Uint8Array(0) } },
  { name: 'a large body', acceptance: { ...usual, body: new Uint8Array(100_000).fill(200) } },
  { name: 'a staged body', acceptance: { ...usual, body: { staged: 's', sizeOctets: 9 } } },
  { name: 'notices', acceptance: { ...sizeless, notices: [usual, sizeless] } },
]) {
  test(`${name} crosses to another thread unchanged`, () => {
    const there = acceptanceCrossing.unpack(structuredClone(acceptanceCrossing.pack(acceptance)))
    assert.deepEqual(octetsPlain(there), octetsPlain(acceptance))
  })
}

test('octets that were lent are free behind it', () => {
  const lent = Buffer.from('first')
  const packed = acceptanceCrossing.pack({ ...usual, body: lent })
  lent.fill('x')
  const { body } = acceptanceCrossing.unpack(packed)
  assert.deepEqual(octetsPlain(body), octetsPlain(Buffer.from('first')))
})

/** A Buffer and a Uint8Array of the same octets are the same to who stores them. */
function octetsPlain(value: unknown): unknown {
  if (value instanceof Uint8Array) return new Uint8Array(value)
  if (Array.isArray(value)) return value.map(octetsPlain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, octetsPlain(each)]))
}
