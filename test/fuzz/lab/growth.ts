/**
 * Whether a target's time and memory grow with its input and no faster. A piece of an input is repeated until
 * there are 16 KB, and twice, and four times as much. What is quick at the largest size is not looked
 * at closer; what is not must not take more than 2.6 times as long where there is twice as much.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { seededRandom } from '../../../src/world/sim/random.ts'
import type { Target } from './target.ts'

const SIZES = [16_384, 32_768, 65_536] as const
/** What is done with so much so soon is not looked at closer. */
const QUICK_MS = 40
const FACTOR_MAX = 2.6
/** What may stay of an input of the largest size once it was read. */
const HELD_MAX_OCTETS = 24 * 1_048_576

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** The same chance for each size: what it decides must not be what is measured. */
const CHANCE = 'growth'

/** The input of the largest size, and a fault or undefined. */
export async function growth(
  target: Target,
  input: Buffer,
  from: number,
  length: number,
): Promise<string | undefined> {
  const [before, unit, behind] = [
    input.subarray(0, from),
    input.subarray(from, from + length),
    input.subarray(from + length),
  ]
  const spent = async (octets: number): Promise<number> => {
    const times = Math.ceil(octets / unit.length)
    const whole = Buffer.concat([before, ...Array<Buffer>(times).fill(unit), behind])
    const since = process.cpuUsage()
    await target.run(whole, seededRandom(CHANCE))
    return process.cpuUsage(since).user / 1000
  }
  const largest = SIZES[2]
  const first = await spent(largest)
  if (first < QUICK_MS) return undefined
  const grew = await held(() => spent(largest))
  if (grew > HELD_MAX_OCTETS) return `${Math.round(grew / 1_048_576)} MB stay of ${largest} octets`
  const times: number[] = []
  for (const size of SIZES) {
    // The least of three: everything else on this machine only makes it longer.
    let least = Number.POSITIVE_INFINITY
    for (let n = 0; n < 3; n++) least = Math.min(least, await spent(size))
    times.push(least)
  }
  const [one = 0, two = 0, four = 0] = times
  if (four < QUICK_MS || two / one <= FACTOR_MAX || four / two <= FACTOR_MAX) return undefined
  const shown = times.map(ms => `${ms.toFixed(0)} ms`).join(', ')
  return `time grows faster than the input: ${shown} for ${JSON.stringify(unit.toString('latin1'))}`
}

async function held(run: () => Promise<unknown>): Promise<number> {
  const used = () => {
    collect()
    const { heapUsed, external } = process.memoryUsage()
    return heapUsed + external
  }
  const before = used()
  await run()
  return used() - before
}
