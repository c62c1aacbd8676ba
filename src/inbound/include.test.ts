/** What BURL takes in, and what it refuses (RFC 4468 §6). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { included } from './include.ts'
import type { Referred } from './role.ts'

const account = { id: 1, address: 'joe@example.org' }
const endpoint = { address: '192.0.2.1', port: 1 }
const peer = { remote: endpoint, local: endpoint, hello: '', extended: true, account }

async function include(referred: Referred, over: { body?: 'BINARYMIME'; room?: number } = {}) {
  const body = over.body ?? ('7BIT' as const)
  const sender = { reversePath: null, utf8: false, body }
  const envelope = { sender, recipients: [] }
  const taken: Buffer[] = []
  const asked = { peer, envelope, url: 'imap://x', ...(over.room && { roomOctets: over.room }) }
  const answer = await included({ refer: async () => referred }, asked, async octets => {
    taken.push(Buffer.from(octets))
  })
  return { answer, taken: Buffer.concat(taken).toString() }
}

async function* pieces() {
  yield Buffer.from('one ')
  yield Buffer.from('two')
}

const octets = (content: Uint8Array | AsyncIterable<Uint8Array>, sizeOctets: number) =>
  ({ kind: 'octets', sizeOctets, content }) as const

test('octets are taken in as they come', async () => {
  const { answer, taken } = await include(octets(pieces(), 7), { room: 7 })
  assert.deepEqual(answer, { kind: 'included', sizeOctets: 7 })
  assert.equal(taken, 'one two')
})

const refusals = [
  [{ kind: 'elsewhere' }, {}, 554, '7.14'],
  [{ kind: 'denied' }, {}, 554, '7.0'],
  [{ kind: 'gone' }, {}, 554, '6.6'],
  [octets(Buffer.from('12345678'), 8), { room: 7 }, 554, '3.4'],
  [octets(Buffer.from('a\0b'), 3), {}, 554, '6.3'],
] as const

for (const [referred, over, code, detail] of refusals) {
  test(`${code} 5.${detail}`, async () => {
    const { answer } = await include(referred, over)
    assert.equal(answer.kind, 'refuse')
    assert.deepEqual('code' in answer && [answer.code, answer.detail], [code, detail])
  })
}

test('binary data is for BODY=BINARYMIME', async () => {
  const { taken } = await include(octets(Buffer.from('a\0b'), 3), { body: 'BINARYMIME' })
  assert.equal(taken, 'a\0b')
})

test('who has not logged in is told so', async () => {
  const { account: _nobody, ...stranger } = peer
  const sender = { reversePath: null, utf8: false, body: '7BIT' as const }
  const envelope = { sender, recipients: [] }
  const asked = { peer: stranger, envelope, url: 'imap://x' }
  const refer = async () => ({ kind: 'gone' }) as const
  const answer = await included({ refer }, asked, async () => {})
  assert.ok('code' in answer && answer.code === 530)
})
