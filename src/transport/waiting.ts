/**
 * Loads that wait for a place of a route (pool.ts): by priority, then by rounds in which each sender has one, so that
 * who comes with one message waits for no other's thousand; and every fourth place is for who has waited longest.
 */
import type { Carry } from '../smtp/client/question.ts'
import type { Hop } from './hop.ts'
import type { HopCarried } from './hop-answer.ts'

/** What a load is given: a connection to go by, leave to open one, or nothing: it waits in the store. */
export type Place = Hop | 'open' | 'closed'

/** A load that has begun already, by a connection that was at the end of another one. */
export interface Begun {
  readonly hop: Hop
  readonly carried: Promise<HopCarried>
}

/** Whose turn it may be. */
export interface Turn {
  readonly priority: number
  /** The sender; '' where nobody is to be told apart. */
  readonly from: string
}

/** A load that waits for a place. */
export interface Waiting extends Turn {
  /** Grows with each that comes. */
  readonly since: number
  readonly go: (place: Place | Begun) => void
  /** Its message, where it can be begun at once by this connection. */
  readonly begin: ((hop: Hop) => Carry | undefined) | undefined
}

/** As it stands in its line. */
interface Placed extends Waiting {
  readonly round: number
}

/** What a sender has in a line. */
interface Standing {
  loads: number
  /** The round of the last. */
  round: number
}

/** The line of a route. */
export interface Line {
  /** By priority, then by round, then in turn. */
  readonly waiting: Placed[]
  /** Those who have something in it, each priority apart. */
  readonly senders: Map<string, Standing>
  /** Loads that got a place of others. */
  turns: number
}

/** Every fourth place is for who has waited longest, so that priorities keep nobody waiting for ever. */
const FAIR_TURN = 4

export function emptyLine(): Line {
  return { waiting: [], senders: new Map(), turns: 0 }
}

/** Into the round behind the last of its sender, or into the one that is served now: mostly at the end. */
export function queueUp({ waiting, senders }: Line, one: Waiting): void {
  const { priority } = one
  const key = keyOf(one)
  const standing = senders.get(key)
  const now = waiting.find(other => other.priority === priority)?.round ?? 0
  const round = standing === undefined ? now : standing.round + 1
  senders.set(key, { loads: (standing?.loads ?? 0) + 1, round })
  let at = waiting.length
  while (at > 0 && isBehind(waiting[at - 1] as Placed, priority, round)) at--
  const placed = { ...one, round }
  if (at === waiting.length) waiting.push(placed)
  else waiting.splice(at, 0, placed)
}

function isBehind(other: Placed, priority: number, round: number): boolean {
  return other.priority < priority || (other.priority === priority && other.round > round)
}

function keyOf({ priority, from }: Turn): string {
  return priority === 0 ? from : `${priority} ${from}`
}

/** Who gets the next place. */
export function nextOf(line: Line): Waiting | undefined {
  return takeOut(line, placeOfNext(line))
}

/** He who stands there leaves the line. */
export function takeOut({ waiting, senders }: Line, at: number): Waiting | undefined {
  const [one] = waiting.splice(at, 1)
  if (one === undefined) return undefined
  const key = keyOf(one)
  const standing = senders.get(key)
  if (standing !== undefined && --standing.loads === 0) senders.delete(key)
  return one
}

/** All leave it. */
export function takeAll({ waiting, senders }: Line): readonly Waiting[] {
  senders.clear()
  return waiting.splice(0)
}

/** Where he stands; where all are alike, the first is the one whose turn it is. */
export function placeOfNext(line: Line): number {
  const { waiting } = line
  const first = waiting[0]
  const last = waiting.at(-1)
  if (!first || !last || first.priority === last.priority) return 0
  line.turns += 1
  if (line.turns % FAIR_TURN !== 0) return 0
  return waiting.reduce((found, { since }, at) => {
    return since < (waiting[found] as Waiting).since ? at : found
  }, 0)
}
