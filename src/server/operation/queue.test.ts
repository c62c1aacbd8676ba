/** What an operator is told about one message: nothing that is not so. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OperationError } from '../operation.ts'
import type { ControlContext } from './context.ts'
import { fail, obey, why } from './queue.ts'

/** A store that answers every read with `found`, and is not to be written. */
function contextOf(found: unknown): ControlContext {
  const store = { read: async () => found }
  return { store, expireMs: () => 5_000 } as unknown as ControlContext
}

test('an order for a message that is not on record is an error', async () => {
  const nobody = contextOf(undefined)
  const unknown = (error: unknown) => error instanceof OperationError && error.exit === 67
  for (const order of ['hold', 'release', 'retry', 'delete'] as const) {
    await assert.rejects(obey(nobody, order, { message: 'nope' }), unknown)
  }
  await assert.rejects(fail(nobody, { message: 'nope' }), unknown)
})

test('what is held falls due at no time, what is queued does', async () => {
  for (const [state, dueAt] of [
    ['held', undefined],
    ['queued', 2_000],
  ] as const) {
    const recipient = { n: 0, address: 'joe@example.org', state, due_at: 2_000, reason: null }
    const message = { id: 'm', received_at: 1_000 }
    const found = { message, recipients: [recipient], attempts: [] }
    const { explanations } = await why(contextOf(found), { subject: 'm' })
    assert.equal(explanations[0]?.dueAt, dueAt)
    assert.equal(explanations[0]?.expiresAt, 6_000)
  }
})
