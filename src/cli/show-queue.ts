/** The queue as a table: `queue list` and previews. `mailq` has a form of its own (show-mailq.ts). */
import type { QueueItem } from '../server/operation.ts'
import { formatSize } from '../wire/measure.ts'
import { formatSender, formatWhen, table } from './print.ts'

/** One line for each recipient. */
export function showItems(items: readonly QueueItem[], now: number): string {
  return table(
    ['MESSAGE', 'SIZE', 'AGE', 'STATE', 'NEXT', 'TRIES', 'SENDER', 'RECIPIENT', 'REASON'],
    items.map(item => [
      item.message,
      formatSize(item.sizeOctets),
      formatWhen(item.receivedAt, now).replace(' ago', ''),
      item.state,
      waits(item) ? (item.dueAt <= now ? 'now' : formatWhen(item.dueAt, now)) : '-',
      String(item.attempts),
      formatSender(item.sender),
      item.address,
      item.reason ?? '-',
    ]),
    'nothing waits',
  )
}

function waits({ state }: QueueItem): boolean {
  return state === 'queued' || state === 'deferred' || state === 'doubt'
}
