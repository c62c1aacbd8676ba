/** What the operations work on: a house, and a few things that only it can do for them. */

import { queuedContent } from '../../queue/content.ts'
import type { WaitingRow } from '../../queue/matching.ts'
import { type QueuedMessage, queuedMessage } from '../../queue/reader.ts'
import { queueTopic } from '../../queue/spool.ts'
import { routeKey } from '../../route/route.ts'
import type { Store } from '../../store/store.ts'
import { makeJob, rowOf } from '../../transport/job.ts'
import type { World } from '../../world/world.ts'
import type { Fetcher } from '../fetcher.ts'
import type { House } from '../house.ts'
import type { OperationOutput } from '../operation.ts'
import { scheduleOf } from '../schedules.ts'

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
  /** Which way a recipient would go now, in words. */
  way(message: QueuedMessage, address: string, via: string | null): Promise<string>
  /** The destination (shape/gates.ts) that a recipient would go to now. */
  destination(message: QueuedMessage, address: string, via: string | null): Promise<string>
  /** Names of `outbound.hops`. */
  hops(): readonly string[]
  /** At which age a recipient is given up. */
  expireMs(address: string): number
  content(message: {
    readonly head: Uint8Array
    readonly body_id: number | null
  }): AsyncIterable<Uint8Array>
  /** Ends what waits with a notice to its sender; tells how many it was. */
  fail(rows: readonly WaitingRow[], how: 'expire' | 'bounce'): Promise<number>
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
    way: async (message, address, via) => {
      const { route, by } = await house.reason(message, { address, via })
      return `${routeKey(route)}, by ${by}`
    },
    destination: async (message, address, via) =>
      routeKey((await house.reason(message, { address, via })).route),
    hops: () => Object.keys(settings().outbound.hops),
    expireMs: address => scheduleOf(settings(), address).expireMs,
    content: ({ head, body_id }) =>
      queuedContent(store, world.disk, { head, body_id: body_id ?? 0 }),
    fail: (rows, how) => fail(house, rows, how),
  }
}

/** Settles rows that wait, with the notices that are owed: one transaction a message, all of them at once. */
async function fail(
  house: House,
  waiting: readonly WaitingRow[],
  how: 'expire' | 'bounce',
): Promise<number> {
  const byMessage = [...Map.groupBy(waiting, row => row.message_id)]
  const ended = await Promise.all(
    byMessage.map(async ([id, rows]) => {
      const message = await house.store.read(queuedMessage, id)
      if (!message) return 0
      const octets = () => queuedContent(house.store, house.world.disk, message)
      const job = makeJob(message, rows.map(rowOf), { kind: 'local' }, { octets })
      return (await house.settler.end(job, ENDS[how](rows[0]?.reason))) ? rows.length : 0
    }),
  )
  return ended.reduce((sum, count) => sum + count, 0)
}

const ENDS = {
  expire: (last: string | null | undefined) => ({
    kind: 'failed' as const,
    expired: true as const,
    status: '5.4.7',
    reason: `given up by the operator${last ? `; the last word was: ${last}` : ''}`,
  }),
  bounce: () => ({
    kind: 'failed' as const,
    status: '5.7.1',
    reason: 'removed from the queue by the operator',
  }),
}
