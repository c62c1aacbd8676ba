/** What is measured, and what is to be reached: the goals of docs/performance.md. */
import type { Load } from './load.ts'
import type { Work } from './peer/peer.ts'

/** One cell of the table of rates. */
export interface Cell {
  readonly name: string
  readonly work: Work
  readonly load: Omit<Load, 'messages'>
  /** How many messages a run of each peer sends: some seconds' worth. */
  readonly messages: Readonly<Record<'ours' | 'postfix' | 'bare', number>>
  /** The least ratio to Postfix, and to the bare receiver where that is asked for. */
  readonly goal: number
  readonly bareGoal?: number
  readonly quick: boolean
}

const KB = 1024
const kept = (sizeOctets: number) => ({ sizeOctets, sessions: 20, kept: true })

export const RELAYED = kept(KB)

export const CELLS: readonly Cell[] = [
  {
    name: 'deliver 1 KB, 20 kept sessions',
    work: 'deliver',
    load: kept(KB),
    messages: { ours: 12_000, postfix: 2_000, bare: 20_000 },
    goal: 8,
    bareGoal: 0.5,
    quick: true,
  },
  {
    name: 'deliver 1 KB, a connection for each',
    work: 'deliver',
    load: { sizeOctets: KB, sessions: 20, kept: false },
    messages: { ours: 6_000, postfix: 2_000, bare: 6_000 },
    goal: 4,
    quick: true,
  },
  {
    name: 'relay 1 KB to smtp-sink, 20 sessions in',
    work: 'relay',
    load: RELAYED,
    messages: { ours: 8_000, postfix: 1_500, bare: 0 },
    goal: 7,
    quick: true,
  },
  {
    name: 'relay 1 KB to smtp-sink, 100 sessions in',
    work: 'relay',
    load: { ...RELAYED, sessions: 100 },
    messages: { ours: 8_000, postfix: 1_500, bare: 0 },
    goal: 7,
    quick: true,
  },
  {
    name: 'deliver 100 KB, 20 kept sessions',
    work: 'deliver',
    load: kept(100 * KB),
    messages: { ours: 2_000, postfix: 800, bare: 0 },
    goal: 4,
    quick: false,
  },
  {
    name: 'deliver 1 MB, 20 kept sessions',
    work: 'deliver',
    load: kept(KB * KB),
    messages: { ours: 500, postfix: 250, bare: 0 },
    goal: 2,
    quick: false,
  },
]

export interface Depth {
  readonly pairs: number
  /** Of the messages above, how many are sent. */
  readonly share: number
  /** Messages that wait in the memory cell. */
  readonly queued: number
  /** Messages that are deferred while others are relayed. */
  readonly deferred: number
}

export const FULL: Depth = { pairs: 5, share: 1, queued: 100_000, deferred: 100_000 }
export const QUICK: Depth = { pairs: 3, share: 0.25, queued: 5_000, deferred: 20_000 }
