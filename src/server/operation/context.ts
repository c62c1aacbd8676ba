/** What the operations work on: a house, and a few things that only it can do for them. */

import type { Claimed } from '../../queue/claim.ts'
import { queuedContent } from '../../queue/content.ts'
import { queuedMessage } from '../../queue/reader.ts'
import { queueTopic } from '../../queue/spool.ts'
import type { Store } from '../../store/store.ts'
import { makeJob, rowOf } from '../../transport/job.ts'
import type { World } from '../../world/world.ts'
import type { Fetcher } from '../fetcher.ts'
import type { House } from '../house.ts'
import type { OperationOutput } from '../operation.ts'

/** What `status` tells only of a running server. */
export type RunningFacts = Pick<
  OperationOutput<'status'>,
  'pid' | 'version' | 'startedAt' | 'epoch' | 'listeners'
>

export interface ControlContext {
  readonly house: House
  readonly world: World
  readonly store: Store
  readonly node: string
  /** Facts only a running server has. */
  readonly running?: () => RunningFacts
  /** Only a running server can take what a provider sends. */
  readonly fetcher?: Fetcher
  wake(): void
  expireMs(): number
  content(message: {
    readonly head: Uint8Array
    readonly body_id: number | null
  }): AsyncIterable<Uint8Array>
  failClaimed(claimed: readonly Claimed[]): Promise<void>
}

/** The context over a house. */
export function contextOf(
  house: House,
  running?: { readonly facts: () => RunningFacts; readonly fetcher: Fetcher },
): ControlContext {
  const { world, store, worker, settings } = house
  return {
    house,
    world,
    store,
    node: worker.node,
    ...(running ? { running: running.facts, fetcher: running.fetcher } : {}),
    wake: () => store.wake(queueTopic),
    expireMs: () => settings().queue.expire,
    content: ({ head, body_id }) =>
      queuedContent(store, world.disk, { head, body_id: body_id ?? 0 }),
    failClaimed: claimed => failClaimed(house, claimed),
  }
}

/** Settles claimed rows as failed, with the notices that are owed. */
async function failClaimed(house: House, claimed: readonly Claimed[]): Promise<void> {
  const byMessage = Map.groupBy(claimed, row => row.message_id)
  for (const [id, rows] of byMessage) {
    const message = await house.store.read(queuedMessage, id)
    if (!message) continue
    const content = () => queuedContent(house.store, house.world.disk, message)
    const job = makeJob(message, rows.map(rowOf), { kind: 'local' }, content)
    await house.settler.settle(job, {
      outcomes: rows.map(() => ({
        kind: 'failed',
        status: '5.7.1',
        reason: 'removed from the queue by the operator',
      })),
    })
  }
  house.worker.wake()
}
