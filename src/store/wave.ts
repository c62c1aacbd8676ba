/**
 * Statements of one writer that need not wait for each other: all are sent, then all are waited for. On
 * PostgreSQL that is one round trip; on SQLite they run in order, one by one. Called by writers.
 */

/**
 * What all of them gave, in order. Where one fails, the others are waited for before the first failure is
 * thrown: no statement of a writer may come behind its rollback.
 */
export async function wave<Output>(calls: readonly Promise<Output>[]): Promise<Output[]> {
  const outcomes = await Promise.allSettled(calls)
  return outcomes.map(outcome => {
    if (outcome.status === 'rejected') throw outcome.reason
    return outcome.value
  })
}
