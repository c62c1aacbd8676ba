/**
 * Searches whose results are kept up to date (RFC 5267 §4.3): what came to match and what does so no more, told with
 * the news of the mailbox. Made by SEARCH and SORT with RETURN (UPDATE), fed by news.ts; they end with the mailbox.
 */
import { formatTag } from '../encode.ts'
import { formatNumbers } from '../number-set.ts'
import { holds, type SearchKey } from '../search-key.ts'
import type { SortCriterion } from '../sort.ts'
import type { Option } from './command/search-return.ts'
import { ask, type Running, type Turn, viewOf } from './turn.ts'

export interface Context {
  readonly tag: string
  readonly byUid: boolean
  readonly key: SearchKey
  /** Those that match, as far as the client was told. */
  readonly uids: Set<number>
  /** Of SORT: the same in order. What has changed is told by its place in it. */
  readonly sorted?: { readonly criteria: readonly SortCriterion[]; order: readonly number[] }
}

/** A bound of ours: each is searched again for whatever changes. */
const CONTEXTS_MAX = 10
/** So many are put in order again when one comes. */
const SORTED_MAX = 10_000

/** RFC 5267 §4.3: what is told by a tag is of one search. */
export function isTagTaken({ contexts, tag }: Turn, options: readonly Option[] = []): boolean {
  return options.some(({ name }) => name === 'UPDATE') && contexts.some(each => each.tag === tag)
}

/** Keeps a search up to date from now on; what cannot be is said to be none (§4.3.1, NOUPDATE). */
export function keepUp(turn: Turn, context: Context): void {
  const tooLarge = context.sorted !== undefined && context.uids.size > SORTED_MAX
  if (turn.contexts.length >= CONTEXTS_MAX || tooLarge || hangsOnOthers(context.key)) {
    turn.send(`* NO [NOUPDATE ${formatTag(turn.tag)}] this one is not kept up to date\r\n`)
  } else turn.contexts = [...turn.contexts, context]
}

/** Whether a message may come to match by what happens elsewhere: by numbers, `*`, `$`, time, or being new to all. */
function hangsOnOthers(key: SearchKey): boolean {
  return holds(key, each => {
    if (each.kind === 'age' || each.kind === 'sequence' || each.kind === 'recent') return true
    if (each.kind !== 'uid') return false
    return each.set === '$' || each.set.some(({ from, to }) => from === '*' || to === '*')
  })
}

/** Messages that are about to be told as expunged leave the results first, while they have numbers. */
export function tellLeaving(turn: Turn, uids: readonly number[]): void {
  for (const context of turn.contexts) turn.send(removed(turn, context, uids))
}

/** Of messages that are new or have changed: which match now. */
export function* tellContexts(turn: Turn, touched: readonly number[]): Running<void> {
  const { view } = turn
  if (view === undefined || touched.length === 0) return
  for (const context of turn.contexts) {
    const search = { key: context.key, uids: touched, saved: [] }
    const answer = yield* ask<'search'>({ kind: 'search', key: view.key, search })
    if (answer.kind !== 'found') continue
    const matching = new Set(answer.uids)
    const left = touched.filter(uid => !matching.has(uid))
    const come = answer.uids.filter(uid => !context.uids.has(uid) && view.sequence(uid) > 0)
    turn.send(removed(turn, context, left))
    if (come.length > 0) yield* tellCome(turn, context, come)
  }
}

function removed(turn: Turn, context: Context, uids: readonly number[]): string {
  const { sorted } = context
  const left = uids.filter(uid => context.uids.delete(uid))
  if (sorted === undefined) return anywhere(turn, context, 'REMOVEFROM', left)
  if (left.length === 0) return ''
  const gone = new Set(left)
  // From the last to the first: no place that is still to be told changes meanwhile.
  const pairs = sorted.order
    .flatMap((uid, at) => (gone.has(uid) ? `${at + 1} ${numberOf(turn, context, uid)}` : []))
    .reverse()
  sorted.order = sorted.order.filter(uid => !gone.has(uid))
  return line(context, 'REMOVEFROM', pairs.join(' '))
}

function* tellCome(turn: Turn, context: Context, come: readonly number[]): Running<void> {
  const { sorted } = context
  if (sorted === undefined) turn.send(anywhere(turn, context, 'ADDTO', come))
  else {
    const uids = [...context.uids, ...come].sort((a, b) => a - b)
    const search = { key: { kind: 'all' } as const, uids, saved: [] }
    const { key } = viewOf(turn)
    const answer = yield* ask<'sort'>({ kind: 'sort', key, search, criteria: sorted.criteria })
    if (answer.kind !== 'sorted') return
    const fresh = new Set(come)
    // From the first to the last: each finds those before it in place.
    const pairs = answer.uids.flatMap((uid, at) =>
      fresh.has(uid) ? `${at + 1} ${numberOf(turn, context, uid)}` : [],
    )
    sorted.order = answer.uids
    turn.send(line(context, 'ADDTO', pairs.join(' ')))
  }
  for (const uid of come) context.uids.add(uid)
}

function numberOf({ view }: Turn, { byUid }: Context, uid: number): number {
  return byUid ? uid : (view?.sequence(uid) ?? 0)
}

/** Position 0 leaves the order to the client (§4.3.3). */
function anywhere(
  turn: Turn,
  context: Context,
  word: 'ADDTO' | 'REMOVEFROM',
  uids: readonly number[],
): string {
  if (uids.length === 0) return ''
  const numbers = uids.map(uid => numberOf(turn, context, uid))
  return line(context, word, `0 ${formatNumbers(numbers.sort((a, b) => a - b))}`)
}

/** `* ESEARCH (TAG "a") UID ADDTO (0 5:7)`. */
function line({ tag, byUid }: Context, word: 'ADDTO' | 'REMOVEFROM', pairs: string): string {
  return `* ESEARCH (TAG ${formatTag(tag)})${byUid ? ' UID' : ''} ${word} (${pairs})\r\n`
}
