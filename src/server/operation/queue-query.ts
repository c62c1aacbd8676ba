/** What listing the queue and changing it have in common: the query, its moment, and a recipient as it is told. */
import { newestMessage, type QueueLine } from '../../queue/matching.ts'
import type { Query } from '../../queue/query.ts'
import type { Moment } from '../../queue/query-sql.ts'
import { parseQuery, showMistake } from '../../queue/query-text.ts'
import { shownState } from '../../queue/state.ts'
import { ExitError } from '../exit-error.ts'
import type { QueueItem } from '../operation.ts'
import type { ControlContext } from './context.ts'

/** The terms of a query; throws what is wrong with it, pointed at. */
export function queryOf(text: string): Query {
  const parsed = parseQuery(text)
  if (parsed.kind === 'query') return parsed.query
  throw new ExitError(64, `the query: ${showMistake(text, parsed)}`)
}

/** Now, and all there is now. */
export async function momentOf({ store, world }: ControlContext): Promise<Moment> {
  return { at: world.clock.now(), upTo: await store.read(newestMessage, null) }
}

export function itemOf(line: QueueLine): QueueItem {
  return {
    message: line.message_id,
    n: line.n,
    sender: line.reverse_path,
    address: line.address,
    state: shownState(line),
    receivedAt: line.received_at,
    dueAt: line.due_at,
    attempts: line.attempts,
    sizeOctets: line.size_octets,
    ...(line.status === null ? {} : { status: line.status }),
    ...(line.reason === null ? {} : { reason: line.reason }),
    ...(line.remote === null ? {} : { remote: line.remote }),
    ...(line.priority === 0 ? {} : { priority: line.priority }),
    ...(line.doubts === 0 ? {} : { doubts: line.doubts }),
    ...(line.via === null ? {} : { via: line.via }),
  }
}
