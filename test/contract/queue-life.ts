/** Queries of the queue and orders about what they match: a part of the life in rooms.test.ts, on every store. */
import assert from 'node:assert/strict'
import * as changes from '../../src/queue/change.ts'
import { bodyOf } from '../../src/queue/content.ts'
import * as matching from '../../src/queue/matching.ts'
import * as queueReader from '../../src/queue/reader.ts'
import * as queue from '../../src/queue/writer.ts'
import * as record from '../../src/record/trace.ts'
import { acceptance, askedFor, at, node, recipient, type Witness } from './life.ts'

/** Queries as they are asked, each kind of term, and what is done to what they match. */
export async function queries(w: Witness): Promise<void> {
  const to = (address: string, extra = {}) => recipient(address, extra)
  const lease = { by: 'q1', leaseMs: 60_000 }
  await w.write(
    queue.accept,
    acceptance(601, {
      reversePath: 'Ann@Example.net',
      peer: 'client.example [192.0.2.7] by way of mx.example [198.51.100.9]',
      receivedAt: at - 7_200_000,
      recipients: [
        to('Bob@q.test', { hold: { forMs: 3_600_000, reason: 'held by its sender' } }),
        to('carol@q.test', { lease }),
        to('100%_x@sub.q.test', { aliasOf: 'list@q.test' }),
      ],
    }),
  )
  await w.write(
    queue.accept,
    acceptance(602, {
      reversePath: '',
      origin: 'mx',
      accountId: null,
      priority: 4,
      recipients: [to('bob@q.test'), to('100xyx@sub.q.test'), to('joe@xn--bcher-kva.test')],
    }),
  )
  await w.write(queue.settle, {
    messageId: 'm601',
    bodyKey: 601,
    node: 'q1',
    at,
    notices: [],
    results: [
      {
        n: 1,
        state: 'queued',
        dueAt: at + 600_000,
        status: '4.4.1',
        reason: 'no connection to mx.q.test [192.0.2.80]: ECONNREFUSED',
        remote: 'mx.q.test [192.0.2.80]',
      },
    ],
  })
  const cases: readonly (readonly [string, string])[] = [
    ['', '601/0 601/1 601/2 602/0 602/1 602/2'],
    ['to:bob@q.test', '601/0 602/0'],
    ['to:*@q.test', '601/0 601/1 602/0'],
    ['-to:*@q.test', '601/2 602/1 602/2'],
    ['to:100%_x@sub.q.test', '601/2'],
    ['to:100%_*', '601/2'],
    ['to:~00', '601/2 602/1'],
    ['to:(bob@q.test carol@*)', '601/0 601/1 602/0'],
    ['domain:*.q.test', '601/2 602/1'],
    ['domain:b\u00fccher.test', '602/2'],
    ['to:*@B\u00fccher.test', '602/2'],
    ['to:Joe@B\u00fccher.test', '602/2'],
    ['to:ann@b\u00fccher.test', ''],
    ['alias:list@q.test', '601/2'],
    ['!alias:list@q.test', '601/0 601/1 602/0 602/1 602/2'],
    ['from:<>', '602/0 602/1 602/2'],
    ['from:ann@EXAMPLE.net', '601/0 601/1 601/2'],
    ['state:queued', '601/0 601/2 602/0 602/1 602/2'],
    ['state:deferred', '601/1'],
    ['state:(deferred held)', '601/1'],
    ['-state:queued', '601/1'],
    ['state:doubt', ''],
    ['state:delivered', ''],
    ['id:m602', '602/0 602/1 602/2'],
    ['id:m601*', '601/0 601/1 601/2'],
    ['origin:mx', '602/0 602/1 602/2'],
    ['account:jo*', '601/0 601/1 601/2'],
    ['-account:jo*', '602/0 602/1 602/2'],
    ['peer:192.0.2.7', '601/0 601/1 601/2'],
    ['peer:mx.example', '601/0 601/1 601/2'],
    ['peer:192.0.2.1', '602/0 602/1 602/2'],
    ['status:4.*', '601/1'],
    ['-status:4.4.1 id:m601', '601/0 601/2'],
    ['reason:econnrefused', '601/1'],
    ['reason:"held by"', '601/0'],
    ['remote:mx.q.test', '601/1'],
    ['remote:192.0.2.80', '601/1'],
    ['-remote:192.0.2.80 domain:q.test', '601/0 602/0'],
    ['age>1h', '601/0 601/1 601/2'],
    ['age<1h', '602/0 602/1 602/2'],
    ['due>50m', '601/0'],
    ['due<30m due>5m', '601/1'],
    ['attempts:1', '601/1'],
    ['attempts<1 id:m601', '601/0 601/2'],
    ['priority>0', '602/0 602/1 602/2'],
    ['size<1KB domain:q.test', '601/0 601/1 602/0'],
    ['size>1KB', ''],
    [`to:"'; DROP TABLE recipient; --"`, ''],
  ]
  for (const [text, keys] of cases) {
    const asked = askedFor(`${text} id:(m601 m602)`)
    const page = { ...asked, after: matching.BEFORE_ALL, limit: 50 }
    const lines = await w.read(matching.matchingLines, page)
    const found = lines.map(line => `${line.message_id.slice(1)}/${line.n}`).join(' ')
    assert.equal(found, keys, text)
    assert.equal(await w.read(matching.matchingCount, asked), lines.length, text)
    // By pages of two it is the same.
    const paged: string[] = []
    for (let after = matching.BEFORE_ALL; ; ) {
      const some = await w.read(matching.matchingKeys, { ...page, after, limit: 2 })
      paged.push(...some.map(({ messageId, n }) => `${messageId.slice(1)}/${n}`))
      const last = some.at(-1)
      if (last === undefined) break
      after = last
    }
    assert.equal(paged.join(' '), keys, text)
  }
  await w.read(matching.newestMessage, null)
  const all = { ...askedFor('id:(m601 m602)'), after: matching.BEFORE_ALL, limit: 50 }
  await w.read(matching.matchingSums, all)
  await w.read(matching.matchingSums, { ...all, limit: 2 })
  await w.read(matching.matchingLines, { ...all, moment: { at, upTo: 'm601' } })
  const keys = await w.read(matching.matchingKeys, all)
  const order = (text: string, change: changes.Change, some = keys) =>
    w.write(changes.change, { ...askedFor(text), keys: some, change, at })
  assert.equal((await order('state:deferred', { order: 'hold' })).changed, 1)
  assert.equal((await order('to:*@q.test', { order: 'hold' })).changed, 2)
  assert.equal((await order('', { order: 'hold' }, [])).changed, 0)
  assert.equal((await order('state:leased', { order: 'hold' })).changed, 0)
  await order('', { order: 'priority', priority: -3 })
  assert.equal((await order('to:bob@*', { order: 'reroute', via: 'Backup' })).changed, 2)
  await order('id:m602', { order: 'reroute', via: null })
  assert.equal(await w.read(matching.matchingCount, askedFor('via:backup id:(m601 m602)')), 1)
  await w.read(matching.waitingRows, keys)
  assert.equal((await order('to:bob@q.test', { order: 'release' })).changed, 2)
  const released = await w.read(matching.waitingRows, keys)
  assert.equal(released.filter(row => row.released_at !== null).length, 2)
  await order('', { order: 'retry' })
  await w.read(record.trace, 'm601')
  await ruled(w)
  await replaced(w)
  await ends(w)
  const ended = { status: '5.4.7', reason: 'given up', remote: null, state: 'expired' as const }
  const settlement = {
    messageId: 'm601',
    bodyKey: 601,
    node,
    at,
    notices: [],
    waiting: true as const,
  }
  // One that is held and one that waits are ended; of several that do not all wait, none is.
  await w.write(queue.settle, {
    ...settlement,
    results: [0, 1].map(n => ({ ...ended, n, untried: true })),
  })
  await w
    .write(queue.settle, { ...settlement, results: [1, 2].map(n => ({ ...ended, n })) })
    .catch(() => {})
  await w.read(record.trace, 'm601')
  assert.deepEqual((await order('', { order: 'delete' })).changed, 4)
  for (const id of ['m601', 'm602']) await w.read(record.trace, id)
  await w.read(queueReader.depth, null)
}

/** A notice whose place another takes, while it rests and once it is on its way. */
async function replaced(w: Witness): Promise<void> {
  const lease = { by: 'q4', leaseMs: 60_000 }
  const hold = { forMs: 5_000, reason: 'waits for word of others' }
  const states = async () => {
    const query = { ...askedFor('id:(m605 m606)'), after: matching.BEFORE_ALL, limit: 9 }
    return (await w.read(matching.matchingLines, query)).map(({ message_id }) => message_id)
  }
  const recipients = [0, 1, 2].map(n => recipient(`${n}@r.test`, { lease }))
  await w.write(queue.accept, acceptance(604, { recipients }))
  const settled = { status: '2.0.0', reason: 'taken', remote: null, state: 'relayed' as const }
  const of = { messageId: 'm604', bodyKey: 604, node: 'q4', at }
  const notice = (id: number, extra = {}) =>
    acceptance(id, { origin: 'notice', recipients: [recipient('ann@r.test', extra)] })
  const withdraw = { id: 'm605', bodyKey: 605 }
  await w.write(queue.settle, {
    ...of,
    results: [{ ...settled, n: 0 }],
    notices: [notice(605, { hold })],
  })
  assert.deepEqual(await states(), ['m605'])
  const results = [{ ...settled, n: 1 }]
  await w.write(queue.settle, { ...of, results, notices: [notice(606, { lease })], withdraw })
  assert.deepEqual(await states(), ['m606'])
  await w.read(record.trace, 'm605')
  // In somebody's hands it stays.
  await w.write(queue.settle, {
    ...of,
    results: [{ ...settled, n: 2 }],
    notices: [],
    withdraw: { id: 'm606', bodyKey: 606 },
  })
  assert.deepEqual(await states(), ['m606'])
  // One that rests is let go where nothing more is to come.
  await w.write(queue.accept, notice(607, { hold }))
  const dueAt = async () => {
    const query = { ...askedFor('id:m607'), after: matching.BEFORE_ALL, limit: 1 }
    return (await w.read(matching.matchingLines, query))[0]?.due_at ?? 0
  }
  const before = await dueAt()
  const last = { messageId: 'm606', bodyKey: 606, node: 'q4', at, notices: [] }
  await w.write(queue.settle, { ...last, results: [{ ...settled, n: 0 }], letGo: 'm607' })
  assert.ok((await dueAt()) <= before - 1_000)
  await w.write(changes.change, {
    ...{ ...askedFor(''), keys: [{ messageId: 'm607', n: 0 }], at },
    change: { order: 'delete' },
  })
}

/** Of a message with several recipients the body goes with the last, by the name of its file where it has one. */
async function ends(w: Witness): Promise<void> {
  const lease = { by: 'q5', leaseMs: 60_000 }
  const recipients = [0, 1, 2].map(n => recipient(`${n}@r.test`, { lease }))
  const taken = { status: '2.0.0', reason: 'taken', remote: null, state: 'relayed' as const }
  const settle = (id: number, ...rows: number[]) =>
    w.write(queue.settle, {
      ...{ messageId: `m${id}`, bodyKey: id, node: 'q5', at, notices: [] },
      results: rows.map(n => ({ ...taken, n })),
    })
  const gone = async (id: number) => (await w.read(bodyOf, id)) === undefined
  await w.write(queue.accept, acceptance(608, { recipients }))
  assert.deepEqual(await settle(608, 0), { held: true, released: [] })
  assert.equal(await gone(608), false)
  assert.deepEqual(await settle(608, 1, 2), { held: true, released: [] })
  assert.equal(await gone(608), true)
  assert.deepEqual(await settle(608, 2), { held: false, released: [] })
  const body = { staged: 'a-file', sizeOctets: 9 }
  await w.write(queue.accept, acceptance(609, { recipients, body }))
  assert.deepEqual(await settle(609, 0, 2), { held: true, released: [] })
  assert.deepEqual(await settle(609, 1), { held: true, released: ['a-file'] })
  assert.equal(await gone(609), true)
  for (const id of ['m608', 'm609']) await w.read(record.trace, id)
}

/** What a rule of the config holds, and what it discards. */
async function ruled(w: Witness): Promise<void> {
  const lease = { by: 'q3', leaseMs: 60_000 }
  const recipients = [recipient('a@r.test', { lease }), recipient('b@r.test', { lease })]
  await w.write(queue.accept, acceptance(603, { recipients }))
  const settled = { remote: null, untried: true }
  const done = await w.write(queue.settle, {
    messageId: 'm603',
    bodyKey: 603,
    node: 'q3',
    at,
    notices: [],
    results: [
      { ...settled, n: 0, state: 'held', status: '4.7.0', reason: 'a look first' },
      { ...settled, n: 1, state: 'deleted', status: '2.0.0', reason: 'discarded' },
    ],
  })
  // The body stays for the one that is held.
  assert.deepEqual(done, { held: true, released: [] })
  const [held, ...more] = await w.read(matching.matchingLines, {
    ...askedFor('id:m603'),
    after: matching.BEFORE_ALL,
    limit: 50,
  })
  assert.deepEqual(
    [held?.state, held?.attempts, held?.reason, more.length],
    ['held', 0, 'a look first', 0],
  )
  const keys = [{ messageId: 'm603', n: 0 }]
  const change = { order: 'delete' } as const
  await w.write(changes.change, { ...askedFor(''), keys, change, at })
}
