/** Messages from their acceptance to what became of each recipient (src/queue, src/record), for rooms.test.ts: the same on every store. */
import assert from 'node:assert/strict'
import * as changes from '../../src/queue/change.ts'
import * as claims from '../../src/queue/claim.ts'
import { bodyOf } from '../../src/queue/content.ts'
import * as matching from '../../src/queue/matching.ts'
import * as queueReader from '../../src/queue/reader.ts'
import * as queue from '../../src/queue/writer.ts'
import * as record from '../../src/record/trace.ts'
import * as tracking from '../../src/record/tracking.ts'
import * as transit from '../../src/transit/reader.ts'
import { acceptance, askedFor, at, node, plain, recipient, type Witness } from './life.ts'

type Settlement = Parameters<(typeof queue.settle)['run']>[1][number]

export async function messagesLife(w: Witness): Promise<void> {
  await w.write(
    queue.accept,
    acceptance(1, {
      recipients: [recipient('jane@example.org', { lease: { by: node, leaseMs: 60_000 } })],
    }),
  )
  await w.write(
    queue.accept,
    acceptance(2, {
      body: { staged: 'file2', sizeOctets: 9 },
      notices: [acceptance(3, { origin: 'notice', reversePath: '' })],
      recipients: [
        recipient('list@example.org', { expanded: true }),
        recipient('a@b.test', { parameters: '{"validSince":{"atMs":7,"action":"C"}}' }),
        recipient('c@d.test', {
          lane: { name: 'mx:d.test', forMs: 60_000, status: '4.4.1', reason: 'it is down' },
        }),
      ],
      parameters: '{"priority":3}',
    }),
  )
  await w.write(queue.accept, acceptance(2)).catch(() => {})
  await w.write(queue.accept, acceptance(4))
  await w.read(queueReader.depth, null)
  const due = await w.read(queueReader.nextDueIn, null)
  assert.ok(due !== undefined && due <= 0 && due > -60_000)
  w.log.pop()
  await w.read(queueReader.queuedMessage, 'm2')
  await w.read(bodyOf, 1)
  await w.read(bodyOf, 2)
  for (const text of ['', 'domain:B.test', 'from:joe@example.org state:leased']) {
    await w.read(matching.matchingLines, {
      ...askedFor(text),
      after: matching.BEFORE_ALL,
      limit: 3,
    })
  }
  const claimed = await w.write(claims.claim, {
    node,
    leaseMs: 60_000,
    limit: 10,
  })
  claimed.sort((a, b) => (`${a.message_id}${a.n}` < `${b.message_id}${b.n}` ? -1 : 1))
  w.log.splice(-1, 1, plain(claimed))
  await w.write(queue.renew, { node, leaseMs: 60_000, rows: [{ messageId: 'm2', n: 1 }] })
  await w.write(claims.claim, { node: 'n2', leaseMs: 60_000, limit: 10 })
  const base = { status: '2.0.0', reason: 'good', remote: null }
  const delivery = {
    accountId: 1,
    mailboxName: 'INBOX',
    messageId: 'm1',
    bodyId: 1,
    head: Buffer.from('h'),
    sizeOctets: 6,
    internalDate: at,
    flags: '',
  }
  const settlements: Settlement[] = [
    {
      messageId: 'm1',
      bodyKey: 1,
      node,
      at,
      notices: [],
      results: [{ ...base, n: 0, state: 'delivered', delivery }],
    },
    {
      messageId: 'm2',
      bodyKey: 2,
      node,
      at,
      notices: [acceptance(5, { origin: 'notice' })],
      results: [
        {
          ...base,
          n: 1,
          state: 'queued',
          dueAt: at + 60_000,
          warned: true,
          attempt: { outcome: 'deferred', dialogue: 'a\0b' },
        },
      ],
    },
    {
      messageId: 'm2',
      bodyKey: 2,
      node,
      at,
      notices: [],
      results: [{ ...base, n: 2, state: 'failed' }],
    },
    {
      messageId: 'm3',
      bodyKey: 3,
      node,
      at,
      notices: [],
      results: [{ ...base, n: 0, state: 'relayed' }],
    },
  ]
  for (const settlement of settlements) await w.write(queue.settle, settlement)
  await w.write(queue.giveBack, { node: 'n2' })
  await w.write(queue.recover, null)
  for (const order of ['hold', 'release', 'retry', 'hold', 'delete'] as const)
    await w.write(changes.change, {
      ...askedFor('id:m2'),
      keys: [
        { messageId: 'm2', n: 1 },
        { messageId: 'm2', n: 2 },
      ],
      change: { order },
      at,
    })
  for (const id of ['m1', 'm9']) await w.read(transit.reversePathOf, id)
  for (const id of ['m1', 'm2', 'm3', 'm4', 'm9']) {
    await w.read(record.trace, id)
  }
  // The attempt by which a next hop took it is told from the recipient's own row.
  const taken = await w.read(record.trace, 'm3')
  assert.deepEqual(
    taken?.attempts.map(attempt => [attempt.n, attempt.at, attempt.outcome, attempt.reason]),
    [[0, at, 'delivered', base.reason]],
  )
  await w.read(record.messagesTo, { address: 'jane@example.org', limit: 10 })
  const named = { envelopeId: 'e@x', parameters: '{"tracking":{"certifier":"abc"}}' }
  await w.write(queue.accept, acceptance(700, named))
  await w.write(queue.accept, acceptance(701, { envelopeId: 'e@x' }))
  for (const name of ['e@x', 'f@x']) await w.read(tracking.namedMessages, name)
  for (const id of ['m700', 'm2']) await w.read(tracking.trackedRecipients, id)
  await w.read(matching.matchingLines, { ...askedFor(''), after: matching.BEFORE_ALL, limit: 10 })
}
