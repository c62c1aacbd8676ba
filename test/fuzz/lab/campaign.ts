/**
 * One target under fire: seeds, what was kept, what its grammar makes, and mutations of all of these, those
 * the more that reached something new. Ends at the first fault, which is made as short as it goes.
 */
import type { Random } from '../../../src/world/random.ts'
import { seededRandom } from '../../../src/world/sim/random.ts'
import { bend } from './bend.ts'
import { Coverage } from './coverage.ts'
import { bendFrames } from './grammar.ts'
import { growth } from './growth.ts'
import { pick, type Target } from './target.ts'

const INPUT_MAX_OCTETS = 4096
const OUTPUT_FREE_OCTETS = 100_000
const OUTPUT_RATIO = 100
/** Inputs between two looks at what was reached. */
const GROUP = 100
const KEPT_MAX = 4000
/** To see how time grows costs as much as a thousand inputs. */
const GROWN_ONE_IN = 4

export interface Fault {
  readonly target: string
  readonly input: Buffer
  readonly error: unknown
}

export interface Campaign {
  readonly inputs: number
  readonly kept: readonly Buffer[]
  readonly blocks: number
  readonly fault?: Fault
}

export interface Plan {
  readonly seed: number
  /** Whether it is over, asked between two groups. */
  readonly done: (inputs: number) => boolean
  /** Inputs kept in former campaigns. */
  readonly kept: readonly Buffer[]
  /** Without it nothing is kept, and an input costs less. */
  readonly coverage: boolean
}

export async function campaign(target: Target, plan: Plan): Promise<Campaign> {
  const random = seededRandom(`${target.name} ${plan.seed}`)
  const coverage = plan.coverage ? new Coverage() : undefined
  /** What is bent; and of it what was not there before, to be kept. */
  const pool: Buffer[] = []
  const kept: Buffer[] = []
  const known = target.seeds().map(each => cut(target, each))
  const seeds = [...known, ...plan.kept.map(each => cut(target, each))]
  let inputs = 0
  coverage?.reached()
  const over = (fault?: Fault): Campaign => {
    return { inputs, kept, blocks: coverage?.size ?? 0, ...(fault && { fault }) }
  }
  for (let waiting = seeds; inputs === 0 || !plan.done(inputs); waiting = []) {
    const group =
      waiting.length > 0 ? waiting : made(target, pool.length > 0 ? pool : seeds, random)
    for (const input of group) {
      inputs += 1
      const error = await tried(target, input)
      if (error !== undefined) return over(await shortest(target, input, error))
    }
    if (coverage === undefined || !coverage.reached()) continue
    if (waiting.length > 0) pool.push(...group)
    for (const input of await newOnes(target, coverage, group)) {
      if (pool.length < KEPT_MAX && waiting.length === 0) pool.push(input)
      if (!known.includes(input)) kept.push(input)
      const slow = await grown(target, input, random)
      coverage.reached()
      if (slow !== undefined) return over({ target: target.name, input, error: new Error(slow) })
    }
  }
  return over()
}

/** Those of a group that reached something. What ran before may hide it, so that more is found than there is, never less. */
async function newOnes(
  target: Target,
  coverage: Coverage,
  group: readonly Buffer[],
): Promise<readonly Buffer[]> {
  coverage.forget()
  const found: Buffer[] = []
  const look = async (some: readonly Buffer[]): Promise<void> => {
    for (const input of some) await tried(target, input)
    if (!coverage.reached()) return
    if (some.length === 1) found.push(...some)
    else {
      coverage.forget()
      await look(some.slice(0, some.length >> 1))
      await look(some.slice(some.length >> 1))
    }
  }
  await look(group)
  return found
}

/** Of some inputs, whether time grows as they do; a throw is a fault like any. */
async function grown(target: Target, input: Buffer, random: Random): Promise<string | undefined> {
  if (target.linear === false || input.length === 0 || random.below(GROWN_ONE_IN) > 0) {
    return undefined
  }
  const from = random.below(input.length)
  const length = 1 + random.below(Math.min(80, input.length - from))
  try {
    return await growth(target, input, from, length)
  } catch (error) {
    const unit = input.toString('latin1', from, from + length)
    return `with ${JSON.stringify(unit)} repeated: ${error instanceof Error ? error.stack : String(error)}`
  }
}

/** A group of inputs: most bent from what is known, some made by the grammar, few of chance alone. */
function made(target: Target, pool: readonly Buffer[], random: Random): Buffer[] {
  return Array.from({ length: GROUP }, () => {
    const way = random.below(20)
    if (way === 0) return Buffer.from(random.octets(random.below(60)))
    if (way < 6 && target.make !== undefined) {
      const input = target.make(random)
      return cut(target, way < 3 ? input : bend(input, random, target.words))
    }
    // What was reached last leads furthest.
    const late = random.below(2) === 0 ? pool.slice(-200) : pool
    if (target.lines === true && way < 12) {
      return cut(target, bendFrames(pick(random, late), pick(random, pool), random))
    }
    return cut(target, bend(pick(random, late), random, target.words, pick(random, pool)))
  })
}

function cut(target: Target, input: Buffer): Buffer {
  return input.subarray(0, target.inputMaxOctets ?? INPUT_MAX_OCTETS)
}

/** What it threw; undefined where all holds. */
export async function tried(target: Target, input: Buffer): Promise<unknown> {
  try {
    const out = await target.run(input, seededRandom(input.toString('latin1')))
    const most = OUTPUT_FREE_OCTETS + (target.outputRatio ?? OUTPUT_RATIO) * input.length
    return out > most ? new Error(`${out} octets came out of ${input.length}`) : undefined
  } catch (error) {
    return error ?? new Error('nothing was thrown')
  }
}

/** Pieces are taken out for as long as it fails the same way. */
async function shortest(target: Target, input: Buffer, error: unknown): Promise<Fault> {
  let [best, reason] = [input, error]
  for (let size = best.length >> 1; size > 0; size >>= 1) {
    for (let at = 0; at < best.length; ) {
      const less = Buffer.concat([best.subarray(0, at), best.subarray(at + size)])
      const still = await tried(target, less)
      if (still !== undefined && sameKind(still, error)) [best, reason] = [less, still]
      else at += size
    }
  }
  return { target: target.name, input: best, error: reason }
}

function sameKind(one: unknown, other: unknown): boolean {
  const kind = (error: unknown) =>
    error instanceof Error ? `${error.name} ${placeOf(error)}` : String(error)
  return kind(one) === kind(other)
}

/** The first line of our own that it came by. */
function placeOf({ stack = '' }: Error): string {
  return /(?:src|test)\/[^\s)]*/.exec(stack)?.[0] ?? ''
}
