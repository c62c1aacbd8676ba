/** What the settler tells of loads of one message that end in the same instant. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NoticeFact, Notices } from '../queue/notice.ts'
import type { QueuedMessage } from '../queue/reader.ts'
import type { Settlement } from '../queue/settlement.ts'
import type { Store } from '../store/store.ts'
import { createWorld } from '../world/sim/index.ts'
import { type Job, makeJob } from './job.ts'
import { Settler } from './settler.ts'

const message = {
  id: 'm000000000000000',
  body_id: 1,
  head: new Uint8Array(0),
  size_octets: 10,
  origin: 'submission',
  reverse_path: 'alice@a.test',
  body_kind: '7BIT',
  utf8: 0,
  ret: null,
  envelope_id: null,
  parameters: null,
  account_id: null,
  peer: '',
  received_at: 0,
} as const satisfies QueuedMessage

function loadTo(n: number): Job {
  const address = `bob@d${n}.test`
  const row = { n, address, notify: 'SUCCESS', originalRecipient: null, aliasOf: null }
  const route = { kind: 'mx', domain: `d${n}.test` } as const
  return makeJob(message, [{ ...row, attempts: 0, warnedAt: null }], route, {
    octets: () => message.head,
  })
}

/** A settler whose store takes its time, and everything that was stored. */
function settling(jobs: readonly Job[]) {
  const stored: { settlement: Settlement; told: readonly string[] }[] = []
  const told = new Map<string, readonly string[]>()
  let under = jobs.length
  const { world } = createWorld({ seed: 1 }).host({ name: 'a.test', addresses: ['192.0.2.1'] })
  const notices = {
    async compose(_message: QueuedMessage, facts: readonly NoticeFact[]) {
      const id = `notice${told.size}`
      told.set(id, facts.map(({ address }) => address).sort())
      return { id, bodyKey: told.size, recipients: [] }
    },
  } as unknown as Notices
  const store = {
    async write(_writer: unknown, settlement: Settlement) {
      for (let turns = 0; turns < 20; turns++) await Promise.resolve()
      const [notice] = settlement.notices
      stored.push({ settlement, told: told.get(notice?.id ?? '') ?? [] })
      return { held: true, released: [] }
    },
    wake() {},
  } as unknown as Store
  const settler = new Settler({
    world,
    store,
    node: 'here',
    notices,
    schedule: () => ({ retryMs: [1], delayWarningMs: 0, expireMs: 1e9, jitter: 0 }),
    doubt: () => ({ waitMs: 0, tries: 3, afterwards: 'retry' }),
    inHand: () => under,
    gatherMs: () => 10_000,
    settled: () => undefined,
  })
  const settle = async (job: Job) => {
    const taken = { kind: 'delivered', how: 'relayed', status: '2.0.0', reason: 'taken' } as const
    await settler.settle(job, { outcomes: [taken] })
    under--
  }
  return { settle, stored }
}

test('loads that end in one instant are told of by one notice, which takes the place of those before', async () => {
  const jobs = [0, 1, 2].map(loadTo)
  const { settle, stored } = settling(jobs)
  await Promise.all(jobs.map(settle))
  assert.deepEqual(
    stored.map(({ told }) => told.length),
    [1, 2, 3],
  )
  assert.deepEqual(
    stored.map(({ settlement }) => settlement.withdraw?.id),
    [undefined, 'notice0', 'notice1'],
  )
})
