/** What the worker does with an outcome that cannot be stored. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Acceptance } from '../queue/acceptance.ts'
import { Gates } from '../shape/gates.ts'
import { Limits } from '../shape/limits.ts'
import { StoreError } from '../store/store.ts'
import { Lending } from '../wire/lending.ts'
import { silent } from '../world/log.ts'
import type { World } from '../world/world.ts'
import type { Carried, Load } from './transport.ts'
import { Worker, type WorkerOptions } from './worker.ts'

function newborn(body: Uint8Array): Acceptance {
  const lease = { by: 'node', leaseMs: 1 }
  const address = { address: 'a@b.example', domain: 'b.example', notify: null }
  return {
    ...{ id: 'message', bodyKey: 1, origin: 'mx', head: new Uint8Array(0), body },
    ...{ reversePath: '', bodyKind: '7BIT', utf8: false, ret: null, envelopeId: null },
    ...{ accountId: null, peer: '', receivedAt: 0 },
    recipients: [{ ...address, originalRecipient: null, aliasOf: null, lease }],
  }
}

/** A worker with one newborn load; its settler fails with each of these in turn, then succeeds. */
function workerWith(failures: Error[], untried = false) {
  const timers: (() => void)[] = []
  let asked = 0
  const clock = {
    now: () => 0,
    monotonic: () => 0,
    after: (_ms: number, run: () => void) => {
      timers.push(run)
      return { cancel() {} }
    },
  }
  const carried = { outcomes: [{ kind: 'failed', status: '5.0.0', reason: 'no' }] }
  const recalled = Promise.withResolvers<Carried>()
  const transport = {
    carry: async () => (untried ? recalled.promise : carried),
    recall: () => recalled.resolve({ outcomes: [], recalled: true }),
    close: async () => {},
  }
  const gates = new Gates(clock, () => ({ initial: 1, most: 10, cohorts: 1 }))
  const worker = new Worker({
    world: { clock, log: silent } as unknown as World,
    store: { write: async () => [], read: async () => undefined },
    node: 'node',
    settler: {
      hurry() {},
      async settle() {
        const failure = failures[asked++]
        if (failure) throw failure
      },
    },
    transports: { local: transport, smtp: transport },
    route: () => ({ kind: 'local' }),
    departure: () => undefined,
    usualRoute: () => ({ kind: 'local' }),
    content: () => new Uint8Array(0),
    jobsMax: 10,
    gates,
    limits: new Limits(clock, gates, () => []),
    probes: () => ({ firstMs: 60_000, mostMs: 60_000 }),
  } as unknown as WorkerOptions)
  worker.born(newborn(new Uint8Array(0)))
  return { worker, timers, asked: () => asked }
}

const turns = () => new Promise(resolve => setImmediate(resolve))

test('a stop recalls what has not begun: it is given back, and settled by nobody', async () => {
  const { worker, asked } = workerWith([], true)
  await turns()
  assert.equal(worker.size, 1)
  await worker.stop(15_000)
  assert.deepEqual([worker.size, asked()], [0, 0])
})

test('an outcome the store cannot take now is kept and stored later', async () => {
  const { worker, timers, asked } = workerWith([new StoreError('full', 'no room')])
  await turns()
  assert.equal(worker.size, 1)
  for (const run of [...timers]) run()
  await turns()
  assert.deepEqual([worker.size, asked()], [0, 2])
})

test('an outcome the writer refuses is let go, so that the load is taken over and not stuck', async () => {
  const { worker, asked } = workerWith([new Error('lease of message held only in part')])
  await turns()
  assert.deepEqual([worker.size, asked()], [0, 1])
})

test('the octets of what goes back to a lane are kept no longer', async () => {
  const clock = { now: () => 0, monotonic: () => 0, after: () => ({ cancel() {} }) }
  const gates = new Gates(clock, () => ({ initial: 1, most: 10, cohorts: 1 }))
  const destination = 'mx:b.example'
  const down = { name: destination, state: 'down', since: 0, until_at: 60_000, until_in: 60_000 }
  const row = { ...down, wait_ms: 60_000, status: null, reason: null, changed_at: 0 } as const
  let read = 0
  const transport = {
    async carry(load: Load) {
      load.content()
      return { outcomes: [] }
    },
  }
  const worker = new Worker({
    world: { clock, log: silent },
    store: { write: async () => null },
    node: 'node',
    settler: { wordIn: () => 60_000, settle: async () => undefined },
    transports: { mx: transport },
    route: () => ({ kind: 'mx', domain: 'b.example' }),
    departure: () => undefined,
    content: () => {
      read += 1
      return new Uint8Array(0)
    },
    jobsMax: 10,
    gates,
    limits: new Limits(clock, gates, () => []),
    probes: () => ({ firstMs: 60_000, mostMs: 60_000 }),
  } as unknown as WorkerOptions)
  // All that are kept at once are less than two of these.
  const body = new Uint8Array(9 * 1024 * 1024)
  gates.told({ ...row, state: 'down' })
  worker.born(newborn(body))
  await turns()
  assert.equal(worker.size, 0)
  gates.up(destination)
  worker.born(newborn(body))
  await turns()
  assert.equal(read, 0)
})

test('lent octets are at hand for all loads of a message, and free once the last has left', async () => {
  const clock = { now: () => 0, monotonic: () => 0, after: () => ({ cancel() {} }) }
  const gates = new Gates(clock, () => ({ initial: 10, most: 10, cohorts: 1 }))
  const loads: { load: Load; left: () => void }[] = []
  const transport = {
    carry: (load: Load) =>
      new Promise(resolve => loads.push({ load, left: () => resolve({ outcomes: [] }) })),
  }
  const stored = Buffer.from('stored')
  const worker = new Worker({
    world: { clock, log: silent },
    store: { write: async () => null },
    node: 'node',
    settler: { settle: async () => undefined },
    transports: { mx: transport },
    route: (_message: unknown, { n }: { n: number }) => ({ kind: 'mx', domain: `d${n}.example` }),
    departure: () => undefined,
    content: () => stored,
    jobsMax: 10,
    gates,
    limits: new Limits(clock, gates, () => []),
    probes: () => ({ firstMs: 60_000, mostMs: 60_000 }),
  } as unknown as WorkerOptions)
  const body = Buffer.alloc(20_000, 'x')
  const acceptance = newborn(body)
  const [recipient] = acceptance.recipients
  assert.ok(recipient)
  worker.born({ ...acceptance, recipients: [recipient, recipient] }, undefined, new Lending(body))
  const [first, second] = loads
  assert.ok(first && second)
  const own = first.load.content()
  first.left()
  await turns()
  const pieces = second.load.lent?.take() ?? []
  assert.deepEqual(Buffer.concat(pieces), body)
  assert.deepEqual(own, body, 'a copy, for who does not give it back')
  second.left()
  await turns()
  assert.throws(() => second.load.lent?.take())
  assert.equal(second.load.content(), stored)
  second.load.lent?.giveBack()
  assert.equal(new Lending(body).take()[0]?.buffer, pieces.at(-1)?.buffer)
})

test('what another node may carry by now is neither begun nor settled, and looked for again', async () => {
  let nowMs = 0
  const written: string[] = []
  const after = () => ({ cancel() {} })
  const clock = { now: () => 0, monotonic: () => nowMs, after }
  const gates = new Gates(clock, () => ({ initial: 10, most: 10, cohorts: 1 }))
  const carried: Load[] = []
  let go = () => {}
  const transport = {
    carry: (load: Load) => {
      carried.push(load)
      const outcome = { kind: 'deferred', status: '4.3.0', reason: '' }
      return new Promise(resolve => (go = () => resolve({ outcomes: [outcome] })))
    },
  }
  const worker = new Worker({
    world: { clock, log: silent },
    store: { alone: false, write: async ({ name }: { name: string }) => written.push(name) && [] },
    node: 'node',
    settler: { settle: async () => written.push('settled') },
    transports: { local: transport },
    route: () => ({ kind: 'local' }),
    departure: () => undefined,
    content: () => new Uint8Array(0),
    jobsMax: 10,
    gates,
    limits: new Limits(clock, gates, () => []),
    probes: () => ({ firstMs: 60_000, mostMs: 60_000 }),
  } as unknown as WorkerOptions)
  worker.born(newborn(new Uint8Array(0)))
  assert.equal(carried[0]?.lapsed?.(), false)
  nowMs = 45_000
  assert.equal(carried[0]?.lapsed?.(), true)
  go()
  await turns()
  assert.deepEqual([worker.size, written], [0, ['queue.claim']])
  // It was accepted before we fell asleep, and comes to us behind.
  const [recipient] = newborn(new Uint8Array(0)).recipients
  const lease = { by: 'node', leaseMs: 45_000, sinceMs: 0 }
  assert.ok(recipient)
  worker.born({ ...newborn(new Uint8Array(0)), recipients: [{ ...recipient, lease }] })
  await turns()
  assert.deepEqual([worker.size, carried.length, written.includes('settled')], [0, 1, false])
})
