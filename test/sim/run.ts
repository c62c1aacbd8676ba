/**
 * Storms by hand: `npm run sim -- --seed 1 --count 100`. One line for each seed; where the oracle
 * finds something, what it found, what happened in order, and the command that shows it again.
 */
import { parseArgs } from 'node:util'
import { type Storm, storm } from './storm.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    count: { type: 'string', default: '1' },
    /** Shows what happened even where all is well. */
    trace: { type: 'boolean', default: false },
  },
})

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

const first = Number(values.seed)
let bad = 0
for (let seed = first; seed < first + Number(values.count); seed++) {
  const lived = await storm(seed)
  const { broken, summary } = lived
  console.log(`seed ${seed}: ${broken.length === 0 ? 'good' : 'BROKEN'} (${summary})`)
  if (broken.length > 0) bad++
  if (broken.length > 0 || values.trace) {
    console.log(happenings(lived))
    for (const { rule, what } of broken) console.log(`BROKEN  ${rule}: ${what}`)
    console.log(`again: node test/sim/run.ts --seed ${seed}`)
  }
}
if (bad > 0) process.exitCode = 1
