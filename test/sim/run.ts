/**
 * Storms by hand: `npm run sim -- --seed 1 --hours 6 --seeds 100`. One line for each seed; where the oracle finds
 * something, what it found, what happened in order, and the command that shows the smallest form of it again.
 * `--faults` lives through single faults of a delivery (faults.ts) instead.
 * `--resume` goes on behind the last seed that it lived through, by a counter kept beside no file of ours.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { faults, lived } from './faults.ts'
import { minimise } from './minimise.ts'
import { bugs, caughtBy } from './planted.ts'
import { type Storm, storm } from './storm.ts'
import type { StormOptions } from './storm-plan.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    hours: { type: 'string', default: '6' },
    seeds: { type: 'string', default: '1' },
    /** Goes on where the last run with `--resume` ended. */
    resume: { type: 'boolean', default: false },
    /** Parts that are left out: 'letter 1, a.test crash 1'. */
    without: { type: 'string', default: '' },
    /** Shows what happened even where all is well. */
    trace: { type: 'boolean', default: false },
    /** Plants bugs, and says of each whether a storm shows it. */
    planted: { type: 'boolean', default: false },
    /** Lives through each single fault from as many seeds. */
    faults: { type: 'boolean', default: false },
    /** Leaves a storm that fails as large as it is. */
    whole: { type: 'boolean', default: false },
  },
})

/** Letters that are on their way while one fault lasts. */
const FAULT_LETTERS = 40

interface Kept {
  next: number
  lived: number
  broken: number[]
}

const home = process.env['XDG_STATE_HOME'] ?? join(homedir(), '.local', 'state')
const counter = process.env['POSTRIDER_SIM_STATE'] ?? join(home, 'postrider', 'sim.json')

function kept(): Kept {
  try {
    return JSON.parse(readFileSync(counter, 'utf8')) as Kept
  } catch {
    return { next: Number(values.seed), lived: 0, broken: [] }
  }
}

function keep(state: Kept): void {
  mkdirSync(dirname(counter), { recursive: true })
  writeFileSync(counter, `${JSON.stringify(state)}\n`)
}

function happenings({ town }: Storm): string {
  const { tracer, internet } = town
  const logged = internet.log
    .filter(({ level }) => level !== 'debug')
    .map(({ at, host, event, facts }) => ({
      at,
      line: `${tracer.clock(at)}  ${host}  ${event} ${JSON.stringify(facts)}`,
    }))
  const traced = tracer.entries.map(({ at, text }) => ({
    at,
    line: `${tracer.clock(at)}  ${text}`,
  }))
  const tries = town.tries.map(({ at, mark, from, recipients }) => {
    const outcomes = recipients.map(r => `${r.address}: ${r.outcome.kind} (${r.outcome.reason})`)
    return { at, line: `${tracer.clock(at)}  ${from} tries ${mark}: ${outcomes.join('; ')}` }
  })
  return [...traced, ...logged, ...tries]
    .sort((a, b) => a.at - b.at)
    .map(({ line }) => line)
    .join('\n')
}

function command({ seed, hours, without }: StormOptions): string {
  const left =
    without === undefined || without.size === 0 ? '' : ` --without '${[...without].join(', ')}'`
  return `npm run sim -- --seed ${seed} --hours ${hours}${left} --whole`
}

/** Whether all was well. */
async function live(options: StormOptions): Promise<boolean> {
  const { seed } = options
  try {
    const weathered = await storm(options)
    const { broken, summary } = weathered
    const good = broken.length === 0
    console.log(`seed ${seed}: ${good ? 'good' : 'BROKEN'} (${summary})`)
    if (!good || values.trace) await tell(options, weathered)
    return good
  } catch (error) {
    console.log(`seed ${seed}: THREW ${error instanceof Error ? error.stack : String(error)}`)
    console.log(`again: ${command(options)}`)
    return false
  }
}

async function tell(options: StormOptions, lived: Storm): Promise<void> {
  const rules = new Set(lived.broken.map(({ rule }) => rule))
  const small = values.whole || rules.size === 0
  const without = small
    ? undefined
    : await minimise(
        options,
        one => fails(one, rules),
        line => console.log(line),
      )
  const least = without === undefined ? options : { ...options, without }
  const shown = without === undefined ? lived : await storm(least)
  console.log(happenings(shown))
  for (const { rule, what } of shown.broken) console.log(`BROKEN  ${rule}: ${what}`)
  console.log(`again: ${command(least)}`)
}

/** Whether a smaller storm still breaks one of the rules. */
async function fails(options: StormOptions, rules: ReadonlySet<string>): Promise<boolean> {
  const { broken } = await storm(options).catch(() => ({ broken: [] }))
  return broken.some(({ rule }) => rules.has(rule))
}

if (values.planted) {
  for (const bug of bugs) {
    const seed = await caughtBy(bug)
    console.log(`${bug.what}: ${seed === undefined ? 'NOT SEEN' : `caught by seed ${seed}`}`)
    if (seed === undefined) process.exitCode = 1
  }
  process.exit()
}

if (values.faults) {
  const first = Number(values.seed)
  for (const fault of faults) {
    const bad: number[] = []
    for (let seed = first; seed < first + Number(values.seeds); seed++) {
      const { broken } = await lived(fault, seed, FAULT_LETTERS)
      for (const { rule, what } of broken) console.log(`BROKEN  seed ${seed}, ${rule}: ${what}`)
      if (broken.length > 0) bad.push(seed)
    }
    console.log(`${fault.name}: ${values.seeds} seeds, broken: ${bad.join(' ') || 'none'}`)
    if (bad.length > 0) process.exitCode = 1
  }
  process.exit()
}

const names = values.without.split(',').map(name => name.trim())
const without = new Set(names.filter(name => name !== ''))
const state = kept()
const first = values.resume ? state.next : Number(values.seed)
let bad = 0
for (let seed = first; seed < first + Number(values.seeds); seed++) {
  const good = await live({ seed, hours: Number(values.hours), without })
  if (!good) bad++
  if (!values.resume) continue
  state.next = seed + 1
  state.lived++
  if (!good) state.broken.push(seed)
  keep(state)
}
const told = values.resume
  ? `; ${state.lived} in all, broken: ${state.broken.join(' ') || 'none'}`
  : ''
console.log(`${values.seeds} seeds, ${bad} broken${told}`)
if (bad > 0) process.exitCode = 1
