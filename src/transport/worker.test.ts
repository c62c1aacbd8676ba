/** What the worker does with an outcome that cannot be stored. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Acceptance } from '../queue/acceptance.ts'
import { Gates } from '../shape/gates.ts'
import { Limits } from '../shape/limits.ts'
import { StoreError } from '../store/store.ts'
import { silent } from '../world/log.ts'
import type { World } from '../world/world.ts'
import { Worker, type WorkerOptions } from './worker.ts'

/** A worker with one newborn load; its settler fails with each of these in turn, then succeeds. */
function workerWith(failures: Error[]) {
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
  const transport = { carry: async () => carried, close: async () => {} }
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
  worker.born({
    id: 'message',
    bodyKey: 1,
    head: new Uint8Array(0),
    body: new Uint8Array(0),
    reversePath: '',
    bodyKind: '7BIT',
    utf8: false,
    ret: null,
    envelopeId: null,
    recipients: [
      {
        address: 'a@b.example',
        domain: 'b.example',
        notify: null,
        originalRecipient: null,
        lease: { by: 'node', leaseMs: 1 },
      },
    ],
  } as unknown as Acceptance)
  return { worker, timers, asked: () => asked }
}

const turns = () => new Promise(resolve => setImmediate(resolve))

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
