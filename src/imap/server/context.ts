/**
 * Searches whose results are kept up to date (RFC 5267 §4.3): what came to match and what does so no more, told with
 * the news of the mailbox. Made by SEARCH with RETURN (UPDATE), fed by news.ts; they end with the mailbox.
 */
import { formatString } from '../encode.ts'
import { formatNumbers } from '../number-set.ts'
import type { SearchKey } from '../search-key.ts'
import { ask, type Running, type Turn } from './turn.ts'

export interface Context {
  readonly tag: string
  readonly byUid: boolean
  readonly key: SearchKey
  /** Those that match, as far as the client was told. */
  readonly uids: Set<number>
}

/** A bound of ours: each is searched again for whatever changes. */
export const CONTEXTS_MAX = 10

/** Messages that are about to be told as expunged leave the results first, while they have numbers. */
export function tellLeaving(turn: Turn, uids: readonly number[]): void {
  for (const context of turn.contexts) {
    const left = uids.filter(uid => context.uids.delete(uid))
    turn.send(line(turn, context, 'REMOVEFROM', left))
  }
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
    const left = touched.filter(uid => !matching.has(uid) && context.uids.delete(uid))
    const come = answer.uids.filter(uid => !context.uids.has(uid) && view.sequence(uid) > 0)
    for (const uid of come) context.uids.add(uid)
    turn.send(line(turn, context, 'REMOVEFROM', left) + line(turn, context, 'ADDTO', come))
  }
}

/** `* ESEARCH (TAG "a") UID ADDTO (0 5:7)`: position 0 leaves the order to the client (§4.3.3). */
function line(
  { view }: Turn,
  { tag, byUid }: Context,
  word: 'ADDTO' | 'REMOVEFROM',
  uids: readonly number[],
): string {
  const numbers = byUid ? uids : uids.map(uid => view?.sequence(uid) ?? 0)
  if (numbers.length === 0) return ''
  const set = formatNumbers([...numbers].sort((a, b) => a - b))
  return `* ESEARCH (TAG ${formatString(tag)})${byUid ? ' UID' : ''} ${word} (0 ${set})\r\n`
}
