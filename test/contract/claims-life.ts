/** Who gets which row, and in what order (src/queue/claim.ts), for rooms.test.ts: the same on every store. */
import assert from 'node:assert/strict'
import * as changes from '../../src/queue/change.ts'
import * as claims from '../../src/queue/claim.ts'
import * as queueReader from '../../src/queue/reader.ts'
import * as queue from '../../src/queue/writer.ts'
import * as record from '../../src/record/trace.ts'
import { acceptance, askedFor, at, node, recipient, type Witness } from './life.ts'

/** What customers ask for: claimed by domain, whatever its time, each row once in a round. */
export async function askedLife(w: Witness): Promise<void> {
  const domains = ['customer.test', 'customer.net']
  const to = (...addresses: string[]) => ({ recipients: addresses.map(a => recipient(a)) })
  await w.write(queue.accept, acceptance(11, to('a@customer.test', 'b@d.test', 'c@customer.net')))
  await w.write(queue.accept, acceptance(12, to('a@customer.test')))
  await w.write(queue.accept, acceptance(13, to('x@other.test')))
  // What its sender holds back is nobody's to ask for (RFC 4865).
  const hold = { forMs: 60_000, reason: 'held by its sender' }
  await w.write(
    queue.accept,
    acceptance(14, { recipients: [recipient('a@customer.test', { hold })] }),
  )
  await w.read(record.trace, 'm14')
  for (const some of [domains, ['customer.net'], ['nobody.test']]) {
    await w.read(queueReader.pendingFor, some)
  }
  // Born leased: on its way to where it waits. What its customer was offered before is not.
  const leaseMs = 60_000
  const born = (...some: string[]) => w.read(queueReader.newbornFor, { domains: some, leaseMs })
  assert.equal(await born(...domains), false)
  const lease = { lease: { by: node, leaseMs } }
  await w.write(queue.accept, acceptance(15, { recipients: [recipient('a@customer.edu', lease)] }))
  assert.deepEqual([await born('customer.edu'), await born(...domains)], [true, false])
  const input = { node, leaseMs, domains, limit: 2 }
  const first = await w.write(claims.claimAsked, { ...input, after: { messageId: '', n: -1 } })
  assert.deepEqual(
    first.map(({ message_id, n }) => `${message_id} ${n}`),
    ['m11 0', 'm11 2'],
  )
  await born('customer.test')
  await w.read(queueReader.pendingFor, domains)
  const base = { status: '4.4.0', reason: 'kept', remote: null, state: 'queued' as const }
  await w.write(queue.settle, {
    messageId: 'm11',
    bodyKey: 11,
    node,
    at,
    notices: [],
    results: [
      { ...base, n: 0, dueAt: at + 60_000, untried: true },
      { ...base, n: 2, dueAt: at + 60_000 },
    ],
  })
  await w.read(record.trace, 'm11')
  // What was given back in this round is not claimed by it again.
  const rest = await w.write(claims.claimAsked, { ...input, after: { messageId: 'm11', n: 2 } })
  assert.deepEqual(
    rest.map(row => row.message_id),
    ['m12'],
  )
  await w.write(claims.claimAsked, { ...input, after: { messageId: 'm12', n: 0 } })
  const again = await w.write(claims.claimAsked, { ...input, after: { messageId: '', n: -1 } })
  assert.equal(again.length, 2)
  assert.equal(await born('customer.net'), false)
}

/** Which rows go first: by priority, and nobody for ever last. */
export async function prioritiesLife(w: Witness): Promise<void> {
  const at = (n: number, priority: number) =>
    w.write(
      queue.accept,
      acceptance(n, {
        ...(priority === 0 ? {} : { priority }),
        recipients: [recipient(`${n}@p.test`)],
      }),
    )
  // Whatever else waits from before goes out of the way.
  const before = await w.write(claims.claim, {
    node: 'p0',
    leaseMs: 60_000,
    limit: 100,
  })
  assert.ok(before.length < 100)
  w.log.pop()
  // The low and the usual ones are older than the high ones.
  for (const [n, priority] of [-9, -1, 0, 0, 0, 2, 9, 2].entries()) await at(20 + n, priority)
  await at(28, 9)
  // A row in a lane is nobody's turn, whatever its priority.
  const lane = { name: 'mx:busy.test', forMs: 60_000, status: '4.4.5', reason: 'busy' }
  const waiting = acceptance(29, { priority: 9, recipients: [recipient('b@busy.test', { lane })] })
  await w.write(queue.accept, waiting)
  const round = async (limit: number) => {
    const input = { node: 'p1', leaseMs: 60_000, limit }
    const claimed = await w.write(claims.claim, input)
    w.log.pop()
    return claimed.map(row => row.message_id).sort()
  }
  assert.deepEqual(await round(4), ['m22', 'm25', 'm26', 'm28'], 'three by priority, one by time')
  assert.deepEqual(await round(2), ['m23', 'm27'])
  assert.deepEqual(await round(2), ['m21', 'm24'], 'the lowest is last')
  assert.deepEqual(await round(4), ['m20'])
  assert.deepEqual(await round(4), [])
  await w.write(queue.recover, null)
  w.log.pop()
  await w.write(queue.giveBack, { node: 'p1' })
  const keys = Array.from({ length: 10 }, (_, n) => ({ messageId: `m${20 + n}`, n: 0 }))
  const done = await w.write(changes.change, {
    ...askedFor('id:m2*'),
    keys,
    change: { order: 'delete' },
    at: Date.now(),
  })
  assert.equal(done.changed, 10)
}
