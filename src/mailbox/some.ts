/**
 * Messages of a mailbox by their UIDs, however many a command names. Neighbours, as they nearly always are, are read
 * from one to the other and not one by one. For the readers of this room, and for copies.
 */

import { either } from '../store/dialect.ts'
import type { Read, Value } from '../world/sql.ts'
import { uidsIn } from './tally.ts'

/** One text that reads messages, in two ways. */
export interface SomeTexts {
  readonly named: string
  readonly between: string
}

/** A text, or one for each store. */
type Text = string | { readonly sqlite: string; readonly postgresql: string }

/** Of a text with `{uids}` where the condition on ?n stands, the last of its values. */
export function someTexts(text: Text, n: number): SomeTexts {
  const { sqlite, postgresql } =
    typeof text === 'string' ? { sqlite: text, postgresql: text } : text
  const both = (uids: { readonly sqlite: string; readonly postgresql: string }) =>
    either({
      sqlite: sqlite.replaceAll('{uids}', uids.sqlite),
      postgresql: postgresql.replaceAll('{uids}', uids.postgresql),
    })
  const between = `BETWEEN ?${n} AND ?${n + 1}`
  return { named: both(uidsIn(n)), between: both({ sqlite: between, postgresql: between }) }
}

/** Rows of the UIDs (ascending); `before` are the values that the text has before them. */
export async function readSome<Row extends { readonly uid: number }>(
  tx: Read,
  { named, between }: SomeTexts,
  uids: readonly number[],
  ...before: Value[]
): Promise<Row[]> {
  const [from, to] = [uids[0] ?? 0, uids.at(-1) ?? 0]
  if (to < from || to - from >= 2 * uids.length) {
    return tx.all<Row>(named, ...before, JSON.stringify(uids))
  }
  const rows = await tx.all<Row>(between, ...before, from, to)
  if (to - from + 1 === uids.length) return rows
  const wanted = new Set(uids)
  return rows.filter(({ uid }) => wanted.has(uid))
}

/** The values of a text behind those before, and which text that is: where every UID from first to last is meant, it says so. */
export function someValues(
  { named, between }: SomeTexts,
  uids: readonly number[],
): readonly [text: string, ...values: Value[]] {
  const [from, to] = [uids[0] ?? 0, uids.at(-1) ?? 0]
  const all = uids.length > 0 && to - from + 1 === uids.length
  return all ? [between, from, to] : [named, JSON.stringify(uids)]
}
