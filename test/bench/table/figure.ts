/** What a cell of the table gives: values of each peer, round by round, as docs/performance/figures.json keeps them. */
import { ratios, type Spread, spread } from '../pairs.ts'

/** The parts of the table, in order. */
export const GROUPS = ['rate', 'tls', 'read', 'latency', 'idle', 'growth'] as const
export type Group = (typeof GROUPS)[number]

export interface Figure {
  readonly group: Group
  readonly cell: string
  readonly unit: string
  readonly better: 'more' | 'less'
  /** By peer, in the order of the rounds. */
  readonly values: Readonly<Record<string, readonly number[]>>
  /** Seconds of CPU for 1,000 messages, of the whole tree of processes. */
  readonly cpu?: Readonly<Record<string, readonly number[]>>
  /** Who has failed, and how. */
  readonly failed?: Readonly<Record<string, string>>
  /** The charts in which it is a point of each peer's line, and where. */
  readonly points?: readonly { readonly chart: string; readonly x: number }[]
  /** How long the cell took. */
  readonly seconds: number
  /** What has measured it. */
  readonly command: string
}

export type Values = Record<string, readonly number[]>

/** How many times better the first is than the other, round by round. */
export function advantage(
  { values, better }: Pick<Figure, 'values' | 'better'>,
  first: string,
  other: string,
): Spread | undefined {
  const [ours, theirs] = [values[first] ?? [], values[other] ?? []]
  return spread(better === 'more' ? ratios(ours, theirs) : ratios(theirs, ours))
}

/** With as many digits as say something. */
export function shown(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString('en-US')
  return value >= 10 ? value.toFixed(1) : value.toFixed(2)
}
