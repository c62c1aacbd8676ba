/**
 * What an operator orders about the queue: first a preview, then the change, a bounded piece at each call,
 * so that the command line can tell how far it is and be stopped (`queue.preview`, `queue.change`).
 */
import { type Change, change, OBEYING } from '../../queue/change.ts'
import {
  BEFORE_ALL,
  type Key,
  matchingCount,
  matchingKeys,
  matchingLines,
  matchingSums,
  type PageSums,
  waitingRows,
} from '../../queue/matching.ts'
import type { Query, ShownState } from '../../queue/query.ts'
import type { Moment } from '../../queue/query-sql.ts'
import { trace } from '../../record/trace.ts'
import { ExitError } from '../exit-error.ts'
import type {
  OperationInput,
  OperationOutput,
  QueueOrder,
  QueuePreview,
  QueueSelection,
} from '../operation.ts'
import type { ControlContext } from './context.ts'
import { probeFor } from './queue-probe.ts'
import { itemOf, momentOf, queryOf } from './queue-query.ts'

/** Rows that one reading may give, and that one may count. */
const [PAGE, COUNTED] = [5_000, 50_000]
/** Of those that are failed each message is read and answered with a notice, a slice at once. */
const FAIL_PAGE = 500
const FAIL_SLICE = 50
/** A write of so many keys is tried first; then as many as take about this long: accepts wait behind it. */
const SLICE = 20
const SLICE_MAX = 500
const SLICE_MS = 10
const SHOWN = 5
const DOMAINS_SHOWN = 8
/** Different domains that are counted apart; a bound for hostile queues. */
const DOMAINS_MAX = 20_000

export async function preview(
  context: ControlContext,
  input: QueueSelection & QueueOrder,
): Promise<QueuePreview> {
  const { store } = context
  const query = chosen(input)
  demandHop(context, input)
  await demandKnown(context, query)
  const moment = await momentOf(context)
  const asked = { query, moment, only: statesFor(input) }
  const sums = new Sums()
  for (let after: Key | undefined = BEFORE_ALL; after !== undefined; ) {
    const page: PageSums = await store.read(matchingSums, { ...asked, after, limit: COUNTED })
    sums.add(page)
    after = page.recipients === COUNTED ? page.last : undefined
  }
  const lines = await store.read(matchingLines, { ...asked, after: BEFORE_ALL, limit: SHOWN })
  const carried = await store.read(matchingCount, { ...asked, only: ['leased'] })
  return { moment, ...sums.told(), items: lines.map(itemOf), carried }
}

export async function changeSome(
  context: ControlContext,
  input: OperationInput<'queue.change'>,
): Promise<OperationOutput<'queue.change'>> {
  const { store, world } = context
  const { after = BEFORE_ALL } = input
  const query = chosen(input)
  demandHop(context, input)
  const moment = input.moment ?? (await momentOf(context))
  const fails = input.order === 'expire' || input.order === 'bounce'
  const limit = fails ? FAIL_PAGE : PAGE
  const only = statesFor(input)
  const keys = await store.read(matchingKeys, { query, moment, only, after, limit })
  if (input.order === 'retry' || input.order === 'release') await probeFor(context, keys)
  let size = fails ? FAIL_SLICE : SLICE
  let changed = 0
  for (let done = 0; done < keys.length; ) {
    const slice = keys.slice(done, done + size)
    const begun = world.clock.monotonic()
    changed += await carryOut(context, input, { query, moment, keys: slice })
    done += slice.length
    if (!fails) size = sliceFor(slice.length, world.clock.monotonic() - begun)
  }
  if (changed > 0) context.wake()
  const next = keys.length === limit && keys.at(-1)
  return { changed, passed: keys.length - changed, moment, ...(next && { next }) }
}

/** How many keys the next write may have, by how long the last one took. */
function sliceFor(keys: number, tookMs: number): number {
  const fitting = Math.floor((keys * SLICE_MS) / Math.max(tookMs, 0.1))
  return Math.max(SLICE, Math.min(fitting, keys * 2, SLICE_MAX))
}

async function carryOut(
  context: ControlContext,
  order: QueueOrder,
  slice: { readonly query: Query; readonly moment: Moment; readonly keys: readonly Key[] },
): Promise<number> {
  if (order.order === 'expire' || order.order === 'bounce') {
    return context.fail(await context.store.read(waitingRows, slice.keys), order.order)
  }
  const { clock, disk, log } = context.world
  const done = await context.store.write(change, {
    ...slice,
    change: changeOf(order),
    at: clock.now(),
  })
  for (const name of done.released) {
    disk.remove(name).catch((error: unknown) => {
      log.warn('body.remove', { name, error: String(error) })
    })
  }
  return done.changed
}

/** The order alone, without the selection that came with it. */
function changeOf(order: Change): Change {
  if (order.order === 'priority') return { order: 'priority', priority: order.priority }
  if (order.order === 'reroute') return { order: 'reroute', via: order.via }
  return { order: order.order }
}

function statesFor({ order }: QueueOrder): readonly ShownState[] {
  return OBEYING[order === 'bounce' ? 'expire' : order]
}

/** Refuses to mean everything by saying nothing. */
function chosen({ query, all }: QueueSelection): Query {
  const terms = queryOf(query)
  if (terms.length > 0 || all) return terms
  throw new ExitError(64, 'say which: a query such as to:*@example.org, or --all')
}

function demandHop(context: ControlContext, order: QueueOrder): void {
  if (order.order !== 'reroute' || order.via === null || order.via === 'mx') return
  const known = context.hops()
  if (known.includes(order.via)) return
  const some = known.length === 0 ? 'there is none' : `there are ${known.join(', ')}`
  throw new ExitError(64, `there is no hop "${order.via}" in outbound.hops: ${some}`)
}

/** An id that nobody knows is a mistake; a condition that nothing meets is none. */
async function demandKnown({ store }: ControlContext, query: Query): Promise<void> {
  for (const term of query) {
    if (term.kind !== 'text' || term.field !== 'id' || term.not) continue
    for (const [id, more] of term.any) {
      if (id === undefined || more !== undefined || (await store.read(trace, id))) continue
      throw new ExitError(67, `no message ${id} is on record`)
    }
  }
}

/** Sums of many pages: what is kept does not grow with them. */
class Sums {
  readonly #states = new Map<ShownState, number>()
  readonly #domains = new Map<string, number>()
  #recipients = 0
  #messages = 0
  #last: string | undefined
  #oldest: number | undefined

  add(page: PageSums): void {
    this.#recipients += page.recipients
    // A message whose recipients are on two pages is one.
    this.#messages +=
      page.messages - (page.first !== undefined && page.first === this.#last ? 1 : 0)
    this.#last = page.last?.messageId ?? this.#last
    for (const [state, count] of page.byState) {
      this.#states.set(state, (this.#states.get(state) ?? 0) + count)
    }
    for (const [domain, count] of page.byDomain) {
      const known = this.#domains.get(domain)
      if (known !== undefined || this.#domains.size < DOMAINS_MAX) {
        this.#domains.set(domain, (known ?? 0) + count)
      }
    }
    if (page.oldest !== undefined) this.#oldest = Math.min(this.#oldest ?? page.oldest, page.oldest)
  }

  told(): Omit<QueuePreview, 'moment' | 'items' | 'carried'> {
    const largest = [...this.#domains].sort((a, b) => b[1] - a[1]).slice(0, DOMAINS_SHOWN)
    const shown = largest.reduce((sum, [, count]) => sum + count, 0)
    return {
      recipients: this.#recipients,
      messages: this.#messages,
      byState: [...this.#states].map(([state, recipients]) => ({ state, recipients })),
      byDomain: largest.map(([domain, recipients]) => ({ domain, recipients })),
      others: this.#recipients - shown,
      ...(this.#oldest !== undefined && { oldest: this.#oldest }),
    }
  }
}
