/** What an operator is told about one message: nothing that is not so. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ExitError } from '../exit-error.ts'
import type { ControlContext } from './context.ts'
import { why } from './queue.ts'
import { changeSome, preview } from './queue-change.ts'

/** A store that answers every read with `found`, and is not to be written. */
function contextOf(found: unknown): ControlContext {
  const store = { read: async () => found }
  return { store, expireMs: () => 5_000 } as unknown as ControlContext
}

const refused = (exit: number) => (error: unknown) =>
  error instanceof ExitError && error.exit === exit

test('an order for a message that is not on record, for nothing, or by half a query is an error', async () => {
  const nobody = contextOf(undefined)
  for (const order of ['hold', 'release', 'retry', 'delete', 'expire', 'bounce'] as const) {
    await assert.rejects(preview(nobody, { order, query: 'id:nope' }), refused(67))
    await assert.rejects(preview(nobody, { order, query: ' ' }), refused(64))
    await assert.rejects(changeSome(nobody, { order, query: '' }), refused(64))
    await assert.rejects(changeSome(nobody, { order, query: 'to:' }), refused(64))
  }
})

test('what is held falls due at no time, what is queued does', async () => {
  for (const [state, dueAt] of [
    ['held', undefined],
    ['queued', 2_000],
  ] as const) {
    const row = { n: 0, address: 'joe@example.org', state, due_at: 2_000 }
    const recipient = { ...row, status: null, reason: null, doubts: 0 }
    const message = { id: 'm', received_at: 1_000 }
    const found = { message, recipients: [recipient], attempts: [] }
    const { explanations } = await why(contextOf(found), { subject: 'm' })
    assert.equal(explanations[0]?.dueAt, dueAt)
    assert.equal(explanations[0]?.expiresAt, 6_000)
  }
})
