/** What becomes of a load crosses to the committer's thread as it was said, cloned as threads clone it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Acceptance } from './acceptance.ts'
import type { Settled, Settlement } from './settlement.ts'
import { settlementCrossing } from './settlement-crossing.ts'

const at = 1_790_000_000_000

/** A field more, and the compiler asks for it here. */
const every: Required<Settled> = {
  n: 3,
  state: 'queued',
  status: '4.4.1',
  reason: 'größer',
  remote: 'mx.d.test [192.0.2.1]',
  dueAt: at + 60_000,
  warned: true,
  untried: true,
  doubt: true,
  delivery: {
    accountId: 7,
    mailboxName: 'Größe',
    messageId: 'm1',
    bodyId: 2 ** 52 + 1,
    head: 'Received: from ö.test\r\n',
    sizeOctets: 99,
    internalDate: at,
    flags: '\\Flagged',
  },
  attempt: { outcome: 'in doubt', dialogue: null },
}

const plain: Settled = { n: 0, state: 'relayed', status: '2.0.0', reason: 'taken', remote: null }

const notice: Acceptance = {
  ...{ id: 'm2', bodyKey: 2, origin: 'notice', reversePath: '', bodyKind: '7BIT', utf8: false },
  ...{ head: Uint8Array.of(1, 255), body: Uint8Array.of(0, 128), ret: null, envelopeId: null },
  ...{ parameters: null, priority: 0, accountId: null, peer: 'h', receivedAt: at, recipients: [] },
}

const whole: Required<Settlement> = {
  messageId: 'm1',
  bodyKey: 2 ** 52 + 1,
  node: 'n1',
  at,
  results: [plain, every, { ...plain, n: 1, state: 'held', untried: true }],
  notices: [notice],
  withdraw: { id: 'm3', bodyKey: 3 },
  letGo: 'm4',
  waiting: true,
}

const { withdraw: _withdraw, letGo: _letGo, waiting: _waiting, ...usual } = whole

for (const { name, settlement } of [
  { name: 'all that a settlement may have', settlement: whole },
  { name: 'that of nearly every message', settlement: { ...usual, results: [plain], notices: [] } },
  { name: 'results of which nobody is told', settlement: { ...usual, notices: [] } },
  { name: 'one without results', settlement: { ...usual, results: [] } },
  {
    name: 'one that falls due at once',
    settlement: { ...usual, results: [{ ...plain, dueAt: 0 }] },
  },
]) {
  test(`${name} crosses to another thread unchanged`, () => {
    const there = settlementCrossing.unpack(structuredClone(settlementCrossing.pack(settlement)))
    assert.deepEqual(plainOctets(there), plainOctets(settlement))
  })
}

/** A Buffer and a Uint8Array of the same octets are the same to who stores them. */
function plainOctets(settlement: Settlement): unknown {
  const octets = (given: unknown) => (given instanceof Uint8Array ? [...given] : given)
  const notices = settlement.notices.map(each => ({
    ...each,
    head: octets(each.head),
    body: octets(each.body),
  }))
  return { ...settlement, notices }
}
