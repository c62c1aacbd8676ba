/**
 * Loads that wait for a place of a route (pool.ts): by priority, then in turn, and every fourth place is for who has
 * waited longest.
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

/** A load that waits for a place. */
export interface Waiting {
  readonly priority: number
  /** Grows with each that comes. */
  readonly since: number
  readonly go: (place: Place | Begun) => void
  /** Its message, where it can be begun at once by this connection. */
  readonly begin: ((hop: Hop) => Carry | undefined) | undefined
}

/** The line of a route. */
interface Line {
  /** By priority, then in turn. */
  readonly waiting: Waiting[]
  /** Loads that got a place of others. */
  turns: number
}

/** Every fourth place is for who has waited longest, so that priorities keep nobody waiting for ever. */
const FAIR_TURN = 4

/** Behind all of the same priority or a higher one: mostly at the end. */
export function queueUp(waiting: Waiting[], one: Waiting): void {
  let at = waiting.length
  while (at > 0 && (waiting[at - 1] as Waiting).priority < one.priority) at--
  if (at === waiting.length) waiting.push(one)
  else waiting.splice(at, 0, one)
}

/** Who gets the next place. */
export function nextOf(line: Line): Waiting | undefined {
  return line.waiting.splice(placeOfNext(line), 1)[0]
}

/** Where he stands; where all are alike, the first is the one who has waited longest. */
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
